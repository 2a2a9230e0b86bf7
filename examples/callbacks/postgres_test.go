package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
)

// kinds are the databases that tests run on.
var kinds = []string{"SQLite", "Postgres"}

// postgresRequired is set where tests must not be skipped.
const postgresRequired = "CALLBACKS_REQUIRE_POSTGRES"

// open opens an empty database.
func open(t *testing.T, kind string) *store {
	t.Helper()
	s := settings{db: filepath.Join(t.TempDir(), "callbacks ?#%.db")}
	if kind == "Postgres" {
		s.postgres = postgresURL(t)
	}
	db, err := openDatabase(t.Context(), s.postgres, s.db)
	require.NoError(t, err)
	t.Cleanup(func() { _ = db.Close() })
	return &store{db}
}

// postgresURL is the URL of an empty schema, at DATABASE_URL or in a cluster that
// the tests start.
func postgresURL(t *testing.T) string {
	t.Helper()
	server := os.Getenv("DATABASE_URL")
	if server == "" {
		var err error
		server, err = cluster.start()
		if errors.Is(err, errNoPostgres) && os.Getenv(postgresRequired) == "" {
			t.Skip(err)
		}
		require.NoError(t, err)
	}
	conn, err := pgx.Connect(t.Context(), server)
	require.NoError(t, err)
	defer conn.Close(t.Context())
	schema := "callbacks_" + rand.Text()
	_, err = conn.Exec(t.Context(), `CREATE SCHEMA "`+schema+`"`)
	require.NoError(t, err)
	t.Cleanup(func() {
		ctx := context.WithoutCancel(t.Context())
		conn, err := pgx.Connect(ctx, server)
		require.NoError(t, err)
		defer conn.Close(ctx)
		_, err = conn.Exec(ctx, `DROP SCHEMA "`+schema+`" CASCADE`)
		require.NoError(t, err)
	})
	u, err := url.Parse(server)
	require.NoError(t, err)
	q := u.Query()
	q.Set("search_path", `"`+schema+`"`)
	u.RawQuery = q.Encode()
	return u.String()
}

var errNoPostgres = errors.New("initdb is not installed: apt-get install postgresql")

// cluster is a server of Postgres for the tests, reached by a socket in its folder.
var cluster postgres

type postgres struct {
	once   sync.Once
	err    error
	folder string
	server *exec.Cmd
}

func (p *postgres) start() (string, error) {
	p.once.Do(func() { p.err = p.launch() })
	return "postgres:///postgres?user=postgres&host=" + url.QueryEscape(p.folder), p.err
}

// launch starts the server as another user if this one is root, which Postgres
// refuses.
func (p *postgres) launch() error {
	initdb, err := exec.LookPath("initdb")
	if err != nil {
		found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
		if len(found) == 0 {
			return errNoPostgres
		}
		initdb = found[len(found)-1]
	}
	if initdb, err = filepath.EvalSymlinks(initdb); err != nil {
		return err
	}
	if p.folder, err = os.MkdirTemp("/tmp", "callbacks-postgres-"); err != nil {
		return err
	}
	attributes := &syscall.SysProcAttr{}
	if os.Getuid() == 0 {
		account, err := user.Lookup("postgres")
		if err != nil {
			return err
		}
		uid, _ := strconv.Atoi(account.Uid)
		gid, _ := strconv.Atoi(account.Gid)
		attributes.Credential = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
		if err := os.Chown(p.folder, uid, gid); err != nil {
			return err
		}
	}
	data := filepath.Join(p.folder, "data")
	make := exec.Command(initdb, "-D", data, "-U", "postgres", "--auth=trust", "--encoding=UTF8", "--no-sync")
	make.SysProcAttr, make.Dir = attributes, p.folder
	if out, err := make.CombinedOutput(); err != nil {
		return fmt.Errorf("initdb: %w: %s", err, out)
	}
	p.server = exec.Command(filepath.Join(filepath.Dir(initdb), "postgres"), "-D", data, "-k", p.folder, "-c", "listen_addresses=", "-c", "fsync=off")
	p.server.SysProcAttr, p.server.Dir = attributes, p.folder
	if err := p.server.Start(); err != nil {
		return err
	}
	for range 300 {
		if _, err = os.Stat(filepath.Join(p.folder, ".s.PGSQL.5432")); err == nil {
			ctx, cancel := context.WithTimeout(context.Background(), time.Second)
			conn, dialErr := pgx.Connect(ctx, "postgres:///postgres?user=postgres&host="+url.QueryEscape(p.folder))
			cancel()
			if err = dialErr; err == nil {
				return conn.Close(context.Background())
			}
		}
		time.Sleep(100 * time.Millisecond)
	}
	return err
}

// stop ends the server with its connections (SIGINT: fast shutdown).
func (p *postgres) stop() error {
	if p.server != nil && p.server.Process != nil {
		_ = p.server.Process.Signal(syscall.SIGINT)
		_ = p.server.Wait()
	}
	if p.folder == "" {
		return nil
	}
	return os.RemoveAll(p.folder)
}
