package transfer

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/alimedia/alimedia-go/credentials"
	"github.com/alimedia/alimedia-go/internal/crc64"
	"github.com/alimedia/alimedia-go/internal/retry"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// counted is an Observer that adds up.
type counted struct {
	NoRequests
	moved, confirmed, resumed, restarts, completing atomic.Int64
}

func (c *counted) Moved(n int64)     { c.moved.Add(n) }
func (c *counted) Confirmed(n int64) { c.confirmed.Add(n) }
func (c *counted) Resumed(n int64)   { c.resumed.Add(n) }
func (c *counted) Restarted()        { c.restarts.Add(1) }
func (c *counted) Completing()       { c.completing.Add(1) }

// remembered is a Checkpoint in memory.
type remembered struct {
	mu    sync.Mutex
	known bool
	state State
}

func (r *remembered) Load() (State, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.state, r.known
}

func (r *remembered) change(do func(*State)) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	do(&r.state)
	return nil
}

func (r *remembered) Started(id string, partSize int64, lost bool) error {
	return r.change(func(s *State) { s.UploadID, s.PartSize, s.LostIDs, s.Initiated = id, partSize, lost, time.Now() })
}
func (r *remembered) PartStored(p Part) error {
	return r.change(func(s *State) { s.Parts = append(s.Parts, p) })
}
func (r *remembered) Replace(parts []Part) error {
	return r.change(func(s *State) { s.Parts = append([]Part(nil), parts...) })
}
func (r *remembered) Restart() error {
	return r.change(func(s *State) { s.UploadID, s.Parts = "", nil })
}
func (r *remembered) Completing() error { return r.change(func(s *State) { s.Completing = true }) }
func (r *remembered) Durable() bool     { return true }

const (
	partSize  = 100 << 10
	threshold = 200 << 10
)

func manager(change func(*Config)) *Manager {
	c := Config{
		Retry: retry.Policy{MaxAttempts: 4, BaseDelay: time.Second, MaxDelay: time.Minute}, Parallel: 3,
		PartSize: partSize, MultipartThreshold: threshold, StallTimeout: time.Minute, ResponseTimeout: 5 * time.Minute,
		Logger: slog.New(slog.DiscardHandler),
	}
	if change != nil {
		change(&c)
	}
	return New(c)
}

func readAt(data []byte) Source {
	return Source{Size: int64(len(data)), ReaderAt: bytes.NewReader(data), Changed: never}
}

func stream(data []byte) Source {
	return Source{Size: UnknownSize, Reader: onlyReader(bytes.NewReader(data)), Changed: never}
}

// upload transfers s to m and returns what the engine says.
func upload(t *testing.T, ctx context.Context, m *memory, s Source, c Checkpoint, o Observer) (Info, error) {
	t.Helper()
	tr, err := manager(nil).Prepare(ctx, s, 4)
	require.NoError(t, err)
	defer tr.Close()
	return tr.Run(ctx, m.destination(), c, o)
}

func TestTransfer_StoresTheBytes(t *testing.T) {
	t.Parallel()
	for _, size := range []int{1, threshold - 1, threshold, threshold + 1, 7 * partSize} {
		data := random(size)
		for name, source := range map[string]Source{"ReaderAt": readAt(data), "Reader": stream(data)} {
			m, o := newMemory(), new(counted)
			done, err := upload(t, ctx, m, source, NoCheckpoint{}, o)
			require.NoError(t, err, name)
			require.Equal(t, data, m.object, name)
			require.Equal(t, crc64.Checksum(data), done.CRC64, name)
			require.EqualValues(t, size, done.Size, name)
			require.EqualValues(t, size, o.moved.Load(), name)
			require.EqualValues(t, size, o.confirmed.Load(), name)
			require.Empty(t, m.uploads, name)
		}
	}
}

