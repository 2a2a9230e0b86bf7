package ice_test

import (
	"context"
	"fmt"
	"log"
	"time"

	"github.com/alimedia/alimedia-go"
	"github.com/alimedia/alimedia-go/credentials"
	"github.com/alimedia/alimedia-go/ice"
	"github.com/alimedia/alimedia-go/mediatest"
	"github.com/alimedia/alimedia-go/search"
)

const film = "https://example-bucket.oss-cn-shanghai.aliyuncs.com/film.mp4"

// The examples run against the simulator. With an account, begin with
// ice.New(alimedia.Config{Region: "cn-shanghai"}).
func client(srv *mediatest.Server) *ice.Client {
	media, err := ice.New(srv.Config())
	if err != nil {
		log.Fatal(err)
	}
	return media
}

// Register a file that is in OSS already, wait until it is found, and read it.
func ExampleClient_RegisterMediaInfo() {
	srv := mediatest.Start()
	defer srv.Close()
	srv.PutObject("example-bucket", "film.mp4", []byte("the film"))
	media, ctx := client(srv), context.Background()

	out, err := media.RegisterMediaInfo(ctx, ice.RegisterMediaInfoRequest{InputURL: film, MediaType: "video", Title: "Launch"})
	if err != nil {
		log.Fatal(err)
	}
	info, err := media.WaitMediaInfo(ctx, out.MediaId)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(info.MediaInfo.MediaBasicInfo.Title, info.MediaInfo.MediaBasicInfo.Status)

	_, err = media.RegisterMediaInfo(ctx, ice.RegisterMediaInfoRequest{InputURL: film, MediaType: "video", Title: "Again"})
	fmt.Println("registered before:", alimedia.IsAlreadyExists(err))
	// Output:
	// Launch Normal
	// registered before: true
}

// Find what was made in the last day, however much that is.
func ExampleClient_SearchMediaIter() {
	srv := mediatest.Start()
	defer srv.Close()
	for i := range 25 {
		srv.AddMedia(mediatest.Media{Service: "ice", Type: "video", Title: fmt.Sprintf("Episode %02d", i+1)})
	}
	media := client(srv)

	match, err := search.And(
		search.Eq("title", "episode"),
		search.From("utcCreate", time.Now().Add(-24*time.Hour)),
	).Match()
	if err != nil {
		log.Fatal(err)
	}
	found := 0
	for _, err := range media.SearchMediaIter(context.Background(), ice.SearchMediaRequest{Match: match, SortBy: "utcCreate:Desc"}) {
		if err != nil {
			log.Fatal(err)
		}
		found++
	}
	fmt.Println(found, "assets")
	// Output: 25 assets
}

// Read several assets by one call, change one, and delete them.
func ExampleClient_BatchGetMediaInfos() {
	srv := mediatest.Start()
	defer srv.Close()
	a := srv.AddMedia(mediatest.Media{Service: "ice", Type: "video", Title: "a"})
	b := srv.AddMedia(mediatest.Media{Service: "ice", Type: "audio", Title: "b"})
	media, ctx := client(srv), context.Background()

	if _, err := media.UpdateMediaInfo(ctx, ice.UpdateMediaInfoRequest{MediaId: a, Title: "Part 1"}); err != nil {
		log.Fatal(err)
	}
	out, err := media.BatchGetMediaInfos(ctx, ice.BatchGetMediaInfosRequest{MediaIds: []string{a, b}})
	if err != nil {
		log.Fatal(err)
	}
	for _, info := range out.MediaInfos {
		fmt.Println(info.MediaBasicInfo.MediaType, info.MediaBasicInfo.Title)
	}
	if _, err := media.DeleteMediaInfos(ctx, ice.DeleteMediaInfosRequest{MediaIds: []string{a, b}}); err != nil {
		log.Fatal(err)
	}
	_, err = media.GetMediaInfo(ctx, ice.GetMediaInfoRequest{MediaId: a})
	fmt.Println("gone:", alimedia.IsNotFound(err))
	// Unordered output:
	// video Part 1
	// audio b
	// gone: true
}

// Transcode a file of OSS into another one.
func ExampleClient_SubmitMediaConvertJob() {
	srv := mediatest.Start()
	defer srv.Close()
	srv.PutObject("example-bucket", "film.mp4", []byte("the film"))
	media, ctx := client(srv), context.Background()

	out, err := media.SubmitMediaConvertJob(ctx, ice.SubmitMediaConvertJobRequest{Config: ice.MediaConvertJobConfig{
		Inputs: []ice.MediaConvertSource{{Name: "film", InputFile: ice.MediaRef{Type: "OSS", Media: film}}},
		Outputs: []ice.MediaConvertTarget{{
			TemplateId: "S00000001-200020",
			OutputFile: ice.MediaRef{Type: "OSS", Media: "oss://example-bucket/film-720p.mp4"},
		}},
	}})
	if err != nil {
		log.Fatal(err)
	}
	done, err := media.WaitMediaConvertJob(ctx, out.Job.JobId)
	if err != nil {
		log.Fatal(err) // a *alimedia.JobError if the job failed
	}
	fmt.Println(done.Job.State)
	// Output: Complete
}

