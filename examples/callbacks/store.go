package main

import (
	"context"
	"database/sql"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/alimedia/alimedia-go/events"
	"github.com/alimedia/alimedia-go/internal/redact"
)

// store keeps events and what they say about assets.
type store struct{ db *database }

// handle stores an event and its effect in one transaction, so that both happen
// once or not at all, however often the event is delivered and whenever the process
// dies. It reports whether the event had been handled before.
func (s *store) handle(ctx context.Context, e events.Event, via string) (repeated bool, err error) {
	e.MediaId = bounded(e.MediaId)
	e.FileURL, e.ErrorCode, e.EventType = clean(e.FileURL), clean(e.ErrorCode), clean(e.EventType)
	err = s.db.within(ctx, func(tx *sql.Tx) error {
		now := time.Now().UnixMilli()
		// Of two transactions with one id, the second waits here for the first.
		res, err := tx.ExecContext(ctx, s.db.query(`INSERT INTO events (id, service, event_type, media_id, event_time, received_at, via, body)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (id) DO NOTHING`),
			e.Id(), e.Service, e.EventType, e.MediaId, millis(e.EventTime), now, via, clean(string(e.Raw)))
		if err != nil {
			return err
		}
		n, err := res.RowsAffected()
		if repeated = n == 0; err != nil || repeated || e.MediaId == "" {
			return err
		}
		return s.change(ctx, tx, e.MediaId, e.Service, func(a *asset) error {
			a.apply(e)
			return s.streams(ctx, tx, e)
		})
	})
	return repeated, err
}

// clean is text that Postgres takes: UTF-8 without zero bytes.
func clean(text string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(text, "\uFFFD"), "\x00", "")
}

// bounded is clean for keys. An index of Postgres takes no long ones; real ids have
// 32 bytes.
func bounded(id string) string {
	if id = clean(id); len(id) > 256 {
		return ""
	}
	return id
}

// expect notes that an upload of an asset has begun. Events may have come first.
func (s *store) expect(ctx context.Context, service, mediaId string) error {
	return s.db.within(ctx, func(tx *sql.Tx) error {
		return s.change(ctx, tx, mediaId, service, func(*asset) error { return nil })
	})
}

const columns = `media_id, service, state, state_at, error_code, size, size_at, duration_ms, duration_at, file_url, file_url_at, event_count, checks, checked_at, updated_at`

func (a *asset) scan(row interface{ Scan(...any) error }) error {
	return row.Scan(&a.MediaId, &a.Service, &a.State, &a.StateAt, &a.ErrorCode, &a.Size, &a.SizeAt, &a.Duration, &a.DurationAt,
		&a.FileURL, &a.FileURLAt, &a.Events, &a.Checks, &a.CheckedAt, &a.UpdatedAt)
}

// change locks the row of an asset, which it makes if there is none, and changes it
// by f.
func (s *store) change(ctx context.Context, tx *sql.Tx, mediaId, service string, f func(*asset) error) error {
	now := time.Now().UnixMilli()
	if _, err := tx.ExecContext(ctx, s.db.query(`INSERT INTO assets (`+columns+`)
		VALUES ($1, $2, 'expected', 0, '', 0, 0, 0, 0, '', 0, 0, 0, 0, $3) ON CONFLICT (media_id) DO NOTHING`), mediaId, service, now); err != nil {
		return err
	}
	lock := ""
	if s.db.postgres { // a transaction of SQLite locks the whole file
		lock = " FOR UPDATE"
	}
	var a asset
	if err := a.scan(tx.QueryRowContext(ctx, s.db.query(`SELECT `+columns+` FROM assets WHERE media_id = $1`+lock), mediaId)); err != nil {
		return err
	}
	if err := f(&a); err != nil {
		return err
	}
	_, err := tx.ExecContext(ctx, s.db.query(`UPDATE assets SET state = $2, state_at = $3, error_code = $4, size = $5, size_at = $6, duration_ms = $7,
		duration_at = $8, file_url = $9, file_url_at = $10, event_count = $11, checks = $12, checked_at = $13, updated_at = $14 WHERE media_id = $1`),
		mediaId, a.State, a.StateAt, a.ErrorCode, a.Size, a.SizeAt, a.Duration, a.DurationAt, a.FileURL, a.FileURLAt, a.Events, a.Checks, a.CheckedAt, now)
	return err
}

// streams stores the results of single streams. The asset is locked.
func (s *store) streams(ctx context.Context, tx *sql.Tx, e events.Event) error {
	for _, stream := range e.Streams() {
		if _, err := tx.ExecContext(ctx, s.db.query(`INSERT INTO streams (media_id, job_id, definition, format, state, error_code, state_at)
			VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (media_id, job_id, definition, format)
			DO UPDATE SET state = excluded.state, error_code = excluded.error_code, state_at = excluded.state_at WHERE excluded.state_at >= streams.state_at`),
			e.MediaId, bounded(stream.JobId), bounded(stream.Definition), bounded(stream.Format), clean(stream.Status), clean(stream.ErrorCode), millis(e.EventTime)); err != nil {
			return err
		}
	}
	return nil
}

// reject keeps a message that is never handled.
func (s *store) reject(ctx context.Context, m events.Message, reason error) error {
	_, err := s.db.ExecContext(ctx, s.db.query(`INSERT INTO dead_letters (message_id, body, reason, attempts, received_at) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (message_id) DO NOTHING`), bounded(m.Id), clean(string(m.Body)), redact.Text(reason.Error()), m.Attempts, time.Now().UnixMilli())
	return err
}

// assets lists all assets.
func (s *store) assets(ctx context.Context) ([]asset, error) {
	return s.list(ctx, `SELECT `+columns+` FROM assets ORDER BY media_id`)
}

func (s *store) list(ctx context.Context, query string, args ...any) ([]asset, error) {
	rows, err := s.db.QueryContext(ctx, s.db.query(query), args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all []asset
	for rows.Next() {
		var a asset
		if err := a.scan(rows); err != nil {
			return nil, err
		}
		all = append(all, a)
	}
	return all, rows.Err()
}

// failedStreams says why streams failed, by asset.
func (s *store) failedStreams(ctx context.Context) (map[string]string, error) {
	rows, err := s.db.QueryContext(ctx, `SELECT media_id, definition, error_code FROM streams WHERE error_code <> '' ORDER BY definition`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	all := map[string]string{}
	for rows.Next() {
		var id, definition, code string
		if err := rows.Scan(&id, &definition, &code); err != nil {
			return nil, err
		}
		all[id] = strings.TrimSpace(all[id] + " " + definition + ": " + code)
	}
	return all, rows.Err()
}

// print writes a table of all assets.
func (s *store) print(ctx context.Context, w io.Writer) error {
	all, err := s.assets(ctx)
	if err != nil {
		return err
	}
	failures, err := s.failedStreams(ctx)
	if err != nil {
		return err
	}
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "   ASSET\tSTATE\tDURATION\tBYTES\tEVENTS\tERRORS")
	for _, a := range all {
		fmt.Fprintf(table, "   %s\t%s\t%v\t%d\t%d\t%s\n", a.MediaId, a.State, time.Duration(a.Duration)*time.Millisecond, a.Size, a.Events, strings.TrimSpace(a.ErrorCode+" "+failures[a.MediaId]))
	}
	return table.Flush()
}
