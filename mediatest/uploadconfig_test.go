package mediatest_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/alimedia/alimedia-go/ice"
	"github.com/alimedia/alimedia-go/mediatest"
	"github.com/alimedia/alimedia-go/upload"
)

// A program that uploads into a bucket of its own and registers the object.
func ExampleServer_UploadConfig() {
	srv := mediatest.Start(mediatest.InMemory()) // in a test: mediatest.New(t, ...)
	defer srv.Close()
	srv.CreateBucket("example-bucket")
	media, err := ice.New(srv.Config())
	if err != nil {
		fmt.Println(err)
		return
	}
	oss := srv.UploadConfig()
	up, err := upload.New(upload.Config{ICE: media, Credentials: oss.Credentials, HTTPClient: oss.HTTPClient, OSSEndpoint: oss.OSSEndpoint})
	if err != nil {
		fmt.Println(err)
		return
	}
	res, err := up.Upload(context.Background(), upload.Reader("clip.mp4", strings.NewReader("pictures"), 8),
		upload.Bucket{Name: "example-bucket", Key: "2026/", Register: upload.RegisterMediaInfo{Title: "Clip"}})
	if err != nil {
		fmt.Println(err)
		return
	}
	stored, _ := srv.Object(res.Bucket, res.Key)
	fmt.Println(res.Key, string(stored))
	// Output: 2026/clip.mp4 pictures
}

// With the region, requests are signed with version 4, and each account reaches
// its own buckets.
func TestUploadConfig_OfEachAccount(t *testing.T) {
	t.Parallel()
	srv := mediatest.New(t, mediatest.Region("cn-beijing"))
	other := srv.AddAccount("77")
	other.CreateBucket("theirs")
	for account, want := range map[*mediatest.Account]bool{srv.Account(): false, other: true} {
		oss := account.UploadConfig()
		media, err := ice.New(account.Config())
		require.NoError(t, err)
		up, err := upload.New(upload.Config{
			ICE: media, Credentials: oss.Credentials, HTTPClient: oss.HTTPClient, OSSEndpoint: oss.OSSEndpoint, OSSRegion: oss.OSSRegion,
		})
		require.NoError(t, err)
		_, err = up.Upload(t.Context(), upload.Reader("a.mp4", strings.NewReader("a"), 1),
			upload.Bucket{Name: "theirs", Key: "a.mp4", Register: upload.RegisterMediaInfo{Title: "a"}})
		require.Equal(t, want, err == nil, "%v", err)
	}
}
