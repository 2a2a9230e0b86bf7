package interop

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/aliyun/alibabacloud-oss-go-sdk-v2/oss"
	"github.com/stretchr/testify/require"

	"github.com/alimedia/alimedia-go/mediatest"
)

func TestAlibabaCloudOSSGoSDKv2_MultipartByHand(t *testing.T) {
	t.Parallel()
	eachOSSV2(t, func(t *testing.T, srv *mediatest.Server, c *oss.Client) {
		ctx, data, at, key := t.Context(), noise(2*partSize+3), oss.Ptr(bucket), oss.Ptr(oddKey)
		started, err := c.InitiateMultipartUpload(ctx, &oss.InitiateMultipartUploadRequest{Bucket: at, Key: key, ContentType: oss.Ptr("video/mp4")})
		require.NoError(t, err)
		require.Equal(t, oddKey, *started.Key)
		srv.PutObject(bucket, "source", data)
		var parts []oss.UploadPart
		for i := range 2 {
			part, err := c.UploadPart(ctx, &oss.UploadPartRequest{
				Bucket: at, Key: key, UploadId: started.UploadId, PartNumber: int32(i + 1), Body: bytes.NewReader(data[i*partSize : (i+1)*partSize]),
			})
			require.NoError(t, err)
			parts = append(parts, oss.UploadPart{PartNumber: int32(i + 1), ETag: part.ETag})
		}
		last := &oss.UploadPartCopyRequest{
			Bucket: at, Key: key, UploadId: started.UploadId, PartNumber: 3, SourceKey: oss.Ptr("source"), Range: oss.Ptr("bytes=262144-262146"),
		}
		copied, err := c.UploadPartCopy(ctx, last)
		require.NoError(t, err)
		parts = append(parts, oss.UploadPart{PartNumber: 3, ETag: copied.ETag})
		last.IfMatch = oss.Ptr(`"x"`)
		_, err = c.UploadPartCopy(ctx, last)
		requireOSSV2Error(t, err, 412, "PreconditionFailed")

		var sizes []int64
		pages := c.NewListPartsPaginator(&oss.ListPartsRequest{Bucket: at, Key: key, UploadId: started.UploadId, MaxParts: 2})
		for pages.HasNext() {
			page, err := pages.NextPage(ctx)
			require.NoError(t, err)
			for _, p := range page.Parts {
				sizes = append(sizes, p.Size)
			}
		}
		require.Equal(t, []int64{partSize, partSize, 3}, sizes)
		_, err = c.CompleteMultipartUpload(ctx, &oss.CompleteMultipartUploadRequest{
			Bucket: at, Key: key, UploadId: started.UploadId, CompleteMultipartUpload: &oss.CompleteMultipartUpload{Parts: parts},
		})
		require.NoError(t, err)
		stored, _ := srv.Object(bucket, oddKey)
		require.True(t, bytes.Equal(data, stored))
	})
}

func TestAlibabaCloudOSSGoSDKv2_ListsAndAbortsUploads(t *testing.T) {
	t.Parallel()
	eachOSSV2(t, func(t *testing.T, srv *mediatest.Server, c *oss.Client) {
		for _, key := range []string{"a/1 +", "a/1 +", "a/2", "a/b/3", "z"} {
			_, err := c.InitiateMultipartUpload(t.Context(), &oss.InitiateMultipartUploadRequest{Bucket: oss.Ptr(bucket), Key: oss.Ptr(key)})
			require.NoError(t, err)
		}
		var keys []string
		pages := c.NewListMultipartUploadsPaginator(&oss.ListMultipartUploadsRequest{Bucket: oss.Ptr(bucket), Prefix: oss.Ptr("a/"), MaxUploads: 1})
		for pages.HasNext() {
			page, err := pages.NextPage(t.Context())
			require.NoError(t, err)
			for _, u := range page.Uploads {
				keys = append(keys, *u.Key)
				abort := &oss.AbortMultipartUploadRequest{Bucket: oss.Ptr(bucket), Key: u.Key, UploadId: u.UploadId}
				_, err := c.AbortMultipartUpload(t.Context(), abort)
				require.NoError(t, err)
				_, err = c.AbortMultipartUpload(t.Context(), abort)
				requireOSSV2Error(t, err, 404, "NoSuchUpload")
			}
		}
		require.Equal(t, []string{"a/1 +", "a/1 +", "a/2", "a/b/3"}, keys)
		require.Len(t, srv.Uploads(), 1)
	})
}