// Take snapshots of a file.
func ExampleClient_SubmitSnapshotJob() {
	srv := mediatest.Start()
	defer srv.Close()
	srv.PutObject("example-bucket", "film.mp4", []byte("the film"))
	media, ctx := client(srv), context.Background()

	out, err := media.SubmitSnapshotJob(ctx, ice.SubmitSnapshotJobRequest{
		Input:          ice.MediaObject{Type: "OSS", Media: film},
		Output:         ice.MediaObject{Type: "OSS", Media: "oss://example-bucket/film-{Count}.jpg"},
		TemplateConfig: ice.SnapshotTemplateConfig{TemplateId: "snapshot", OverwriteParams: ice.SnapshotParams{Count: 3}},
	})
	if err != nil {
		log.Fatal(err)
	}
	job, err := media.WaitSnapshotJob(ctx, out.JobId)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(job.SnapshotJob.Status)
	// Output: Success
}

// Cut two clips together, with a title over the first seconds.
func ExampleClient_SubmitMediaProducingJob() {
	srv := mediatest.Start()
	defer srv.Close()
	a := srv.AddMedia(mediatest.Media{Service: "ice", Type: "video", Title: "a"})
	b := srv.AddMedia(mediatest.Media{Service: "ice", Type: "video", Title: "b"})
	media, ctx := client(srv), context.Background()

	out, err := media.SubmitMediaProducingJob(ctx, ice.SubmitMediaProducingJobRequest{
		Timeline: ice.Timeline{
			VideoTracks: []ice.VideoTrack{{VideoTrackClips: []ice.VideoTrackClip{
				{MediaId: a, In: 2, Out: 7}, // seconds
				{MediaId: b, Out: 5},
			}}},
			SubtitleTracks: []ice.SubtitleTrack{{SubtitleTrackClips: []ice.SubtitleTrackClip{
				{Type: ice.ClipText, Content: "Launch", TimelineOut: 3},
			}}},
		},
		OutputMediaConfig: ice.OutputMediaConfig{MediaURL: "https://example-bucket.oss-cn-shanghai.aliyuncs.com/cut.mp4", Width: 1280, Height: 720},
	})
	if err != nil {
		log.Fatal(err)
	}
	job, err := media.WaitMediaProducingJob(ctx, out.JobId)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(job.MediaProducingJob.Status, job.MediaProducingJob.MediaURL)
	// Output: Success https://example-bucket.oss-cn-shanghai.aliyuncs.com/cut.mp4
}

// Keep a cut as a project, to change and produce it later.
func ExampleClient_CreateEditingProject() {
	srv := mediatest.Start()
	defer srv.Close()
	id := srv.AddMedia(mediatest.Media{Service: "ice", Type: "video", Title: "a"})
	media, ctx := client(srv), context.Background()

	cut := ice.Timeline{VideoTracks: []ice.VideoTrack{{VideoTrackClips: []ice.VideoTrackClip{{MediaId: id, Out: 5}}}}}
	out, err := media.CreateEditingProject(ctx, ice.CreateEditingProjectRequest{Title: "Trailer", Timeline: cut})
	if err != nil {
		log.Fatal(err)
	}
	got, err := media.GetEditingProject(ctx, ice.GetEditingProjectRequest{ProjectId: out.Project.ProjectId})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(got.Project.Title)
	// Output: Trailer
}

// Put an asset into a category.
func ExampleClient_AddCategory() {
	srv := mediatest.Start()
	defer srv.Close()
	id := srv.AddMedia(mediatest.Media{Service: "ice", Type: "video", Title: "Launch"})
	media, ctx := client(srv), context.Background()

	category, err := media.AddCategory(ctx, ice.AddCategoryRequest{CateName: "Events"})
	if err != nil {
		log.Fatal(err)
	}
	if _, err := media.UpdateMediaInfo(ctx, ice.UpdateMediaInfoRequest{MediaId: id, CateId: category.Category.CateId}); err != nil {
		log.Fatal(err)
	}
	info, err := media.GetMediaInfo(ctx, ice.GetMediaInfoRequest{MediaId: id})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(info.MediaInfo.MediaBasicInfo.CateName)
	// Output: Events
}

// Walk all assets, a page at a time.
func ExampleClient_ListMediaBasicInfosIter() {
	srv := mediatest.Start()
	defer srv.Close()
	for i := range 12 {
		srv.AddMedia(mediatest.Media{Service: "ice", Type: "video", Title: fmt.Sprint(i)})
	}
	media := client(srv)

	seen := 0
	for _, err := range media.ListMediaBasicInfosIter(context.Background(), ice.ListMediaBasicInfosRequest{MaxResults: 5}) {
		if err != nil {
			log.Fatal(err)
		}
		seen++
	}
	fmt.Println(seen, "assets in", srv.Calls("ListMediaBasicInfos"), "pages")
	// Output: 12 assets in 3 pages
}

// An error says what happened and what to do.
func ExampleClient_GetMediaInfo() {
	srv := mediatest.Start()
	defer srv.Close()
	user := srv.NewUser(`{"Version":"1","Statement":[{"Effect":"Allow","Action":"ice:Search*","Resource":"*"}]}`)
	cfg := srv.Config()
	cfg.Credentials = credentials.Static(user.AccessKeyId, user.AccessKeySecret, user.SecurityToken)
	media, err := ice.New(cfg)
	if err != nil {
		log.Fatal(err)
	}
	_, err = media.GetMediaInfo(context.Background(), ice.GetMediaInfoRequest{MediaId: "any"})
	fmt.Println(alimedia.IsAccessDenied(err), alimedia.IsNotFound(err))
	// Output: true false
}
