// Registerall makes media assets of all objects in buckets of your own.
//
//	go run ./examples/registerall
//
// It runs on the SDK's simulator of the services and needs no account.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"

	"github.com/alimedia/alimedia-go"
	"github.com/alimedia/alimedia-go/mediatest"
	"github.com/alimedia/alimedia-go/vod"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	srv := mediatest.Start(mediatest.Throttle(vod.DocumentedRates()))
	defer srv.Close()
	for i := range 1000 {
		srv.PutObject(bucket(i), key(i), []byte("film"))
	}
	if err := run(ctx, srv.Config(), 1001); err != nil {
		fmt.Fprintln(os.Stderr, "registerall:", err)
		os.Exit(1)
	}
	fmt.Println(srv.Calls("RegisterMedia"), "requests")
}

// run registers n files; more than there are have a result that says so.
func run(ctx context.Context, cfg alimedia.Config, n int) error {
	video, err := vod.New(cfg)
	if err != nil {
		return err
	}
	files := func(yield func(vod.RegisterMetadata) bool) { // from a listing, a database, a file …
		for i := range n {
			if !yield(vod.RegisterMetadata{FileURL: "https://" + bucket(i) + ".oss-cn-shanghai.aliyuncs.com/" + key(i)}) {
				return
			}
		}
	}
	registered, failed := 0, 0
	for res := range video.RegisterMediaAll(ctx, vod.RegisterMediaRequest{TemplateGroupId: vod.NoTranscode}, files) {
		if res.Err != nil {
			failed++
			fmt.Println("failed:", res.File.FileURL)
			continue
		}
		registered++ // store res.MediaId with res.File.FileURL
	}
	fmt.Println("registered:", registered, "failed:", failed)
	return ctx.Err()
}

func bucket(i int) string { return fmt.Sprint("films-", i%3) }
func key(i int) string    { return fmt.Sprintf("%04d.mp4", i) }
