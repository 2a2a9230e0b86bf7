package credentials

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

const testIdP = "acs:ram::123456789012:oidc-provider/ack"

func TestOIDC(t *testing.T) {
	expires := time.Now().Add(time.Hour).Truncate(time.Second).UTC()
	file := writeFile(t, "token", testOIDC+"\n")
	tests := map[string]struct {
		opts OIDCOptions
		env  map[string]string
		role string
		life []string
	}{
		"options": {
			opts: OIDCOptions{RoleArn: testRole, ProviderArn: testIdP, TokenFile: file, Duration: time.Hour},
			env:  map[string]string{"ALIBABA_CLOUD_ROLE_ARN": "other", "ALIBABA_CLOUD_OIDC_PROVIDER_ARN": "other", "ALIBABA_CLOUD_OIDC_TOKEN_FILE": "other"},
			life: []string{"3600"},
		},
		"environment": {
			env: map[string]string{"ALIBABA_CLOUD_ROLE_ARN": testRole, "ALIBABA_CLOUD_OIDC_PROVIDER_ARN": testIdP, "ALIBABA_CLOUD_OIDC_TOKEN_FILE": file},
		},
		"function": {
			opts: OIDCOptions{RoleArn: testRole, ProviderArn: testIdP, Token: func(context.Context) (string, error) { return testOIDC, nil }},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			for k, v := range tt.env {
				t.Setenv(k, v)
			}
			t.Setenv("ALIBABA_CLOUD_ROLE_SESSION_NAME", "pod-7")
			server := serve(t, func(w http.ResponseWriter, r *http.Request) {
				query, _ := url.ParseQuery(r.URL.RawQuery)
				_ = r.ParseForm()
				want := url.Values{
					"RoleArn": {testRole}, "OIDCProviderArn": {testIdP}, "OIDCToken": {testOIDC}, "RoleSessionName": {"pod-7"},
				}
				if tt.life != nil {
					want["DurationSeconds"] = tt.life
				}
				if r.Method != http.MethodPost || query.Get("Action") != "AssumeRoleWithOIDC" || query.Get("Version") != "2015-04-01" ||
					query.Has("OIDCToken") || r.Header.Get("Authorization") != "" || want.Encode() != r.PostForm.Encode() {
					status(http.StatusBadRequest, `{"Code":"BadTestRequest"}`)(w, r)
					return
				}
				_, _ = w.Write([]byte(stsJSON("STS.NSfederated01", expires)))
			})
			tt.opts.Endpoint = server.URL
			c, err := OIDC(tt.opts).Credentials(t.Context())
			require.NoError(t, err)
			require.Equal(t, Credentials{
				AccessKeyId: "STS.NSfederated01", AccessKeySecret: testSecret, SecurityToken: testToken, Expires: expires, Source: "OIDC",
			}, c)
		})
	}
}

func TestOIDC_Errors(t *testing.T) {
	t.Parallel()
	token := func(text string, err error) func(context.Context) (string, error) {
		return func(context.Context) (string, error) { return text, err }
	}
	cause := errors.New("token service is down")
	missing := filepath.Join(t.TempDir(), "missing")
	tests := map[string]struct {
		opts OIDCOptions
		want string
		is   error
	}{
		"nothing set":  {OIDCOptions{}, "set ALIBABA_CLOUD_ROLE_ARN, ALIBABA_CLOUD_OIDC_PROVIDER_ARN, ALIBABA_CLOUD_OIDC_TOKEN_FILE", nil},
		"one missing":  {OIDCOptions{RoleArn: testRole, TokenFile: "x"}, "OIDC: set ALIBABA_CLOUD_OIDC_PROVIDER_ARN", nil},
		"no file":      {OIDCOptions{RoleArn: testRole, ProviderArn: testIdP, TokenFile: missing}, "OIDC token: stat " + missing, os.ErrNotExist},
		"directory":    {OIDCOptions{RoleArn: testRole, ProviderArn: testIdP, TokenFile: t.TempDir()}, "is not a regular file", nil},
		"no token":     {OIDCOptions{RoleArn: testRole, ProviderArn: testIdP, Token: token(" \n", nil)}, "the OIDC token is empty", nil},
		"token error":  {OIDCOptions{RoleArn: testRole, ProviderArn: testIdP, Token: token("", cause)}, "OIDC token: token service is down", cause},
		"session name": {OIDCOptions{RoleArn: testRole, ProviderArn: testIdP, Token: token(testOIDC, nil), SessionName: "/"}, "the SessionName is not", nil},
		"expired": {
			OIDCOptions{RoleArn: testRole, ProviderArn: testIdP, Token: token(testOIDC, nil)},
			"OIDC: refused with code AuthenticationFail.OIDCToken.Expired (HTTP 400): token *** has expired [request id R-9]", nil,
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tt.opts.HTTPClient = transport(func(*http.Request) (*http.Response, error) {
				return reply(http.StatusBadRequest,
					`{"Code":"AuthenticationFail.OIDCToken.Expired","Message":"token `+testOIDC+` has expired","RequestId":"R-9"}`), nil
			}).client()
			_, err := OIDC(tt.opts).Credentials(t.Context())
			require.ErrorContains(t, err, "credentials: OIDC: ")
			require.ErrorContains(t, err, tt.want)
			requireNoSecret(t, err.Error())
			if tt.is != nil {
				require.ErrorIs(t, err, tt.is)
			}
		})
	}
}

// The platform replaces the token's file long before the keys expire.
func TestOIDC_RefreshReadsTheTokenAnew(t *testing.T) {
	t.Parallel()
	file := writeFile(t, "token", "first")
	synctest.Test(t, func(t *testing.T) {
		var tokens []string
		client := transport(func(req *http.Request) (*http.Response, error) {
			if err := req.ParseForm(); err != nil {
				return nil, err
			}
			tokens = append(tokens, req.PostForm.Get("OIDCToken"))
			return reply(http.StatusOK, stsJSON("STS.NS"+strings.Repeat("1", len(tokens)), time.Now().Add(time.Hour))), nil
		}).client()
		p := OIDC(OIDCOptions{RoleArn: testRole, ProviderArn: testIdP, TokenFile: file, HTTPClient: client})
		_, err := p.Credentials(t.Context())
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(file, []byte("second"), 0o600))
		time.Sleep(56 * time.Minute)
		_, err = p.Credentials(t.Context())
		require.NoError(t, err)
		synctest.Wait()
		c, err := p.Credentials(t.Context())
		require.NoError(t, err)
		require.Equal(t, "STS.NS11", c.AccessKeyId)
		require.Equal(t, []string{"first", "second"}, tokens)
	})
}