func TestAlibabaCloudOSSGoSDKv2_UploaderAndDownloaderResume(t *testing.T) {
	t.Parallel()
	eachOSSV2(t, func(t *testing.T, srv *mediatest.Server, c *oss.Client) {
		ctx, dir, data := t.Context(), t.TempDir(), noise(5*partSize+1)
		source, target := filepath.Join(dir, "source"), filepath.Join(dir, "target")
		require.NoError(t, os.WriteFile(source, data, 0o600))
		uploader := c.NewUploader(func(o *oss.UploaderOptions) {
			o.PartSize, o.ParallelNum, o.EnableCheckpoint, o.CheckpointDir = partSize, 1, true, dir
		})
		upload := func() error {
			_, err := uploader.UploadFile(ctx, &oss.PutObjectRequest{Bucket: oss.Ptr(bucket), Key: oss.Ptr(oddKey)}, source)
			return err
		}
		denied := mediatest.Fault{Operation: "UploadPart", Nth: 4, Times: mediatest.Always, Status: 403, Code: "AccessDenied", Delay: 50 * time.Millisecond}
		srv.Fault(denied)
		requireOSSV2Error(t, upload(), 403, "AccessDenied")
		srv.ClearFaults()
		before := srv.Calls("UploadPart")
		require.NoError(t, upload())
		require.GreaterOrEqual(t, srv.Calls("UploadPart")-before, 3)
		require.Less(t, srv.Calls("UploadPart")-before, 6, "not all parts again")
		require.Equal(t, 1, srv.Calls("InitiateMultipartUpload"))
		stored, _ := srv.Object(bucket, oddKey)
		require.True(t, bytes.Equal(data, stored))

		downloader := c.NewDownloader(func(o *oss.DownloaderOptions) {
			o.PartSize, o.ParallelNum, o.EnableCheckpoint, o.CheckpointDir, o.VerifyData = partSize, 1, true, dir, true
		})
		download := func() error {
			_, err := downloader.DownloadFile(ctx, &oss.GetObjectRequest{Bucket: oss.Ptr(bucket), Key: oss.Ptr(oddKey)}, target)
			return err
		}
		denied.Operation = "GetObject"
		srv.Fault(denied)
		requireOSSV2Error(t, download(), 403, "AccessDenied")
		srv.ClearFaults()
		before = srv.Calls("GetObject")
		require.NoError(t, download())
		require.GreaterOrEqual(t, srv.Calls("GetObject")-before, 3)
		require.Less(t, srv.Calls("GetObject")-before, 6, "not all parts again")
		got, err := os.ReadFile(target)
		require.NoError(t, err)
		require.True(t, bytes.Equal(data, got))
	})
}

func TestAlibabaCloudOSSGoSDKv2_UploaderRetries(t *testing.T) {
	t.Parallel()
	eachOSSV2(t, func(t *testing.T, srv *mediatest.Server, c *oss.Client) {
		data := noise(4 * partSize)
		srv.Fault(
			mediatest.Fault{Operation: "UploadPart", Nth: 2, Reset: true},
			mediatest.Fault{Operation: "UploadPart", Nth: 3, Status: 503, Code: "ServiceUnavailable"},
			mediatest.Fault{Operation: "CompleteMultipartUpload", Status: 500},
		)
		uploader := c.NewUploader(func(o *oss.UploaderOptions) { o.PartSize, o.ParallelNum = partSize, 3 })
		_, err := uploader.UploadFrom(t.Context(), &oss.PutObjectRequest{Bucket: oss.Ptr(bucket), Key: oss.Ptr("key")}, bytes.NewReader(data))
		require.NoError(t, err)
		stored, _ := srv.Object(bucket, "key")
		require.True(t, bytes.Equal(data, stored))
	})
}

func TestAlibabaCloudOSSGoSDKv2_Copier(t *testing.T) {
	t.Parallel()
	eachOSSV2(t, func(t *testing.T, srv *mediatest.Server, c *oss.Client) {
		data := noise(3*partSize + 9)
		srv.CreateBucket("other")
		_, err := c.PutObject(t.Context(), &oss.PutObjectRequest{
			Bucket: oss.Ptr("other"), Key: oss.Ptr(oddKey), Body: bytes.NewReader(data), Metadata: map[string]string{"owner": "me"}, Tagging: oss.Ptr("k=v"),
		})
		require.NoError(t, err)
		copier := c.NewCopier(func(o *oss.CopierOptions) {
			o.PartSize, o.MultipartCopyThreshold, o.ParallelNum, o.DisableShallowCopy = partSize, partSize, 2, true
		})
		_, err = copier.Copy(t.Context(), &oss.CopyObjectRequest{
			Bucket: oss.Ptr(bucket), Key: oss.Ptr("copy"), SourceBucket: oss.Ptr("other"), SourceKey: oss.Ptr(oddKey),
		})
		require.NoError(t, err)
		require.Equal(t, 4, srv.Calls("UploadPartCopy"))
		stored, _ := srv.Object(bucket, "copy")
		require.True(t, bytes.Equal(data, stored))
		h := srv.ObjectHeader(bucket, "copy")
		require.Equal(t, []string{"me", "k=v"}, []string{h.Get("x-oss-meta-owner"), h.Get("x-oss-tagging")})
	})
}
