package mediatest_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"time"

	"github.com/alimedia/alimedia-go"
	"github.com/alimedia/alimedia-go/credentials"
	"github.com/alimedia/alimedia-go/events"
	"github.com/alimedia/alimedia-go/mediatest"
	"github.com/alimedia/alimedia-go/upload"
	"github.com/alimedia/alimedia-go/vod"
)

// A program that uploads, with a service that fails where it hurts.
func Example() {
	srv := mediatest.Start() // in a test: mediatest.New(t)
	defer srv.Close()
	srv.Fault(mediatest.Fault{Operation: "PutObject", Status: 503, Code: "ServiceUnavailable"})

	client, err := vod.New(srv.Config())
	if err != nil {
		fmt.Println(err)
		return
	}
	uploader, err := upload.New(upload.Config{VOD: client})
	if err != nil {
		fmt.Println(err)
		return
	}
	res, err := uploader.Upload(context.Background(), upload.Reader("hello.mp4", strings.NewReader("hello"), 5), upload.VODVideo{Title: "Hello"})
	if err != nil {
		fmt.Println(err)
		return
	}
	media, _ := srv.Media(res.MediaId)
	fmt.Println(media.Title, media.Status, media.Size, "bytes after", srv.Calls("PutObject"), "attempts")

	_, err = client.GetVideoInfo(context.Background(), vod.GetVideoInfoRequest{VideoId: "nobody"})
	fmt.Println(alimedia.IsNotFound(err))
	// Output:
	// Hello Normal 5 bytes after 2 attempts
	// true
}

// A job that fails after two hours, and a user who may not delete.
func ExampleServer_Outcome() {
	srv := mediatest.Start() // in a test: mediatest.New(t)
	defer srv.Close()
	ctx, id := context.Background(), srv.AddMedia(mediatest.Media{Title: "Launch"})
	client, err := vod.New(srv.Config())
	if err != nil {
		fmt.Println(err)
		return
	}
	srv.Outcome(mediatest.Outcome{Operation: "SubmitTranscodeJobs", Duration: 2 * time.Hour, Code: "InvalidSource", Message: "no video stream"})
	task, err := client.SubmitTranscodeJobs(ctx, vod.SubmitTranscodeJobsRequest{VideoId: id, TemplateGroupId: "standard"})
	if err != nil {
		fmt.Println(err)
		return
	}
	for range 2 {
		got, err := client.GetTranscodeTask(ctx, vod.GetTranscodeTaskRequest{TranscodeTaskId: task.TranscodeTaskId})
		if err != nil {
			fmt.Println(err)
			return
		}
		job := got.TranscodeTask.TranscodeJobInfoList[0]
		fmt.Printf("%s %q\n", got.TranscodeTask.TaskStatus, job.ErrorCode)
		srv.Clock().Advance(3 * time.Hour)
	}
	// Output:
	// Processing ""
	// CompleteAllFail "InvalidSource"
}

// A user whose policy does not allow what the program does.
func ExampleServer_NewUser() {
	srv := mediatest.Start() // in a test: mediatest.New(t)
	defer srv.Close()
	cfg, keys := srv.Config(), srv.NewUser(`{"Version":"1","Statement":[{"Effect":"Allow","Action":"vod:Get*","Resource":"*"}]}`)
	cfg.Credentials = credentials.Static(keys.AccessKeyId, keys.AccessKeySecret, "")
	client, err := vod.New(cfg)
	if err != nil {
		fmt.Println(err)
		return
	}
	_, err = client.GetVideoList(context.Background(), vod.GetVideoListRequest{})
	fmt.Println(err)
	_, err = client.DeleteVideo(context.Background(), vod.DeleteVideoRequest{VideoIds: []string{"a"}})
	fmt.Println(alimedia.HasCode(err, "NoPermission"))
	// Output:
	// <nil>
	// true
}

