package mediatest_test

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/alimedia/alimedia-go/credentials"
	"github.com/alimedia/alimedia-go/mediatest"
)

// assumeByToken calls AssumeRoleWithOIDC, which nobody signs.
func assumeByToken(t testing.TB, srv *mediatest.Server, p url.Values) answer {
	t.Helper()
	address := srv.URL + "/?Action=AssumeRoleWithOIDC&Version=2015-04-01&Format=JSON"
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, address, strings.NewReader(p.Encode()))
	require.NoError(t, err)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	resp, err := srv.HTTPClient().Do(r)
	require.NoError(t, err)
	return read(t, resp)
}

func TestAssumeRoleWithOIDC(t *testing.T) {
	t.Parallel()
	srv := mediatest.New(t)
	idp := srv.NewOIDCProvider("ack", "backend", "other")
	role := "acs:ram::" + srv.Account().Id() + ":role/backend"
	token := idp.Token("system:serviceaccount:default:backend", time.Hour)
	with := func(pairs ...string) answer {
		p := params("RoleArn", role, "OIDCProviderArn", idp.Arn(), "OIDCToken", token, "RoleSessionName", "pod-7")
		for i := 0; i < len(pairs); i += 2 {
			p.Set(pairs[i], pairs[i+1])
		}
		return assumeByToken(t, srv, p)
	}
	a := with("DurationSeconds", "900", "Policy", `{"Version":"1","Statement":[{"Effect":"Allow","Action":"vod:Get*","Resource":"*"}]}`)
	require.Equal(t, 200, a.status, a.raw)
	info := a.body["OIDCTokenInfo"].(map[string]any)
	require.Equal(t, []any{"system:serviceaccount:default:backend", idp.Issuer(), "backend,other"}, []any{info["Subject"], info["Issuer"], info["ClientIds"]})
	keys := a.body["Credentials"].(map[string]any)
	c := callerOf(srv, vodVersion)
	c.keys = credentials.Credentials{AccessKeyId: keys["AccessKeyId"].(string), AccessKeySecret: keys["AccessKeySecret"].(string), SecurityToken: keys["SecurityToken"].(string)}
	c.fails(t, 404, "InvalidVideo.NotFound", "GetVideoInfo", "VideoId", "none")
	c.fails(t, 403, "NoPermission", "DeleteVideo", "VideoIds", "none")

	foreign := srv.AddAccount("1234567890123456").NewOIDCProvider("ack", "backend")
	parts := strings.Split(token, ".")
	for name, test := range map[string]struct {
		code  string
		pairs []string
	}{
		"no provider":      {"MissingParameter", []string{"OIDCProviderArn", ""}},
		"unknown provider": {"AuthenticationFail.NoPermission", []string{"OIDCProviderArn", idp.Arn() + "x"}},
		"another account":  {"AuthenticationFail.NoPermission", []string{"OIDCProviderArn", foreign.Arn()}},
		"unknown role":     {"EntityNotExist.Role", []string{"RoleArn", "acs:ram::9:role/backend"}},
		"no session":       {"MissingParameter", []string{"RoleSessionName", ""}},
		"life":             {"InvalidParameter.DurationSeconds", []string{"DurationSeconds", "899"}},
		"policy":           {"InvalidParameter.PolicyGrammar", []string{"Policy", "{"}},
		"no token":         {"AuthenticationFail.OIDCToken.Invalid", []string{"OIDCToken", ""}},
		"two parts":        {"AuthenticationFail.OIDCToken.Invalid", []string{"OIDCToken", parts[0] + "." + parts[1]}},
		"no base64":        {"AuthenticationFail.OIDCToken.Invalid", []string{"OIDCToken", parts[0] + ".$$." + parts[2]}},
		"no JSON":          {"AuthenticationFail.OIDCToken.Invalid", []string{"OIDCToken", "AAAA.AAAA.AAAA"}},
		"long":             {"AuthenticationFail.OIDCToken.Invalid", []string{"OIDCToken", strings.Repeat("a", 20001)}},
		"HS256":            {"AuthenticationFail.OIDCToken.Invalid", []string{"OIDCToken", "eyJhbGciOiJIUzI1NiJ9." + parts[1] + "." + parts[2]}},
		"changed":          {"AuthenticationFail.OIDCToken.InvalidSignature", []string{"OIDCToken", parts[0] + ".eyJzdWIiOiJ4In0." + parts[2]}},
		"of another":       {"AuthenticationFail.OIDCToken.InvalidSignature", []string{"OIDCToken", foreign.Token("x", time.Hour)}},
		"other audience":   {"AuthenticationFail.OIDCToken.AudienceNotMatch", []string{"OIDCToken", idp.Sign(map[string]any{"iss": idp.Issuer(), "aud": "x", "exp": 1 << 40})}},
		"other issuer":     {"AuthenticationFail.OIDCToken.Invalid", []string{"OIDCToken", idp.Sign(map[string]any{"iss": foreign.Issuer() + "x", "aud": "backend", "exp": 1 << 40})}},
		"never expires":    {"AuthenticationFail.OIDCToken.Expired", []string{"OIDCToken", idp.Sign(map[string]any{"iss": idp.Issuer(), "aud": "backend"})}},
		"no claims":        {"AuthenticationFail.OIDCToken.Invalid", []string{"OIDCToken", idp.Sign(map[string]any{"exp": "soon"})}},
		"expired":          {"AuthenticationFail.OIDCToken.Expired", []string{"OIDCToken", idp.Token("x", -time.Second)}},
	} {
		a := with(test.pairs...)
		require.Equal(t, test.code, a.code(), "%s: %s", name, a.raw)
		require.NotContains(t, a.raw, parts[2], name)
	}
	srv.NewOIDCProvider("ack", "backend") // has another key
	require.Equal(t, "AuthenticationFail.OIDCToken.InvalidSignature", with().code())
	for _, r := range srv.Requests() {
		require.NotContains(t, fmt.Sprintf("%+v", r), parts[2])
	}
	require.Equal(t, "mediatest.OIDCProvider("+idp.Arn()+")", fmt.Sprintf("%+v", idp))
}

func TestAssumeRoleWithOIDC_OurCredentials(t *testing.T) {
	t.Parallel()
	srv := mediatest.New(t)
	idp := srv.NewOIDCProvider("github")
	life := time.Hour
	p := credentials.OIDC(credentials.OIDCOptions{
		RoleArn: "acs:ram::" + srv.Account().Id() + ":role/deploy", ProviderArn: idp.Arn(), SessionName: "run-1",
		Token:    func(context.Context) (string, error) { return idp.Token("repo:x", life), nil },
		Endpoint: srv.URL, HTTPClient: srv.HTTPClient(),
	})
	id, err := credentials.GetCallerIdentity(t.Context(), p, credentials.CallerIdentityOptions{Endpoint: srv.URL, HTTPClient: srv.HTTPClient()})
	require.NoError(t, err)
	require.Contains(t, id.Arn, ":assumed-role/deploy/run-1")
	life = -time.Hour
	_, err = credentials.OIDC(credentials.OIDCOptions{
		RoleArn: "acs:ram::" + srv.Account().Id() + ":role/deploy", ProviderArn: idp.Arn(),
		Token:    func(context.Context) (string, error) { return idp.Token("repo:x", life), nil },
		Endpoint: srv.URL, HTTPClient: srv.HTTPClient(),
	}).Credentials(t.Context())
	require.ErrorContains(t, err, "AuthenticationFail.OIDCToken.Expired")
}
