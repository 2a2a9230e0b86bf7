package mediatest_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/alimedia/alimedia-go"
	"github.com/alimedia/alimedia-go/ice"
	"github.com/alimedia/alimedia-go/mediatest"
	"github.com/alimedia/alimedia-go/vod"
)

func TestVOD_TranscodingAddsStreamsThatPlayAndCanBeDeleted(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		srv := mediatest.New(t, mediatest.InMemory(), mediatest.Processing(10*time.Second))
		client, err := vod.New(srv.Config())
		require.NoError(t, err)
		id := srv.AddMedia(mediatest.Media{Title: "launch", Bucket: srv.StorageBucket(), Key: "a.mp4"})
		group, err := client.AddTranscodeTemplateGroup(t.Context(), vod.AddTranscodeTemplateGroupRequest{
			Name: "two", TranscodeTemplateList: []vod.TranscodeTemplate{{Definition: "LD"}, {Definition: "HD"}},
		})
		require.NoError(t, err)
		play := func() []string {
			out, err := client.GetPlayInfo(t.Context(), vod.GetPlayInfoRequest{VideoId: id})
			require.NoError(t, err)
			var definitions []string
			for _, p := range out.PlayInfoList.PlayInfo {
				definitions = append(definitions, p.Definition)
			}
			return definitions
		}
		require.Equal(t, []string{"OD"}, play(), "the source plays before there are streams")
		srv.Outcome(mediatest.Outcome{Operation: "SubmitTranscodeJobs", Contains: `HD`, Code: "InvalidSource", Message: "no video"})
		out, err := client.SubmitTranscodeJobs(t.Context(), vod.SubmitTranscodeJobsRequest{VideoId: id, TemplateGroupId: group.TranscodeTemplateGroupId})
		require.NoError(t, err)
		require.Len(t, out.TranscodeJobs.TranscodeJob, 2)
		task := func() vod.TranscodeTask {
			got, err := client.GetTranscodeTask(t.Context(), vod.GetTranscodeTaskRequest{TranscodeTaskId: out.TranscodeTaskId})
			require.NoError(t, err)
			return got.TranscodeTask
		}
		require.Equal(t, "Processing", task().TaskStatus)
		time.Sleep(11 * time.Second)
		done := task()
		require.Equal(t, "CompletePartialSucc", done.TaskStatus)
		require.Equal(t, []string{"LD"}, play())
		var failed []string
		for _, job := range done.TranscodeJobInfoList {
			failed = append(failed, job.TranscodeJobStatus+job.ErrorCode)
		}
		require.ElementsMatch(t, []string{"TranscodeSuccess", "TranscodeFailInvalidSource"}, failed)
		list, err := client.ListTranscodeTask(t.Context(), vod.ListTranscodeTaskRequest{VideoId: id})
		require.NoError(t, err)
		require.Len(t, list.TranscodeTaskList, 1)
		for _, job := range out.TranscodeJobs.TranscodeJob {
			_, _ = client.DeleteStream(t.Context(), vod.DeleteStreamRequest{VideoId: id, JobIds: []string{job.JobId}})
		}
		require.Equal(t, []string{"OD"}, play())
	})
}

func TestVOD_WhatIsUpdatedIsReadAndWhatIsDeletedIsGone(t *testing.T) {
	t.Parallel()
	srv := mediatest.New(t)
	c := callerOf(srv, vodVersion)
	a, b := srv.AddMedia(mediatest.Media{Title: "a"}), srv.AddMedia(mediatest.Media{Title: "b"})
	c.ok(t, "UpdateVideoInfo", "VideoId", a, "Title", "A", "Tags", "x,y")
	c.ok(t, "UpdateVideoInfos", "UpdateContent", `[{"VideoId":"`+b+`","Title":"B","CateId":7},{"VideoId":"none"}]`)
	infos := c.ok(t, "GetVideoInfos", "VideoIds", a+","+b+",none")
	require.Equal(t, []any{"none"}, infos.body["NonExistVideoIds"])
	require.Contains(t, infos.raw, `"Title":"A"`)
	require.Contains(t, infos.raw, `"CateId":7`)
	c.ok(t, "CreateAudit", "AuditContent", `[{"VideoId":"`+a+`","Status":"Blocked","Reason":"test"}]`)
	require.Equal(t, "Blocked", c.ok(t, "GetAuditHistory", "VideoId", a).body["Status"])
	c.fails(t, 403, "Forbidden.IllegalStatus", "GetVideoPlayAuth", "VideoId", a)
	require.NotEmpty(t, c.ok(t, "GetVideoPlayAuth", "VideoId", b).body["PlayAuth"])
	c.ok(t, "SubmitSnapshotJob", "VideoId", b, "Count", "3")
	require.Contains(t, c.ok(t, "ListSnapshots", "VideoId", b, "PageSize", "2").raw, `"Total":3`)
	c.ok(t, "DeleteVideo", "VideoIds", b)
	c.fails(t, 404, "InvalidVideo.NotFound", "GetPlayInfo", "VideoId", b)
}