func TestTransfer_RepeatsAndGivesUp(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		operation string
		failures  int
		status    int
		ok        bool
	}{
		"a part fails three times":     {"UploadPart", 3, 503, true},
		"a part is denied":             {"UploadPart", 1, 403, false},
		"the beginning fails":          {"CreateMultipart", 3, 500, true},
		"the completion fails":         {"CompleteMultipart", 3, 502, true},
		"the completion never is made": {"CompleteMultipart", 4, 400, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				m, o := newMemory(), new(counted)
				m.fault = func(operation string, call int) error {
					if operation == tt.operation && call <= tt.failures {
						return refusal(tt.status, "Example")
					}
					return nil
				}
				data := random(5 * partSize)
				done, err := upload(t, ctx, m, readAt(data), NoCheckpoint{}, o)
				if tt.ok {
					require.NoError(t, err)
					require.Equal(t, data, m.object)
					require.EqualValues(t, len(data), o.moved.Load(), "bytes that were sent twice count once")
					require.Equal(t, crc64.Checksum(data), done.CRC64)
				} else {
					require.Error(t, err)
					require.Nil(t, m.object)
				}
				require.Empty(t, m.uploads, "no part stays")
			})
		})
	}
}

func TestTransfer_ResumesFromItsCheckpoint(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		data := random(6 * partSize)
		m, c := newMemory(), new(remembered)
		m.fault = func(operation string, call int) error {
			if operation == "UploadPart" && call > 3 {
				return refusal(403, "AccessDenied")
			}
			return nil
		}
		_, err := upload(t, ctx, m, readAt(data), c, new(counted))
		require.Error(t, err)
		stored := len(c.state.Parts)
		require.Positive(t, stored)
		require.Len(t, m.uploads, 1, "the parts stay for a later run")

		// One part now has other bytes: it is sent again, the rest is not.
		kept := c.state.Parts[0].Number
		copy(data[(kept-1)*partSize:], "other bytes")
		c.known, m.fault = true, nil
		sent := m.calls["UploadPart"]
		o := new(counted)
		done, err := upload(t, ctx, m, readAt(data), c, o)
		require.NoError(t, err)
		require.Equal(t, data, m.object)
		require.Equal(t, crc64.Checksum(data), done.CRC64)
		require.Equal(t, 6-stored+1, m.calls["UploadPart"]-sent)
		require.EqualValues(t, (stored-1)*partSize, o.resumed.Load())
		require.Equal(t, 1, m.made)
	})
}

func TestTransfer_B22_RestartsALostUpload(t *testing.T) {
	t.Parallel()
	data := random(6 * partSize)
	for name, source := range map[string]Source{"ReaderAt": readAt(data), "Reader": stream(data)} {
		m, o := newMemory(), new(counted)
		m.fault = func(operation string, call int) error {
			if operation == "UploadPart" && call == 4 {
				return refusal(404, "NoSuchUpload")
			}
			return nil
		}
		_, err := upload(t, ctx, m, source, NoCheckpoint{}, o)
		if source.ReaderAt == nil {
			require.ErrorIs(t, err, ErrLost, name)
			continue
		}
		require.NoError(t, err, name)
		require.Equal(t, data, m.object, name)
		require.EqualValues(t, 1, o.restarts.Load(), name)
	}
}

func TestTransfer_LostResponseOfTheCompletion(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		data := random(3 * partSize)
		m := newMemory()
		tr, err := manager(nil).Prepare(ctx, readAt(data), 4)
		require.NoError(t, err)
		defer tr.Close()
		d := m.destination()
		open := d.Open
		d.Open = func(c credentials.Credentials) (Object, error) {
			o, err := open(c)
			return losesResponses{o}, err
		}
		done, err := tr.Run(ctx, d, NoCheckpoint{}, new(counted))
		require.NoError(t, err)
		require.Equal(t, data, m.object)
		require.Equal(t, crc64.Checksum(data), done.CRC64)
		require.Positive(t, m.calls["Head"], "the object was looked at")
	})
}

