package rpc

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/alimedia/alimedia-go"
	"github.com/alimedia/alimedia-go/credentials"
)

var (
	readOp   = Op{Action: "GetMediaInfo", Class: Read}
	unsafeOp = Op{Action: "CreateUploadMedia"}
)

func TestJudge_Table(t *testing.T) {
	t.Parallel()
	api := func(status int, code string) error { return &alimedia.Error{StatusCode: status, Code: code} }
	tests := []struct {
		name      string
		err       error
		neverSent bool
		want      decision
	}{
		{"throttled by user", api(400, "Throttling.User"), false, always},
		{"throttled, other case", api(503, "throttling"), false, always},
		{"429 without code", api(429, ""), false, always},
		{"a code that contains it", api(400, "UserThrottling"), false, always},
		{"busy", api(403, "ServiceBusy"), false, always},
		{"told to wait", &alimedia.Error{StatusCode: 403, Code: "X", RetryAfter: time.Second}, false, always},
		{"a gateway's own status", api(520, ""), false, ifSafe},
		{"a 200 that proves nothing", api(200, ""), false, ifSafe},
		{"a 200 that is too large", api(200, codeTooLarge), false, never},
		{"gateway spelling", api(503, "ServiceUnavailable"), false, ifSafe},
		{"VOD spelling", api(503, "ServiceUnAvailable"), false, ifSafe},
		{"internal", api(500, "InternalError"), false, ifSafe},
		{"bad gateway page", api(502, ""), false, ifSafe},
		{"gateway timeout page", api(504, ""), false, ifSafe},
		{"nonce: this very request has arrived before", api(400, "SignatureNonceUsed"), false, ifSafe},
		{"throttled with another status", api(500, "Throttling.Api"), false, always},
		{"internal with another status", api(400, "InternalError"), false, ifSafe},
		{"bandwidth", api(509, ""), false, ifSafe},
		{"unknown to a CDN", api(520, ""), false, ifSafe},
		{"silent behind a CDN", api(522, ""), false, ifSafe},
		{"slow behind a CDN", api(524, ""), false, ifSafe},
		{"not implemented", api(501, ""), false, never},
		{"slow on the way", api(408, ""), false, ifSafe},
		{"too early", api(425, ""), false, ifSafe},
		{"moved", api(301, ""), false, never},
		{"found", api(302, ""), false, never},
		{"moved, keep the method", api(307, ""), false, never},
		{"page with 200", api(200, ""), false, ifSafe},
		{"empty 204", api(204, ""), false, ifSafe},
		{"code with 200", api(200, "InvalidParameter"), false, never},
		{"proxy's login", api(407, ""), false, never},
		{"token, as OSS says it", api(403, "SecurityTokenExpired"), false, refreshKey},
		{"token, malformed", api(400, "InvalidSecurityToken.Malformed"), false, refreshKey},
		{"time, other case", api(400, "INVALIDTIMESTAMP.expired"), false, fixClock},
		{"clock", api(400, "InvalidTimeStamp.Expired"), false, fixClock},
		{"clock format", api(400, "InvalidTimeStamp.Format"), false, fixClock},
		{"token", api(403, "InvalidSecurityToken.Expired"), false, refreshKey},
		{"key gone", api(404, "InvalidAccessKeyId.NotFound"), false, refreshKey},
		{"key disabled", api(403, "InvalidAccessKeyId.Inactive"), false, refreshKey},
		{"signature", api(403, "SignatureDoesNotMatch"), false, never},
		{"incomplete", api(400, "IncompleteSignature"), false, never},
		{"missing", api(400, "MissingParameter"), false, never},
		{"invalid", api(400, "InvalidParameter.Title"), false, never},
		{"forbidden", api(403, "Forbidden.RAM"), false, never},
		{"debt", api(403, "OperationDenied.Suspended"), false, never},
		{"not found", api(404, "InvalidVideo.NotFound"), false, never},
		{"exists", api(409, "MediaAlreadyExist"), false, never},
		{"wrong endpoint", api(404, "InvalidApi.NotFound"), false, never},
		{"wrapped", errors.Join(errors.New("x"), api(400, "Throttling")), false, always},
		{"lost response", io.ErrUnexpectedEOF, false, ifSafe},
		{"never left", io.ErrUnexpectedEOF, true, always},
		{"no route", &net.OpError{Op: "dial", Err: errors.New("x")}, true, always},
		{"certificate", &tls.CertificateVerificationError{Err: x509.UnknownAuthorityError{}}, true, never},
		{"host name", x509.HostnameError{}, true, never},
		{"ours", &localError{errors.New("x")}, true, never},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, tt.want, decide(tt.err, tt.neverSent))
		})
	}
}

