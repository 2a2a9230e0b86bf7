package mediatest_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/alimedia/alimedia-go/events"
	"github.com/alimedia/alimedia-go/mediatest"
)

// eventTypes are the constants of package events.
func eventTypes(t *testing.T) []string {
	file, err := parser.ParseFile(token.NewFileSet(), "../events/names.go", nil, 0)
	require.NoError(t, err)
	var names []string
	ast.Inspect(file, func(n ast.Node) bool {
		if spec, ok := n.(*ast.ValueSpec); ok {
			for _, v := range spec.Values {
				name, err := strconv.Unquote(v.(*ast.BasicLit).Value)
				require.NoError(t, err)
				names = append(names, name)
			}
		}
		return true
	})
	return names
}

// causes are what makes a service send an event, by the service and the type.
// In parameters $ stands before the name of something in the world.
var causes = map[string][]string{
	"vod/FileUploadComplete":              nil, // newWorld uploads
	"vod/ImageUploadComplete":             nil,
	"vod/AttachedMediaUploadComplete":     nil,
	"vod/VideoAnalysisComplete":           nil,
	"vod/UploadByURLComplete":             {"UploadStreamByURL", "MediaId", "$MediaId", "StreamURL", "https://www.example.com/s.mp4", "Definition", "HD"},
	"vod/CreateAuditComplete":             {"CreateAudit", "AuditContent", `[{"VideoId":"$VideoId","Status":"Blocked"}]`},
	"vod/DeleteMediaComplete":             {"DeleteVideo", "VideoIds", "$VideoId"},
	"vod/MediaBaseChangeComplete":         {"UpdateVideoInfo", "VideoId", "$VideoId", "Title", "new"},
	"vod/RestoreMediaComplete":            {"RestoreMedia", "MediaIds", "$VideoId"},
	"vod/SubmitMediaRefreshComplete":      {"RefreshMediaPlayUrls", "MediaIds", "$VideoId", "TaskType", "Preload"},
	"vod/UpdateMediaStorageClassComplete": {"UpdateMediaStorageClass", "MediaIds", "$VideoId", "StorageClass", "IA"},
	"vod/DynamicImageComplete":            {"SubmitDynamicImageJob", "VideoId", "$VideoId", "DynamicImageTemplateId", "t"},
	"vod/SnapshotComplete":                {"SubmitSnapshotJob", "VideoId", "$VideoId", "Count", "3"},
	"vod/StreamTranscodeComplete":         {"SubmitTranscodeJobs", "VideoId", "$VideoId", "TemplateGroupId", "g"},
	"vod/TranscodeComplete":               {"SubmitTranscodeJobs", "VideoId", "$VideoId", "TemplateGroupId", "g"},
	"vod/WorkflowTaskComplete":            {"SubmitWorkflowJob", "WorkflowId", "w", "MediaId", "$VideoId"},
	"vod/AIMediaAuditComplete":            {"SubmitAIMediaAuditJob", "MediaId", "$VideoId"},
	"vod/AIMediaDNAComplete":              {"SubmitAIJob", "MediaId", "$VideoId", "Types", "AIMediaDNA"},
	"vod/AIVideoTagComplete":              {"SubmitAIJob", "MediaId", "$VideoId", "Types", "AIVideoTag"},
	"vod/LiveRecordVideoComposeStart":     {"RecordLive"},
	"vod/AddLiveRecordVideoComplete":      {"RecordLive"},
	"ice/RegisterMediaComplete":           nil,
	"ice/RegisterStreamComplete":          nil,
	"ice/UploadByURLComplete":             nil,
	"ice/StreamUploadComplete":            {"CreateUploadStream", "MediaId", "$MediaId", "Definition", "HD"},
	"ice/FileUploadComplete":              {"CreateUploadMedia", "FileInfo", `{"Type":"video","Name":"a","Ext":"mp4"}`},
	"ice/VideoAnalysisComplete":           {"CreateUploadMedia", "FileInfo", `{"Type":"video","Name":"a","Ext":"mp4"}`},
	"ice/UploadStreamByURLComplete":       {"UploadStreamByURL", "MediaId", "$MediaId", "StreamURL", "https://www.example.com/s.mp4"},
	"ice/DeleteMediaComplete":             {"DeleteMediaInfos", "MediaIds", "$MediaId"},
	"ice/MediaBaseChangeComplete":         {"UpdateMediaInfo", "MediaId", "$MediaId", "Title", "new"},
	"ice/DynamicImageComplete":            {"SubmitDynamicImageJob"},
	"ice/SnapshotComplete":                {"SubmitSnapshotJob"},
	"ice/MediaConvertComplete":            {"SubmitMediaConvertJob", "Config", `{}`},
	"ice/MediaConvertOutputComplete":      {"SubmitMediaConvertJob", "Config", `{"Outputs":[{"Name":"a"}]}`},
	"ice/MediaConvertOutputGroupComplete": {"SubmitMediaConvertJob", "Config", `{"OutputGroups":[{"Name":"g","Outputs":[{"Name":"a"}]}]}`},
	"ice/TranscodeComplete":               {"SubmitTranscodeJob"},
	"ice/TranscodeParentComplete":         {"SubmitTranscodeJob"},
	"ice/WorkflowTaskComplete":            {"StartWorkflow", "WorkflowId", "w", "TaskInput", "{}"},
	"ice/AIProduceComplete":               {"SubmitASRJob", "InputFile", "$MediaId"},
	"ice/MediaAiAnalysisComplete":         {"SubmitMediaAiAnalysisJob", "Input", "$MediaId"},
	"ice/BatchProduceMediaComplete":       {"SubmitBatchMediaProducingJob", "InputConfig", "{}", "OutputConfig", "{}"},
	"ice/ProduceMediaComplete":            {"SubmitMediaProducingJob", "Timeline", "{}", "OutputMediaConfig", "{}"},
	"ice/LiveRecordFileCreated":           {"SubmitLiveRecordJob"},
	"ice/LiveRecordTaskStatus":            {"SubmitLiveRecordJob"},
	"ice/LiveSnapshotFileCreated":         {"SubmitLiveSnapshotJob"},
}

