package vod_test

import (
	"context"
	"fmt"
	"log"

	"github.com/alimedia/alimedia-go"
	"github.com/alimedia/alimedia-go/mediatest"
	"github.com/alimedia/alimedia-go/search"
	"github.com/alimedia/alimedia-go/vod"
)

// The examples run against the simulator. With an account, begin with
// vod.New(alimedia.Config{Region: "cn-shanghai"}).
func client(srv *mediatest.Server) *vod.Client {
	video, err := vod.New(srv.Config())
	if err != nil {
		log.Fatal(err)
	}
	return video
}

// Find videos by their title, however many there are.
func ExampleClient_SearchMediaIter() {
	srv := mediatest.Start()
	defer srv.Close()
	for i := range 25 {
		srv.AddMedia(mediatest.Media{Title: fmt.Sprintf("Episode %02d", i+1)})
	}
	video := client(srv)

	match, err := search.And(search.Eq("Title", "Episode"), search.In("Status", "Normal")).Match()
	if err != nil {
		log.Fatal(err)
	}
	found := 0
	for media, err := range video.SearchMediaIter(context.Background(), vod.SearchMediaRequest{Match: match, Fields: "Title", PageSize: 10}) {
		if err != nil {
			log.Fatal(err)
		}
		if media.Video.Title != "" {
			found++
		}
	}
	fmt.Println(found, "videos")
	// Output: 25 videos
}

// Transcode a video, wait for all streams, and read their URLs.
func ExampleClient_SubmitTranscodeJobs() {
	srv := mediatest.Start()
	defer srv.Close()
	id := srv.AddMedia(mediatest.Media{Title: "Launch"})
	video, ctx := client(srv), context.Background()

	task, err := video.SubmitTranscodeJobs(ctx, vod.SubmitTranscodeJobsRequest{VideoId: id, TemplateGroupId: "standard"})
	if err != nil {
		log.Fatal(err)
	}
	done, err := video.WaitTranscodeTask(ctx, task.TranscodeTaskId)
	if err != nil {
		log.Fatal(err) // a *alimedia.JobError if the task failed
	}
	fmt.Println(done.TranscodeTask.TaskStatus)
	play, err := video.GetPlayInfo(ctx, vod.GetPlayInfoRequest{VideoId: id, Formats: "mp4"})
	if err != nil {
		log.Fatal(err)
	}
	for _, stream := range play.PlayInfoList.PlayInfo {
		fmt.Println(stream.Definition, stream.Format, stream.PlayURL != "")
	}
	// Output:
	// CompleteAllSucc
	// HD mp4 true
}

// Change up to 20 videos by one call.
func ExampleClient_UpdateVideoInfos() {
	srv := mediatest.Start()
	defer srv.Close()
	a, b := srv.AddMedia(mediatest.Media{Title: "a"}), srv.AddMedia(mediatest.Media{Title: "b"})
	video, ctx := client(srv), context.Background()

	out, err := video.UpdateVideoInfos(ctx, vod.UpdateVideoInfosRequest{UpdateContent: []vod.VideoUpdate{
		{VideoId: a, Title: "Part 1"}, {VideoId: b, Title: "Part 2"}, {VideoId: "gone", Title: "Part 3"},
	}})
	if err != nil {
		log.Fatal(err)
	}
	infos, err := video.GetVideoInfos(ctx, vod.GetVideoInfosRequest{VideoIds: []string{a, b}})
	if err != nil {
		log.Fatal(err)
	}
	for _, v := range infos.VideoList {
		fmt.Println(v.Title)
	}
	fmt.Println("unknown:", out.NonExistVideoIds)
	// Unordered output:
	// Part 1
	// Part 2
	// unknown: [gone]
}

// A deleted video is not found any more.
func ExampleClient_DeleteVideo() {
	srv := mediatest.Start()
	defer srv.Close()
	id := srv.AddMedia(mediatest.Media{Title: "Draft"})
	video, ctx := client(srv), context.Background()

	if _, err := video.DeleteVideo(ctx, vod.DeleteVideoRequest{VideoIds: []string{id}}); err != nil {
		log.Fatal(err)
	}
	_, err := video.GetVideoInfo(ctx, vod.GetVideoInfoRequest{VideoId: id})
	fmt.Println(alimedia.IsNotFound(err))
	// Output: true
}

