package mediatest_test

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/alimedia/alimedia-go"
	"github.com/alimedia/alimedia-go/credentials"
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
