package browser

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"net/http"
	"path"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/alimedia/alimedia-go"
	"github.com/alimedia/alimedia-go/credentials"
	"github.com/alimedia/alimedia-go/mediatest"
	"github.com/alimedia/alimedia-go/vod"
	"github.com/alimedia/alimedia-go/webupload"
)

// credential is what the page gets for an upload.
type credential struct{ VideoId, UploadAddress, UploadAuth string }

// application is the backend of the page: it has the keys and asks VOD.
func application(t *testing.T, srv *mediatest.Server) http.Handler {
	t.Helper()
	client, err := vod.New(srv.Config())
	require.NoError(t, err)
	mux := http.NewServeMux()
	for path, file := range map[string]string{
		"GET /{$}":                  "page.html",
		"GET /page.js":              "page.js",
		"GET /ali-oss.js":           "node_modules/ali-oss/dist/aliyun-oss-sdk.min.js",
		"GET /aliyun-upload-vod.js": "node_modules/aliyun-upload-vod/dist/aliyun-upload-vod.min.js",
	} {
		mux.HandleFunc(path, func(w http.ResponseWriter, r *http.Request) { http.ServeFile(w, r, file) })
	}
	mux.HandleFunc("POST /create", response(func(r *http.Request) (any, error) {
		name := r.FormValue("name")
		out, err := client.CreateUploadVideo(r.Context(), vod.CreateUploadVideoRequest{Title: name, FileName: name})
		if err != nil {
			return nil, err
		}
		return credential{out.VideoId, out.UploadAddress, out.UploadAuth.Reveal()}, nil
	}))
	mux.HandleFunc("POST /refresh", response(func(r *http.Request) (any, error) {
		out, err := client.RefreshUploadVideo(r.Context(), vod.RefreshUploadVideoRequest{VideoId: r.FormValue("id")})
		if err != nil {
			return nil, err
		}
		return credential{out.VideoId, out.UploadAddress, out.UploadAuth.Reveal()}, nil
	}))
	mux.HandleFunc("/credentials", credentialsOf(t, srv))
	mux.HandleFunc("POST /sts", response(func(*http.Request) (any, error) {
		keys := srv.IssueCredentials()
		return map[string]string{"AccessKeyId": keys.AccessKeyId, "AccessKeySecret": keys.AccessKeySecret, "SecurityToken": keys.SecurityToken}, nil
	}))
	mux.HandleFunc("GET /state", response(func(r *http.Request) (any, error) { return state(r, srv, client) }))
	mux.HandleFunc("GET /image", response(func(r *http.Request) (any, error) { return imageState(r, srv, client) }))
	mux.HandleFunc("POST /expire", func(http.ResponseWriter, *http.Request) { srv.ExpireCredentials() })
	return mux
}

// credentialsOf hands out what the uploader needs in STS mode, and no more.
func credentialsOf(t *testing.T, srv *mediatest.Server) http.HandlerFunc {
	t.Helper()
	h, err := webupload.New(webupload.Config{
		Owner: func(*http.Request) (string, error) { return "visitor", nil },
		STS: &webupload.STS{
			Source: srv.Config().Credentials,
			Role: credentials.AssumeRoleOptions{
				RoleArn: "acs:ram::" + srv.Account().Id() + ":role/uploader", Endpoint: srv.URL, HTTPClient: srv.HTTPClient(),
			},
			Actions: []string{"vod:CreateUploadVideo", "vod:CreateUploadImage"},
			Allow:   func(context.Context, string) error { return nil },
		},
	})
	require.NoError(t, err)
	return h.Credentials
}

// state is what the service says of a video, the digest of its bytes and the
// number of multipart uploads that were left behind.
func state(r *http.Request, srv *mediatest.Server, client *vod.Client) (any, error) {
	id := r.FormValue("id")
	info, err := client.GetVideoInfo(r.Context(), vod.GetVideoInfoRequest{VideoId: id})
	if err != nil {
		return nil, err
	}
	media, _ := srv.Media(id)
	data, _ := srv.Object(media.Bucket, media.Key)
	sum := sha256.Sum256(data)
	return map[string]any{
		"status": info.Video.Status, "title": info.Video.Title, "sha256": hex.EncodeToString(sum[:]), "pending": len(srv.Uploads()),
	}, nil
}

// imageState is what the service says of the image whose object the page names.
func imageState(r *http.Request, srv *mediatest.Server, client *vod.Client) (any, error) {
	object := r.FormValue("object")
	id := strings.TrimSuffix(path.Base(object), path.Ext(object))
	info, err := client.GetImageInfo(r.Context(), vod.GetImageInfoRequest{ImageId: id})
	if err != nil {
		return nil, err
	}
	data, _ := srv.Object(srv.StorageBucket(), object)
	sum := sha256.Sum256(data)
	return map[string]any{"status": info.ImageInfo.Status, "title": info.ImageInfo.Title, "sha256": hex.EncodeToString(sum[:])}, nil
}

// response writes a result as JSON.
func response(do func(*http.Request) (any, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		result, err := do(r)
		if err != nil {
			status := http.StatusInternalServerError
			if e, ok := errors.AsType[*alimedia.Error](err); ok {
				status = e.StatusCode
			}
			http.Error(w, err.Error(), status)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(result)
	}
}
