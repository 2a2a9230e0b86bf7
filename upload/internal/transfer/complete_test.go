package transfer

import (
	"context"
	"io"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/alimedia/alimedia-go"
)

// TestTransfer_B21_CompleteResponseLost: the object decides, or the service that has
// issued the credential.
func TestTransfer_B21_CompleteResponseLost(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		lost   error
		head   func(nth int) error
		exists func(context.Context) (bool, error)
		stored bool
	}{
		"connection cut":           {lost: io.ErrUnexpectedEOF, stored: true},
		"500 after the effect":     {lost: refusal(500, "InternalError"), stored: true},
		"head first unavailable":   {lost: io.ErrUnexpectedEOF, head: only(1, refusal(503, "ServiceUnavailable")), stored: true},
		"token ends, then is lost": {lost: io.ErrUnexpectedEOF, head: only(1, errExpired), stored: true},
		"head denied":              {lost: io.ErrUnexpectedEOF, head: always(refusal(403, "AccessDenied")), exists: response(true, nil), stored: true},
		"head denied, not there":   {lost: io.ErrUnexpectedEOF, head: always(refusal(403, "AccessDenied")), exists: response(false, nil)},
		"nobody knows":             {lost: io.ErrUnexpectedEOF, head: always(refusal(403, "AccessDenied"))},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				m := newMemory()
				m.intercept = func(_ context.Context, r request) error {
					if r.operation == "Head" && tt.head != nil {
						if err := tt.head(r.nth); err != nil {
							return err
						}
					}
					err := r.apply(r.body)
					if r.operation == "CompleteMultipart" && err == nil {
						err = tt.lost
					}
					return err
				}
				d, _ := refreshing(m, nil)
				d.Exists = tt.exists
				data := random(6 * partSize)
				// A stream: what is lost cannot be sent again.
				done, err := transferTo(ctx, t, manager(nil), stream(data), d)
				require.Equal(t, 6, m.calls["UploadPart"])
				switch {
				case tt.stored:
					requireStored(t, m, data, done, err)
				case tt.exists != nil:
					require.ErrorIs(t, err, ErrLost)
				default:
					require.ErrorContains(t, err, "whether the object is stored is not known")
					require.True(t, alimedia.HasCode(err, "NoSuchUpload"))
				}
			})
		})
	}
}

func only(nth int, err error) func(int) error {
	return func(n int) error {
		if n == nth {
			return err
		}
		return nil
	}
}

func always(err error) func(int) error { return func(int) error { return err } }

func response(ok bool, err error) func(context.Context) (bool, error) {
	return func(context.Context) (bool, error) { return ok, err }
}

func TestTransfer_B22_CompleteReallyLost(t *testing.T) {
	t.Parallel()
	data := random(6 * partSize)
	for name, tt := range map[string]struct {
		source Source
		lost   int // completions
		other  bool
		ok     bool
		made   int
	}{
		"file starts again once":  {source: readAt(data), lost: 1, ok: true, made: 2},
		"file, twice lost":        {source: readAt(data), lost: 2, made: 2},
		"stream":                  {source: stream(data), lost: 1, made: 1},
		"another object is there": {source: readAt(data), lost: 2, other: true, made: 2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				m := newMemory()
				if tt.other {
					m.object = make([]byte, len(data))
				}
				m.fault = func(operation string, call int) error {
					if operation == "CompleteMultipart" && call <= tt.lost {
						return refusal(404, "NoSuchUpload")
					}
					return nil
				}
				done, err := transferTo(ctx, t, manager(nil), tt.source, m.destination())
				require.Equal(t, tt.made, m.made)
				require.LessOrEqual(t, m.calls["CompleteMultipart"], 2)
				if !tt.ok {
					require.ErrorIs(t, err, ErrLost)
					return
				}
				require.NoError(t, err)
				require.Equal(t, data, m.object)
				require.Equal(t, info(data).CRC64, done.CRC64)
			})
		})
	}
}
