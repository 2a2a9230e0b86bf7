// Package backend shows the test of a media backend: one video from its upload
// to its deletion, on the SDK's simulator of the services.
package backend

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/alimedia/alimedia-go"
	"github.com/alimedia/alimedia-go/mediatest"
	"github.com/alimedia/alimedia-go/upload"
	"github.com/alimedia/alimedia-go/vod"
)

func TestAVideoFromUploadToDeletion(t *testing.T) {
	t.Parallel()
	called := make(chan *http.Request, 1)
	backend := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { called <- r }))
	defer backend.Close()
	ctx, srv := t.Context(), mediatest.New(t)
	video, err := vod.New(srv.Config())
	require.NoError(t, err)
	up, err := upload.New(upload.Config{VOD: video})
	require.NoError(t, err)

	res, err := up.Upload(ctx, upload.Reader("film.mp4", strings.NewReader("the film"), 8), upload.VODVideo{Title: "Launch"})
	require.NoError(t, err)
	_, err = video.SetMessageCallback(ctx, vod.SetMessageCallbackRequest{
		CallbackType: "HTTP", CallbackURL: backend.URL, EventTypeList: alimedia.Ptr("TranscodeComplete"),
	})
	require.NoError(t, err)

	srv.Outcome(mediatest.Outcome{Operation: "SubmitTranscodeJobs", Duration: time.Hour})
	_, err = video.SubmitTranscodeJobs(ctx, vod.SubmitTranscodeJobsRequest{VideoId: res.MediaId, TemplateGroupId: "standard"})
	require.NoError(t, err)
	srv.Clock().Advance(2 * time.Hour)
	require.Equal(t, http.MethodPost, (<-called).Method)

	play, err := video.GetPlayInfo(ctx, vod.GetPlayInfoRequest{VideoId: res.MediaId})
	require.NoError(t, err)
	require.Equal(t, "HD", play.PlayInfoList.PlayInfo[0].Definition)
	found, err := video.SearchMedia(ctx, vod.SearchMediaRequest{Match: "Title = 'launch' and Status = 'Normal'"})
	require.NoError(t, err)
	require.EqualValues(t, 1, found.Total)

	_, err = video.DeleteVideo(ctx, vod.DeleteVideoRequest{VideoIds: []string{res.MediaId}})
	require.NoError(t, err)
	_, err = video.GetPlayInfo(ctx, vod.GetPlayInfoRequest{VideoId: res.MediaId})
	require.True(t, alimedia.IsNotFound(err))
}
