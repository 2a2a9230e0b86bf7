// Metrics uploads without end on the simulator and has its metrics ready for
// Prometheus:
//
//	go run ./examples/metrics
//	curl http://127.0.0.1:2112/metrics
//
// prometheus.yml beside it makes Prometheus read them, and dashboard.json is a
// Grafana dashboard of them: import it and choose the data source.
//
//	prometheus --config.file examples/metrics/prometheus.yml
//
// Some requests fail on purpose, so that retries, refreshes and failures are to
// be seen. In a program of yours, newMeters and newClients are what you need.
package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"iter"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	otelprometheus "go.opentelemetry.io/otel/exporters/prometheus"
	"go.opentelemetry.io/otel/sdk/metric"

	"github.com/alimedia/alimedia-go"
	"github.com/alimedia/alimedia-go/mediatest"
	"github.com/alimedia/alimedia-go/otelmedia"
	"github.com/alimedia/alimedia-go/upload"
	"github.com/alimedia/alimedia-go/vod"
)

func main() {
	var s settings
	flag.StringVar(&s.listen, "listen", "127.0.0.1:2112", "address of /metrics")
	flag.IntVar(&s.uploads, "uploads", 0, "end after so many uploads; 0 means never")
	flag.DurationVar(&s.pause, "pause", 500*time.Millisecond, "before each upload")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, s, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "metrics:", err)
		stop()
		os.Exit(1)
	}
}

type settings struct {
	listen  string
	uploads int
	pause   time.Duration
}

// newMeters returns a meter provider and the handler of its metrics.
func newMeters() (*metric.MeterProvider, http.Handler, error) {
	registry := prometheus.NewRegistry()
	exporter, err := otelprometheus.New(otelprometheus.WithRegisterer(registry), otelprometheus.WithoutScopeInfo())
	if err != nil {
		return nil, nil, err
	}
	return metric.NewMeterProvider(metric.WithReader(exporter)), promhttp.HandlerFor(registry, promhttp.HandlerOpts{}), nil
}

// newClients returns a client and an uploader that tel observes.
func newClients(cfg alimedia.Config, tel *otelmedia.Telemetry) (*vod.Client, *upload.Uploader, error) {
	cfg.Observer = tel.Calls()
	video, err := vod.New(cfg)
	if err != nil {
		return nil, nil, err
	}
	up, err := upload.New(upload.Config{
		VOD: video, Observer: tel.Uploads(),
		PartSize: 256 << 10, MultipartThreshold: 512 << 10, Bandwidth: 4 << 20, // small, for a simulator in the same process
	})
	return video, up, err
}

func run(ctx context.Context, s settings, out io.Writer) error {
	simulator := mediatest.Start()
	defer simulator.Close()
	meters, handler, err := newMeters()
	if err != nil {
		return err
	}
	defer func() { _ = meters.Shutdown(context.WithoutCancel(ctx)) }()
	tel, err := otelmedia.New(otelmedia.WithMeterProvider(meters))
	if err != nil {
		return err
	}
	video, up, err := newClients(simulator.Config(), tel)
	if err != nil {
		return err
	}
	stop, err := serve(s.listen, handler, out)
	if err != nil {
		return err
	}
	defer stop()
	misbehave(simulator)

	for r := range up.UploadAll(ctx, jobs(ctx, s), upload.WithBatchProgress(func(p upload.BatchProgress) { fmt.Fprintln(out, p) })) {
		switch {
		case r.Err == nil: // old videos would fill the simulator
			if _, err := video.DeleteVideo(ctx, vod.DeleteVideoRequest{VideoIds: []string{r.Result.MediaId}}); err != nil && ctx.Err() == nil {
				return err
			}
		case ctx.Err() == nil:
			fmt.Fprintln(out, r.Err)
		}
	}
	return nil
}

// serve answers /metrics until stop is called.
func serve(address string, handler http.Handler, out io.Writer) (stop func(), err error) {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", handler)
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second}
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			fmt.Fprintln(out, "metrics:", err)
		}
	}()
	fmt.Fprintf(out, "metrics: http://%s/metrics\n", listener.Addr())
	return func() {
		_ = server.Close()
		<-done
	}, nil
}

// jobs are videos of 100 KB to 3 MB, one after each pause.
func jobs(ctx context.Context, s settings) iter.Seq[upload.Job] {
	return func(yield func(upload.Job) bool) {
		for n := 1; s.uploads == 0 || n <= s.uploads; n++ {
			select {
			case <-time.After(s.pause):
			case <-ctx.Done():
				return
			}
			data := make([]byte, 100_000+rand.IntN(2_900_000))
			name := fmt.Sprintf("movie-%d.mp4", n)
			if !yield(upload.Job{Source: upload.ReaderAt(name, bytes.NewReader(data), int64(len(data))), Target: upload.VODVideo{}}) {
				return
			}
		}
	}
}

// misbehave makes the simulator fail now and then.
func misbehave(simulator *mediatest.Server) {
	sometimes := func(percent int) func(mediatest.Request) bool {
		return func(mediatest.Request) bool { return rand.IntN(100) < percent }
	}
	simulator.Fault(
		mediatest.Fault{Operation: "UploadPart", Match: sometimes(5), Times: mediatest.Always, Status: 503, Code: "ServiceUnavailable"},
		mediatest.Fault{Operation: "UploadPart", Match: sometimes(3), Times: mediatest.Always, ExpiredToken: true},
		mediatest.Fault{Operation: "UploadPart", Match: sometimes(1), Times: mediatest.Always, Reset: true},
		mediatest.Fault{Operation: "CreateUploadVideo", Match: sometimes(10), Times: mediatest.Always, Status: 503, Code: "Throttling.User"},
		mediatest.Fault{Operation: "CreateUploadVideo", Match: sometimes(10), Times: mediatest.Always, Status: 403, Code: "Forbidden.RAM", Message: "You are not authorized."},
	)
}
