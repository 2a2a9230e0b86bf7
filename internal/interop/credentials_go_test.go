package interop

import (
	"crypto/tls"
	"crypto/x509"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	openapi "github.com/alibabacloud-go/darabonba-openapi/v2/client"
	openapiutil "github.com/alibabacloud-go/darabonba-openapi/v2/utils"
	"github.com/alibabacloud-go/tea/dara"
	"github.com/alibabacloud-go/tea/tea"
	peer "github.com/aliyun/credentials-go/credentials"
	"github.com/aliyun/credentials-go/credentials/providers"
	"github.com/stretchr/testify/require"

	"github.com/alimedia/alimedia-go/mediatest"
)

// behindTLS is the host of a server that speaks TLS for srv: credentials-go
// calls STS by https only. TestMain makes its certificate known.
func behindTLS(t *testing.T, srv *mediatest.Server) string {
	t.Helper()
	target, err := url.Parse(srv.URL)
	require.NoError(t, err)
	front := httptest.NewUnstartedServer(httputil.NewSingleHostReverseProxy(target))
	front.StartTLS()
	t.Cleanup(front.Close)
	return front.Listener.Addr().String()
}

// trustTestServers makes the default transport, which credentials-go copies,
// accept the certificate of httptest.
func trustTestServers() {
	probe := httptest.NewTLSServer(http.NotFoundHandler())
	defer probe.Close()
	roots := x509.NewCertPool()
	roots.AddCert(probe.Certificate())
	http.DefaultTransport.(*http.Transport).TLSClientConfig = &tls.Config{RootCAs: roots}
}

// whoIs asks STS for the owner of credentials, by the client that Alibaba's
// generated ones embed.
func whoIs(t *testing.T, srv *mediatest.Server, credential peer.Credential) string {
	t.Helper()
	client, err := openapi.NewClient(&openapiutil.Config{Credential: credential, Endpoint: tea.String(strings.TrimPrefix(srv.URL, "http://")), Protocol: tea.String("HTTP")})
	require.NoError(t, err)
	response, err := client.CallApi(&openapiutil.Params{
		Action: tea.String("GetCallerIdentity"), Version: tea.String("2015-04-01"), Protocol: tea.String("HTTPS"), Pathname: tea.String("/"), Method: tea.String("POST"),
		AuthType: tea.String("AK"), Style: tea.String("RPC"), ReqBodyType: tea.String("formData"), BodyType: tea.String("json"),
	}, &openapiutil.OpenApiRequest{}, &dara.RuntimeOptions{})
	require.NoError(t, err)
	return at(response, "body.Arn")
}

func TestCredentialsGo_AssumeRole(t *testing.T) {
	t.Parallel()
	srv := mediatest.New(t)
	keys, account := srv.Credentials(), srv.Account().Id()
	cfg := new(peer.Config).SetType("ram_role_arn").SetAccessKeyId(keys.AccessKeyId).SetAccessKeySecret(keys.AccessKeySecret).
		SetRoleArn("acs:ram::" + account + ":role/backend").SetRoleSessionName("session-1").SetRoleSessionExpiration(900).SetSTSEndpoint(behindTLS(t, srv))
	credential, err := peer.NewCredential(cfg)
	require.NoError(t, err)
	require.Equal(t, "acs:ram::"+account+":assumed-role/backend/session-1", whoIs(t, srv, credential))

	credential, err = peer.NewCredential(cfg.SetPolicy(`{"Version":"1","Statement":[{"Effect":"Allow","Action":"vod:GetVideoInfo","Resource":"*"}]}`))
	require.NoError(t, err)
	require.Equal(t, "acs:ram::"+account+":assumed-role/backend/session-1", whoIs(t, srv, credential))
	credential, err = peer.NewCredential(cfg.SetRoleArn("acs:ram::9:role/backend"))
	require.NoError(t, err)
	_, err = credential.GetCredential()
	require.ErrorContains(t, err, "EntityNotExist.Role")
	credential, err = peer.NewCredential(cfg.SetAccessKeySecret("wrong"))
	require.NoError(t, err)
	_, err = credential.GetCredential()
	require.ErrorContains(t, err, "SignatureDoesNotMatch")
}

