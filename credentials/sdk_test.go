package credentials

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/alibabacloud-go/tea/tea"
	sdk "github.com/aliyun/credentials-go/credentials"
	"github.com/stretchr/testify/require"
)

// sdkFake is a credential of that module made of a function.
type sdkFake struct {
	sdk.Credential
	get func() (*sdk.CredentialModel, error)
}

func (f *sdkFake) GetCredential() (*sdk.CredentialModel, error) { return f.get() }

func sdkModel() *sdk.CredentialModel {
	return &sdk.CredentialModel{
		AccessKeyId: tea.String(testId), AccessKeySecret: tea.String(testSecret), SecurityToken: tea.String(testToken),
		Type: tea.String("sts"), ProviderName: tea.String("static_sts"),
	}
}

func TestFromSDK_RealCredentials(t *testing.T) {
	t.Parallel()
	credential, err := sdk.NewCredential(new(sdk.Config).SetType("access_key").SetAccessKeyId(testId).SetAccessKeySecret(testSecret))
	require.NoError(t, err)
	c, err := FromSDK(credential).Credentials(t.Context())
	require.NoError(t, err)
	require.Equal(t, Credentials{AccessKeyId: testId, AccessKeySecret: testSecret, Source: "FromSDK(static_ak)"}, c)

	bearer, err := sdk.NewCredential(new(sdk.Config).SetType("bearer").SetBearerToken(testToken))
	require.NoError(t, err)
	_, err = FromSDK(bearer).Credentials(t.Context())
	require.EqualError(t, err, `credentials: FromSDK: credentials-go returned a credential of type "bearer" that cannot sign: the AccessKeyId is empty`)
}

func TestFromSDK_Errors(t *testing.T) {
	t.Parallel()
	const leftOut = " (its message is left out because it may hold secrets; its GetCredential shows it)"
	tests := map[string]struct {
		credential sdk.Credential
		want       string
	}{
		"nil": {nil, "the credential is nil"},
		"neither": {
			&sdkFake{get: func() (*sdk.CredentialModel, error) { return nil, nil }},
			"credentials-go returned neither a credential nor an error",
		},
		"empty": {
			&sdkFake{get: func() (*sdk.CredentialModel, error) { return &sdk.CredentialModel{Type: tea.String("sts")}, nil }},
			`credentials-go returned a credential of type "sts" that cannot sign: the AccessKeyId is empty`,
		},
		"panic":     {&sdkFake{get: func() (*sdk.CredentialModel, error) { panic(testSecret) }}, "credentials-go panicked (string)"},
		"nil panic": {(*sdkFake)(nil), "credentials-go panicked (runtime.errorString)"},
		"whole file in the text": {
			&sdkFake{get: func() (*sdk.CredentialModel, error) {
				return nil, fmt.Errorf(`unmarshal aliyun cli config failed: {"access_key_secret":%q}`, testSecret)
			}},
			"credentials-go has none" + leftOut,
		},
		"body in the text": {
			&sdkFake{get: func() (*sdk.CredentialModel, error) {
				return nil, fmt.Errorf(`refresh session token failed: {"Code":"NoPermission","RequestId":"AB-12","Message":%q}`, testSecret)
			}},
			"credentials-go has none, code NoPermission, request id AB-12" + leftOut,
		},
		"URL in the text": {
			&sdkFake{get: func() (*sdk.CredentialModel, error) {
				return nil, &url.Error{Op: "Post", URL: "https://sts.aliyuncs.com/?SecurityToken=" + testToken, Err: errors.New("no route to host")}
			}},
			"credentials-go: no route to host",
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, err := FromSDK(tt.credential).Credentials(t.Context())
			require.ErrorContains(t, err, "credentials: FromSDK: "+tt.want)
			require.Zero(t, c)
			for ; err != nil; err = errors.Unwrap(err) {
				requireNoSecret(t, err.Error())
			}
		})
	}
}

func TestFromSDK_OneCallAtATime(t *testing.T) {
	t.Parallel()
	var running, calls int // guarded by nothing: that is what the test is about
	p := FromSDK(&sdkFake{get: func() (*sdk.CredentialModel, error) {
		running++
		calls++
		defer func() { running-- }()
		if running != 1 {
			return nil, errors.New("two at a time")
		}
		return sdkModel(), nil
	}})
	var wg sync.WaitGroup
	for range 100 {
		wg.Go(func() {
			c, err := p.Credentials(t.Context())
			require.NoError(t, err)
			require.Equal(t, testToken, c.SecurityToken)
		})
	}
	wg.Wait()
	require.GreaterOrEqual(t, calls, 1)
}

func TestFromSDK_HonoursContextAndLeaksOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var calls atomic.Int64
		release := make(chan struct{})
		p := FromSDK(&sdkFake{get: func() (*sdk.CredentialModel, error) {
			if calls.Add(1) == 1 {
				<-release
			}
			return sdkModel(), nil
		}})
		start := time.Now()
		for range 10 {
			ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
			_, err := p.Credentials(ctx)
			cancel()
			require.ErrorIs(t, err, context.DeadlineExceeded)
		}
		require.Equal(t, 500*time.Millisecond, time.Since(start))

		// Who has no end of his own is not kept for ever either.
		_, err := p.Credentials(t.Context())
		require.ErrorContains(t, err, "credentials-go has not answered within 30s")
		require.Equal(t, 500*time.Millisecond+flightLimit, time.Since(start))
		require.EqualValues(t, 1, calls.Load(), "a second goroutine was started beside the stuck one")

		close(release)
		synctest.Wait()
		_, err = p.Credentials(t.Context())
		require.NoError(t, err)
	})
}
