package playurl_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"time"

	"github.com/alimedia/alimedia-go"
	"github.com/alimedia/alimedia-go/mediatest"
	"github.com/alimedia/alimedia-go/playurl"
	"github.com/alimedia/alimedia-go/vod"
)

func ExampleSigner_Sign() {
	signer, err := playurl.New(playurl.Config{
		Type:   playurl.A,
		Keys:   []alimedia.Secret{"aliyuncdnexp1234"},                // the primary key of the domain name
		Now:    func() time.Time { return time.Unix(1444435200, 0) }, // only to have the same output always
		Random: func() string { return "0" },
	})
	if err != nil {
		log.Fatal(err)
	}
	signed, err := signer.Sign("http://cdn.example.com/video/standard/1K.html")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(signed)
	// Output:
	// http://cdn.example.com/video/standard/1K.html?auth_key=1444435200-0-0-80cd3862d699b7118eed99103f2a3a4f
}

func ExampleSigner_SignObject() {
	signer, err := playurl.New(playurl.Config{
		Type: playurl.C,
		Keys: []alimedia.Secret{"aliyuncdnexp1234"},
		Now:  func() time.Time { return time.Unix(1444435200, 0) },
	})
	if err != nil {
		log.Fatal(err)
	}
	signed, err := signer.SignObject("cdn.example.com", "videos/片头 100%.mp4")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(signed)
	// Output:
	// https://cdn.example.com/b155993cdfb7353ac6529e7e0433c655/56185500/videos/%E7%89%87%E5%A4%B4%20100%25.mp4
}

func ExampleSigner_Verify() {
	now := time.Unix(1444435200, 0)
	signer, err := playurl.New(playurl.Config{
		Type: playurl.A,
		Keys: []alimedia.Secret{"newkey1234567890", "aliyuncdnexp1234"}, // both keys while they change
		Now:  func() time.Time { return now },
	})
	if err != nil {
		log.Fatal(err)
	}
	const target = "/video/standard/1K.html?auth_key=1444435200-0-0-80cd3862d699b7118eed99103f2a3a4f"
	v, err := signer.Verify(target)
	fmt.Println(v.Path, v.Expires.UTC(), err)

	now = now.Add(time.Hour)
	_, err = signer.Verify(target)
	fmt.Println(errors.Is(err, playurl.ErrExpired))
	// Output:
	// /video/standard/1K.html 2015-10-10 00:30:00 +0000 UTC <nil>
	// true
}

func ExampleVODPlayInfo() {
	srv := mediatest.Start(mediatest.PlayDomain("play.localhost", mediatest.URLSigning{Key: "aliyuncdnexp1234"}))
	defer srv.Close()
	video, err := vod.New(srv.Config())
	if err != nil {
		log.Fatal(err)
	}
	srv.PutObject("films", "film.mp4", []byte("the film"))
	asset, err := video.RegisterMedia(context.Background(), vod.RegisterMediaRequest{
		RegisterMetadatas: []vod.RegisterMetadata{{FileURL: "https://films.oss-cn-shanghai.aliyuncs.com/film.mp4", Title: "Film"}},
		TemplateGroupId:   vod.NoTranscode,
	})
	if err != nil {
		log.Fatal(err)
	}

	cache := playurl.VODPlayInfo(video, playurl.CacheConfig{})
	defer cache.Close()
	for range 1000 { // viewers
		info, err := cache.Get(context.Background(), vod.GetPlayInfoRequest{VideoId: asset.RegisteredMediaList[0].MediaId, AuthTimeout: 7200})
		if err != nil {
			log.Fatal(err)
		}
		_ = info.Response.PlayInfoList.PlayInfo[0].PlayURL
	}
	fmt.Println(srv.Calls("GetPlayInfo"), "call")
	// Output:
	// 1 call
}
