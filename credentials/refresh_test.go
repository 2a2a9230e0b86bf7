package credentials

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	sdk "github.com/aliyun/credentials-go/credentials"
	"github.com/aliyun/credentials-go/credentials/providers"
	"github.com/stretchr/testify/require"
)

// turning hands out other keys each time it is asked.
type turning struct{ n int }

func (s *turning) GetCredentials() (*providers.Credentials, error) {
	s.n++
	return &providers.Credentials{AccessKeyId: "STS.x", AccessKeySecret: testSecret, SecurityToken: string(rune('a' + s.n))}, nil
}
func (*turning) GetProviderName() string { return "turning" }

func TestRefresh(t *testing.T) {
	t.Parallel()
	old := Credentials{AccessKeyId: "LTAIold", AccessKeySecret: "s"}
	other := Credentials{AccessKeyId: "LTAInew", AccessKeySecret: "s"}
	hands := func(c Credentials) Provider {
		return source(func(context.Context) (Credentials, error) { return c, nil })
	}

	fresh, changed, err := Refresh(t.Context(), hands(other), old)
	require.NoError(t, err)
	require.True(t, changed)
	require.Equal(t, other, fresh)

	_, changed, err = Refresh(t.Context(), hands(old), old)
	require.NoError(t, err)
	require.False(t, changed)

	_, changed, err = Refresh(t.Context(), Static("LTAIold", "s", ""), old)
	require.NoError(t, err)
	require.False(t, changed, "the source does not matter")

	_, changed, err = Refresh(t.Context(), source(func(context.Context) (Credentials, error) { return Credentials{}, errors.New("no") }), old)
	require.ErrorContains(t, err, "no")
	require.False(t, changed)

	_, _, err = Refresh(t.Context(), nil, old)
	require.ErrorContains(t, err, "the provider is nil")

	// FromSDK, on its own and in a cache.
	for _, wrap := range []func(Provider) Provider{func(p Provider) Provider { return p }, Cached, func(p Provider) Provider { return Chain(p) }} {
		p := wrap(FromSDK(sdk.FromCredentialsProvider("x", new(turning))))
		first, err := p.Credentials(t.Context())
		require.NoError(t, err)
		fresh, changed, err := Refresh(t.Context(), p, first)
		require.NoError(t, err)
		require.True(t, changed)
		require.NotEqual(t, first.SecurityToken, fresh.SecurityToken)
	}
}

// The role's source has other keys although it is no Invalidator.
func TestAssumeRole_ASourceWithFreshKeysIsAskedAgain(t *testing.T) {
	t.Parallel()
	for _, code := range []string{"InvalidSecurityToken.Expired", "InvalidAccessKeyId.NotFound", "InvalidAccessKeyId.Inactive"} {
		n, requests := 0, 0
		rotated := source(func(context.Context) (Credentials, error) {
			n++
			return Credentials{AccessKeyId: "LTAI" + string(rune('a'+n)), AccessKeySecret: testSecret}, nil
		})
		client := transport(func(*http.Request) (*http.Response, error) {
			if requests++; requests == 1 {
				return reply(http.StatusForbidden, `{"Code":"`+code+`"}`), nil
			}
			return reply(http.StatusOK, stsJSON("STS.assumed", time.Now().Add(time.Hour))), nil
		}).client()
		c, err := AssumeRole(rotated, AssumeRoleOptions{RoleArn: testRole, HTTPClient: client}).Credentials(t.Context())
		require.NoError(t, err)
		require.Equal(t, "STS.assumed", c.AccessKeyId)
	}
}

// A source that never returns costs its callers half a minute and no more.
func TestCall_B57_ASourceThatHangsIsNotWaitedForForEver(t *testing.T) {
	t.Parallel()
	for name, wrap := range map[string]func(Provider) Provider{
		"cached": Cached, "cached twice": func(p Provider) Provider { return Cached(Cached(p)) },
		"role": func(p Provider) Provider { return AssumeRole(p, AssumeRoleOptions{RoleArn: testRole}) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				release := make(chan struct{})
				p := wrap(source(func(context.Context) (Credentials, error) {
					<-release
					return Credentials{}, errors.New("too late")
				}))
				start := time.Now()
				for range 3 {
					_, err := p.Credentials(t.Context())
					require.Error(t, err)
				}
				require.LessOrEqual(t, time.Since(start), 3*(flightLimit+2*time.Second))
				close(release)
			})
		})
	}
}

func TestAsk_ForeignProviders(t *testing.T) {
	t.Parallel()
	_, err := Ask(t.Context(), source(func(context.Context) (Credentials, error) { panic(testSecret) }))
	require.EqualError(t, err, "credentials: credentials.source: it panicked (string)")
	_, err = Ask(t.Context(), source(func(context.Context) (Credentials, error) {
		return Credentials{AccessKeyId: testId, AccessKeySecret: testSecret, SecurityToken: testToken + "\n"}, nil
	}))
	require.ErrorContains(t, err, "the SecurityToken contains a space")
	requireNoSecret(t, err.Error())
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errors.New("enough"))
	_, err = Ask(ctx, source(func(ctx context.Context) (Credentials, error) { <-t.Context().Done(); return Credentials{}, nil }))
	require.ErrorContains(t, err, "stopped waiting: context canceled: enough")
}

// The Date of a response tells how long keys live, within reason.
func TestCredentials_ALyingDateDoesNotEndThem(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		now := time.Now()
		k := keys{AccessKeyId: testId, AccessKeySecret: testSecret, SecurityToken: testToken, Expiration: now.Add(time.Hour).UTC().Format(time.RFC3339)}
		for name, tt := range map[string]struct {
			date time.Time
			left time.Duration
		}{
			"right":           {now, time.Hour},
			"none":            {time.Time{}, time.Hour},
			"behind ours":     {now.Add(-30 * time.Minute), 90 * time.Minute},
			"ahead of ours":   {now.Add(30 * time.Minute), 30 * time.Minute},
			"a year behind":   {now.AddDate(-1, 0, 0), time.Hour},
			"a year ahead":    {now.AddDate(1, 0, 0), time.Hour},
			"after their end": {now.Add(2 * time.Hour), time.Hour},
		} {
			c, err := k.credentials("x", tt.date)
			require.NoError(t, err)
			require.Equal(t, tt.left, c.Expires.Sub(now).Round(time.Second), name)
		}
	})
}

func TestOIDC_TokenOfTheEnvironment(t *testing.T) {
	t.Setenv("ALIBABA_CLOUD_OIDC_TOKEN", testOIDC+"\n")
	t.Setenv("ALIBABA_CLOUD_OIDC_TOKEN_FILE", "/nowhere")
	var sent string
	client := transport(func(req *http.Request) (*http.Response, error) {
		require.NoError(t, req.ParseForm())
		sent = req.PostForm.Get("OIDCToken")
		return reply(http.StatusOK, stsJSON("STS.assumed", time.Now().Add(time.Hour))), nil
	}).client()
	_, err := OIDC(OIDCOptions{RoleArn: testRole, ProviderArn: testIdP, HTTPClient: client}).Credentials(t.Context())
	require.NoError(t, err)
	require.Equal(t, testOIDC, sent)
	_, err = OIDC(OIDCOptions{RoleArn: testRole, ProviderArn: testIdP, TokenFile: "/nowhere/else", HTTPClient: client}).Credentials(t.Context())
	require.ErrorContains(t, err, "/nowhere/else", "code wins")
}
