package vod_test

import (
	"context"
	"fmt"
	"log"
	"strconv"

	"github.com/alimedia/alimedia-go"
	"github.com/alimedia/alimedia-go/mediatest"
	"github.com/alimedia/alimedia-go/vod"
)

// Separate the videos of a product from others by an application.
func ExampleClient_CreateAppInfo() {
	srv := mediatest.Start()
	defer srv.Close()
	video, ctx := client(srv), context.Background()

	out, err := video.CreateAppInfo(ctx, vod.CreateAppInfoRequest{AppName: "shop", Description: "videos of the shop"})
	if err != nil {
		log.Fatal(err)
	}
	if _, err := video.UpdateAppInfo(ctx, vod.UpdateAppInfoRequest{AppId: out.AppId, AppName: "shop-eu"}); err != nil {
		log.Fatal(err)
	}
	for app, err := range video.ListAppInfoIter(ctx, vod.ListAppInfoRequest{}) {
		if err != nil {
			log.Fatal(err)
		}
		if app.AppId == out.AppId {
			fmt.Println(app.AppName, app.Status)
		}
	}
	if _, err := video.DeleteAppInfo(ctx, vod.DeleteAppInfoRequest{AppId: out.AppId}); err != nil {
		log.Fatal(err)
	}
	_, err = video.DeleteAppInfo(ctx, vod.DeleteAppInfoRequest{AppId: out.AppId})
	fmt.Println("gone:", alimedia.IsNotFound(err))
	// Output:
	// shop-eu Normal
	// gone: true
}

// Add a domain name for playback, read its state, and list all.
func ExampleClient_AddVodDomain() {
	srv := mediatest.Start()
	defer srv.Close()
	video, ctx := client(srv), context.Background()

	add := vod.AddVodDomainRequest{DomainName: "play.example.org", Sources: []vod.DomainOrigin{{Content: "example-bucket.oss-cn-shanghai.aliyuncs.com", Type: "oss", Priority: "20", Port: 80}}}
	if _, err := video.AddVodDomain(ctx, add); err != nil {
		log.Fatal(err)
	}
	_, err := video.AddVodDomain(ctx, add)
	fmt.Println("there already:", alimedia.IsAlreadyExists(err))

	got, err := video.DescribeVodDomainDetail(ctx, vod.DescribeVodDomainDetailRequest{DomainName: "play.example.org"})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(got.DomainDetail.DomainName, got.DomainDetail.DomainStatus)
	for domain, err := range video.DescribeVodUserDomainsIter(ctx, vod.DescribeVodUserDomainsRequest{}) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println("listed:", domain.DomainName)
	}
	if _, err := video.DeleteVodDomain(ctx, vod.DeleteVodDomainRequest{DomainName: "play.example.org"}); err != nil {
		log.Fatal(err)
	}
	// Output:
	// there already: true
	// play.example.org online
	// listed: play.example.org
}

// Have the end of uploads and transcoding told to a URL, signed with a key.
func ExampleClient_SetMessageCallback() {
	srv := mediatest.Start()
	defer srv.Close()
	video, ctx := client(srv), context.Background()

	_, err := video.SetMessageCallback(ctx, vod.SetMessageCallbackRequest{
		CallbackType: "HTTP", CallbackURL: "https://example.com/events", EventTypeList: alimedia.Ptr("FileUploadComplete,StreamTranscodeComplete"),
		AuthSwitch: "on", AuthKey: "sixteen-letters-",
	})
	if err != nil {
		log.Fatal(err)
	}
	got, err := video.GetMessageCallback(ctx, vod.GetMessageCallbackRequest{})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(got.MessageCallback.CallbackURL, got.MessageCallback.AuthKey) // the key is printed masked

	if _, err := video.DeleteMessageCallback(ctx, vod.DeleteMessageCallbackRequest{}); err != nil {
		log.Fatal(err)
	}
	// Output: https://example.com/events ***
}

// Make a watermark of text, use it wherever a template names none, and list all.
func ExampleClient_AddWatermark() {
	srv := mediatest.Start()
	defer srv.Close()
	video, ctx := client(srv), context.Background()

	out, err := video.AddWatermark(ctx, vod.AddWatermarkRequest{
		Name: "copyright", Type: "Text",
		WatermarkConfig: vod.WatermarkConfig{Content: "Example Inc.", FontName: "SimSun", FontSize: 25, FontColor: "white", Top: 10, Left: 15},
	})
	if err != nil {
		log.Fatal(err)
	}
	id := out.WatermarkInfo.WatermarkId
	if _, err := video.SetDefaultWatermark(ctx, vod.SetDefaultWatermarkRequest{WatermarkId: id}); err != nil {
		log.Fatal(err)
	}
	all, err := video.ListWatermark(ctx, vod.ListWatermarkRequest{})
	if err != nil {
		log.Fatal(err)
	}
	for _, mark := range all.WatermarkInfos {
		fmt.Println(mark.Name, mark.IsDefault, mark.WatermarkConfig.Content)
	}
	if _, err := video.DeleteWatermark(ctx, vod.DeleteWatermarkRequest{WatermarkId: id}); err != nil {
		log.Fatal(err)
	}
	_, err = video.GetWatermark(ctx, vod.GetWatermarkRequest{WatermarkId: id})
	fmt.Println("gone:", alimedia.IsNotFound(err))
	// Output:
	// copyright Default Example Inc.
	// gone: true
}

// Make a key that encrypts a video, and have the service decrypt it again for the player.
func ExampleClient_GenerateKMSDataKey() {
	srv := mediatest.Start()
	defer srv.Close()
	video, ctx := client(srv), context.Background()

	key, err := video.GenerateKMSDataKey(ctx)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(key.Plaintext, key.CiphertextBlob != "") // keep the ciphertext, never the key

	got, err := video.DecryptKMSDataKey(ctx, vod.DecryptKMSDataKeyRequest{CipherText: key.CiphertextBlob})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(got.Plaintext)
	// Output:
	// *** true
	// ***
}

// Read how much is stored, an hour or a day at a time.
func ExampleClient_DescribeVodStorageData() {
	srv := mediatest.Start()
	defer srv.Close()
	video := client(srv)

	usage, err := video.DescribeVodStorageData(context.Background(), vod.DescribeVodStorageDataRequest{
		StartTime: "2026-11-01T00:00:00Z", EndTime: "2026-11-02T00:00:00Z",
	})
	if err != nil {
		log.Fatal(err)
	}
	var most int64 // bytes
	for _, item := range usage.StorageData.StorageDataItem {
		bytes, err := strconv.ParseInt(item.StorageUtilization, 10, 64)
		if err != nil {
			log.Fatal(err)
		}
		most = max(most, bytes)
	}
	fmt.Println(most > 0)
	// Output: true
}
