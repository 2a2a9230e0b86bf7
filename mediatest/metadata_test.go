package mediatest_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/alimedia/alimedia-go/credentials"
	"github.com/alimedia/alimedia-go/mediatest"
)

// metadata asks the metadata service.
func metadata(t testing.TB, srv *mediatest.Server, method, path string, headers ...string) answer {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, srv.URL+path, nil)
	require.NoError(t, err)
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	resp, err := srv.HTTPClient().Do(r)
	require.NoError(t, err)
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	return answer{status: resp.StatusCode, header: resp.Header, raw: string(text)}
}

const (
	tokenPath = "/latest/api/token"
	ttl       = "X-aliyun-ecs-metadata-token-ttl-seconds"
	tokenName = "X-aliyun-ecs-metadata-token"
	rolesPath = "/latest/meta-data/ram/security-credentials/"
)

func TestMetadata_Items(t *testing.T) {
	t.Parallel()
	srv := mediatest.New(t, mediatest.Region("cn-beijing"))
	get := func(path string) string {
		a := metadata(t, srv, "GET", path)
		require.Equal(t, 200, a.status, path)
		return a.raw
	}
	require.Equal(t, srv.Instance().Id, get("/latest/meta-data/instance-id"))
	require.Equal(t, "cn-beijing", get("/latest/meta-data/region-id"))
	require.Equal(t, srv.Account().Id(), get("/latest/meta-data/owner-account-id"))
	require.Equal(t, "instance-name\ninstance-type", get("/latest/meta-data/instance"))
	require.Contains(t, strings.Split(get("/latest/meta-data/"), "\n"), "ram/")
	require.Equal(t, "mediatest-role", get(rolesPath))
	var document map[string]string
	require.NoError(t, json.Unmarshal([]byte(get("/latest/dynamic/instance-identity/document")), &document))
	require.Equal(t, srv.Instance().Id, document["instance-id"])
	for _, path := range []string{"/latest/meta-data/none", "/latest/", "/latest/user-data", rolesPath + "other", "/latest/meta-data/instance/instance"} {
		require.Equal(t, 404, metadata(t, srv, "GET", path).status, path)
	}
	require.Equal(t, 405, metadata(t, srv, "POST", "/latest/meta-data/").status)
	require.Equal(t, "metadata", srv.Requests()[0].Service)
	require.Equal(t, "/latest/meta-data/instance-id", srv.Requests()[0].Key)

	srv.SetInstance(mediatest.Instance{})
	require.Equal(t, 404, metadata(t, srv, "GET", rolesPath).status)
	require.NotContains(t, get("/latest/meta-data/"), "ram")
	srv.Fault(mediatest.Fault{Operation: "GetMetadata", Status: 503, Message: "<busy>"})
	a := metadata(t, srv, "GET", "/latest/meta-data/")
	require.Equal(t, 503, a.status)
	require.Contains(t, a.raw, "&lt;busy&gt;")
}

func TestMetadata_Tokens(t *testing.T) {
	t.Parallel()
	srv := mediatest.New(t)
	for _, life := range []string{"", "0", "-1", "21601", "x", "1.5"} {
		require.Equal(t, 400, metadata(t, srv, "PUT", tokenPath, ttl, life).status, life)
	}
	require.Equal(t, 405, metadata(t, srv, "GET", tokenPath, ttl, "60").status)
	token := metadata(t, srv, "PUT", tokenPath, ttl, "60").raw
	ask := func(token string) int { return metadata(t, srv, "GET", "/latest/meta-data/", tokenName, token).status }
	require.Equal(t, []int{200, 200, 401, 401}, []int{ask(token), ask(""), ask("x"), ask("f" + token)})
	srv.SetInstance(mediatest.Instance{TokenRequired: true})
	require.Equal(t, []int{200, 403}, []int{ask(token), ask("")})
	srv.Clock().Advance(61 * time.Second)
	require.Equal(t, 401, ask(token))
	for _, r := range srv.Requests() {
		require.NotContains(t, fmt.Sprint(r), token)
	}
	require.Equal(t, 8, srv.Calls("CreateMetadataToken"))
}

func TestMetadata_CredentialsOfTheRole(t *testing.T) {
	t.Parallel()
	srv := mediatest.New(t)
	srv.SetInstance(mediatest.Instance{Role: "backend"})
	keys := func() map[string]string {
		var doc map[string]string
		require.NoError(t, json.Unmarshal([]byte(metadata(t, srv, "GET", rolesPath+"backend").raw), &doc))
		require.Equal(t, "Success", doc["Code"])
		return doc
	}
	first := keys()
	require.Equal(t, first, keys())
	expires, err := time.Parse(time.RFC3339, first["Expiration"])
	require.NoError(t, err)
	require.WithinDuration(t, time.Now().Add(6*time.Hour), expires, time.Minute)
	srv.Clock().Advance(3*time.Hour + time.Minute)
	second := keys()
	require.NotEqual(t, first["AccessKeyId"], second["AccessKeyId"])
	srv.RevokeKeys(second["AccessKeyId"])
	require.NotEqual(t, second["AccessKeyId"], keys()["AccessKeyId"])
	c := callerOf(srv, "2015-04-01")
	c.keys = credentials.Credentials{AccessKeyId: first["AccessKeyId"], AccessKeySecret: first["AccessKeySecret"], SecurityToken: first["SecurityToken"]}
	require.Contains(t, c.ok(t, "GetCallerIdentity").str("Arn"), ":assumed-role/backend/"+srv.Instance().Id)
}

// An OSS bucket may be called latest all the same.
func TestMetadata_LeavesOSSAlone(t *testing.T) {
	t.Parallel()
	srv := mediatest.New(t)
	srv.PutObject("latest", "meta-data/a", []byte("content"))
	require.Equal(t, "content", wireOf(srv).send(t, "GET", "latest/meta-data/a", "", "").raw)
}

func TestMetadata_OurCredentials(t *testing.T) {
	t.Parallel()
	for name, required := range map[string]bool{"IMDSv1": false, "IMDSv2": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			srv := mediatest.New(t)
			srv.SetInstance(mediatest.Instance{Role: "backend", TokenRequired: required})
			if !required {
				srv.Fault(mediatest.Fault{Operation: "CreateMetadataToken", Status: 404, Times: mediatest.Always})
			}
			p := credentials.ECSRole("", credentials.ECSOptions{Endpoint: srv.URL, HTTPClient: srv.HTTPClient(), DisableV1: required})
			keys, err := p.Credentials(t.Context())
			require.NoError(t, err)
			id, err := credentials.GetCallerIdentity(t.Context(), p, credentials.CallerIdentityOptions{Endpoint: srv.URL, HTTPClient: srv.HTTPClient()})
			require.NoError(t, err)
			require.Contains(t, id.Arn, ":assumed-role/backend/")
			require.WithinDuration(t, time.Now().Add(6*time.Hour), keys.Expires, time.Minute)
		})
	}
}

// A server in memory is at the address of the real service.
func TestMetadata_OurCredentialsInABubble(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		srv := mediatest.New(t, mediatest.InMemory())
		p := credentials.ECSRole("", credentials.ECSOptions{HTTPClient: srv.HTTPClient()})
		first, err := p.Credentials(t.Context())
		require.NoError(t, err)
		time.Sleep(6 * time.Hour)
		second, err := p.Credentials(t.Context())
		require.NoError(t, err)
		require.NotEqual(t, first.AccessKeyId, second.AccessKeyId)
		srv.HTTPClient().CloseIdleConnections()
	})
}
