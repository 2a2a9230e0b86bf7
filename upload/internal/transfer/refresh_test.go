package transfer

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/alimedia/alimedia-go"
	"github.com/alimedia/alimedia-go/credentials"
	"github.com/alimedia/alimedia-go/internal/crc64"
)

// transferTo transfers s to d without a checkpoint.
func transferTo(ctx context.Context, t *testing.T, m *Manager, s Source, d Destination) (Info, error) {
	t.Helper()
	tr, err := m.Prepare(ctx, s, m.Parallel+1)
	require.NoError(t, err)
	defer tr.Close()
	return tr.Run(ctx, d, NoCheckpoint{}, new(counted))
}

// manyWorkers is a manager of as many requests as there are workers, without the
// watch for stalls.
func manyWorkers() *Manager {
	return manager(func(c *Config) { c.Parallel, c.StallTimeout = workers, 24*time.Hour })
}

// refreshing returns the memory as a credential reaches it that lives 3000 s. The
// AccessKeyId is the number of the refresh. before is called in each refresh.
func refreshing(m *memory, before func(ctx context.Context, nth int) error) (d Destination, refreshes *atomic.Int64) {
	refreshes = new(atomic.Int64)
	issue := func(n int64) Issued {
		return Issued{Life: 3000 * time.Second, Credentials: credentials.Credentials{AccessKeyId: fmt.Sprint(n), AccessKeySecret: "secret", SecurityToken: "token"}}
	}
	d = m.destination()
	d.Credentials = NewRefreshingCredential(issue(0), func(ctx context.Context) (Issued, error) {
		n := refreshes.Add(1)
		if before != nil {
			if err := before(ctx, int(n)); err != nil {
				return Issued{}, err
			}
		}
		return issue(n), nil
	}, false, slog.New(slog.DiscardHandler))
	return d, refreshes
}

var errExpired = refusal(403, "SecurityTokenExpired")

// requireStored checks that the memory holds data, and that the engine says so.
func requireStored(t *testing.T, m *memory, data []byte, done Info, err error) {
	t.Helper()
	require.NoError(t, err)
	require.True(t, bytes.Equal(data, m.object))
	require.Equal(t, crc64.Checksum(data), done.CRC64)
	require.Empty(t, m.uploads)
}

func TestTransfer_B01_RefreshedOnceAheadOfTheEnd(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		// 80 parts, 16 at once, 700 s each: the credential is due at 2400 s, the
		// fifth round begins at 2800 s, the completion at 3520 s.
		m := newMemory()
		var mu sync.Mutex
		signers := make(map[string][]string)
		m.intercept = func(_ context.Context, r request) error {
			if r.part > 0 {
				time.Sleep(700 * time.Second)
			}
			mu.Lock()
			signers[r.operation] = append(signers[r.operation], r.signer)
			mu.Unlock()
			return r.apply(r.body)
		}
		d, refreshes := refreshing(m, func(context.Context, int) error { time.Sleep(20 * time.Second); return nil })
		data := random(5 * workers * partSize)
		start := time.Now()
		done, err := transferTo(ctx, t, manyWorkers(), readAt(data), d)
		requireStored(t, m, data, done, err)
		require.Equal(t, (5*700+20)*time.Second, time.Since(start))
		require.EqualValues(t, 1, refreshes.Load(), "sixteen workers, one refresh")
		require.Len(t, signers["UploadPart"], 5*workers)
		for i, signer := range signers["UploadPart"] {
			require.Equal(t, map[bool]string{false: "0", true: "1"}[i >= 4*workers], signer, "after the refresh nobody signs with the old token")
		}
		require.Equal(t, []string{"1"}, signers["CompleteMultipart"])
	})
}

