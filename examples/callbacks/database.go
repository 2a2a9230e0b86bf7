package main

import (
	"cmp"
	"context"
	"database/sql"
	"embed"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	_ "modernc.org/sqlite"
)

//go:embed migrations/*.sql
var migrations embed.FS

// database is SQLite or Postgres. Both understand the statements of this program,
// but for the form of parameters and the lock of a row.
type database struct {
	*sql.DB
	postgres bool
}

// openDatabase opens Postgres if there is a URL of it, and a file of SQLite
// otherwise, and brings the schema up to date.
func openDatabase(ctx context.Context, postgresURL, file string) (*database, error) {
	db, err := connect(postgresURL, file)
	if err != nil {
		return nil, err
	}
	if err := db.migrate(ctx); err != nil {
		_ = db.Close()
		return nil, fmt.Errorf("migrate %s: %w", db, err)
	}
	return db, nil
}

func connect(postgresURL, file string) (*database, error) {
	if postgresURL != "" {
		cfg, err := pgx.ParseConfig(postgresURL) // its error hides the password
		if err != nil {
			return nil, fmt.Errorf("DATABASE_URL: %w", err)
		}
		cfg.ConnectTimeout = cmp.Or(cfg.ConnectTimeout, 10*time.Second)
		db := stdlib.OpenDB(*cfg)
		db.SetMaxOpenConns(10)
		return &database{db, true}, nil
	}
	// Whoever may read the events may know what customers upload.
	f, err := os.OpenFile(file, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	if err := f.Close(); err != nil {
		return nil, err
	}
	file, err = filepath.Abs(file)
	if err != nil {
		return nil, err
	}
	// FULL: what was answered with 200 outlives a power failure, too.
	options := "_txlock=immediate&_pragma=busy_timeout(10000)&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_pragma=foreign_keys(1)"
	db, err := sql.Open("sqlite", "file:"+(&url.URL{Path: file}).EscapedPath()+"?"+options)
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1) // SQLite has one writer
	return &database{db, false}, nil
}

func (db *database) String() string {
	if db.postgres {
		return "Postgres"
	}
	return "SQLite"
}

// query writes the parameters $1, $2, ... as the database has them.
func (db *database) query(text string) string {
	if db.postgres {
		return text
	}
	return strings.ReplaceAll(text, "$", "?")
}

// migrate applies the migrations that are newer than the schema, all or none. Of
// two processes that start together, one waits.
func (db *database) migrate(ctx context.Context) error {
	return db.within(ctx, func(tx *sql.Tx) error {
		if db.postgres {
			if _, err := tx.ExecContext(ctx, "SELECT pg_advisory_xact_lock(7201452)"); err != nil {
				return err
			}
		}
		if _, err := tx.ExecContext(ctx, "CREATE TABLE IF NOT EXISTS schema_versions (version BIGINT PRIMARY KEY, applied_at BIGINT NOT NULL)"); err != nil {
			return err
		}
		version := 0
		if err := tx.QueryRowContext(ctx, "SELECT COALESCE(MAX(version), 0) FROM schema_versions").Scan(&version); err != nil {
			return err
		}
		files, err := migrations.ReadDir("migrations") // sorted
		if err != nil {
			return err
		}
		for _, f := range files {
			number, _, _ := strings.Cut(f.Name(), "_")
			n, err := strconv.Atoi(number)
			if err != nil {
				return err
			}
			if n <= version {
				continue
			}
			text, err := migrations.ReadFile("migrations/" + f.Name())
			if err != nil {
				return err
			}
			if _, err := tx.ExecContext(ctx, string(text)); err != nil {
				return fmt.Errorf("%s: %w", f.Name(), err)
			}
			if _, err := tx.ExecContext(ctx, db.query("INSERT INTO schema_versions (version, applied_at) VALUES ($1, $2)"), n, time.Now().UnixMilli()); err != nil {
				return err
			}
		}
		return nil
	})
}

// within runs f in a transaction.
func (db *database) within(ctx context.Context, f func(*sql.Tx) error) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback() // does nothing after Commit
	if err := f(tx); err != nil {
		return err
	}
	return tx.Commit()
}
