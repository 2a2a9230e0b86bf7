// Quickstart takes a file to a media asset in ApsaraVideo VOD and registers
// what lies in a bucket of one's own.
//
//	go run ./examples/quickstart
//	go run ./examples/quickstart -live -region cn-shanghai -file movie.mp4
//
// Without -live it runs on the SDK's fake of the services and needs no
// account. With -live it uploads the file to the real service, with the
// credentials of the environment.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"

	"github.com/alimedia/alimedia-go"
	"github.com/alimedia/alimedia-go/credentials"
	"github.com/alimedia/alimedia-go/ice"
	"github.com/alimedia/alimedia-go/mediatest"
	"github.com/alimedia/alimedia-go/upload"
	"github.com/alimedia/alimedia-go/vod"
)

func main() {
	live := flag.Bool("live", false, "upload to the real service with the credentials of the environment")
	region := flag.String("region", "cn-shanghai", "region id of the service")
	file := flag.String("file", filepath.Join("examples", "testdata", "clip.mp4"), "video to upload")
	flag.Parse()

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	run := onFake
	if *live {
		run = onService
	}
	if err := run(ctx, *region, *file); err != nil {
		fmt.Fprintln(os.Stderr, "quickstart:", err)
		stop()
		os.Exit(1)
	}
}

// onService uploads to the real service and leaves it at that: the other steps
// need a bucket of yours.
func onService(ctx context.Context, region, file string) error {
	keys := credentials.Default()
	if _, err := keys.Credentials(ctx); err != nil {
		return fmt.Errorf("-live needs credentials: %w", err)
	}
	fmt.Printf("Uploading %s to ApsaraVideo VOD in %s.\n", file, region)
	_, err := uploadVideo(ctx, alimedia.Config{Region: region, Credentials: keys}, file)
	return err
}

// onFake runs all steps on a server in this process.
func onFake(ctx context.Context, _, file string) error {
	if _, err := credentials.Env().Credentials(ctx); err != nil {
		fmt.Println("No credentials in the environment: running on the built-in fake of the services.")
	} else {
		fmt.Println("Running on the built-in fake of the services; add -live to use the credentials of the environment.")
	}
	srv := mediatest.Start()
	defer srv.Close()
	cfg := srv.Config()

	if _, err := uploadVideo(ctx, cfg, file); err != nil {
		return err
	}
	if err := registerStream(ctx, cfg, srv); err != nil {
		return err
	}
	if err := registerYikeAsset(ctx, cfg, file); err != nil {
		return err
	}
	return registerTwoFiles(ctx, cfg, srv)
}

func uploadVideo(ctx context.Context, cfg alimedia.Config, file string) (*upload.Result, error) {
	step("Upload a file (CreateUploadVideo, OSS)")
	video, err := vod.New(cfg)
	if err != nil {
		return nil, err
	}
	up, err := upload.New(upload.Config{VOD: video})
	if err != nil {
		return nil, err
	}
	title := strings.TrimSuffix(filepath.Base(file), filepath.Ext(file))
	res, err := up.Upload(ctx, upload.File(file), upload.VODVideo{Title: title, Tags: "quickstart"}, upload.WithProgress(showProgress))
	if err != nil {
		return nil, err
	}
	fmt.Printf("   VideoId  %s\n   object   %s/%s\n   size     %d bytes, CRC-64 %016x\n", res.MediaId, res.Bucket, res.Key, res.Size, res.CRC64)
	return res, nil
}