func TestDo_RetriesByClass(t *testing.T) {
	t.Parallel()
	reset := step{err: io.ErrUnexpectedEOF}
	refused := step{err: &net.OpError{Op: "dial", Err: errors.New("connection refused")}, unsent: true}
	tests := []struct {
		name  string
		op    Op
		first step
		calls int
	}{
		{"throttling, read", readOp, failure(400, "Throttling.User"), 2},
		{"throttling, unsafe", unsafeOp, failure(400, "Throttling.User"), 2},
		{"500, read", readOp, failure(500, "InternalError"), 2},
		{"500, unsafe", unsafeOp, failure(500, "InternalError"), 1},
		{"500, idempotent", Op{Action: "X", Class: Idempotent}, failure(500, "InternalError"), 2},
		{"500, with token", Op{Action: "X", Class: Tokened}, failure(500, "InternalError"), 2},
		{"lost response, read", readOp, reset, 2},
		{"lost response, unsafe", unsafeOp, reset, 1},
		{"never sent, unsafe", unsafeOp, refused, 2},
		{"handshake broke off, unsafe", unsafeOp, step{err: io.ErrUnexpectedEOF, unsent: true}, 2},
		{"transport that does not tell, unsafe", unsafeOp, step{err: io.ErrUnexpectedEOF, untraced: true}, 1},
		{"transport that does not tell, dialling", unsafeOp, step{err: refused.err, untraced: true}, 2},
		{"HTML 502, read", readOp, response(502, "<html>bad gateway</html>"), 2},
		{"HTML 502, unsafe", unsafeOp, response(502, "<html>bad gateway</html>"), 1},
		{"forbidden", readOp, failure(403, "Forbidden.RAM"), 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c, s := scripted(t, tt.first, ok())
				out, err := call(t, c, tt.op, nil)
				require.Len(t, s.seen, tt.calls)
				if tt.calls == 2 {
					require.NoError(t, err)
					require.Equal(t, "m1", out.MediaId)
					require.NotEqual(t, s.seen[0].Header.Get("x-acs-signature-nonce"), s.seen[1].Header.Get("x-acs-signature-nonce"))
				} else {
					require.Error(t, err)
					require.Nil(t, out)
				}
			})
		})
	}
}

func TestDo_UnsafeWhenFlagIsTrue(t *testing.T) {
	t.Parallel()
	type request struct{ AppendTags *bool }
	op := Op{Action: "UpdateMediaInfo", Class: Idempotent, UnsafeIf: "AppendTags"}
	for flag, calls := range map[*bool]int{nil: 2, alimedia.Ptr(false): 2, alimedia.Ptr(true): 1} {
		synctest.Test(t, func(t *testing.T) {
			c, s := scripted(t, failure(500, "InternalError"), ok())
			_, _ = call(t, c, op, request{flag})
			require.Len(t, s.seen, calls)
		})
	}
}

func TestDo_StopsAfterMaxAttempts(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := failure(400, "Throttling")
		c, s := scripted(t, f, f, f, f, f, f)
		_, err := call(t, c, readOp, nil)
		require.True(t, alimedia.IsThrottled(err))
		require.Len(t, s.seen, 4)

		one := c.With(func(cfg *alimedia.Config) { cfg.Retry.MaxAttempts = 1 })
		_, err = call(t, one, readOp, nil)
		require.Error(t, err)
		require.Len(t, s.seen, 5)
	})
}

func TestDo_WaitsAsAsked(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, header, value string
		least, most         time.Duration
	}{
		{"current header", "x-acs-retry-after", "1500", 1500 * time.Millisecond, 1500 * time.Millisecond},
		{"capped", "x-acs-retry-after", "999999", 20 * time.Second, 20 * time.Second},
		{"standard header", "Retry-After", "3", 3 * time.Second, 3 * time.Second},
		{"older header", "x-ratelimit-user-api", "Limit:1,Remain:0,TimeLeft:2000,Reset:1234", 2 * time.Second, 2 * time.Second},
		{"zero is not a wish", "x-acs-retry-after", "0", 0, 200 * time.Millisecond},
		{"nor is nonsense", "x-acs-retry-after", "soon", 0, 200 * time.Millisecond},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := failure(400, "Throttling")
				f.header = map[string]string{tt.header: tt.value}
				c, _ := scripted(t, f, ok())
				start := time.Now()
				_, err := call(t, c, unsafeOp, nil)
				require.NoError(t, err)
				require.GreaterOrEqual(t, time.Since(start), tt.least)
				require.LessOrEqual(t, time.Since(start), tt.most)
			})
		})
	}
}

