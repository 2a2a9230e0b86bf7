-- Times are Unix milliseconds, so that SQLite and Postgres store the same.

-- Each event once: id is Event.Id.
CREATE TABLE events (
	id          TEXT PRIMARY KEY,
	service     TEXT NOT NULL,
	event_type  TEXT NOT NULL,
	media_id    TEXT NOT NULL,
	event_time  BIGINT NOT NULL,
	received_at BIGINT NOT NULL,
	via         TEXT NOT NULL, -- http or queue
	body        TEXT NOT NULL
);
CREATE INDEX events_by_media ON events (media_id);

-- What the events say about an asset. A column that ends in _at is the time of the
-- event that set the column before it, so that an older event changes nothing.
CREATE TABLE assets (
	media_id      TEXT PRIMARY KEY,
	service       TEXT NOT NULL,
	state         TEXT NOT NULL, -- expected, uploaded, ready, failed or deleted
	state_at      BIGINT NOT NULL,
	error_code    TEXT NOT NULL,
	size          BIGINT NOT NULL,
	size_at       BIGINT NOT NULL,
	duration_ms   BIGINT NOT NULL,
	duration_at   BIGINT NOT NULL,
	file_url      TEXT NOT NULL,
	file_url_at   BIGINT NOT NULL,
	event_count   BIGINT NOT NULL, -- incremented by each event, to prove that each counts once
	updated_at    BIGINT NOT NULL,
	checked_at    BIGINT NOT NULL, -- when the service was asked; 0: never
	checks        BIGINT NOT NULL
);
CREATE INDEX assets_by_state ON assets (state, updated_at);

-- The streams of an asset, and why one of them failed.
CREATE TABLE streams (
	media_id   TEXT NOT NULL REFERENCES assets (media_id),
	job_id     TEXT NOT NULL,
	definition TEXT NOT NULL,
	format     TEXT NOT NULL,
	state      TEXT NOT NULL, -- as the service spells it
	error_code TEXT NOT NULL,
	state_at   BIGINT NOT NULL,
	PRIMARY KEY (media_id, job_id, definition, format)
);
