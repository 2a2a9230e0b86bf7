package credentials

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// metadata is a metadata service; a nil handler is a path that it lacks.
type metadata struct {
	token, roles, keys http.HandlerFunc
	asked              []string
	mu                 sync.Mutex
}

const imdsToken = "imds-session-token-0001"

func answering(body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(body)) }
}

func status(code int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(code)
		_, _ = w.Write([]byte(body))
	}
}

func (m *metadata) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	version := "v1"
	if r.Header.Get("X-aliyun-ecs-metadata-token") == imdsToken {
		version = "v2"
	}
	m.mu.Lock()
	m.asked = append(m.asked, fmt.Sprintf("%s %s %s", r.Method, r.URL.Path, version))
	m.mu.Unlock()
	var handler http.HandlerFunc
	switch {
	case r.Method == http.MethodPut && r.URL.Path == "/latest/api/token":
		handler = m.token
		if r.Header.Get("X-aliyun-ecs-metadata-token-ttl-seconds") == "" {
			handler = status(http.StatusBadRequest, "no ttl")
		}
	case r.URL.Path == metadataRoles:
		handler = m.roles
	default:
		handler = m.keys
	}
	if handler == nil {
		handler = http.NotFound
	}
	handler(w, r)
}

func TestECSRole(t *testing.T) {
	t.Parallel()
	expires := time.Now().Add(6 * time.Hour).Truncate(time.Second).UTC()
	good := answering(keysJSON(expires))
	tests := map[string]struct {
		service *metadata
		role    string
		opts    ECSOptions
		asked   []string
		err     string
	}{
		"v2": {
			service: &metadata{token: answering(imdsToken + "\n"), roles: answering("uploader\n"), keys: good},
			asked:   []string{"PUT /latest/api/token v1", "GET " + metadataRoles + " v2", "GET " + metadataRoles + "uploader v2"},
		},
		"role given": {
			service: &metadata{token: answering(imdsToken), keys: good},
			role:    "uploader",
			asked:   []string{"PUT /latest/api/token v1", "GET " + metadataRoles + "uploader v2"},
		},
		"v1 where there is no token": {
			service: &metadata{keys: good},
			role:    "uploader",
			asked:   []string{"PUT /latest/api/token v1", "GET " + metadataRoles + "uploader v1"},
		},
		"v1 where the token is a web page": {
			service: &metadata{token: answering("<html> log in </html>"), keys: good},
			role:    "uploader",
			asked:   []string{"PUT /latest/api/token v1", "GET " + metadataRoles + "uploader v1"},
		},
		"v1 disabled": {
			service: &metadata{keys: good},
			role:    "uploader",
			opts:    ECSOptions{DisableV1: true},
			asked:   []string{"PUT /latest/api/token v1"},
			err:     "session token of the metadata service (reachable on ECS instances only): refused (HTTP 404) (and IMDSv1 is disabled)",
		},
		"no role attached": {
			service: &metadata{token: answering(imdsToken)},
			asked:   []string{"PUT /latest/api/token v1", "GET " + metadataRoles + " v2"},
			err:     "no RAM role is attached to this instance: attach one, or choose another provider: refused (HTTP 404)",
		},
		"no such role": {
			service: &metadata{token: answering(imdsToken)},
			role:    "other",
			asked:   []string{"PUT /latest/api/token v1", "GET " + metadataRoles + "other v2"},
			err:     "keys of role other: refused (HTTP 404)",
		},
		"role is a path": {
			service: &metadata{token: answering(imdsToken), roles: answering("../../user-data"), keys: good},
			asked:   []string{"PUT /latest/api/token v1", "GET " + metadataRoles + " v2"},
			err:     "the role's name is not one",
		},
		"without Code": {
			service: &metadata{token: answering(imdsToken), keys: answering(strings.Replace(keysJSON(expires), `"Code":"Success",`, "", 1))},
			role:    "uploader",
			asked:   []string{"PUT /latest/api/token v1", "GET " + metadataRoles + "uploader v2"},
		},
		"empty object": {
			service: &metadata{token: answering(imdsToken), keys: answering("{}")},
			role:    "uploader",
			asked:   []string{"PUT /latest/api/token v1", "GET " + metadataRoles + "uploader v2"},
			err:     "unusable response: the AccessKeyId is empty",
		},
		"null": {
			service: &metadata{token: answering(imdsToken), keys: answering("null")},
			role:    "uploader",
			asked:   []string{"PUT /latest/api/token v1", "GET " + metadataRoles + "uploader v2"},
			err:     "the response is not the JSON document it should be",
		},
		"another Code": {
			service: &metadata{token: answering(imdsToken), keys: answering(strings.Replace(keysJSON(expires), "Success", "Failed", 1))},
			role:    "uploader",
			asked:   []string{"PUT /latest/api/token v1", "GET " + metadataRoles + "uploader v2"},
			err:     "keys of role uploader: refused with code Failed (HTTP 200)",
		},
		"not JSON": {
			service: &metadata{token: answering(imdsToken), keys: answering(testSecret + testToken)},
			role:    "uploader",
			asked:   []string{"PUT /latest/api/token v1", "GET " + metadataRoles + "uploader v2"},
			err:     "keys of role uploader: the response is not the JSON document it should be",
		},
		"token without expiry": {
			service: &metadata{token: answering(imdsToken), keys: answering(strings.Replace(keysJSON(expires), "Expiration", "Other", 1))},
			role:    "uploader",
			asked:   []string{"PUT /latest/api/token v1", "GET " + metadataRoles + "uploader v2"},
			err:     "unusable response: a SecurityToken without Expiration",
		},
		"expiry is no time": {
			service: &metadata{token: answering(imdsToken), keys: answering(`{"AccessKeyId":"a","AccessKeySecret":"b","SecurityToken":"c","Expiration":"` + testSecret + `"}`)},
			role:    "uploader",
			asked:   []string{"PUT /latest/api/token v1", "GET " + metadataRoles + "uploader v2"},
			err:     "its Expiration is not a time like 2006-01-02T15:04:05Z",
		},
		"too long": {
			service: &metadata{token: answering(imdsToken), keys: answering(keysJSON(expires) + strings.Repeat(" ", maxResponse))},
			role:    "uploader",
			asked:   []string{"PUT /latest/api/token v1", "GET " + metadataRoles + "uploader v2"},
			err:     "the response is longer than 64 KiB",
		},
		"redirect is not followed": {
			service: &metadata{token: answering(imdsToken), keys: func(w http.ResponseWriter, r *http.Request) {
				http.Redirect(w, r, "/elsewhere", http.StatusTemporaryRedirect)
			}},
			role:  "uploader",
			asked: []string{"PUT /latest/api/token v1", "GET " + metadataRoles + "uploader v2"},
			err:   "keys of role uploader: refused (HTTP 307)",
		},
		"echoes secrets": {
			service: &metadata{
				token: answering(imdsToken),
				keys:  status(http.StatusForbidden, `{"Code":"Denied","Message":"token `+imdsToken+` and `+testSecret+`","AccessKeySecret":"`+testSecret+`"}`),
			},
			role:  "uploader",
			asked: []string{"PUT /latest/api/token v1", "GET " + metadataRoles + "uploader v2"},
			err:   "keys of role uploader: refused with code Denied (HTTP 403): token *** and ***",
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := serve(t, tt.service.ServeHTTP)
			tt.opts.Endpoint = server.URL
			c, err := ECSRole(tt.role, tt.opts).Credentials(t.Context())
			require.Equal(t, tt.asked, tt.service.asked)
			if tt.err != "" {
				require.ErrorContains(t, err, tt.err)
				require.ErrorContains(t, err, "credentials: ECSRole: ")
				requireNoSecret(t, err.Error())
				require.NotContains(t, err.Error(), imdsToken)
				require.Zero(t, c)
				return
			}
			require.NoError(t, err)
			require.Equal(t, Credentials{
				AccessKeyId: testId, AccessKeySecret: testSecret, SecurityToken: testToken, Expires: expires, Source: "ECSRole",
			}, c)
		})
	}
}