func TestDo_ContextEndsTheWait(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := failure(400, "Throttling")
		f.header = map[string]string{"x-acs-retry-after": "15000"}
		c, s := scripted(t, f, ok())
		ctx, cancel := context.WithCancel(context.Background())
		time.AfterFunc(time.Second, cancel)
		start := time.Now()
		err := c.Do(ctx, readOp, nil, nil)
		require.ErrorIs(t, err, context.Canceled)
		require.True(t, alimedia.IsThrottled(err), "the refusal stays visible")
		require.Equal(t, time.Second, time.Since(start))
		require.Len(t, s.seen, 1)
	})
	synctest.Test(t, func(t *testing.T) { // a wait that can't end in time is not begun
		f := failure(400, "Throttling")
		f.header = map[string]string{"x-acs-retry-after": "15000"}
		c, _ := scripted(t, f, ok())
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		start := time.Now()
		require.ErrorIs(t, c.Do(ctx, readOp, nil, nil), context.DeadlineExceeded)
		require.Zero(t, time.Since(start))
	})
}

func TestDo_ClockIsCorrectedOnceAndRemembered(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ahead := time.Now().Add(time.Hour).UTC()
		skewed := failure(400, "InvalidTimeStamp.Expired")
		skewed.header = map[string]string{"Date": ahead.Format(http.TimeFormat)}
		c, s := scripted(t, skewed, ok(), ok(), skewed, skewed)
		_, err := call(t, c, unsafeOp, nil)
		require.NoError(t, err)
		_, err = call(t, c, unsafeOp, nil)
		require.NoError(t, err)
		require.Equal(t, ahead.Format(dateLayout), s.seen[1].Header.Get("x-acs-date"))
		require.Equal(t, ahead.Format(dateLayout), s.seen[2].Header.Get("x-acs-date"))
		_, err = call(t, c, unsafeOp, nil)
		require.True(t, alimedia.HasCode(err, "InvalidTimeStamp"))
		require.Len(t, s.seen, 5, "the remedy is tried once in a call")
	})
}

type rotating struct {
	asked, dropped atomic.Int32
	longLived      bool
}

func (r *rotating) Credentials(context.Context) (credentials.Credentials, error) {
	r.asked.Add(1)
	if r.longLived {
		return credentials.Credentials{AccessKeyId: "LTAI", AccessKeySecret: "s"}, nil
	}
	return credentials.Credentials{AccessKeyId: "STS.x", AccessKeySecret: "s", SecurityToken: "token-" + string(rune('a'+r.dropped.Load()))}, nil
}
func (r *rotating) Invalidate(credentials.Credentials) { r.dropped.Add(1) }

func TestDo_ExpiredTokenIsReplacedOnce(t *testing.T) {
	t.Parallel()
	expired := failure(403, "InvalidSecurityToken.Expired")
	c, s := scripted(t, expired, ok(), expired, expired)
	keys := new(rotating)
	c = c.With(func(cfg *alimedia.Config) { cfg.Credentials = keys })
	_, err := call(t, c, unsafeOp, nil)
	require.NoError(t, err)
	require.Equal(t, "token-a", s.seen[0].Header.Get("x-acs-security-token"))
	require.Equal(t, "token-b", s.seen[1].Header.Get("x-acs-security-token"))
	require.EqualValues(t, 2, keys.asked.Load(), "credentials are asked for each attempt")
	_, err = call(t, c, unsafeOp, nil)
	require.Error(t, err)
	require.Len(t, s.seen, 4)

	// Keys that are the same as before are not tried again.
	for name, same := range map[string]credentials.Provider{
		"long-lived": &rotating{longLived: true}, "static": credentials.Static("LTAI", "s", "t"),
	} {
		c, s = scripted(t, failure(404, "InvalidAccessKeyId.NotFound"), ok())
		c = c.With(func(cfg *alimedia.Config) { cfg.Credentials = same })
		_, err = call(t, c, unsafeOp, nil)
		require.True(t, alimedia.HasCode(err, "InvalidAccessKeyId"), name)
		require.Len(t, s.seen, 1, name)
	}
}

// sequence hands out one set of keys after the other and implements nothing
// else: a Provider of a user, or what FromSDK makes of one.
type sequence struct {
	keys  []credentials.Credentials
	err   error // when they are used up
	asked int
}

