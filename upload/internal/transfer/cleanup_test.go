package transfer

import (
	"bytes"
	"context"
	"log/slog"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/alimedia/alimedia-go"
	"github.com/alimedia/alimedia-go/internal/retry"
)

// TestTransfer_B23_WorkersFirst: parts that take a while to end are waited for, the
// abort comes after them.
func TestTransfer_B23_WorkersFirst(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := newMemory()
		var running atomic.Int32
		m.intercept = func(ctx context.Context, r request) error {
			if r.part > 0 {
				running.Add(1)
				defer running.Add(-1)
				<-ctx.Done()
				time.Sleep(400 * time.Millisecond)
				return ctx.Err()
			}
			if r.operation == "AbortMultipart" && running.Load() > 0 {
				t.Error("a part is on its way")
			}
			return r.apply(r.body)
		}
		ctx, cancel := context.WithTimeout(ctx, 50*time.Second)
		defer cancel()
		start := time.Now()
		_, err := transferTo(ctx, t, manager(nil), readAt(random(20*partSize)), m.destination())
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.Less(t, time.Since(start), 52*time.Second)
		require.Equal(t, 1, m.calls["AbortMultipart"])
		require.Empty(t, m.uploads)
	})
}

// TestTransfer_B23_CancelOfAnyWait: wherever a transfer waits, the end of its
// context ends that.
func TestTransfer_B23_CancelOfAnyWait(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		config    func(*Config)
		intercept func(context.Context, request) error
	}{
		"pause before a repetition": {
			func(c *Config) {
				c.Retry = retry.Policy{MaxAttempts: 99, BaseDelay: 24 * time.Hour, MaxDelay: 24 * time.Hour}
			},
			func(_ context.Context, r request) error {
				if r.part > 0 {
					return refusal(503, "ServiceUnavailable")
				}
				return r.apply(r.body)
			},
		},
		"bandwidth":    {func(c *Config) { c.Bandwidth = 1 }, nil},
		"dead network": {nil, func(ctx context.Context, _ request) error { <-ctx.Done(); return ctx.Err() }},
	} {
		for kind, size := range map[string]int{"put": 1000, "parts": 6 * partSize} {
			t.Run(name+" "+kind, func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					m := newMemory()
					m.intercept = tt.intercept
					ctx, cancel := context.WithTimeout(ctx, time.Minute+time.Millisecond)
					defer cancel()
					start := time.Now()
					_, err := transferTo(ctx, t, manager(func(c *Config) {
						c.StallTimeout = 24 * time.Hour
						if tt.config != nil {
							tt.config(c)
						}
					}), readAt(random(size)), m.destination())
					if name == "pause before a repetition" && kind == "put" {
						require.NoError(t, err)
						return
					}
					require.ErrorIs(t, err, context.DeadlineExceeded)
					require.LessOrEqual(t, time.Since(start), time.Minute+2*time.Second)
					require.Empty(t, m.uploads)
				})
			})
		}
	}
}

// TestTransfer_B23_AbortHasATimeOfItsOwn: neither none, when the context has ended,
// nor for ever.
func TestTransfer_B23_AbortHasATimeOfItsOwn(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := newMemory()
		m.intercept = func(ctx context.Context, r request) error {
			if r.part > 0 || r.operation == "AbortMultipart" {
				return retry.Sleep(ctx, time.Hour)
			}
			return r.apply(r.body)
		}
		ctx, cancel := context.WithTimeout(ctx, 50*time.Second)
		defer cancel()
		start := time.Now()
		_, err := transferTo(ctx, t, manager(nil), readAt(random(6*partSize)), m.destination())
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.Equal(t, 1, m.calls["AbortMultipart"])
		took := time.Since(start)
		require.Greater(t, took, 50*time.Second+750*time.Millisecond)
		require.LessOrEqual(t, took, 52*time.Second)
	})
}