// causing does what causes an event, and uploads what it may have asked for.
func (w *world) causing(t *testing.T, cause []string) {
	if len(cause) == 0 {
		return
	}
	if cause[0] == "RecordLive" {
		id := w.srv.RecordLive(mediatest.LiveRecord{Domain: "live.example.com", App: "app", Stream: "stream"})
		m, ok := w.srv.Media(id)
		require.True(t, ok)
		require.Equal(t, "Normal", m.Status)
		return
	}
	if len(cause) == 1 {
		_, err := w.perform(t, cause[0])
		require.NoError(t, err)
		return
	}
	c := callerOf(w.srv, map[string]string{"vod": vodVersion, "ice": iceVersion}[w.service])
	var pairs []string
	for _, text := range cause[1:] {
		for id, known := range w.ids {
			text = strings.ReplaceAll(text, "$"+id, known)
		}
		pairs = append(pairs, text)
	}
	a := c.ok(t, cause[0], pairs...)
	if a.str("UploadAddress") != "" {
		target := targetOf(t, a)
		w.srv.PutObject(target.Bucket, target.FileName, []byte("bytes"))
	}
}

func TestEvents_EveryTypeIsSentByWhatCausesIt(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for name, cause := range causes {
		service, kind, _ := strings.Cut(name, "/")
		seen[kind] = true
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, service)
			before := len(w.srv.Events())
			if cause == nil {
				before = 0
			}
			w.causing(t, cause)
			var sent []events.Event
			for _, e := range w.srv.Events()[before:] {
				if e.Service == service && e.EventType == kind {
					got, err := events.Parse([]byte(e.Body))
					require.NoError(t, err)
					sent = append(sent, got)
				}
			}
			require.NotEmpty(t, sent)
			for _, e := range sent {
				require.Equal(t, service, e.Service)
				require.False(t, e.EventTime.IsZero())
				require.NotEmpty(t, e.MediaId+e.JobId, e.Raw)
				require.Empty(t, e.ErrorCode)
				if !strings.HasPrefix(kind, "Live") || service == "vod" {
					require.True(t, e.Succeeded() || kind == "DeleteMediaComplete", e.Raw)
				}
				require.False(t, e.Failed(), e.Raw)
			}
		})
	}
	for _, kind := range eventTypes(t) {
		require.True(t, seen[kind], "nothing causes %s", kind)
	}
}

func TestEvents_AFailedJobSaysWhy(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "vod")
	w.srv.Outcome(mediatest.Outcome{Code: "InvalidSource", Message: "no video"})
	for _, kind := range []string{"SnapshotComplete", "StreamTranscodeComplete", "AIVideoTagComplete"} {
		before := len(w.srv.Events())
		w.causing(t, causes["vod/"+kind])
		w.srv.Clock().Advance(0)
		for _, sent := range w.srv.Events()[before:] {
			if sent.EventType == kind {
				e, err := events.Parse([]byte(sent.Body))
				require.NoError(t, err)
				require.True(t, e.Failed())
				require.Equal(t, "InvalidSource", e.ErrorCode)
				require.Equal(t, "no video", e.ErrorMessage)
				require.NotContains(t, sent.Body, "CoverUrl")
				kind = ""
			}
		}
		require.Empty(t, kind, "no event")
	}
}