func TestECSRole_Environment(t *testing.T) {
	service := &metadata{keys: answering(keysJSON(time.Now().Add(time.Hour)))}
	server := serve(t, service.ServeHTTP)
	opts := ECSOptions{Endpoint: server.URL}

	t.Setenv("ALIBABA_CLOUD_ECS_METADATA", "from-env")
	_, err := ECSRole("", opts).Credentials(t.Context())
	require.NoError(t, err)
	require.Equal(t, "GET "+metadataRoles+"from-env v1", service.asked[1])

	t.Setenv("ALIBABA_CLOUD_IMDSV1_DISABLED", "true")
	_, err = ECSRole("", opts).Credentials(t.Context())
	require.ErrorContains(t, err, "(and IMDSv1 is disabled)")

	asked := len(service.asked)
	t.Setenv("ALIBABA_CLOUD_ECS_METADATA_DISABLED", "true")
	_, err = ECSRole("", opts).Credentials(t.Context())
	require.EqualError(t, err, "credentials: ECSRole: switched off by ALIBABA_CLOUD_ECS_METADATA_DISABLED")
	require.Len(t, service.asked, asked)
}

// On a machine that is no instance one failed connection has to do.
func TestECSRole_Unreachable(t *testing.T) {
	t.Parallel()
	var dials atomic.Int64
	client := &http.Client{Transport: &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) {
		dials.Add(1)
		return nil, &net.OpError{Op: "dial", Net: "tcp", Err: errors.New("no route to host")}
	}}}
	_, err := ECSRole("", ECSOptions{HTTPClient: client}).Credentials(t.Context())
	require.EqualError(t, err, "credentials: ECSRole: session token of the metadata service (reachable on ECS instances only): "+
		"100.100.100.200: dial tcp: no route to host")
	require.EqualValues(t, 1, dials.Load())
}