func TestTransfer_B02_DeadTokenOnOnePart(t *testing.T) {
	t.Parallel()
	for _, code := range []string{"SecurityTokenExpired", "InvalidSecurityToken", "ExpiredToken", "InvalidAccessKeyId"} {
		t.Run(code, func(t *testing.T) {
			t.Parallel()
			m := newMemory()
			m.intercept = func(_ context.Context, r request) error {
				if r.part == 20 && r.signer == "0" {
					return refusal(403, code)
				}
				return r.apply(r.body)
			}
			d, refreshes := refreshing(m, nil)
			data := random(40 * partSize)
			done, err := transferTo(ctx, t, manyWorkers(), readAt(data), d)
			requireStored(t, m, data, done, err)
			require.EqualValues(t, 1, refreshes.Load())
			require.Equal(t, 1, m.made)
			for number, times := range m.sent {
				require.Equal(t, map[bool]int{true: 2, false: 1}[number == 20], times, "only the refused part is sent again")
			}
		})
	}
}

// TestTransfer_B02_AllWorkersRefused: what was signed before the refresh is refused
// long after it.
func TestTransfer_B02_AllWorkersRefused(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := newMemory()
		m.intercept = func(_ context.Context, r request) error {
			if r.part > 0 && r.nth <= workers {
				time.Sleep(time.Duration(r.nth) * time.Minute)
			}
			if r.part > 0 && r.signer == "0" {
				return errExpired
			}
			return r.apply(r.body)
		}
		d, refreshes := refreshing(m, nil)
		data := random(40 * partSize)
		done, err := transferTo(ctx, t, manyWorkers(), readAt(data), d)
		requireStored(t, m, data, done, err)
		require.EqualValues(t, 1, refreshes.Load())
		require.Equal(t, 40+workers, m.calls["UploadPart"])
		require.Equal(t, 1, m.made)
	})
}

func TestTransfer_B02_RevokedMidway(t *testing.T) {
	t.Parallel()
	m := newMemory()
	var revoked atomic.Bool
	m.intercept = func(_ context.Context, r request) error {
		if r.signer == "0" && revoked.Load() {
			return errExpired
		}
		if r.part == 25 {
			revoked.Store(true)
		}
		return r.apply(r.body)
	}
	d, refreshes := refreshing(m, nil)
	data := random(40 * partSize)
	done, err := transferTo(ctx, t, manyWorkers(), readAt(data), d)
	requireStored(t, m, data, done, err)
	require.EqualValues(t, 1, refreshes.Load())
	require.Equal(t, 1, m.made)
}

func TestTransfer_B03_RefreshFailsWhileOldTokenLives(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		refresh func(ctx context.Context, nth int) error
		calls   int64
	}{
		"transient": {func(_ context.Context, nth int) error {
			if nth == 1 {
				return refusal(503, "ServiceUnavailable")
			}
			return nil
		}, 2},
		"hangs": {func(ctx context.Context, nth int) error {
			if nth == 1 {
				<-ctx.Done()
			}
			return ctx.Err()
		}, 2},
		"for good": {func(context.Context, int) error { return refusal(403, "Forbidden.RAM") }, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				m := newMemory()
				m.intercept = func(_ context.Context, r request) error {
					if r.part > 0 {
						time.Sleep(350 * time.Second)
					}
					return r.apply(r.body)
				}
				d, refreshes := refreshing(m, tt.refresh)
				data := random(8 * workers * partSize)
				start := time.Now()
				done, err := transferTo(ctx, t, manyWorkers(), readAt(data), d)
				requireStored(t, m, data, done, err)
				require.Equal(t, tt.calls, refreshes.Load())
				require.LessOrEqual(t, time.Since(start), 8*350*time.Second+refreshTimeout)
			})
		})
	}
}

