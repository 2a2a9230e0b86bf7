package vod_test

import (
	"context"
	"fmt"
	"log"

	"github.com/alimedia/alimedia-go"
	"github.com/alimedia/alimedia-go/mediatest"
	"github.com/alimedia/alimedia-go/vod"
)

// Change the title of a picture, read it, and delete it.
func ExampleClient_GetImageInfo() {
	srv := mediatest.Start()
	defer srv.Close()
	id := srv.AddMedia(mediatest.Media{Type: "image", Title: "Cover"})
	video, ctx := client(srv), context.Background()

	if _, err := video.UpdateImageInfos(ctx, vod.UpdateImageInfosRequest{UpdateContent: []vod.ImageUpdate{{ImageId: id, Title: "New cover"}}}); err != nil {
		log.Fatal(err)
	}
	info, err := video.GetImageInfo(ctx, vod.GetImageInfoRequest{ImageId: id})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(info.ImageInfo.Title, info.ImageInfo.Status)

	if _, err := video.DeleteImage(ctx, vod.DeleteImageRequest{DeleteImageType: "ImageId", ImageIds: []string{id}}); err != nil {
		log.Fatal(err)
	}
	_, err = video.GetImageInfo(ctx, vod.GetImageInfoRequest{ImageId: id})
	fmt.Println("gone:", alimedia.IsNotFound(err))
	// Output:
	// New cover Normal
	// gone: true
}

// Create the asset of a watermark file; its address and credential are what an upload needs.
func ExampleClient_CreateUploadAttachedMedia() {
	srv := mediatest.Start()
	defer srv.Close()
	video, ctx := client(srv), context.Background()

	file, err := video.CreateUploadAttachedMedia(ctx, vod.CreateUploadAttachedMediaRequest{BusinessType: "watermark", MediaExt: "png", Title: "Logo"})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("credential:", file.UploadAuth) // a secret: printed masked

	out, err := video.GetAttachedMediaInfo(ctx, vod.GetAttachedMediaInfoRequest{MediaIds: []string{file.MediaId, "gone"}})
	if err != nil {
		log.Fatal(err)
	}
	for _, info := range out.AttachedMediaList {
		fmt.Println(info.Title, info.Type, info.Status)
	}
	fmt.Println("unknown:", out.NonExistMediaIds)
	// Output:
	// credential: ***
	// Logo watermark Uploading
	// unknown: [gone]
}

// Keep a cut as a project, change it, and find it again.
func ExampleClient_AddEditingProject() {
	srv := mediatest.Start()
	defer srv.Close()
	id := srv.AddMedia(mediatest.Media{Title: "Launch"})
	video, ctx := client(srv), context.Background()

	out, err := video.AddEditingProject(ctx, vod.AddEditingProjectRequest{
		Title:    "Trailer",
		Timeline: vod.Timeline{VideoTracks: []vod.VideoTrack{{VideoTrackClips: []vod.VideoTrackClip{{MediaId: id, Out: 5}}}}},
	})
	if err != nil {
		log.Fatal(err)
	}
	if _, err := video.UpdateEditingProject(ctx, vod.UpdateEditingProjectRequest{ProjectId: out.Project.ProjectId, Title: "Teaser"}); err != nil {
		log.Fatal(err)
	}
	for project, err := range video.SearchEditingProjectIter(ctx, vod.SearchEditingProjectRequest{}) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(project.Title, project.ProjectId == out.Project.ProjectId)
	}
	if _, err := video.DeleteEditingProject(ctx, vod.DeleteEditingProjectRequest{ProjectIds: []string{out.Project.ProjectId}}); err != nil {
		log.Fatal(err)
	}
	_, err = video.GetEditingProject(ctx, vod.GetEditingProjectRequest{ProjectId: out.Project.ProjectId})
	fmt.Println("gone:", alimedia.IsNotFound(err))
	// Output:
	// Teaser true
	// gone: true
}

// Have a video reviewed by machine, and read the result.
func ExampleClient_SubmitAIMediaAuditJob() {
	srv := mediatest.Start()
	defer srv.Close()
	id := srv.AddMedia(mediatest.Media{Title: "Launch"})
	video, ctx := client(srv), context.Background()

	out, err := video.SubmitAIMediaAuditJob(ctx, vod.SubmitAIMediaAuditJobRequest{MediaId: id, MediaType: "video"})
	if err != nil {
		log.Fatal(err)
	}
	job, err := video.WaitAIMediaAuditJob(ctx, out.JobId)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(job.MediaAuditJob.Status)

	// A person has the last word.
	if _, err := video.CreateAudit(ctx, vod.CreateAuditRequest{AuditContent: []vod.MediaAudit{{VideoId: id, Status: "Blocked", Reason: "rights"}}}); err != nil {
		log.Fatal(err)
	}
	history, err := video.GetAuditHistory(ctx, vod.GetAuditHistoryRequest{VideoId: id})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(history.Status, history.Histories[0].Reason)
	// Output:
	// success
	// Blocked rights
}

// Make a template of what a review looks for, and use it wherever none is named.
func ExampleClient_AddAITemplate() {
	srv := mediatest.Start()
	defer srv.Close()
	video, ctx := client(srv), context.Background()

	out, err := video.AddAITemplate(ctx, vod.AddAITemplateRequest{
		TemplateName: "strict", TemplateType: "AIMediaAudit",
		TemplateConfig: vod.AITemplateConfig{AuditItem: []string{"terrorism", "porn"}, AuditRange: []string{"video", "image-cover"}},
	})
	if err != nil {
		log.Fatal(err)
	}
	if _, err := video.SetDefaultAITemplate(ctx, vod.SetDefaultAITemplateRequest{TemplateId: out.TemplateId}); err != nil {
		log.Fatal(err)
	}
	got, err := video.GetAITemplate(ctx, vod.GetAITemplateRequest{TemplateId: out.TemplateId})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(got.TemplateInfo.TemplateName, got.TemplateInfo.IsDefault, got.TemplateInfo.TemplateConfig.AuditItem)
	// Output: strict Default [terrorism porn]
}

// Run a workflow of the console on a video, and wait for its end.
func ExampleClient_SubmitWorkflowJob() {
	srv := mediatest.Start()
	defer srv.Close()
	id := srv.AddMedia(mediatest.Media{Title: "Launch"})
	video, ctx := client(srv), context.Background()

	out, err := video.SubmitWorkflowJob(ctx, vod.SubmitWorkflowJobRequest{MediaId: id, WorkflowId: "workflow"})
	if err != nil {
		log.Fatal(err)
	}
	done, err := video.WaitWorkflowTask(ctx, out.TaskId)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(done.WorkflowTaskDetail.Workflow.WorkflowId, done.WorkflowTaskDetail.Status)
	// Output: workflow Succeed
}