// The environment's proxy would see the keys, and cannot reach the service
// on behalf of this machine.
func TestECSRole_NeverThroughAProxy(t *testing.T) {
	t.Parallel()
	caller := newECS("", ECSOptions{}).caller
	transport, ok := caller.client.Transport.(*http.Transport)
	require.True(t, ok)
	require.Nil(t, transport.Proxy)
	require.Nil(t, newURI("", URIOptions{}).caller.client.Transport.(*http.Transport).Proxy)
	require.True(t, transport.DisableKeepAlives, "an idle connection leaves goroutines behind")
	require.Equal(t, time.Second, transport.ResponseHeaderTimeout)
	require.Equal(t, 2*time.Second, caller.attempt)

}

func TestECSRole_SilentServiceEndsByTimeout(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	server := serve(t, func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-release:
		case <-r.Context().Done():
		}
	})
	defer close(release)
	start := time.Now()
	_, err := ECSRole("uploader", ECSOptions{Endpoint: server.URL, Timeout: 20 * time.Millisecond}).Credentials(t.Context())
	// Of the response, or on a busy machine of the connection or the attempt.
	require.Regexp(t, "timeout|no response within", err)
	require.Less(t, time.Since(start), 5*time.Second)
}

func TestECSRole_HonoursContext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		hang := transport(func(req *http.Request) (*http.Response, error) {
			<-req.Context().Done()
			return nil, context.Cause(req.Context())
		})
		ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
		defer cancel()
		start := time.Now()
		_, err := ECSRole("uploader", ECSOptions{HTTPClient: hang.client()}).Credentials(ctx)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.Equal(t, 300*time.Millisecond, time.Since(start))
	})
}

func TestECSRole_RefreshesInTime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var keys, failures atomic.Int64
		service := transport(func(req *http.Request) (*http.Response, error) {
			switch {
			case req.Method == http.MethodPut:
				return reply(http.StatusOK, imdsToken), nil
			case keys.Add(1) == 2:
				failures.Add(1)
				return reply(http.StatusBadGateway, "<html>"), nil
			default:
				return reply(http.StatusOK, keysJSON(time.Now().Add(6*time.Hour))), nil
			}
		})
		p := ECSRole("uploader", ECSOptions{HTTPClient: service.client()})
		first, err := p.Credentials(t.Context())
		require.NoError(t, err)
		// A day of a request a minute: always good keys, four refreshes.
		for range 24 * 60 {
			time.Sleep(time.Minute)
			c, err := p.Credentials(t.Context())
			require.NoError(t, err)
			require.Greater(t, time.Until(c.Expires), margin)
		}
		synctest.Wait()
		last, err := p.Credentials(t.Context())
		require.NoError(t, err)
		require.True(t, last.Expires.After(first.Expires))
		require.EqualValues(t, 1, failures.Load())
		require.InDelta(t, 1+4+1, keys.Load(), 1)
	})
}

// A machine whose clock is an hour ahead would take fresh keys for expired.
func TestECSRole_WrongClock(t *testing.T) {
	t.Parallel()
	for _, skew := range []time.Duration{-3 * time.Hour, 3 * time.Hour} {
		t.Run(skew.String(), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				server := func() time.Time { return time.Now().Add(skew) }
				service := transport(func(*http.Request) (*http.Response, error) {
					resp := reply(http.StatusOK, keysJSON(server().Add(time.Hour)))
					resp.Header.Set("Date", server().UTC().Format(http.TimeFormat))
					return resp, nil
				})
				c, err := ECSRole("uploader", ECSOptions{HTTPClient: service.client()}).Credentials(t.Context())
				require.NoError(t, err)
				require.WithinDuration(t, time.Now().Add(time.Hour), c.Expires, 2*time.Second)
			})
		})
	}
}