func TestVOD_CategoriesNest(t *testing.T) {
	t.Parallel()
	srv := mediatest.New(t)
	client, err := vod.New(srv.Config())
	require.NoError(t, err)
	top, err := client.AddCategory(t.Context(), vod.AddCategoryRequest{CateName: "films"})
	require.NoError(t, err)
	sub, err := client.AddCategory(t.Context(), vod.AddCategoryRequest{CateName: "trailers", ParentId: top.Category.CateId})
	require.NoError(t, err)
	require.EqualValues(t, 1, sub.Category.Level)
	all, err := client.GetCategories(t.Context(), vod.GetCategoriesRequest{CateId: top.Category.CateId})
	require.NoError(t, err)
	require.Equal(t, "films", all.Category.CateName)
	require.Equal(t, "trailers", all.SubCategories.Category[0].CateName)
	_, err = client.DeleteCategory(t.Context(), vod.DeleteCategoryRequest{CateId: top.Category.CateId})
	require.NoError(t, err)
	_, err = client.GetCategories(t.Context(), vod.GetCategoriesRequest{CateId: sub.Category.CateId})
	require.True(t, alimedia.IsNotFound(err), "%v", err)
}

func TestUploadByURL_FetchesFromThisMachineAndSimulatesTheRest(t *testing.T) {
	t.Parallel()
	origin := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/missing.mp4" {
			http.NotFound(w, r)
			return
		}
		_, _ = io.WriteString(w, "the film")
	}))
	defer origin.Close()
	srv := mediatest.New(t)
	client, err := vod.New(srv.Config())
	require.NoError(t, err)
	out, err := client.UploadMediaByURL(t.Context(), vod.UploadMediaByURLRequest{
		UploadURLs: []string{origin.URL + "/film.mp4", origin.URL + "/missing.mp4", "https://example.com/far.mp4"},
	})
	require.NoError(t, err)
	var status []string
	for _, job := range out.UploadJobs {
		require.Eventually(t, func() bool {
			got, err := client.GetURLUploadInfos(t.Context(), vod.GetURLUploadInfosRequest{JobIds: []string{job.JobId}})
			require.NoError(t, err)
			info := got.URLUploadInfoList[0]
			if info.Status == "RUNNING" || info.Status == "PENDING" {
				return false
			}
			status = append(status, info.Status)
			if job.SourceURL == origin.URL+"/film.mp4" {
				m, ok := srv.Media(info.MediaId)
				require.True(t, ok)
				data, ok := srv.Object(m.Bucket, m.Key)
				require.True(t, ok)
				require.Equal(t, "the film", string(data))
				require.Equal(t, "Normal", m.Status)
			}
			return true
		}, 10*time.Second, time.Millisecond)
	}
	require.Equal(t, []string{"SUCCESS", "FAILED", "SUCCESS"}, status)
}

func TestICE_MarksAndSettingsStay(t *testing.T) {
	t.Parallel()
	srv := mediatest.New(t)
	c := callerOf(srv, iceVersion)
	id := srv.AddMedia(mediatest.Media{Service: "ice"})
	added := c.ok(t, "AddMediaMarks", "MediaId", id, "MediaMarks", `[{"Text":"goal"},{"Text":"foul"}]`).str("MediaMarkIds")
	require.Contains(t, c.ok(t, "ListMediaMarks", "MediaId", id).str("MediaMarks"), "goal")
	c.ok(t, "DeleteMediaMarks", "MediaId", id, "MediaMarkIds", added)
	require.Equal(t, "[]", c.ok(t, "GetMediaMarks", "MediaId", id).str("MediaMarks"))
	c.ok(t, "SetContentAnalyzeConfig", "Auto", "true", "SaveType", "TEXT")
	require.Contains(t, c.ok(t, "GetContentAnalyzeConfig").raw, `"Auto":true`)
	client, err := ice.New(srv.Config())
	require.NoError(t, err)
	_, err = client.SetEventCallback(t.Context(), ice.SetEventCallbackRequest{CallbackType: "HTTP", CallbackURL: "https://example.com/cb", EventTypeList: "ProduceMediaComplete"})
	require.NoError(t, err)
	got, err := client.GetEventCallback(t.Context())
	require.NoError(t, err)
	require.Equal(t, "https://example.com/cb", got.CallbackURL)
}
