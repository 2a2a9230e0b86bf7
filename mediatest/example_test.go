package mediatest_test

import (
	"context"
	"fmt"
	"strings"

	"github.com/alimedia/alimedia-go"
	"github.com/alimedia/alimedia-go/mediatest"
	"github.com/alimedia/alimedia-go/upload"
	"github.com/alimedia/alimedia-go/vod"
)

// A program that uploads, with a service that fails where it hurts.
func Example() {
	srv := mediatest.Start() // in a test: mediatest.New(t)
	defer srv.Close()
	srv.Fault(mediatest.Fault{Operation: "PutObject", Status: 503, Code: "ServiceUnavailable"})

	client, err := vod.New(srv.Config())
	if err != nil {
		fmt.Println(err)
		return
	}
	uploader, err := upload.New(upload.Config{VOD: client})
	if err != nil {
		fmt.Println(err)
		return
	}
	res, err := uploader.Upload(context.Background(), upload.Reader("hello.mp4", strings.NewReader("hello"), 5), upload.VODVideo{Title: "Hello"})
	if err != nil {
		fmt.Println(err)
		return
	}
	media, _ := srv.Media(res.MediaId)
	fmt.Println(media.Title, media.Status, media.Size, "bytes after", srv.Calls("PutObject"), "attempts")

	_, err = client.GetVideoInfo(context.Background(), vod.GetVideoInfoRequest{VideoId: "nobody"})
	fmt.Println(alimedia.IsNotFound(err))
	// Output:
	// Hello Normal 5 bytes after 2 attempts
	// true
}