// An upload whose video is processed for a while before it plays.
func ExampleProcessingPolls() {
	srv := mediatest.Start(mediatest.ProcessingPolls(1)) // in a test: mediatest.New(t, ...)
	defer srv.Close()
	client, err := vod.New(srv.Config())
	if err != nil {
		fmt.Println(err)
		return
	}
	uploader, err := upload.New(upload.Config{VOD: client})
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx := context.Background()
	res, err := uploader.Upload(ctx, upload.Reader("film.mp4", strings.NewReader("the film"), 8), upload.VODVideo{Title: "Film"}, upload.WithWait())
	if err != nil {
		fmt.Println(err)
		return
	}
	info, err := client.GetVideoInfo(ctx, vod.GetVideoInfoRequest{VideoId: res.MediaId})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(info.Video.Title, info.Video.Status)
	// Output:
	// Film Normal
}

// A callback that reaches the program's own handler, signed.
func ExampleServer_Events() {
	const key alimedia.Secret = "Secret1234567890"
	got := make(chan events.Event, 1)
	mux := http.NewServeMux()
	backend := httptest.NewServer(mux)
	defer backend.Close()
	receiver, err := events.New(events.Config{Keys: []alimedia.Secret{key}, URLs: []string{backend.URL + "/callbacks"}}, func(_ context.Context, e events.Event) error {
		got <- e
		return nil
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	mux.Handle("/callbacks", receiver)

	srv := mediatest.Start() // in a test: mediatest.New(t)
	defer srv.Close()
	client, err := vod.New(srv.Config())
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx, id := context.Background(), srv.AddMedia(mediatest.Media{Title: "Launch"})
	_, err = client.SetMessageCallback(ctx, vod.SetMessageCallbackRequest{
		CallbackType: "HTTP", CallbackURL: backend.URL + "/callbacks", EventTypeList: alimedia.Ptr(events.SnapshotComplete), AuthSwitch: "on", AuthKey: key,
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	if _, err = client.SubmitSnapshotJob(ctx, vod.SubmitSnapshotJobRequest{VideoId: id, Count: 3}); err != nil {
		fmt.Println(err)
		return
	}
	e := <-got
	fmt.Println(e.EventType, e.MediaId == id, e.Succeeded())
	fmt.Println(len(srv.Events()), "event")
	// Output:
	// SnapshotComplete true true
	// 1 event
}

// A service that takes two calls a second.
func ExampleThrottle() {
	srv := mediatest.Start(mediatest.Throttle(map[string]float64{"GetVideoList": 2})) // vod.DocumentedRates() has the real numbers
	defer srv.Close()
	cfg := srv.Config()
	cfg.Retry = alimedia.Retry{MaxAttempts: 1} // the client would wait and try again
	client, err := vod.New(cfg)
	if err != nil {
		fmt.Println(err)
		return
	}
	for range 3 {
		_, err := client.GetVideoList(context.Background(), vod.GetVideoListRequest{})
		if e := (*alimedia.Error)(nil); errors.As(err, &e) {
			fmt.Println(e.Code, alimedia.IsThrottled(err), e.RetryAfter > 0)
			continue
		}
		fmt.Println(err)
	}
	// Output:
	// <nil>
	// <nil>
	// Throttling.User true true
}

// Lists that are longer than a page.
func ExampleServer_AddMedia() {
	srv := mediatest.Start() // in a test: mediatest.New(t)
	defer srv.Close()
	for i := range 25 {
		srv.AddMedia(mediatest.Media{Title: fmt.Sprintf("part %02d", i+1)})
	}
	client, err := vod.New(srv.Config())
	if err != nil {
		fmt.Println(err)
		return
	}
	n := 0
	for video, err := range client.GetVideoListIter(context.Background(), vod.GetVideoListRequest{PageSize: 10, SortBy: "CreationTime:Asc"}) {
		if err != nil {
			fmt.Println(err)
			return
		}
		if n++; n == 25 {
			fmt.Println(video.Title)
		}
	}
	fmt.Println(n, "videos in", srv.Calls("GetVideoList"), "calls")
	// Output:
	// part 25
	// 25 videos in 3 calls
}
