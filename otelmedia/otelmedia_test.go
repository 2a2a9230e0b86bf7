package otelmedia

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"github.com/alimedia/alimedia-go"
	"github.com/alimedia/alimedia-go/mediatest"
	"github.com/alimedia/alimedia-go/upload"
	"github.com/alimedia/alimedia-go/vod"
)

var ctx = context.Background()

func source(name string, data []byte) upload.Source {
	return upload.ReaderAt(name, bytes.NewReader(data), int64(len(data)))
}

func TestTelemetry_AnUpload(t *testing.T) {
	t.Parallel()
	r := newEnv(t)
	r.Fault(mediatest.Fault{Operation: "UploadPart", AfterBytes: 100 * kib, Status: 503, Code: "ServiceUnavailable"},
		mediatest.Fault{Operation: "UploadPart", Nth: 3, ExpiredToken: true},
		mediatest.Fault{Operation: "CreateUploadVideo", Status: 503, Code: "Throttling.User"})
	res, err := r.Upload(ctx, source("folder/movie.mp4", random(250*kib)), upload.VODVideo{}, upload.WithWait())
	require.NoError(t, err)

	require.Equal(t, map[string][]string{
		"": {"upload VODVideo"},
		"upload VODVideo": {
			"vod/CreateUploadVideo", "oss/InitiateMultipartUpload",
			"oss/UploadPart", "oss/UploadPart", "oss/UploadPart", "vod/RefreshUploadVideo", "oss/UploadPart", "oss/UploadPart",
			"oss/CompleteMultipartUpload", "vod/GetVideoInfo",
		},
	}, r.tree())
	spans := r.spans.GetSpans()
	var events []string
	for _, s := range spans {
		text := attributesOf(s.Attributes)
		switch s.Name {
		case "upload VODVideo":
			require.Equal(t, trace.SpanKindInternal, s.SpanKind)
			require.Equal(t, codes.Unset, s.Status.Code)
			for _, want := range []string{"folder/movie.mp4", res.MediaId, "file.name=movie.mp4", "alimedia.upload.size=256000"} {
				require.Contains(t, text, want)
			}
			for _, e := range s.Events {
				events = append(events, strings.TrimSpace(e.Name+" "+attributesOf(e.Attributes)))
			}
		case "vod/CreateUploadVideo":
			require.Equal(t, trace.SpanKindClient, s.SpanKind)
			require.Len(t, s.Events, 1)
			require.Equal(t, "error.type=Throttling.User alimedia.retry.reason=failure alimedia.attempt=1", attributesOf(s.Events[0].Attributes))
			require.Contains(t, text, "rpc.system.name=alibaba_cloud rpc.method=vod/CreateUploadVideo alimedia.api.version=2017-03-21 server.address=127.0.0.1 server.port=")
			require.Contains(t, text, "cloud.region=cn-shanghai alimedia.attempts=2 http.response.status_code=200")
		}
	}
	require.Equal(t, []string{
		"stage alimedia.upload.stage=open", "stage alimedia.upload.stage=create", "stage alimedia.upload.stage=send",
		"retry error.type=ServiceUnavailable alimedia.oss.operation=UploadPart alimedia.retry.reason=failure alimedia.attempt=1 alimedia.part.number=1",
		"refresh alimedia.refresh.reason=refused",
		"retry error.type=SecurityTokenExpired alimedia.oss.operation=UploadPart alimedia.retry.reason=credential alimedia.attempt=1 alimedia.part.number=2",
		"stage alimedia.upload.stage=complete", "stage alimedia.upload.stage=finish", "stage alimedia.upload.stage=wait",
		"poll alimedia.status=Normal", "stage alimedia.upload.stage=done",
	}, events)
	require.Equal(t, codes.Error, spans[2].Status.Code)
	require.Equal(t, "ServiceUnavailable", spans[2].Status.Description)
	require.Contains(t, attributesOf(spans[2].Attributes), "alimedia.attempt=1 alimedia.part.number=1 http.request.body.size=102400")

	got := r.measured(t)
	for series, want := range map[string]int64{
		"alimedia.upload.started{alimedia.upload.target=VODVideo}":                                                                         1,
		"alimedia.upload.ended{alimedia.upload.outcome=done,alimedia.upload.target=VODVideo}":                                              1,
		"alimedia.upload.active{alimedia.upload.target=VODVideo}":                                                                          0,
		"alimedia.upload.duration{alimedia.upload.outcome=done,alimedia.upload.target=VODVideo}":                                           1,
		"alimedia.upload.stage.duration{alimedia.upload.stage=send,alimedia.upload.target=VODVideo}":                                       1,
		"alimedia.upload.bytes{alimedia.upload.target=VODVideo}":                                                                           250 * kib,
		"alimedia.upload.bytes.in_flight{alimedia.upload.target=VODVideo}":                                                                 0,
		"alimedia.oss.request.duration{alimedia.oss.operation=UploadPart}":                                                                 3,
		"alimedia.oss.request.duration{alimedia.oss.operation=UploadPart,error.type=ServiceUnavailable}":                                   1,
		"alimedia.oss.request.queue_time{alimedia.oss.operation=UploadPart}":                                                               5,
		"alimedia.oss.request.active{alimedia.oss.operation=UploadPart}":                                                                   0,
		"alimedia.oss.request.sent{alimedia.oss.operation=UploadPart}":                                                                     450 * kib,
		"alimedia.oss.request.retries{alimedia.oss.operation=UploadPart,alimedia.retry.reason=failure,error.type=ServiceUnavailable}":      1,
		"alimedia.oss.request.retries{alimedia.oss.operation=UploadPart,alimedia.retry.reason=credential,error.type=SecurityTokenExpired}": 1,
		"alimedia.credential.refreshes{alimedia.refresh.reason=refused}":                                                                   1,
		"rpc.client.call.duration{rpc.method=vod/CreateUploadVideo,rpc.system.name=alibaba_cloud}":                                         1,
		"alimedia.client.call.retries{alimedia.retry.reason=failure,error.type=Throttling.User,rpc.method=vod/CreateUploadVideo}":          1,
	} {
		value, ok := got[series]
		require.True(t, ok, "%s is not among %v", series, got)
		require.Equal(t, want, value, series)
	}
	for series := range got {
		require.NotContains(t, series, "movie", "metrics have no names")
		require.NotContains(t, series, res.MediaId)
	}
}

