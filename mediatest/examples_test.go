package mediatest_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/alimedia/alimedia-go/ice"
	"github.com/alimedia/alimedia-go/mediatest"
	"github.com/alimedia/alimedia-go/vod"
)

func TestVOD_JobDetailKnowsWorkflowTasks(t *testing.T) {
	t.Parallel()
	srv := mediatest.New(t)
	client, err := vod.New(srv.Config())
	require.NoError(t, err)
	id := srv.AddMedia(mediatest.Media{Title: "a"})
	out, err := client.SubmitWorkflowJob(t.Context(), vod.SubmitWorkflowJobRequest{MediaId: id, WorkflowId: "w"})
	require.NoError(t, err)
	done, err := client.WaitWorkflowTask(t.Context(), out.TaskId)
	require.NoError(t, err)
	require.Equal(t, out.TaskId, done.WorkflowTaskDetail.TaskId)
	require.Equal(t, "w", done.WorkflowTaskDetail.Workflow.WorkflowId)
	require.NotEmpty(t, done.WorkflowTaskDetail.FinishTime)
}

func TestICE_UploadByURLTakesMetadataOfEachFile(t *testing.T) {
	t.Parallel()
	srv := mediatest.New(t)
	client, err := ice.New(srv.Config())
	require.NoError(t, err)
	const a, b = "https://example.com/a.mp4", "https://example.com/b.mp4"
	out, err := client.UploadMediaByURL(t.Context(), ice.UploadMediaByURLRequest{
		UploadURLs: []string{a, b}, MediaMetaData: []ice.UploadMetadata{{SourceURL: b, Title: "B"}, {SourceURL: a, Title: "A"}},
	})
	require.NoError(t, err)
	for i, title := range []string{"A", "B"} {
		info, err := client.WaitMediaInfo(t.Context(), out.UploadJobs[i].MediaId)
		require.NoError(t, err)
		require.Equal(t, title, info.MediaInfo.MediaBasicInfo.Title)
	}
}

// A refresh of play URLs is found by its job and its asset.
func TestRefreshMediaPlayUrls_CanBeWaitedFor(t *testing.T) {
	t.Parallel()
	srv := mediatest.New(t)
	id := srv.AddMedia(mediatest.Media{Title: "a"})
	client, err := vod.New(srv.Config())
	require.NoError(t, err)
	out, err := client.RefreshMediaPlayUrls(t.Context(), vod.RefreshMediaPlayUrlsRequest{MediaIds: []string{id}, TaskType: "Refresh"})
	require.NoError(t, err)
	job, err := client.WaitMediaRefreshJob(t.Context(), out.MediaRefreshJobId, id)
	require.NoError(t, err)
	require.Equal(t, "success", job.Status)
}
