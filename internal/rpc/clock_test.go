package rpc

import (
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/alimedia/alimedia-go"
)

// skewed is a refusal of the time, by a server whose clock is ahead of ours.
func skewed(ahead time.Duration) step {
	st := failure(400, "InvalidTimeStamp.Expired")
	st.header = map[string]string{"Date": time.Now().Add(ahead).UTC().Format(http.TimeFormat)}
	return st
}

func signedAhead(t *testing.T, r *http.Request) time.Duration {
	t.Helper()
	at, err := time.Parse(dateLayout, r.Header.Get("x-acs-date"))
	require.NoError(t, err)
	return time.Until(at).Round(time.Minute)
}

func TestDo_ALyingDateIsNotBelieved(t *testing.T) {
	t.Parallel()
	for name, lie := range map[string]step{
		"a year ahead": skewed(365 * 24 * time.Hour), "a year behind": skewed(-365 * 24 * time.Hour), "a day and more": skewed(25 * time.Hour),
		"our own time": skewed(0), "nonsense": {status: 400, body: `{"Code":"InvalidTimeStamp.Expired"}`, header: map[string]string{"Date": "soon"}},
		"none": failure(400, "InvalidTimeStamp.Expired"),
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				if lie.header != nil && name == "our own time" {
					lie = skewed(0)
				}
				c, s := scripted(t, lie, ok())
				_, err := call(t, c, unsafeOp, nil)
				require.True(t, alimedia.HasCode(err, "InvalidTimeStamp"))
				require.Len(t, s.seen, 1)
				_, err = call(t, c, unsafeOp, nil)
				require.NoError(t, err)
				require.Zero(t, signedAhead(t, s.seen[1]))
			})
		})
	}
}

// A plausible lie costs a call at most.
func TestDo_ALyingDateIsForgotten(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c, s := scripted(t, skewed(3*time.Hour), skewed(3*time.Hour), ok())
		_, err := call(t, c, unsafeOp, nil)
		require.True(t, alimedia.HasCode(err, "InvalidTimeStamp"))
		require.Equal(t, 3*time.Hour, signedAhead(t, s.seen[1]))
		require.ErrorContains(t, err, "is this machine's clock right?")
		_, err = call(t, c, unsafeOp, nil)
		require.NoError(t, err)
		require.Zero(t, signedAhead(t, s.seen[2]), "this machine's clock again")
	})
	synctest.Test(t, func(t *testing.T) { // accepted once, refused later with the same Date
		c, s := scripted(t, skewed(3*time.Hour), ok(), skewed(3*time.Hour), ok())
		for range 2 {
			_, err := call(t, c, unsafeOp, nil)
			require.NoError(t, err)
		}
		require.Equal(t, 3*time.Hour, signedAhead(t, s.seen[2]))
		require.Zero(t, signedAhead(t, s.seen[3]))
	})
	synctest.Test(t, func(t *testing.T) { // this machine's clock was set right meanwhile
		c, s := scripted(t, skewed(3*time.Hour), ok(), skewed(0), ok())
		for range 2 {
			_, err := call(t, c, unsafeOp, nil)
			require.NoError(t, err)
		}
		require.Zero(t, signedAhead(t, s.seen[3]))
	})
}

func TestWith_EachHostHasItsClock(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c, s := scripted(t, skewed(2*time.Hour), ok(), ok(), ok(), ok())
		other := c.With(func(cfg *alimedia.Config) { cfg.Endpoint = "http://127.0.0.1:1" })
		same := c.With(func(cfg *alimedia.Config) { cfg.UserAgent = "x" })
		for _, client := range []*Client{c, other, same, other.With(func(cfg *alimedia.Config) { cfg.Endpoint = "" })} {
			_, err := call(t, client, unsafeOp, nil)
			require.NoError(t, err)
		}
		for i, want := range []time.Duration{0, 2 * time.Hour, 0, 2 * time.Hour, 2 * time.Hour} {
			require.Equal(t, want, signedAhead(t, s.seen[i]), i)
		}
	})
}
