package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/alimedia/alimedia-go/events"
	"github.com/alimedia/alimedia-go/mediatest"
	"github.com/alimedia/alimedia-go/vod"
)

// onEach runs a test on each database.
func onEach(t *testing.T, test func(*testing.T, *store)) {
	t.Parallel()
	for _, kind := range kinds {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			test(t, open(t, kind))
		})
	}
}

func (s *store) count(t *testing.T, query string) (n int) {
	t.Helper()
	require.NoError(t, s.db.QueryRowContext(t.Context(), query).Scan(&n))
	return n
}

func TestStore_EachEventOnce(t *testing.T) {
	onEach(t, func(t *testing.T, s *store) {
		require.NoError(t, s.expect(t.Context(), "vod", "v"))
		var stored atomic.Int32
		var wg sync.WaitGroup
		for range 5 {
			for _, message := range life {
				e := parse(t, message)
				wg.Go(func() {
					repeated, err := s.handle(t.Context(), e, "http")
					if err != nil {
						t.Error(err)
					}
					if !repeated {
						stored.Add(1)
					}
				})
			}
		}
		wg.Wait()
		require.Equal(t, int32(len(life)), stored.Load())
		require.Equal(t, len(life), s.count(t, `SELECT COUNT(*) FROM events`))
		all, err := s.assets(t.Context())
		require.NoError(t, err)
		require.Len(t, all, 1)
		require.Equal(t, ready, all[0].State)
		require.Equal(t, int64(len(life)), all[0].Events)
		require.Equal(t, 1, s.count(t, `SELECT COUNT(*) FROM streams WHERE error_code = 'E' AND definition = 'LD'`))
	})
}

// Nothing of an event stays if its effect cannot be stored.
func TestStore_AllOrNothing(t *testing.T) {
	onEach(t, func(t *testing.T, s *store) {
		_, err := s.db.ExecContext(t.Context(), `DROP TABLE streams`)
		require.NoError(t, err)
		_, err = s.handle(t.Context(), parse(t, life[4]), "http")
		require.Error(t, err)
		require.Zero(t, s.count(t, `SELECT COUNT(*) FROM events`))
		require.Zero(t, s.count(t, `SELECT COUNT(*) FROM assets`))
	})
}

func TestStore_OddEvents(t *testing.T) {
	onEach(t, func(t *testing.T, s *store) {
		for i, message := range []string{
			`{"EventType":"X"}`,
			`{"EventType":"DeleteMediaComplete","VideoId":"` + strings.Repeat("v", 10000) + `"}`,
			`{"EventType":"FileUploadComplete","VideoId":"a\u0000b","FileUrl":"\u0000","Size":1,"Status":"success"}`,
			"{\"EventType\":\"FileUploadComplete\",\"VideoId\":\"\xff\",\"Status\":\"success\"}",
			`{"EventType":"StreamTranscodeComplete","VideoId":"v","Definition":"` + strings.Repeat("d", 10000) + `","JobId":"\u0000","Status":"\u0000"}`,
			`{"EventType":"FileUploadComplete","VideoId":"' ; DROP TABLE events; --","Status":"success"}`,
		} {
			_, err := s.handle(t.Context(), parse(t, message), "queue")
			require.NoError(t, err, i)
		}
		require.Equal(t, 6, s.count(t, `SELECT COUNT(*) FROM events`))
		require.Equal(t, 4, s.count(t, `SELECT COUNT(*) FROM assets`))
		for range 2 {
			require.NoError(t, s.reject(t.Context(), events.Message{Id: "m", Body: []byte("\x00\xff"), Attempts: 3}, errors.New("no event")))
		}
		require.Equal(t, 1, s.count(t, `SELECT COUNT(*) FROM dead_letters`))
	})
}

func TestMigrations(t *testing.T) {
	onEach(t, func(t *testing.T, s *store) {
		require.Equal(t, 2, s.count(t, `SELECT COUNT(*) FROM schema_versions`))
		require.NoError(t, s.db.migrate(t.Context()), "applied once")
		// From the first version on, by two processes at once.
		for _, statement := range []string{`DROP TABLE dead_letters`, `DELETE FROM schema_versions WHERE version = 2`} {
			_, err := s.db.ExecContext(t.Context(), statement)
			require.NoError(t, err)
		}
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				if err := s.db.migrate(t.Context()); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		require.Zero(t, s.count(t, `SELECT COUNT(*) FROM dead_letters`))
		require.Equal(t, 2, s.count(t, `SELECT MAX(version) FROM schema_versions`))
	})
}

func TestDatabase_IsPrivate(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "a.db")
	db, err := openDatabase(t.Context(), "", file)
	require.NoError(t, err)
	defer db.Close()
	for _, name := range []string{file, file + "-wal"} {
		info, err := os.Stat(name)
		require.NoError(t, err)
		require.Equal(t, os.FileMode(0o600), info.Mode().Perm())
	}
	for _, bad := range []string{"postgres://user:topsecret@[host/db", "postgres://user:topsecret@127.0.0.1:1/db?connect_timeout=1"} {
		_, err = openDatabase(t.Context(), bad, "")
		require.Error(t, err)
		require.NotContains(t, err.Error(), "topsecret")
	}
}

func TestReconcile(t *testing.T) {
	onEach(t, func(t *testing.T, s *store) {
		srv := mediatest.New(t)
		asker, err := newAsker(srv.Config())
		require.NoError(t, err)
		want := map[string]string{
			srv.AddMedia(mediatest.Media{}):                                     ready,
			srv.AddMedia(mediatest.Media{Status: vod.VideoStatusTranscoding}):   expected,
			srv.AddMedia(mediatest.Media{Status: vod.VideoStatusTranscodeFail}): failed,
			"00000000000000000000000000000000":                                  deleted,
		}
		for id := range want {
			require.NoError(t, s.expect(t.Context(), "vod", id))
		}
		imported := srv.AddMedia(mediatest.Media{Service: "ice"})
		require.NoError(t, s.expect(t.Context(), "ice", imported))
		want[imported] = ready

		n, err := s.reconcile(t.Context(), asker, time.Hour)
		require.NoError(t, err)
		require.Zero(t, n, "events may still come")
		require.Zero(t, srv.Calls("GetVideoInfo"))
		n, err = s.reconcile(t.Context(), asker, 0)
		require.NoError(t, err)
		require.Equal(t, 4, n)
		all, err := s.assets(t.Context())
		require.NoError(t, err)
		got := map[string]string{}
		for _, a := range all {
			got[a.MediaId] = a.State
		}
		require.Equal(t, want, got)
		calls := srv.Calls("GetVideoInfo")
		_, err = s.reconcile(t.Context(), asker, 0)
		require.NoError(t, err)
		require.Equal(t, calls+1, srv.Calls("GetVideoInfo"), "only about what has not ended")

		// The event that was late changes nothing.
		var id string
		for candidate, state := range want {
			if state == ready && candidate != imported {
				id = candidate
			}
		}
		_, err = s.handle(t.Context(), parse(t, fmt.Sprintf(`{"EventType":"FileUploadComplete","EventTime":"2026-01-01T00:00:00Z","VideoId":%q,"Size":5,"Status":"success"}`, id)), "http")
		require.NoError(t, err)
		all, err = s.list(t.Context(), `SELECT `+columns+` FROM assets WHERE media_id = $1`, id)
		require.NoError(t, err)
		require.Equal(t, ready, all[0].State)
		require.Equal(t, int64(5), all[0].Size)
	})
}
