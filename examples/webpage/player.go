package main

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/aliyun/aliyun-oss-go-sdk/oss"

	"github.com/alimedia/alimedia-go/mediatest"
	"github.com/alimedia/alimedia-go/vod"
)

// video is what the page is told of one.
type video struct {
	VideoId, Title string
	Size           int64
	State          string // preparing, ready or failed
	PlayURL        string `json:",omitempty"` // where ready
	Format         string `json:",omitempty"`
	Message        string `json:",omitempty"` // where failed
}

var failures = map[string]string{
	vod.VideoStatusTranscodeFail: "This video could not be converted. Is it a real video file?",
	vod.VideoStatusBlocked:       "This video was blocked by the review.",
	vod.VideoStatusUploadFail:    "This video did not arrive.",
}

// describe asks the service for the state of a video, and for its play URL when there
// is one.
func (a *app) describe(ctx context.Context, id string) (video, error) {
	info, err := a.video.GetVideoInfo(ctx, vod.GetVideoInfoRequest{VideoId: id})
	if err != nil {
		return video{}, err
	}
	v := video{VideoId: id, Title: info.Video.Title, Size: info.Video.Size, State: "preparing"}
	if text, failed := failures[info.Video.Status]; failed {
		v.State, v.Message = "failed", text
		return v, nil
	}
	if info.Video.Status != vod.VideoStatusNormal {
		return v, nil
	}
	out, err := a.video.GetPlayInfo(ctx, vod.GetPlayInfoRequest{VideoId: id})
	if err != nil {
		return v, err
	}
	streams := out.PlayInfoList.PlayInfo
	// Every browser plays these; a playlist needs a player of its own in some.
	i := slices.IndexFunc(streams, func(s vod.PlayInfo) bool { return s.Format == "mp4" || s.Format == "webm" || s.Format == "mp3" })
	if len(streams) == 0 {
		return v, nil
	}
	stream := streams[max(0, i)]
	v.State, v.Format = "ready", stream.Format
	v.PlayURL, err = a.playURL(stream.PlayURL)
	return v, err
}

// signedURL leads from a play URL of the fake, whose host is not in the DNS, to the
// same object in this process.
func signedURL(srv *mediatest.Server, play string) (string, error) {
	u, err := url.Parse(play)
	if err != nil {
		return "", errors.New("the play URL of the fake is not a URL")
	}
	keys, err := srv.Config().Credentials.Credentials(context.Background())
	if err != nil {
		return "", err
	}
	client, err := oss.New(srv.URL, keys.AccessKeyId, keys.AccessKeySecret)
	if err != nil {
		return "", err
	}
	name, _, _ := strings.Cut(u.Host, ".")
	bucket, err := client.Bucket(name)
	if err != nil {
		return "", err
	}
	return bucket.SignURL(strings.TrimPrefix(u.Path, "/"), oss.HTTPMethod(http.MethodGet), 3600)
}
