package upload_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"strings"

	"github.com/alimedia/alimedia-go/ice"
	"github.com/alimedia/alimedia-go/mediatest"
	"github.com/alimedia/alimedia-go/upload"
	"github.com/alimedia/alimedia-go/vod"
)

func ExampleUploader_Upload() {
	srv := mediatest.Start() // stands for the service
	defer srv.Close()
	video, err := vod.New(srv.Config())
	if err != nil {
		log.Fatal(err)
	}
	up, err := upload.New(upload.Config{VOD: video, HTTPClient: srv.HTTPClient()})
	if err != nil {
		log.Fatal(err)
	}

	src := upload.Reader("launch.mp4", strings.NewReader("moving pictures"), upload.UnknownSize)
	res, err := up.Upload(context.Background(), src, upload.VODVideo{Title: "Launch", Tags: "event,2026"})
	if err != nil {
		log.Fatal(err)
	}
	m, _ := srv.Media(res.MediaId)
	fmt.Println(m.Title, m.Status, res.Size)
	// Output: Launch Normal 15
}

// An object goes to a bucket of your own and becomes a media asset there.
func ExampleBucket() {
	srv := mediatest.Start()
	defer srv.Close()
	srv.CreateBucket("example-bucket")
	media, err := ice.New(srv.Config())
	if err != nil {
		log.Fatal(err)
	}
	up, err := upload.New(upload.Config{
		ICE:         media,
		Credentials: srv.Config().Credentials,
		HTTPClient:  srv.HTTPClient(),
		OSSEndpoint: srv.URL,
	})
	if err != nil {
		log.Fatal(err)
	}
	res, err := up.Upload(context.Background(),
		upload.Reader("clip.mp4", strings.NewReader("moving pictures"), 15),
		upload.Bucket{Name: "example-bucket", Key: "2026/", Register: upload.RegisterMediaInfo{Title: "Clip"}})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(res.FileURL)
	// Output: https://example-bucket.oss-cn-shanghai.aliyuncs.com/2026/clip.mp4
}

// The error of a failed upload says how far it came and what exists already.
func ExampleError() {
	srv := mediatest.Start()
	defer srv.Close()
	srv.Fault(mediatest.Fault{Operation: "PutObject", Status: 403, Code: "AccessDenied"})
	video, err := vod.New(srv.Config())
	if err != nil {
		log.Fatal(err)
	}
	up, err := upload.New(upload.Config{VOD: video, HTTPClient: srv.HTTPClient()})
	if err != nil {
		log.Fatal(err)
	}
	_, err = up.Upload(context.Background(), upload.Reader("a.mp4", strings.NewReader("x"), 1), upload.VODVideo{})
	var failed *upload.Error
	if errors.As(err, &failed) {
		fmt.Println(failed.Stage, failed.MediaId == srv.Medias()[0].MediaId, failed.Uploaded)
	}
	// Output: send true false
}
