package ice_test

import (
	"context"
	"fmt"
	"log"

	"github.com/alimedia/alimedia-go"
	"github.com/alimedia/alimedia-go/ice"
	"github.com/alimedia/alimedia-go/mediatest"
)

// Let the service fetch a file from the web, and read the asset that it became.
func ExampleClient_UploadMediaByURL() {
	srv := mediatest.Start()
	defer srv.Close()
	media, ctx := client(srv), context.Background()

	const source = "https://example.com/film.mp4"
	out, err := media.UploadMediaByURL(ctx, ice.UploadMediaByURLRequest{
		UploadURLs:    []string{source},
		MediaMetaData: []ice.UploadMetadata{{SourceURL: source, Title: "Launch"}},
	})
	if err != nil {
		log.Fatal(err)
	}
	done, err := media.WaitUrlUpload(ctx, out.UploadJobs[0].JobId)
	if err != nil {
		log.Fatal(err)
	}
	info, err := media.GetMediaInfo(ctx, ice.GetMediaInfoRequest{MediaId: done.MediaId})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(done.Status, info.MediaInfo.MediaBasicInfo.Title)
	// Output: SUCCESS Launch
}

// Have a video tagged by machine, and wait for the end of the job.
func ExampleClient_SubmitSmarttagJob() {
	srv := mediatest.Start()
	defer srv.Close()
	id := srv.AddMedia(mediatest.Media{Service: "ice", Type: "video", Title: "Launch"})
	media, ctx := client(srv), context.Background()

	out, err := media.SubmitSmarttagJob(ctx, ice.SubmitSmarttagJobRequest{
		TemplateId: "S00000103-000001",
		Input:      ice.MediaObject{Type: "Media", Media: id},
		Params:     ice.SmarttagParams{NeedAsrData: alimedia.Ptr(true)},
	})
	if err != nil {
		log.Fatal(err)
	}
	job, err := media.WaitSmarttagJob(ctx, out.JobId)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(job.JobStatus)
	// Output: Success
}

// Keep words that speech recognition must know, and list the libraries.
func ExampleClient_CreateHotwordLibrary() {
	srv := mediatest.Start()
	defer srv.Close()
	media, ctx := client(srv), context.Background()

	out, err := media.CreateHotwordLibrary(ctx, ice.CreateHotwordLibraryRequest{
		Name: "products", UsageScenario: "ASR",
		Hotwords: []ice.Hotword{{Text: "ApsaraVideo", Language: "en", Weight: alimedia.Ptr(int32(2))}},
	})
	if err != nil {
		log.Fatal(err)
	}
	got, err := media.GetHotwordLibrary(ctx, ice.GetHotwordLibraryRequest{HotwordLibraryId: out.HotwordLibraryId})
	if err != nil {
		log.Fatal(err)
	}
	for _, word := range got.Hotwords {
		fmt.Println(word.Text, word.Weight)
	}
	for library, err := range media.ListHotwordLibrariesIter(ctx, ice.ListHotwordLibrariesRequest{}) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println("listed:", library.Name)
	}
	if _, err := media.DeleteHotwordLibrary(ctx, ice.DeleteHotwordLibraryRequest{HotwordLibraryId: out.HotwordLibraryId}); err != nil {
		log.Fatal(err)
	}
	// Output:
	// ApsaraVideo 2
	// listed: products
}

// Put the fingerprint of a video into a library, to find copies of it.
func ExampleClient_SubmitDNAJob() {
	srv := mediatest.Start()
	defer srv.Close()
	id := srv.AddMedia(mediatest.Media{Service: "ice", Type: "video", Title: "Launch"})
	media, ctx := client(srv), context.Background()

	library, err := media.CreateDNADB(ctx, ice.CreateDNADBRequest{Name: "films", Model: "Video"})
	if err != nil {
		log.Fatal(err)
	}
	out, err := media.SubmitDNAJob(ctx, ice.SubmitDNAJobRequest{
		DBId: library.DBInfo.DBId, PrimaryKey: id, Input: ice.MediaObject{Type: "Media", Media: id},
	})
	if err != nil {
		log.Fatal(err)
	}
	job, err := media.WaitDNAJob(ctx, out.JobId)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(library.DBInfo.Name, job.Status, job.PrimaryKey == id)
	// Output: films Success true
}

// Put an invisible watermark into a film.
func ExampleClient_SubmitCopyrightJob() {
	srv := mediatest.Start()
	defer srv.Close()
	srv.PutObject("example-bucket", "film.mp4", []byte("the film"))
	media, ctx := client(srv), context.Background()

	out, err := media.SubmitCopyrightJob(ctx, ice.SubmitCopyrightJobRequest{
		Input:   ice.MediaObject{Type: "OSS", Media: film},
		Output:  ice.MediaObject{Type: "OSS", Media: "oss://example-bucket/marked.mp4"},
		Message: "owner-1", Description: "marked for the owner",
	})
	if err != nil {
		log.Fatal(err)
	}
	job, err := media.WaitCopyrightJob(ctx, out.Data.JobId)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(job.Status)
	// Output: success
}

// Run a workflow of the console on an asset, and wait for its end.
func ExampleClient_StartWorkflow() {
	srv := mediatest.Start()
	defer srv.Close()
	id := srv.AddMedia(mediatest.Media{Service: "ice", Type: "video", Title: "Launch"})
	media, ctx := client(srv), context.Background()

	out, err := media.StartWorkflow(ctx, ice.StartWorkflowRequest{WorkflowId: "workflow", TaskInput: ice.WorkflowInput{Type: "Media", Media: id}})
	if err != nil {
		log.Fatal(err)
	}
	done, err := media.WaitWorkflowTask(ctx, out.TaskId)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(done.WorkflowTask.Status)
	// Output: Succeed
}

// Train a voice on a recording, and read which voice came of it.
func ExampleClient_SubmitStandardCustomizedVoiceJob() {
	srv := mediatest.Start()
	defer srv.Close()
	recording := srv.AddMedia(mediatest.Media{Service: "ice", Type: "audio", Title: "Recording"})
	media, ctx := client(srv), context.Background()

	out, err := media.SubmitStandardCustomizedVoiceJob(ctx, ice.SubmitStandardCustomizedVoiceJobRequest{
		VoiceName: "Anna", Gender: "female", Audios: recording,
	})
	if err != nil {
		log.Fatal(err)
	}
	job, err := media.WaitCustomizedVoiceJob(ctx, out.Data.JobId)
	if err != nil {
		log.Fatal(err)
	}
	voice := job.Data.CustomizedVoiceJob
	fmt.Println(voice.VoiceName, voice.Status, voice.VoiceId != "")
	// Output: Anna Success true
}
