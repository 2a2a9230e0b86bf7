package record

import (
	"context"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/alimedia/alimedia-go"
	"github.com/alimedia/alimedia-go/ice"
	"github.com/alimedia/alimedia-go/mediatest"
	"github.com/alimedia/alimedia-go/upload"
	"github.com/alimedia/alimedia-go/vod"
)

// What was recorded is enough: a user with nothing but the policy of it can do
// the same again.
func TestPolicy_IsEnough(t *testing.T) {
	t.Parallel()
	srv := mediatest.New(t)
	srv.CreateBucket("own-bucket")
	name := filepath.Join(t.TempDir(), "ops")
	rec, err := Open(name)
	require.NoError(t, err)

	work := func(cfg alimedia.Config, own mediatest.UploadConfig) error {
		v, err := vod.New(cfg)
		require.NoError(t, err)
		i, err := ice.New(cfg)
		require.NoError(t, err)
		up, err := upload.New(upload.Config{VOD: v, ICE: i, Credentials: own.Credentials, HTTPClient: own.HTTPClient, OSSEndpoint: own.OSSEndpoint, OSSRegion: own.OSSRegion})
		require.NoError(t, err)
		if _, err := up.Upload(t.Context(), upload.Reader("a.mp4", strings.NewReader("content"), 7), upload.VODVideo{Title: "T"}); err != nil {
			return err
		}
		if _, err := up.Upload(t.Context(), upload.Reader("b.mp4", strings.NewReader("content"), 7), upload.Bucket{Name: "own-bucket", Key: "films/b.mp4"}); err != nil {
			return err
		}
		_, err = i.ListMediaBasicInfos(t.Context(), ice.ListMediaBasicInfosRequest{})
		return err
	}
	cfg, oss := srv.Config(), srv.UploadConfig()
	cfg.HTTPClient = rec.Client(cfg.HTTPClient, cfg.Credentials)
	oss.HTTPClient = rec.Client(oss.HTTPClient, oss.Credentials)
	require.NoError(t, work(cfg, oss))
	require.NoError(t, rec.Close())

	info, err := os.Stat(name)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode().Perm())
	text, err := os.ReadFile(name)
	require.NoError(t, err)
	require.NotContains(t, string(text), srv.Credentials().AccessKeyId)
	all, err := Read(strings.NewReader(string(text)))
	require.NoError(t, err)
	require.ElementsMatch(t, []Permission{
		{Action: "vod:CreateUploadVideo"}, {Action: "ice:ListMediaBasicInfos"}, {"oss:PutObject", "own-bucket/films/b.mp4"},
	}, all, "requests with an upload credential need nothing, nor does GetCallerIdentity")

	policy, err := Policy(all)
	require.NoError(t, err)
	require.Contains(t, policy, `"acs:oss:*:*:own-bucket/films/*"`)
	keys := srv.NewUser(policy)
	own := provider{keys.AccessKeyId, keys.AccessKeySecret}
	cfg, oss = srv.Config(), srv.UploadConfig()
	cfg.Credentials, oss.Credentials = own.static(), own.static()
	require.NoError(t, work(cfg, oss))

	less, err := Policy([]Permission{{Action: "vod:CreateUploadVideo"}})
	require.NoError(t, err)
	keys = srv.NewUser(less)
	cfg.Credentials = provider{keys.AccessKeyId, keys.AccessKeySecret}.static()
	require.True(t, alimedia.IsAccessDenied(work(cfg, oss)), "each of them is needed")
}

func TestPermission_OSS(t *testing.T) {
	t.Parallel()
	rec := &Recorder{keys: provider{"LTAIown", "s"}.static()}
	for text, want := range map[string]string{
		"PUT https://b.oss-cn-shanghai.aliyuncs.com/k/a.mp4":                   "oss:PutObject b/k/a.mp4",
		"POST https://b.oss-cn-shanghai.aliyuncs.com/k/a.mp4?uploads":          "oss:PutObject b/k/a.mp4",
		"PUT https://b.oss-cn-shanghai.aliyuncs.com/a?partNumber=1&uploadId=x": "oss:PutObject b/a",
		"GET https://b.oss-cn-shanghai.aliyuncs.com/a?uploadId=x":              "oss:ListParts b/a",
		"DELETE https://b.oss-cn-shanghai.aliyuncs.com/a?uploadId=x":           "oss:AbortMultipartUpload b/a",
		"DELETE https://b.oss-cn-shanghai.aliyuncs.com/a":                      "oss:DeleteObject b/a",
		"HEAD https://b.oss-cn-shanghai.aliyuncs.com/a":                        "oss:GetObject b/a",
		"GET https://b.oss-cn-shanghai.aliyuncs.com/?uploads":                  "oss:ListMultipartUploads b",
		"GET http://127.0.0.1:1234/b/k/a":                                      "oss:GetObject b/k/a",
	} {
		method, url, _ := strings.Cut(text, " ")
		req, err := http.NewRequestWithContext(context.Background(), method, url, nil)
		require.NoError(t, err)
		req.Header.Set("Authorization", "OSS4-HMAC-SHA256 Credential=LTAIown/20261125/cn-shanghai/oss/aliyun_v4_request,Signature=x")
		p := rec.permission(req)
		require.Equal(t, want, p.Action+" "+p.Resource, text)
		req.Header.Set("Authorization", "OSS4-HMAC-SHA256 Credential=STS.other/20261125/cn-shanghai/oss/aliyun_v4_request,Signature=x")
		require.Zero(t, rec.permission(req), "an upload credential")
	}
}

func TestRead_TakesNothingElse(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"hello", `{"action":"ecs:*"}`, `{"action":"vod:*"}`, `[]`, `{"action":"oss:PutObject\",\"x"}`} {
		_, err := Read(strings.NewReader(text))
		require.EqualError(t, err, "line 1 is not one of --record")
	}
}

func TestPolicy_KeysWithWildcards(t *testing.T) {
	t.Parallel()
	text, err := Policy([]Permission{{"oss:PutObject", "b/a*c/d.mp4"}, {"oss:GetObject", "b/x.mp4"}, {"oss:ListObjects", "b"}})
	require.NoError(t, err)
	require.Contains(t, text, `"acs:oss:*:*:b/a*"`)
	require.Contains(t, text, `"acs:oss:*:*:b/*"`)
	require.Contains(t, text, `"acs:oss:*:*:b"`)
}