// Put a video into a category, and list the categories.
func ExampleClient_AddCategory() {
	srv := mediatest.Start()
	defer srv.Close()
	id := srv.AddMedia(mediatest.Media{Title: "Launch"})
	video, ctx := client(srv), context.Background()

	category, err := video.AddCategory(ctx, vod.AddCategoryRequest{CateName: "Events"})
	if err != nil {
		log.Fatal(err)
	}
	if _, err := video.UpdateVideoInfo(ctx, vod.UpdateVideoInfoRequest{VideoId: id, CateId: category.Category.CateId}); err != nil {
		log.Fatal(err)
	}
	info, err := video.GetVideoInfo(ctx, vod.GetVideoInfoRequest{VideoId: id})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(info.Video.CateName)
	// Output: Events
}

// Take snapshots of a video and read their URLs.
func ExampleClient_SubmitSnapshotJob() {
	srv := mediatest.Start()
	defer srv.Close()
	id := srv.AddMedia(mediatest.Media{Title: "Launch"})
	video, ctx := client(srv), context.Background()

	out, err := video.SubmitSnapshotJob(ctx, vod.SubmitSnapshotJobRequest{VideoId: id, Count: 3, Interval: alimedia.Ptr(int64(10))})
	if err != nil {
		log.Fatal(err)
	}
	if _, err := video.WaitSnapshotJob(ctx, out.SnapshotJob.JobId); err != nil {
		log.Fatal(err)
	}
	shots, err := video.ListSnapshots(ctx, vod.ListSnapshotsRequest{VideoId: id, SnapshotType: "NormalSnapshot"})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(len(shots.MediaSnapshot.Snapshots.Snapshot), "snapshots")
	// Output: 3 snapshots
}

// A template group says which streams a transcoding makes.
func ExampleClient_AddTranscodeTemplateGroup() {
	srv := mediatest.Start()
	defer srv.Close()
	video, ctx := client(srv), context.Background()

	group, err := video.AddTranscodeTemplateGroup(ctx, vod.AddTranscodeTemplateGroupRequest{
		Name: "mobile",
		TranscodeTemplateList: []vod.TranscodeTemplate{{
			TemplateName: "720p", Definition: "HD",
			Video:     vod.TranscodeVideo{Codec: "H.264", Bitrate: 1500, Width: 1280},
			Audio:     vod.TranscodeAudio{Codec: "AAC", Bitrate: 64},
			Container: vod.TranscodeContainer{Format: "mp4"},
		}},
	})
	if err != nil {
		log.Fatal(err)
	}
	got, err := video.GetTranscodeTemplateGroup(ctx, vod.GetTranscodeTemplateGroupRequest{TranscodeTemplateGroupId: group.TranscodeTemplateGroupId})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(got.TranscodeTemplateGroup.Name)
	// Output: mobile
}

// A player plays a video by its ID and a credential of a few minutes.
func ExampleClient_GetVideoPlayAuth() {
	srv := mediatest.Start()
	defer srv.Close()
	id := srv.AddMedia(mediatest.Media{Title: "Launch"})
	video := client(srv)

	auth, err := video.GetVideoPlayAuth(context.Background(), vod.GetVideoPlayAuthRequest{VideoId: id, AuthInfoTimeout: 3000})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(auth.VideoMeta.Title, auth.PlayAuth) // auth.PlayAuth.Reveal() is for the player
	// Output: Launch ***
}

// Let the service fetch a file from the web.
func ExampleClient_UploadMediaByURL() {
	srv := mediatest.Start()
	defer srv.Close()
	video, ctx := client(srv), context.Background()

	out, err := video.UploadMediaByURL(ctx, vod.UploadMediaByURLRequest{UploadURLs: []string{"https://example.com/film.mp4"}})
	if err != nil {
		log.Fatal(err)
	}
	info, err := video.WaitURLUpload(ctx, out.UploadJobs[0].JobId)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(info.Status, info.MediaId != "")
	// Output: SUCCESS true
}

// Do calls an operation by its name.
func ExampleClient_Do() {
	srv := mediatest.Start()
	defer srv.Close()
	id := srv.AddMedia(mediatest.Media{Title: "Launch"})
	video := client(srv)

	var out struct{ Video struct{ Title string } }
	if err := video.Do(context.Background(), "GetVideoInfo", map[string]string{"VideoId": id}, &out); err != nil {
		log.Fatal(err)
	}
	fmt.Println(out.Video.Title)
	// Output: Launch
}
