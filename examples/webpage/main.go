// Webpage is a page on which users upload videos, straight from the browser to the
// storage of ApsaraVideo VOD, and its backend.
//
//	go run ./examples/webpage
//	go run ./examples/webpage -live -region cn-shanghai
//
// Then open http://localhost:8080. Without -live it runs on the SDK's fake of the
// services, which needs no account; take Chrome, Edge or Firefox, which find the
// fake's bucket at a name below localhost. With -live it uploads to the real
// service, with the credentials of the environment. If the browser may not send to
// the bucket there, allow the origin of the page in the CORS settings of the storage
// in the VOD console.
//
// The page loads Alibaba's uploader from a CDN, pinned by its hash. With -sdk it
// comes from a local folder:
//
//	npm install --prefix /tmp/sdk ali-oss@6.23.0 aliyun-upload-vod@1.0.6
//	go run ./examples/webpage -sdk /tmp/sdk/node_modules
package main

import (
	"context"
	"crypto/rand"
	"errors"
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"time"

	"github.com/alimedia/alimedia-go"
	"github.com/alimedia/alimedia-go/credentials"
	"github.com/alimedia/alimedia-go/mediatest"
	"github.com/alimedia/alimedia-go/vod"
)

// settings are the flags.
type settings struct {
	addr, region, template, sdk string
	live                        bool
	maxSize, partSize           int64
}

func main() {
	var s settings
	flag.StringVar(&s.addr, "addr", "localhost:8080", "address of the page")
	flag.BoolVar(&s.live, "live", false, "upload to the real service with the credentials of the environment")
	flag.StringVar(&s.region, "region", "cn-shanghai", "region id of the service, with -live")
	flag.StringVar(&s.template, "template", vod.NoTranscode, "transcoding template group; without transcoding the file is played as it is")
	flag.StringVar(&s.sdk, "sdk", "", "node_modules folder with ali-oss and aliyun-upload-vod, instead of the CDN")
	flag.Int64Var(&s.maxSize, "max", 2e9, "maximum size of a file in bytes")
	flag.Int64Var(&s.partSize, "part", 1<<20, "size of a part in bytes, at least 102400")
	flag.Parse()

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, s); err != nil {
		fmt.Fprintln(os.Stderr, "webpage:", err)
		stop()
		os.Exit(1)
	}
}

func run(ctx context.Context, s settings) error {
	listener, err := net.Listen("tcp", s.addr)
	if err != nil {
		return fmt.Errorf("%w (choose another address with -addr)", err)
	}
	defer listener.Close()
	services, err := open(ctx, s)
	if err != nil {
		return err
	}
	defer services.close()
	handler, err := newApp(s, services)
	if err != nil {
		return err
	}
	server := &http.Server{Handler: handler, ReadHeaderTimeout: 10 * time.Second}
	stopped := context.AfterFunc(ctx, func() {
		// Whoever still uploads does so to the service and goes on.
		end, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer cancel()
		_ = server.Shutdown(end)
	})
	defer stopped()
	_, port, _ := net.SplitHostPort(listener.Addr().String())
	fmt.Printf("Open http://localhost:%s (Ctrl-C ends it).\n", port)
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// services is where the page uploads to: the real service or the fake.
type services struct {
	video   *vod.Client
	key     alimedia.Secret // signs sessions and upload tokens
	storage string          // hosts of the buckets, for the page's Content-Security-Policy
	players string          // hosts of the play URLs, likewise
	playURL func(string) (string, error)
	close   func()
}

func open(ctx context.Context, s settings) (*services, error) {
	key := alimedia.Secret(os.Getenv("WEBPAGE_KEY")) // the same for all processes of a backend
	if key == "" {
		key = alimedia.Secret(rand.Text() + rand.Text())
	}
	if !s.live {
		return openFake(key)
	}
	keys := credentials.Default()
	if _, err := keys.Credentials(ctx); err != nil {
		return nil, fmt.Errorf("-live needs credentials: %w", err)
	}
	video, err := vod.New(alimedia.Config{Region: s.region, Credentials: keys})
	if err != nil {
		return nil, err
	}
	return &services{
		video: video, key: key, storage: "https://*.aliyuncs.com", players: "https: http:",
		playURL: func(url string) (string, error) { return url, nil }, close: func() {},
	}, nil
}

// openFake starts the services in this process. Browsers reach its buckets at names
// below localhost.
func openFake(key alimedia.Secret) (*services, error) {
	var srv *mediatest.Server
	localhost := func() string { return strings.Replace(srv.URL, "127.0.0.1", "localhost", 1) }
	srv = mediatest.Start(
		mediatest.Control(), mediatest.Processing(2*time.Second), mediatest.EncodeUpload(func(address, auth map[string]any) (string, string) {
			address["Endpoint"] = localhost()
			return mediatest.EncodeBase64(address), mediatest.EncodeBase64(auth)
		}))
	video, err := vod.New(srv.Config())
	if err != nil {
		srv.Close()
		return nil, err
	}
	fmt.Printf("Running on the built-in fake of the services. Look inside at %s%s\n", srv.URL, mediatest.ControlPrefix)
	return &services{
		video: video, key: key, storage: "http://*." + strings.TrimPrefix(localhost(), "http://"), players: srv.URL,
		playURL: func(url string) (string, error) { return signedURL(srv, url) }, close: srv.Close,
	}, nil
}