// TestTelemetry_HoweverItEnds: spans end, nothing stays active, and failures are
// counted by code.
func TestTelemetry_HoweverItEnds(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		fault  mediatest.Fault
		cancel bool
		code   string
	}{
		"denied at the start": {fault: mediatest.Fault{Operation: "CreateUploadVideo", Status: 403, Code: "Forbidden.RAM"}, code: "Forbidden.RAM"},
		"denied on the way":   {fault: mediatest.Fault{Operation: "UploadPart", Nth: 2, Status: 403, Code: "AccessDenied"}, code: "AccessDenied"},
		"cut off":             {fault: mediatest.Fault{Operation: "UploadPart", Times: mediatest.Always, AfterBytes: 50 * kib, Reset: true}, code: "Network"},
		"canceled":            {fault: mediatest.Fault{Operation: "UploadPart", Nth: 2, AfterBytes: 50 * kib, Delay: time.Hour}, cancel: true, code: "Canceled"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newEnv(t)
			ctx, cancel := context.WithCancel(ctx)
			defer cancel()
			if tt.cancel {
				tt.fault.Match = func(mediatest.Request) bool { time.AfterFunc(50*time.Millisecond, cancel); return true }
			}
			r.Fault(tt.fault)
			_, err := r.Upload(ctx, source("movie.mp4", random(500*kib)), upload.VODVideo{})
			require.Error(t, err)
			got := r.measured(t)
			require.EqualValues(t, 1, got["alimedia.upload.ended{alimedia.upload.outcome=failed,alimedia.upload.target=VODVideo,error.type="+tt.code+"}"], "%v", got)
			for series, value := range got {
				if strings.Contains(series, "active") || strings.Contains(series, "in_flight") {
					require.Zero(t, value, series)
				}
			}
			spans := r.spans.GetSpans()
			last := spans[len(spans)-1]
			require.Equal(t, "upload VODVideo", last.Name)
			require.Equal(t, codes.Error, last.Status.Code)
			require.Equal(t, tt.code, last.Status.Description)
			require.Contains(t, attributesOf(last.Attributes), "error.type="+tt.code)
		})
	}
}

