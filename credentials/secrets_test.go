package credentials

import (
	"context"
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	sdk "github.com/aliyun/credentials-go/credentials"
	"github.com/stretchr/testify/require"
)

// Every provider, after it has handed out its keys, and every error that it
// makes of a response full of secrets, rendered in every way: no secret.
func TestNoProviderOrErrorShowsASecret(t *testing.T) {
	t.Setenv(envId, testId)
	t.Setenv(envSecret, testSecret)
	t.Setenv(envToken, testToken)
	t.Setenv("ALIBABA_CLOUD_ECS_METADATA_DISABLED", "false")
	config := writeFile(t, "config.json", profiles)

	works := transport(func(req *http.Request) (*http.Response, error) {
		switch {
		case req.Method == http.MethodPut:
			return reply(http.StatusOK, testToken), nil
		case req.Method == http.MethodPost:
			return reply(http.StatusOK, stsJSON(testId, time.Now().Add(time.Hour))), nil
		default:
			return reply(http.StatusOK, keysJSON(time.Now().Add(time.Hour))), nil
		}
	}).client()
	everySecret := fmt.Sprintf(`{"Code":"Denied %[1]s","RequestId":"%[2]s","Message":"%[1]s %[2]s TOLD","AccessKeySecret":"%[1]s","SecurityToken":"%[2]s"}`,
		testSecret, testToken)
	refuses := transport(func(req *http.Request) (*http.Response, error) {
		if req.Method == http.MethodPut {
			return reply(http.StatusOK, testToken), nil
		}
		// A server can only give back what it was told.
		if req.URL.Query().Get("Action") == "AssumeRoleWithOIDC" {
			return reply(http.StatusForbidden, strings.ReplaceAll(everySecret, "TOLD", testOIDC)), nil
		}
		return reply(http.StatusForbidden, everySecret), nil
	}).client()
	garbled := transport(func(*http.Request) (*http.Response, error) {
		return reply(http.StatusOK, testSecret+testToken+testOIDC), nil
	}).client()

	credential, err := sdk.NewCredential(new(sdk.Config).SetType("sts").SetAccessKeyId(testId).SetAccessKeySecret(testSecret).SetSecurityToken(testToken))
	require.NoError(t, err)
	oidc := func(client *http.Client) Provider {
		return OIDC(OIDCOptions{
			RoleArn: testRole, ProviderArn: testIdP, HTTPClient: client,
			Token: func(context.Context) (string, error) { return testOIDC, nil },
		})
	}
	kinds := func(client *http.Client) map[string]Provider {
		static := Static(testId, testSecret, testToken)
		return map[string]Provider{
			"Static":     static,
			"Env":        Env(),
			"Profile":    Profile("sts", ProfileOptions{ConfigFile: config}),
			"role":       Profile("arn", ProfileOptions{ConfigFile: config, CredentialsFile: config, HTTPClient: client}),
			"ECSRole":    ECSRole("uploader", ECSOptions{HTTPClient: client}),
			"AssumeRole": AssumeRole(static, AssumeRoleOptions{RoleArn: testRole, HTTPClient: client}),
			"OIDC":       oidc(client),
			"URI":        URI("http://user:"+testSecret+"@127.0.0.1/?key="+testToken, URIOptions{HTTPClient: client}),
			"Chain":      Chain(ECSRole("uploader", ECSOptions{HTTPClient: client}), oidc(client)),
			"Default":    Default(),
			"FromSDK":    FromSDK(credential),
			"Cached":     Cached(static),
		}
	}
	check := func(t *testing.T, v any) {
		t.Helper()
		for _, text := range append(texts(t, v), texts(t, []any{v})...) {
			requireNoSecret(t, text)
			require.NotContains(t, text, fmt.Sprintf("%x", testSecret))
			require.NotContains(t, text, fmt.Sprintf("%X", testSecret))
		}
	}
	for responses, client := range map[string]*http.Client{"works": works, "refuses": refuses, "garbled": garbled} {
		for name, p := range kinds(client) {
			t.Run(filepath.Join(responses, name), func(t *testing.T) {
				check(t, p)
				c, err := p.Credentials(t.Context())
				check(t, c)
				check(t, &c)
				if responses == "works" {
					require.NoError(t, err)
					require.Equal(t, testSecret, c.AccessKeySecret)
				}
				if err != nil {
					check(t, err)
					check(t, fmt.Errorf("wrapped: %w", err))
				}
				check(t, p)
				requireNoSecret(t, fmt.Sprintf("%p", p))
				check(t, struct{ Credentials Provider }{p})
				check(t, struct{ unexported Provider }{p})
			})
		}
	}
}