func (q *sequence) Credentials(context.Context) (credentials.Credentials, error) {
	q.asked++
	if q.asked <= len(q.keys) {
		return q.keys[q.asked-1], nil
	}
	if q.err == nil {
		return q.keys[len(q.keys)-1], nil
	}
	return credentials.Credentials{}, q.err
}

func TestDo_RefusedKeysAreAskedForAgain(t *testing.T) {
	t.Parallel()
	temporary := func(token string) credentials.Credentials {
		return credentials.Credentials{AccessKeyId: "STS.x", AccessKeySecret: "s", SecurityToken: token}
	}
	longLived := func(id string) credentials.Credentials {
		return credentials.Credentials{AccessKeyId: id, AccessKeySecret: "s"}
	}
	for _, code := range []string{"SecurityTokenExpired", "InvalidSecurityToken.Expired", "InvalidAccessKeyId.NotFound", "InvalidAccessKeyId.Inactive"} {
		for _, op := range []Op{readOp, unsafeOp} {
			refused := failure(403, code)
			for name, pair := range map[string][]credentials.Credentials{
				"temporary":             {temporary("a"), temporary("b")},
				"long-lived":            {longLived("LTAIa"), longLived("LTAIb")},
				"from one to the other": {longLived("LTAIa"), temporary("b")},
				"other secret":          {longLived("LTAIa"), {AccessKeyId: "LTAIa", AccessKeySecret: "new"}},
			} {
				c, s := scripted(t, refused, ok())
				keys := &sequence{keys: pair}
				c = c.With(func(cfg *alimedia.Config) { cfg.Credentials = keys })
				_, err := call(t, c, op, nil)
				require.NoError(t, err, "%s %s", code, name)
				require.Len(t, s.seen, 2)
				require.Equal(t, 2, keys.asked, "what was handed out is used")
				require.Equal(t, pair[1].SecurityToken, s.seen[1].Header.Get("x-acs-security-token"))
				require.Contains(t, s.seen[1].Header.Get("Authorization"), "Credential="+pair[1].AccessKeyId+",")
			}

			// Once in a call.
			c, s := scripted(t, refused, refused, ok())
			keys := &sequence{keys: []credentials.Credentials{temporary("a"), temporary("b"), temporary("c")}}
			c = c.With(func(cfg *alimedia.Config) { cfg.Credentials = keys })
			_, err := call(t, c, op, nil)
			require.True(t, alimedia.HasCode(err, code))
			require.NotErrorIs(t, err, alimedia.ErrOutcomeUnknown, "a refusal before execution")
			require.Len(t, s.seen, 2)

			// A provider that fails leaves the refusal.
			c, s = scripted(t, refused, ok())
			keys = &sequence{keys: []credentials.Credentials{temporary("a")}, err: errors.New("out of order")}
			c = c.With(func(cfg *alimedia.Config) { cfg.Credentials = keys })
			_, err = call(t, c, op, nil)
			require.True(t, alimedia.HasCode(err, code))
			require.Len(t, s.seen, 1)
		}
	}
}

// The service has had this very request: whether it was carried out is not
// known. Repeating an Unsafe one made two assets.
func TestDo_NonceUsedIsALostResponse(t *testing.T) {
	t.Parallel()
	for class, calls := range map[Class]int{Unsafe: 1, Read: 2, Idempotent: 2, Tokened: 2} {
		synctest.Test(t, func(t *testing.T) {
			c, s := scripted(t, failure(400, "SignatureNonceUsed"), ok())
			_, err := call(t, c, Op{Action: "X", Class: class}, nil)
			require.Len(t, s.seen, calls)
			if class != Unsafe {
				require.NoError(t, err)
				require.NotEqual(t, s.seen[0].Header.Get("x-acs-signature-nonce"), s.seen[1].Header.Get("x-acs-signature-nonce"))
				return
			}
			require.True(t, alimedia.HasCode(err, "SignatureNonceUsed"))
			require.ErrorIs(t, err, alimedia.ErrOutcomeUnknown)
			require.ErrorContains(t, err, "the operation may have been carried out")
		})
	}
}