// TestTelemetry_Many: concurrent uploads are told apart.
func TestTelemetry_Many(t *testing.T) {
	t.Parallel()
	r := newEnv(t)
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			_, err := r.Upload(ctx, source(fmt.Sprintf("movie%d.mp4", i), random(300*kib)), upload.VODVideo{})
			require.NoError(t, err)
		})
	}
	wg.Wait()
	tree := r.tree()
	require.Len(t, tree[""], 8)
	require.Len(t, tree["upload VODVideo"], 8*(1+1+3+1))
	traces := map[trace.TraceID]int{}
	for _, s := range r.spans.GetSpans() {
		traces[s.SpanContext.TraceID()]++
	}
	require.Len(t, traces, 8)
	for _, n := range traces {
		require.Equal(t, 7, n)
	}
	require.EqualValues(t, 8*300*kib, r.measured(t)["alimedia.upload.bytes{alimedia.upload.target=VODVideo}"])
}

// TestTelemetry_OutcomesAreBounded: codes and operations from outside do not
// make series without end.
func TestTelemetry_OutcomesAreBounded(t *testing.T) {
	t.Parallel()
	r := newEnv(t)
	for i := range 2 * 200 {
		r.Fault(mediatest.Fault{Operation: "GetVideoInfo", Status: 400, Code: fmt.Sprintf("Code%d", i)})
		_, err := r.vod.GetVideoInfo(ctx, vod.GetVideoInfoRequest{VideoId: "x"})
		require.Error(t, err)
	}
	series := r.measured(t)
	require.LessOrEqual(t, len(series), 202, "%v", series)
	require.EqualValues(t, 200, series["rpc.client.call.duration{error.type=_OTHER,rpc.method=vod/GetVideoInfo,rpc.system.name=alibaba_cloud}"])
	n := names{most: 2}
	require.Equal(t, []string{"a", other, "b", other, "a", other}, []string{n.bounded("a"), n.bounded("a b"), n.bounded("b"), n.bounded("c"), n.bounded("a"), n.bounded(strings.Repeat("x", 129))})
}

// TestTelemetry_HasNoSecrets: no span, event or series has what a request
// signs or an upload credential holds.
func TestTelemetry_HasNoSecrets(t *testing.T) {
	t.Parallel()
	r := newEnv(t)
	var mu sync.Mutex
	secrets := []string{"Signature", "SecurityToken=", "UploadAuth", "Authorization", "page-secret"}
	cfg := r.Server.Config()
	cfg.Observer = r.tel.Calls()
	client, err := vod.New(cfg)
	require.NoError(t, err)
	up, err := upload.New(upload.Config{VOD: client, Observer: r.tel.Uploads(), PartSize: 100 * kib, MultipartThreshold: 200 * kib,
		Retry: alimedia.Retry{MaxAttempts: 2, BaseDelay: time.Millisecond},
		HTTPClient: &http.Client{Transport: roundTripper(func(q *http.Request) (*http.Response, error) {
			mu.Lock()
			secrets = append(secrets, q.Header.Get("Authorization"), q.Header.Get("X-Oss-Security-Token"))
			mu.Unlock()
			return r.HTTPClient().Transport.RoundTrip(q)
		})}})
	require.NoError(t, err)
	r.Fault(mediatest.Fault{Operation: "UploadPart", ExpiredToken: true},
		mediatest.Fault{Operation: "UploadPart", Nth: 3, Times: mediatest.Always, Reset: true},
		mediatest.Fault{Operation: "GetVideoInfo", Status: 403, Code: "Signature page-secret", Message: "Signature=page-secret"})
	_, err = up.Upload(ctx, source("movie.mp4", random(500*kib)), upload.VODVideo{})
	require.Error(t, err)
	_, err = client.GetVideoInfo(ctx, vod.GetVideoInfoRequest{VideoId: "x"})
	require.Error(t, err)
	text := fmt.Sprintf("%+v %v", r.spans.GetSpans(), maps.Clone(r.measured(t)))
	require.Greater(t, len(secrets), 8)
	for _, s := range secrets {
		require.False(t, strings.Contains(text, s), s)
	}
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(q *http.Request) (*http.Response, error) { return f(q) }

// TestNew_Global: without options the global providers are used, which do
// nothing until a program sets them.
func TestNew_Global(t *testing.T) {
	t.Parallel()
	tel, err := New()
	require.NoError(t, err)
	server := mediatest.New(t)
	cfg := server.Config()
	cfg.Observer = tel.Calls()
	client, err := vod.New(cfg)
	require.NoError(t, err)
	up, err := upload.New(upload.Config{VOD: client, HTTPClient: server.HTTPClient()})
	require.NoError(t, err)
	_, err = up.Upload(ctx, source("movie.mp4", random(kib)), upload.VODVideo{}, upload.WithObserver(tel.Uploads()))
	require.NoError(t, err)
}
