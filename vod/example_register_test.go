package vod_test

import (
	"context"
	"fmt"

	"github.com/alimedia/alimedia-go/mediatest"
	"github.com/alimedia/alimedia-go/vod"
)

// Register all objects of a bucket, and see which ones could not be registered.
func ExampleClient_RegisterMediaAll() {
	srv := mediatest.Start()
	defer srv.Close()
	for i := range 25 {
		srv.PutObject("films", fmt.Sprintf("%02d.mp4", i), []byte("film"))
	}
	files := func(yield func(vod.RegisterMetadata) bool) { // a listing, a database, a file with a million lines
		for i := range 26 {
			if !yield(vod.RegisterMetadata{FileURL: fmt.Sprintf("https://films.oss-cn-shanghai.aliyuncs.com/%02d.mp4", i)}) {
				return
			}
		}
	}
	registered := 0
	for res := range client(srv).RegisterMediaAll(context.Background(), vod.RegisterMediaRequest{TemplateGroupId: vod.NoTranscode}, files) {
		if res.Err != nil {
			fmt.Println("file", res.Index, "failed:", res.File.FileURL)
			continue
		}
		registered++ // res.MediaId
	}
	fmt.Println(registered, "files in", srv.Calls("RegisterMedia"), "requests")
	// Output:
	// file 25 failed: https://films.oss-cn-shanghai.aliyuncs.com/25.mp4
	// 25 files in 3 requests
}