// losesResponses carries out a completion and loses its response.
type losesResponses struct{ Object }

func (l losesResponses) CompleteMultipart(ctx context.Context, id string, parts []Part) (Info, error) {
	if _, err := l.Object.CompleteMultipart(ctx, id, parts); err != nil {
		return Info{}, err
	}
	return Info{}, io.ErrUnexpectedEOF
}

func TestTransfer_CancelRemovesTheParts(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := newMemory()
		ctx, cancel := context.WithCancelCause(ctx)
		stopped := errors.New("stopped by the user")
		m.fault = func(operation string, call int) error {
			if operation == "UploadPart" && call == 2 {
				cancel(stopped)
			}
			return nil
		}
		start := time.Now()
		_, err := upload(t, ctx, m, readAt(random(9*partSize)), NoCheckpoint{}, new(counted))
		require.ErrorIs(t, err, context.Canceled)
		require.ErrorIs(t, err, stopped)
		require.Empty(t, m.uploads)
		require.Nil(t, m.object)
		require.Less(t, time.Since(start), 2*time.Second)
	})
}

// pages lists parts page by page.
type pages struct {
	Object
	count int
	takes time.Duration
	calls int
}

func (p *pages) ListParts(ctx context.Context, _ string, after int) ([]Part, int, error) {
	p.calls++
	if err := retry.Sleep(ctx, p.takes); err != nil {
		return nil, 0, context.Cause(ctx)
	}
	if p.calls%4 == 3 {
		return nil, 0, io.ErrUnexpectedEOF
	}
	next := after + 1
	if next == p.count {
		next = 0
	}
	return []Part{{Number: after + 1}}, next, nil
}

func TestTransfer_B57_PagesHaveTheirOwnTime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := &pages{count: 10, takes: 4 * time.Minute}
		d := newMemory().destination()
		d.Open = func(credentials.Credentials) (Object, error) { return p, nil }
		parts, err := manager(nil).client(d, new(counted)).listParts(ctx, "u")
		require.NoError(t, err)
		require.Len(t, parts, 10)
		require.Equal(t, 13, p.calls, "a page that fails is repeated, not the list")
	})
}

func TestTransfer_B23_B42_CancelWhileOthersUseAllRequests(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := manager(nil)
		for range cap(m.requests) {
			m.requests <- struct{}{}
		}
		store := newMemory()
		tr, err := m.Prepare(ctx, readAt(random(6*partSize)), 4)
		require.NoError(t, err)
		defer tr.Close()
		ctx, cancel := context.WithTimeout(ctx, time.Minute)
		defer cancel()
		start := time.Now()
		_, err = tr.Run(ctx, store.destination(), NoCheckpoint{}, new(counted))
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.LessOrEqual(t, time.Since(start), time.Minute+2*time.Second)
		require.Empty(t, store.uploads)
	})
}

func TestTransfer_B41_CanceledTurnIsGivenBack(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := manager(func(c *Config) { c.Bandwidth = 80 }) // ten at once
		a := &attempt{config: &m.Config}
		a.start(true, func(error) {})
		defer a.timer.Stop()
		canceled, cancel := context.WithCancel(ctx)
		n, err := m.admit(canceled, a)(100)
		require.NoError(t, err)
		require.Equal(t, 10, n)
		cancel()
		for range 100 {
			_, err = m.admit(canceled, a)(10)
			require.ErrorIs(t, err, context.Canceled)
		}
		start := time.Now()
		_, err = m.admit(ctx, a)(10)
		require.NoError(t, err)
		require.LessOrEqual(t, time.Since(start), time.Second/8)
		require.Nil(t, manager(nil).admit(ctx, a), "no limit")
		require.Equal(t, 1, manager(func(c *Config) { c.Bandwidth = 1 }).bandwidth.Burst())
	})
}