// A role assumed with the keys of another role.
func TestCredentialsGo_AssumeRoleInAChain(t *testing.T) {
	t.Parallel()
	srv := mediatest.New(t)
	keys := srv.IssueCredentials()
	credential, err := peer.NewCredential(new(peer.Config).SetType("ram_role_arn").SetAccessKeyId(keys.AccessKeyId).SetAccessKeySecret(keys.AccessKeySecret).
		SetSecurityToken(keys.SecurityToken).SetRoleArn("acs:ram::" + srv.Account().Id() + ":role/second").SetRoleSessionName("session-2").SetSTSEndpoint(behindTLS(t, srv)))
	require.NoError(t, err)
	require.Contains(t, whoIs(t, srv, credential), ":assumed-role/second/session-2")
}

func TestCredentialsGo_AssumeRoleWithOIDC(t *testing.T) {
	t.Parallel()
	srv := mediatest.New(t)
	idp := srv.NewOIDCProvider("ack")
	file := filepath.Join(t.TempDir(), "token")
	require.NoError(t, os.WriteFile(file, []byte(idp.Token("system:serviceaccount:default:backend", time.Hour)), 0o600))
	cfg := new(peer.Config).SetType("oidc_role_arn").SetOIDCProviderArn(idp.Arn()).SetOIDCTokenFilePath(file).
		SetRoleArn("acs:ram::" + srv.Account().Id() + ":role/backend").SetRoleSessionName("pod-7").SetSTSEndpoint(behindTLS(t, srv))
	credential, err := peer.NewCredential(cfg)
	require.NoError(t, err)
	require.Contains(t, whoIs(t, srv, credential), ":assumed-role/backend/pod-7")

	require.NoError(t, os.WriteFile(file, []byte(idp.Token("x", -time.Hour)), 0o600))
	credential, err = peer.NewCredential(cfg)
	require.NoError(t, err)
	_, err = credential.GetCredential()
	require.ErrorContains(t, err, "AuthenticationFail.OIDCToken.Expired")
}

// credentials-go knows the real address of the metadata service only, but may be
// told a proxy.
func TestCredentialsGo_ECSMetadata(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		role     string
		required bool
		faults   []mediatest.Fault
		tokens   int
	}{
		"IMDSv2":            {role: "backend", required: true, tokens: 1},
		"role is asked for": {tokens: 2},
		"IMDSv1":            {role: "backend", faults: []mediatest.Fault{{Operation: "CreateMetadataToken", Status: 404, Times: mediatest.Always}}, tokens: 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			srv := mediatest.New(t)
			srv.SetInstance(mediatest.Instance{Role: "backend", TokenRequired: test.required})
			srv.Fault(test.faults...)
			provider, err := providers.NewECSRAMRoleCredentialsProviderBuilder().WithRoleName(test.role).WithDisableIMDSv1(test.required).
				WithHttpOptions(&providers.HttpOptions{Proxy: srv.URL}).Build()
			require.NoError(t, err)
			require.Contains(t, whoIs(t, srv, peer.FromCredentialsProvider("ecs_ram_role", provider)), ":assumed-role/backend/"+srv.Instance().Id)
			require.Equal(t, test.tokens, srv.Calls("CreateMetadataToken"))
		})
	}
	t.Run("no role", func(t *testing.T) {
		t.Parallel()
		srv := mediatest.New(t)
		srv.SetInstance(mediatest.Instance{})
		provider, err := providers.NewECSRAMRoleCredentialsProviderBuilder().WithHttpOptions(&providers.HttpOptions{Proxy: srv.URL}).Build()
		require.NoError(t, err)
		_, err = provider.GetCredentials()
		require.ErrorContains(t, err, "404")
	})
}

// The metadata service at an address of its own, as a URI that gives credentials.
func TestCredentialsGo_CredentialsURI(t *testing.T) {
	t.Parallel()
	srv := mediatest.New(t)
	_, port, err := net.SplitHostPort(strings.TrimPrefix(srv.URL, "http://"))
	require.NoError(t, err)
	credential, err := peer.NewCredential(new(peer.Config).SetType("credentials_uri").
		SetURLCredential("http://127.0.0.1:" + port + "/latest/meta-data/ram/security-credentials/" + srv.Instance().Role))
	require.NoError(t, err)
	require.Contains(t, whoIs(t, srv, credential), ":assumed-role/"+srv.Instance().Role)
}
