package otelmedia

import (
	"context"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.uber.org/goleak"

	"github.com/alimedia/alimedia-go"
	"github.com/alimedia/alimedia-go/mediatest"
	"github.com/alimedia/alimedia-go/upload"
	"github.com/alimedia/alimedia-go/vod"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const kib = 1 << 10

// env is an uploader whose telemetry stays in memory.
type env struct {
	*mediatest.Server
	*upload.Uploader
	vod    *vod.Client
	tel    *Telemetry
	spans  *tracetest.InMemoryExporter
	reader *metric.ManualReader
}

func newEnv(t *testing.T) *env {
	t.Helper()
	r := &env{Server: mediatest.New(t), spans: tracetest.NewInMemoryExporter(), reader: metric.NewManualReader()}
	tracers := sdktrace.NewTracerProvider(sdktrace.WithSyncer(r.spans))
	meters := metric.NewMeterProvider(metric.WithReader(r.reader))
	t.Cleanup(func() {
		require.NoError(t, tracers.Shutdown(context.Background()))
		require.NoError(t, meters.Shutdown(context.Background()))
	})
	var err error
	r.tel, err = New(WithTracerProvider(tracers), WithMeterProvider(meters))
	require.NoError(t, err)
	cfg := r.Server.Config()
	cfg.Observer = r.tel.Calls()
	cfg.Retry = alimedia.Retry{BaseDelay: time.Millisecond, MaxDelay: time.Millisecond}
	r.vod, err = vod.New(cfg)
	require.NoError(t, err)
	r.Uploader, err = upload.New(upload.Config{
		VOD: r.vod, HTTPClient: r.HTTPClient(), Observer: r.tel.Uploads(), Parallel: 1, PartSize: 100 * kib, MultipartThreshold: 200 * kib,
		Retry: alimedia.Retry{BaseDelay: time.Millisecond, MaxDelay: time.Millisecond},
	})
	require.NoError(t, err)
	return r
}

func random(n int) []byte {
	data := make([]byte, n)
	src := rand.NewChaCha8([32]byte{})
	_, _ = src.Read(data)
	return data
}

// tree is the names of the spans by the name of their parent.
func (r *env) tree() map[string][]string {
	spans := r.spans.GetSpans()
	names := map[string]string{"0000000000000000": ""}
	for _, s := range spans {
		names[s.SpanContext.SpanID().String()] = s.Name
	}
	tree := map[string][]string{}
	for _, s := range spans {
		parent := names[s.Parent.SpanID().String()]
		tree[parent] = append(tree[parent], s.Name)
	}
	return tree
}

// measured returns each series, such as "alimedia.upload.active{target=VODVideo}",
// with its value; for a histogram its count.
func (r *env) measured(t *testing.T) map[string]int64 {
	t.Helper()
	var all metricdata.ResourceMetrics
	require.NoError(t, r.reader.Collect(context.Background(), &all))
	series := map[string]int64{}
	for _, scope := range all.ScopeMetrics {
		for _, m := range scope.Metrics {
			require.NotEmpty(t, m.Description, m.Name)
			require.NotEmpty(t, m.Unit, m.Name)
			switch data := m.Data.(type) {
			case metricdata.Sum[int64]:
				for _, p := range data.DataPoints {
					series[m.Name+labelled(p.Attributes)] = p.Value
				}
			case metricdata.Histogram[float64]:
				for _, p := range data.DataPoints {
					series[m.Name+labelled(p.Attributes)] = int64(p.Count)
				}
			default:
				require.Fail(t, "another kind of metric", "%s %T", m.Name, data)
			}
		}
	}
	return series
}

func labelled(s attribute.Set) string { return "{" + s.Encoded(attribute.DefaultEncoder()) + "}" }

// attributesOf are attributes as text, without those that are times.
func attributesOf(attrs []attribute.KeyValue) string {
	var text []string
	for _, a := range attrs {
		if a.Value.Type() != attribute.FLOAT64 {
			text = append(text, string(a.Key)+"="+a.Value.String())
		}
	}
	return strings.Join(text, " ")
}