func TestTransfer_B05_TokenEndsDuringRequest(t *testing.T) {
	t.Parallel()
	for operation, nth := range map[string]int{"CreateMultipart": 1, "UploadPart": 20, "CompleteMultipart": 1} {
		t.Run(operation, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				m := newMemory()
				var refused atomic.Int64 // the part, and -1 for other requests
				m.intercept = func(_ context.Context, r request) error {
					id := int64(cmp.Or(r.part, -1))
					if r.operation == operation && id == refused.Load() && r.signer == "0" {
						t.Error("the repetition is signed with the old token")
					}
					if r.operation != operation || r.nth != nth {
						return r.apply(r.body)
					}
					_, _ = io.CopyN(io.Discard, r.body, 60<<10)
					time.Sleep(time.Minute)
					refused.Store(id)
					return errExpired
				}
				d, refreshes := refreshing(m, nil)
				data := random(40 * partSize)
				done, err := transferTo(ctx, t, manyWorkers(), stream(data), d)
				requireStored(t, m, data, done, err)
				require.EqualValues(t, 1, refreshes.Load())
				require.Equal(t, 42+1, m.calls["CreateMultipart"]+m.calls["UploadPart"]+m.calls["CompleteMultipart"], "one request is repeated")
			})
		})
	}
}

// TestCredential_B03_HangingRefresh: all requests wait for a refresh, so one that
// hangs has failed, and the credential that is still valid is used.
func TestCredential_B03_HangingRefresh(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := NewRefreshingCredential(Issued{Life: 3000 * time.Second}, func(ctx context.Context) (Issued, error) {
			<-ctx.Done()
			return Issued{}, ctx.Err()
		}, false, slog.New(slog.DiscardHandler))
		time.Sleep(2400 * time.Second)
		start := time.Now()
		require.Equal(t, make([]string, workers), askTogether(t, c))
		require.Equal(t, refreshTimeout, time.Since(start))
	})
}

// TestCredential_B04_AnotherObject: a new credential for another object fails the
// upload, even while the old one is valid. Where the service may issue one for
// another file of the asset, the old one serves until its end.
func TestCredential_B04_AnotherObject(t *testing.T) {
	t.Parallel()
	for _, tolerant := range []bool{false, true} {
		t.Run(fmt.Sprint(tolerant), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				refreshes := 0
				c := NewRefreshingCredential(Issued{Life: 3000 * time.Second, Object: "bucket/key"}, func(context.Context) (Issued, error) {
					refreshes++
					return Issued{Life: 3000 * time.Second, Object: "bucket/other"}, nil
				}, tolerant, slog.New(slog.DiscardHandler))
				time.Sleep(2400 * time.Second)
				for range 2 {
					_, err := c.Credentials(ctx)
					require.Equal(t, tolerant, err == nil, "%v", err)
					require.Equal(t, tolerant, !errors.Is(err, ErrAddressChanged))
				}
				require.Equal(t, 1, refreshes, "it is not asked again")
				time.Sleep(600 * time.Second)
				_, err := c.Credentials(ctx)
				require.ErrorIs(t, err, ErrAddressChanged)
				require.False(t, Transient(err))
			})
		})
	}
}

// TestTransfer_B51_ProviderIsAskedAgain: a provider that cannot drop credentials
// may have others, and the same ones are not tried again.
func TestTransfer_B51_ProviderIsAskedAgain(t *testing.T) {
	t.Parallel()
	for _, rotates := range []bool{true, false} {
		m, asked := newMemory(), 0
		m.intercept = func(_ context.Context, r request) error {
			if r.signer == "old" {
				return errExpired
			}
			return r.apply(r.body)
		}
		d := m.destination()
		d.Credentials = providerFunc(func() credentials.Credentials {
			if asked++; rotates && asked > 1 {
				return credentials.Credentials{AccessKeyId: "new"}
			}
			return credentials.Credentials{AccessKeyId: "old"}
		})
		data := random(1000)
		done, err := transferTo(ctx, t, manager(nil), readAt(data), d)
		if rotates {
			requireStored(t, m, data, done, err)
			require.Equal(t, 2, m.calls["Put"])
			continue
		}
		require.True(t, alimedia.HasCode(err, "SecurityTokenExpired"), "%v", err)
		require.Equal(t, 1, m.calls["Put"])
	}
}

type providerFunc func() credentials.Credentials

func (f providerFunc) Credentials(context.Context) (credentials.Credentials, error) { return f(), nil }