// A requested delay makes no proof of a lost response, and no throttling of
// rejected credentials.
func TestDecide_ARequestedDelayDoesNotChangeWhatACodeProves(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		status int
		code   string
		want   decision
	}{
		{408, "", ifSafe},
		{425, "", ifSafe},
		{400, "SignatureNonceUsed", ifSafe},
		{400, "InvalidTimeStamp.Expired", fixClock},
		{403, "InvalidSecurityToken.Expired", refreshKey},
		{404, "InvalidAccessKeyId.NotFound", refreshKey},
		{403, "Forbidden.Busy", always},
		{409, "OperationConflict", always},
	} {
		err := &alimedia.Error{StatusCode: tt.status, Code: tt.code, RetryAfter: time.Second}
		require.Equal(t, tt.want, decide(err, false), "%d %s", tt.status, tt.code)
	}
}

func TestAskedDelay_AnyPositiveNumberCounts(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]time.Duration{
		"50": 50 * time.Millisecond, " 1.5 ": 1500 * time.Microsecond, "99999999999999999999": time.Hour, "1e999": time.Hour, "1e-30": 1,
		"": 0, "0": 0, "-5": 0, "-1e999": 0, "NaN": 0, "soon": 0,
	} {
		require.Equal(t, want, askedDelay(http.Header{"X-Acs-Retry-After": {text}}), "%q", text)
	}
}

// A refusal says nothing about the attempts before it.
func TestDo_ALostResponseIsNotTakenBackByALaterRefusal(t *testing.T) {
	t.Parallel()
	lost, page, late := step{err: io.ErrUnexpectedEOF}, response(502, "<html>"), failure(400, "SignatureNonceUsed")
	throttled, refused := failure(400, "Throttling"), failure(404, "InvalidVideo.NotFound")
	tests := []struct {
		name    string
		class   Class
		steps   []step
		unknown bool
	}{
		{"lost", Unsafe, []step{lost}, true},
		{"throttled, then lost", Unsafe, []step{throttled, lost}, true},
		{"throttled, then refused", Unsafe, []step{throttled, refused}, false},
		{"throttled to the end", Unsafe, []step{throttled, throttled, throttled, throttled}, false},
		{"never sent", Unsafe, []step{{err: io.ErrUnexpectedEOF, unsent: true}, refused}, false},
		{"lost, then gone", Idempotent, []step{lost, refused}, true},
		{"page, then gone", Idempotent, []step{page, refused}, true},
		{"nonce, then gone", Idempotent, []step{late, refused}, true},
		{"lost, then throttled to the end", Tokened, []step{lost, throttled, throttled, throttled}, true},
		{"lost, throttled, refused", Tokened, []step{lost, throttled, refused}, true},
		{"lost, then no right", Idempotent, []step{lost, failure(403, "Forbidden.RAM")}, true},
		{"refused at once", Idempotent, []step{refused}, false},
		{"a read", Read, []step{lost, refused}, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c, s := scripted(t, tt.steps...)
				_, err := call(t, c, Op{Action: "X", Class: tt.class}, nil)
				require.Error(t, err)
				require.Len(t, s.seen, len(tt.steps))
				require.Equal(t, tt.unknown, errors.Is(err, alimedia.ErrOutcomeUnknown), "%v", err)
			})
		})
	}
	synctest.Test(t, func(t *testing.T) { // what succeeds in the end is known
		c, _ := scripted(t, lost, ok())
		_, err := call(t, c, Op{Action: "X", Class: Idempotent}, nil)
		require.NoError(t, err)
	})
	synctest.Test(t, func(t *testing.T) { // the caller's end leaves it open
		c, _ := scripted(t, step{hang: true})
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		err := c.Do(ctx, unsafeOp, nil, nil)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.ErrorIs(t, err, alimedia.ErrOutcomeUnknown)
	})
}

func TestDo_ClientTokenIsTheSameInEveryAttempt(t *testing.T) {
	t.Parallel()
	type request struct {
		InputURL    string
		ClientToken string
	}
	synctest.Test(t, func(t *testing.T) {
		op := Op{Action: "RegisterMediaInfo", Class: Tokened}
		c, s := scripted(t, failure(500, "InternalError"), ok(), ok(), ok())
		for _, in := range []request{{InputURL: "oss://b/k"}, {InputURL: "oss://b/k"}, {"oss://b/k", strings.Repeat("a", 32)}} {
			_, err := call(t, c, op, in)
			require.NoError(t, err)
		}
		tokens := make([]string, len(s.seen))
		for i, r := range s.seen {
			tokens[i] = r.URL.Query().Get("ClientToken")
			require.Len(t, tokens[i], 32)
		}
		require.Equal(t, tokens[0], tokens[1], "kept over the retry")
		require.NotEqual(t, tokens[1], tokens[2], "new for a new call")
		require.Equal(t, strings.Repeat("a", 32), tokens[3], "the caller's own wins")
	})
}
