package credentials

import (
	"context"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func failing(reason string) Provider {
	return source(func(context.Context) (Credentials, error) { return Credentials{}, errors.New(reason) })
}

func TestChain_FirstThatSucceeds(t *testing.T) {
	t.Parallel()
	var after atomic.Int64
	p := Chain(nil, failing("not here"), Static(testId, testSecret, ""),
		source(counted(&after, func(context.Context) (Credentials, error) { return issue(1, 0), nil })))
	c, err := p.Credentials(t.Context())
	require.NoError(t, err)
	require.Equal(t, testId, c.AccessKeyId)
	require.Zero(t, after.Load())
}

// A provider that fails must not be remembered: the next call would get
// neither credentials nor an error from it.
func TestChain_RemembersOnlyAfterSuccess(t *testing.T) {
	t.Parallel()
	var firstWorks atomic.Bool
	first := source(func(context.Context) (Credentials, error) {
		if !firstWorks.Load() {
			return Credentials{}, errors.New("not yet")
		}
		return issue(1, 0), nil
	})
	p := Chain(first, failing("never"))
	for range 3 {
		c, err := p.Credentials(t.Context())
		require.EqualError(t, err, "credentials: no provider has any: credentials.source: not yet; credentials.source: never")
		require.Zero(t, c)
	}
	firstWorks.Store(true)
	c, err := p.Credentials(t.Context())
	require.NoError(t, err)
	require.Equal(t, "LTAI-issued-1", c.AccessKeyId)
}

func TestChain_StaysWithTheOneItChose(t *testing.T) {
	t.Parallel()
	var broken atomic.Bool
	p := Chain(source(func(context.Context) (Credentials, error) {
		if broken.Load() {
			return Credentials{}, errors.New("out of order")
		}
		return issue(1, 0), nil
	}), Static(testId, testSecret, ""))
	_, err := p.Credentials(t.Context())
	require.NoError(t, err)
	broken.Store(true)
	_, err = p.Credentials(t.Context())
	require.EqualError(t, err, "credentials: credentials.source: out of order", "the keys of somebody else were handed out")
}

func TestChain_NeverNeither(t *testing.T) {
	t.Parallel()
	nothing := source(func(context.Context) (Credentials, error) { return Credentials{}, nil })
	_, err := Chain(nothing).Credentials(t.Context())
	require.ErrorContains(t, err, "credentials.source: it returned neither credentials nor an error")

	_, err = Chain().Credentials(t.Context())
	require.EqualError(t, err, "credentials: Chain: the chain has no providers: add at least one")
}

func TestChain_Concurrent(t *testing.T) {
	t.Parallel()
	p := Chain(failing("not here"), Static(testId, testSecret, ""))
	var wg sync.WaitGroup
	for range 100 {
		wg.Go(func() {
			c, err := p.Credentials(t.Context())
			require.NoError(t, err)
			p.(Invalidator).Invalidate(c)
		})
	}
	wg.Wait()
}

func TestChain_EndsWithTheContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	var after atomic.Int64
	p := Chain(
		source(func(ctx context.Context) (Credentials, error) {
			cancel()
			<-ctx.Done()
			return Credentials{}, ctx.Err()
		}),
		source(counted(&after, func(context.Context) (Credentials, error) { return issue(1, 0), nil })),
	)
	_, err := p.Credentials(ctx)
	require.ErrorIs(t, err, context.Canceled)
	require.Zero(t, after.Load())
}

func TestChain_InvalidateReachesTheChosen(t *testing.T) {
	t.Parallel()
	var asked atomic.Int64
	p := Chain(failing("not here"), Cached(source(counted(&asked, func(context.Context) (Credentials, error) {
		return issue(asked.Load(), time.Hour), nil
	}))))
	c, err := p.Credentials(t.Context())
	require.NoError(t, err)
	p.(Invalidator).Invalidate(c)
	c, err = p.Credentials(t.Context())
	require.NoError(t, err)
	require.Equal(t, "LTAI-issued-2", c.AccessKeyId)
}

func TestChain_ErrorsCanBeReached(t *testing.T) {
	t.Parallel()
	cause := errors.New("cause")
	_, err := Chain(Chain(source(func(context.Context) (Credentials, error) { return Credentials{}, cause }))).Credentials(t.Context())
	require.ErrorIs(t, err, cause)
}

func TestDefault_ListsEachProviderWithItsReason(t *testing.T) {
	home := t.TempDir()
	t.Setenv("HOME", home)
	t.Setenv("USERPROFILE", home)
	t.Setenv("ALIBABA_CLOUD_ECS_METADATA_DISABLED", "TRUE")
	_, err := Default().Credentials(t.Context())
	require.Error(t, err)
	config := filepath.Join(home, ".aliyun", "config.json")
	shared := filepath.Join(home, ".alibabacloud", "credentials")
	require.EqualError(t, err, "credentials: no provider has any: "+
		"Env: set ALIBABA_CLOUD_ACCESS_KEY_ID and ALIBABA_CLOUD_ACCESS_KEY_SECRET; "+
		"OIDC: set ALIBABA_CLOUD_ROLE_ARN, ALIBABA_CLOUD_OIDC_PROVIDER_ARN, ALIBABA_CLOUD_OIDC_TOKEN_FILE; "+
		"Profile(config.json): stat "+config+": no such file or directory; "+
		"Profile(credentials): stat "+shared+": no such file or directory; "+
		"ECSRole: switched off by ALIBABA_CLOUD_ECS_METADATA_DISABLED; "+
		"URI: set ALIBABA_CLOUD_CREDENTIALS_URI, or give the URI")
	require.ErrorIs(t, err, os.ErrNotExist)
}

// Each provider is given what it needs, last first: the one before it in the
// order must then win.
func TestDefault_Order(t *testing.T) {
	t.Setenv("ALIBABA_CLOUD_ECS_METADATA_DISABLED", "true")
	uri := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte(keysJSON(time.Now().Add(time.Hour))))
	})
	steps := []struct {
		source string
		set    func()
	}{
		{"URI", func() { t.Setenv("ALIBABA_CLOUD_CREDENTIALS_URI", uri.URL) }},
		{"Profile(default): Static", func() {
			t.Setenv("ALIBABA_CLOUD_CREDENTIALS_FILE", writeFile(t, "credentials",
				"[default]\ntype = access_key\naccess_key_id = LTAI-of-the-ini-file\naccess_key_secret = "+testSecret))
		}},
		{"Profile(main): Static", func() {
			t.Setenv("ALIBABA_CLOUD_CONFIG_FILE", writeFile(t, "config.json",
				`{"current":"main","profiles":[{"name":"main","mode":"AK","access_key_id":"LTAI-of-the-cli","access_key_secret":"`+testSecret+`"}]}`))
		}},
		{"Env", func() { t.Setenv(envId, testId); t.Setenv(envSecret, testSecret) }},
	}
	t.Setenv("HOME", t.TempDir())
	for _, step := range steps {
		step.set()
		c, err := Default().Credentials(t.Context())
		require.NoError(t, err)
		require.Equal(t, step.source, c.Source)
	}
}
