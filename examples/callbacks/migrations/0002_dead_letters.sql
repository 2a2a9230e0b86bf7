-- Messages of a queue that are never handled, for a human to look at.
CREATE TABLE dead_letters (
	message_id  TEXT PRIMARY KEY,
	body        TEXT NOT NULL,
	reason      TEXT NOT NULL,
	attempts    BIGINT NOT NULL,
	received_at BIGINT NOT NULL
);