// registerStream makes an asset of one object of an own bucket, adds another
// object as its stream and changes what is said of it.
func registerStream(ctx context.Context, cfg alimedia.Config, srv *mediatest.Server) error {
	step("Register a stream of an own bucket (RegisterMediaInfo, RegisterMediaStream)")
	srv.CreateBucket("example-bucket")
	srv.PutObject("example-bucket", "launch/original.mp4", []byte("the original"))
	srv.PutObject("example-bucket", "launch/hd.mp4", []byte("the HD stream"))

	media, err := ice.New(cfg)
	if err != nil {
		return err
	}
	asset, err := media.RegisterMediaInfo(ctx, ice.RegisterMediaInfoRequest{InputURL: "oss://example-bucket/launch/original.mp4", Title: "Launch"})
	if err != nil {
		return err
	}
	stream, err := media.RegisterMediaStream(ctx, ice.RegisterMediaStreamRequest{
		InputURL: "oss://example-bucket/launch/hd.mp4",
		MediaId:  asset.MediaId,
		UserData: ice.UserData{Extend: map[string]string{"localId": "42"}},
	})
	if err != nil {
		return err
	}
	fmt.Printf("   MediaId  %s (request %s)\n", stream.MediaId, stream.RequestId)

	step("Update it (UpdateMediaInfo)")
	updated, err := media.UpdateMediaInfo(ctx, ice.UpdateMediaInfoRequest{
		MediaId:    asset.MediaId,
		Title:      "Launch, final cut",
		MediaTags:  "launch,final",
		AppendTags: alimedia.Ptr(false), // overwrite the tags; nil leaves it to the service
	})
	if err != nil {
		return err
	}
	got, err := media.GetMediaInfo(ctx, ice.GetMediaInfoRequest{MediaId: updated.MediaId})
	if err != nil {
		return err
	}
	fmt.Printf("   title    %q\n   tags     %s\n", got.MediaInfo.MediaBasicInfo.Title, got.MediaInfo.MediaBasicInfo.MediaTags)

	// Rules of the reference are checked before anything is sent.
	_, err = media.UpdateMediaInfo(ctx, ice.UpdateMediaInfoRequest{Title: strings.Repeat("长", 43)})
	var invalid *alimedia.ValidationError
	if !errors.As(err, &invalid) {
		return fmt.Errorf("a title of 129 bytes and no id were accepted: %v", err)
	}
	fmt.Printf("   refused  %v\n", invalid)
	return nil
}

func registerYikeAsset(ctx context.Context, cfg alimedia.Config, file string) error {
	step("Register a Yike asset (CreateYikeAssetUpload, OSS, RegisterYikeAssetMediaInfo)")
	media, err := ice.New(cfg)
	if err != nil {
		return err
	}
	up, err := upload.New(upload.Config{ICE: media})
	if err != nil {
		return err
	}
	res, err := up.Upload(ctx, upload.File(file), upload.YikeAsset{MediaType: "video"}, upload.WithProgress(showProgress))
	if err != nil {
		return err
	}
	fmt.Printf("   MediaId  %s\n", res.MediaId)
	return nil
}

// registerTwoFiles asks for two files of which one is not there: a partial
// failure is a response, not an error.
func registerTwoFiles(ctx context.Context, cfg alimedia.Config, srv *mediatest.Server) error {
	step("Register two files with VOD, one of which is missing (RegisterMedia)")
	srv.PutObject("example-bucket", "vod/one.mp4", []byte("one"))
	video, err := vod.New(cfg)
	if err != nil {
		return err
	}
	const bucket = "https://example-bucket.oss-cn-shanghai.aliyuncs.com/"
	out, err := video.RegisterMedia(ctx, vod.RegisterMediaRequest{
		RegisterMetadatas: []vod.RegisterMetadata{
			{FileURL: bucket + "vod/one.mp4", Title: "One"},
			{FileURL: bucket + "vod/two.mp4", Title: "Two"},
		},
		TemplateGroupId: vod.NoTranscode,
	})
	if err != nil {
		return err
	}
	for _, m := range out.RegisteredMediaList {
		fmt.Printf("   ok       %s is %s (new: %t)\n", m.FileURL, m.MediaId, m.NewRegister)
	}
	for _, u := range out.FailedFileURLs {
		fmt.Printf("   failed   %s\n", u)
	}
	return nil
}

var steps int

func step(what string) {
	steps++
	fmt.Printf("\n%d. %s\n", steps, what)
}

// showProgress rewrites one line on a terminal and prints only the end
// elsewhere.
func showProgress(p upload.Progress) {
	info, err := os.Stdout.Stat()
	terminal := err == nil && info.Mode()&os.ModeCharDevice != 0
	done := p.Stage == upload.StageDone
	switch {
	case terminal && done:
		fmt.Printf("\r\x1b[K   %v\n", p)
	case terminal:
		fmt.Printf("\r\x1b[K   %v", p)
	case done:
		fmt.Printf("   %v\n", p)
	}
}
