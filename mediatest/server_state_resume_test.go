package mediatest_test

import (
	"bytes"
	"context"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aliyun/aliyun-oss-go-sdk/oss"
	"github.com/stretchr/testify/require"

	"github.com/alimedia/alimedia-go/ice"
	"github.com/alimedia/alimedia-go/mediatest"
	"github.com/alimedia/alimedia-go/upload"
	"github.com/alimedia/alimedia-go/vod"
)

// uploaderOf is an uploader to buckets that the services manage, or to others.
func uploaderOf(t *testing.T, srv *mediatest.Server, own bool) *upload.Uploader {
	t.Helper()
	v, err := vod.New(srv.Config())
	require.NoError(t, err)
	i, err := ice.New(srv.Config())
	require.NoError(t, err)
	cfg := srv.UploadConfig()
	if !own {
		cfg = mediatest.UploadConfig{}
	}
	up, err := upload.New(upload.Config{
		VOD: v, ICE: i, Credentials: cfg.Credentials, HTTPClient: cfg.HTTPClient, OSSEndpoint: cfg.OSSEndpoint, PartSize: 100 << 10, MultipartThreshold: 1, Parallel: 1,
	})
	require.NoError(t, err)
	return up
}

func TestState_AnUploadIsResumedOnAnotherServer(t *testing.T) {
	t.Parallel()
	for name, target := range map[string]func(*mediatest.Server) upload.Target{
		"vod": func(*mediatest.Server) upload.Target { return upload.VODVideo{Title: "Launch"} },
		"ice": func(*mediatest.Server) upload.Target {
			return upload.ICEMedia{MediaMetaData: ice.MediaMetaData{Title: "Launch"}}
		},
		"bucket": func(*mediatest.Server) upload.Target {
			return upload.Bucket{Name: "own", Region: "cn-shanghai", Register: upload.RegisterMediaInfo{Title: "Launch"}}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			data := make([]byte, 500<<10)
			_, _ = rand.NewChaCha8([32]byte{1}).Read(data) // never fails
			file, checkpoints := filepath.Join(t.TempDir(), "movie.mp4"), t.TempDir()
			require.NoError(t, os.WriteFile(file, data, 0o600))

			srv := mediatest.New(t)
			srv.CreateBucket("own")
			ctx, stop := context.WithCancel(t.Context())
			seen := 0
			srv.Fault(mediatest.Fault{Operation: "UploadPart", Nth: 4, Times: mediatest.Always, Delay: mediatest.Forever, Match: func(mediatest.Request) bool {
				if seen++; seen == 4 {
					stop()
				}
				return true
			}})
			_, err := uploaderOf(t, srv, name == "bucket").Upload(ctx, upload.File(file), target(srv), upload.WithCheckpoint(checkpoints))
			require.ErrorIs(t, err, context.Canceled)
			require.Len(t, srv.Uploads(), 1)
			stored := len(srv.Uploads()[0].Parts)
			require.Equal(t, 3, stored)
			created := srv.Medias()
			state := saved(t, srv)
			sent := srv.Calls("UploadPart")
			srv.Close()

			other := mediatest.New(t)
			require.NotEqual(t, srv.URL, other.URL)
			require.NoError(t, other.Load(bytes.NewReader(state)))
			res, err := uploaderOf(t, other, name == "bucket").Upload(t.Context(), upload.File(file), target(other), upload.WithCheckpoint(checkpoints))
			require.NoError(t, err)
			require.Equal(t, 5-stored, other.Calls("UploadPart")-sent, "parts are sent again")
			require.Empty(t, other.Uploads())
			require.Len(t, other.Medias(), 1)
			got, ok := other.Object(res.Bucket, res.Key)
			require.True(t, ok)
			require.True(t, bytes.Equal(data, got))
			if len(created) > 0 {
				require.Equal(t, created[0].MediaId, res.MediaId)
			}
		})
	}
}

// TestState_AddressesFollow: what clients kept of an earlier server leads to the
// one that has its state, over two moves.
func TestState_AddressesFollow(t *testing.T) {
	t.Parallel()
	first := mediatest.New(t)
	made := callerOf(first, iceVersion).ok(t, "CreateUploadMedia", "FileInfo", `{"Type":"video","Name":"a","Ext":"mp4"}`)
	to := targetOf(t, made)
	require.Equal(t, first.URL, to.Endpoint)
	second := moved(t, first)
	first.Close()
	third := moved(t, second)
	second.Close()

	client, err := oss.New(to.Endpoint, to.AccessKeyId, to.AccessKeySecret, oss.SecurityToken(to.SecurityToken), oss.HTTPClient(third.HTTPClient()))
	require.NoError(t, err)
	bucket, err := client.Bucket(to.Bucket)
	require.NoError(t, err)
	require.NoError(t, bucket.PutObject(to.FileName, strings.NewReader("movie")))
	require.Contains(t, third.Objects(to.Bucket), to.FileName)

	owner := third.Credentials()
	client, err = oss.New("http://oss-cn-shanghai.aliyuncs.com", owner.AccessKeyId, owner.AccessKeySecret, oss.HTTPClient(third.HTTPClient()))
	require.NoError(t, err)
	bucket, err = client.Bucket(to.Bucket)
	require.NoError(t, err)
	signed, err := bucket.SignURL(to.FileName, oss.HTTPGet, 60)
	require.NoError(t, err)
	for _, scheme := range []string{"http", "https"} {
		resp, err := third.HTTPClient().Get(scheme + strings.TrimPrefix(signed, "http"))
		require.NoError(t, err)
		text, err := io.ReadAll(resp.Body)
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
		require.Equal(t, http.StatusOK, resp.StatusCode)
		require.Equal(t, "movie", string(text))
	}
	// A port on which something else listens is still reached.
	stranger := mediatest.New(t)
	c := callerOf(stranger, iceVersion)
	resp, err := third.HTTPClient().Do(c.request(t, "ListMediaBasicInfos", nil))
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, read(t, resp).status)
}