// TestTransfer_B24_NoOrphan: whenever a transfer without a checkpoint is canceled or
// refused, its multipart upload is removed. That holds even for one whose ID is on
// its way when the cancel comes.
func TestTransfer_B24_NoOrphan(t *testing.T) {
	t.Parallel()
	for _, operation := range []string{"CreateMultipart", "UploadPart", "CompleteMultipart"} {
		for _, ending := range []string{"canceled before", "canceled after", "refused"} {
			t.Run(operation+" "+ending, func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					m := newMemory()
					ctx, cancel := context.WithCancel(ctx)
					defer cancel()
					m.intercept = func(ctx context.Context, r request) error {
						switch {
						case r.operation != operation:
							return r.apply(r.body)
						case ending == "refused":
							return refusal(403, "Stop")
						case ending == "canceled before":
							cancel()
						}
						err := r.apply(r.body)
						cancel()
						if err == nil {
							err = ctx.Err()
						}
						return err
					}
					_, err := transferTo(ctx, t, manager(nil), readAt(random(6*partSize)), m.destination())
					if ending == "refused" {
						require.True(t, alimedia.HasCode(err, "Stop"), "%v", err)
					} else {
						require.ErrorIs(t, err, context.Canceled)
					}
					require.Equal(t, 1, m.calls["CreateMultipart"])
					require.Empty(t, m.uploads)
				})
			})
		}
	}
}

// TestTransfer_B25_AbortFails: the first error is kept, and the log tells of parts
// that stay, if there are any.
func TestTransfer_B25_AbortFails(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		operation string
		err       error
		warned    bool
	}{
		"denied":      {"AbortMultipart", refusal(403, "AccessDenied"), true},
		"gateway":     {"AbortMultipart", refusal(400, ""), true},
		"hangs":       {"AbortMultipart", nil, true},
		"unknown":     {"AbortMultipart", refusal(404, "NoSuchUpload"), false},
		"list denied": {"ListParts", refusal(403, "AccessDenied"), false},
	} {
		for _, canceled := range []bool{false, true} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					var log bytes.Buffer
					m := newMemory()
					ctx, cancel := context.WithCancelCause(ctx)
					defer cancel(nil)
					m.intercept = func(ctx context.Context, r request) error {
						switch {
						case r.operation == "UploadPart" && r.nth == 3 && canceled:
							cancel(errDisk)
						case r.operation == "UploadPart" && r.nth == 3:
							return refusal(400, "InvalidDigest")
						case r.operation == tt.operation && tt.err == nil:
							return retry.Sleep(ctx, time.Hour)
						case r.operation == tt.operation:
							return tt.err
						}
						return r.apply(r.body)
					}
					start := time.Now()
					_, err := transferTo(ctx, t, manager(func(c *Config) { c.Logger = slog.New(slog.NewTextHandler(&log, nil)) }), readAt(random(6*partSize)), m.destination())
					if canceled {
						require.ErrorIs(t, err, context.Canceled)
						require.ErrorIs(t, err, errDisk)
						require.LessOrEqual(t, time.Since(start), 2*time.Second)
					} else {
						require.True(t, alimedia.HasCode(err, "InvalidDigest"), "the first error is kept: %v", err)
						require.LessOrEqual(t, time.Since(start), cleanupTimeout+time.Second)
					}
					require.Equal(t, tt.warned, bytes.Contains(log.Bytes(), []byte("parts not removed")), log.String())
				})
			})
		}
	}
}

// TestTransfer_B23_AbortIsRepeatedWhilePartsRemain: the first abort comes before a
// part that the service is still receiving.
func TestTransfer_B23_AbortIsRepeatedWhilePartsRemain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := newMemory()
		m.intercept = func(_ context.Context, r request) error {
			switch {
			case r.operation == "UploadPart" && r.nth == 3:
				return refusal(400, "InvalidArgument")
			case r.operation == "AbortMultipart" && r.nth == 1:
				return nil
			}
			return r.apply(r.body)
		}
		_, err := transferTo(ctx, t, manager(nil), readAt(random(6*partSize)), m.destination())
		require.True(t, alimedia.HasCode(err, "InvalidArgument"), "%v", err)
		require.Equal(t, 2, m.calls["AbortMultipart"])
		require.Empty(t, m.uploads)
	})
}
