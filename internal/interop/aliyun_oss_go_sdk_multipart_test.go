package interop

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/aliyun/aliyun-oss-go-sdk/oss"
	"github.com/stretchr/testify/require"

	"github.com/alimedia/alimedia-go/mediatest"
)

const partSize = 128 << 10

func TestAliyunOSSGoSDK_MultipartByHand(t *testing.T) {
	t.Parallel()
	eachOSSV1(t, func(t *testing.T, srv *mediatest.Server, b *oss.Bucket) {
		data := noise(3*partSize + 5)
		imur, err := b.InitiateMultipartUpload(oddKey, oss.ContentType("video/mp4"))
		require.NoError(t, err)
		require.Equal(t, oddKey, imur.Key)
		var parts []oss.UploadPart
		for i := range 4 {
			chunk := data[i*partSize : min((i+1)*partSize, len(data))]
			part, err := b.UploadPart(imur, bytes.NewReader(chunk), int64(len(chunk)), i+1)
			require.NoError(t, err)
			parts = append(parts, part)
		}
		var numbers []int
		for marker, more := 0, true; more; {
			page, err := b.ListUploadedParts(imur, oss.MaxParts(3), oss.PartNumberMarker(marker))
			require.NoError(t, err)
			for _, p := range page.UploadedParts {
				numbers = append(numbers, p.PartNumber)
				require.Equal(t, parts[p.PartNumber-1].ETag, p.ETag)
			}
			more = page.IsTruncated
			marker = numbers[len(numbers)-1]
		}
		require.Equal(t, []int{1, 2, 3, 4}, numbers)
		done, err := b.CompleteMultipartUpload(imur, parts)
		require.NoError(t, err)
		require.Equal(t, oddKey, done.Key)
		stored, _ := srv.Object(bucket, oddKey)
		require.True(t, bytes.Equal(data, stored))
		require.Equal(t, "video/mp4", srv.ObjectHeader(bucket, oddKey).Get("Content-Type"))
		_, err = b.CompleteMultipartUpload(imur, parts)
		requireOSSV1Error(t, err, 404, "NoSuchUpload")
	})
}

func TestAliyunOSSGoSDK_ListsAndAbortsUploads(t *testing.T) {
	t.Parallel()
	eachOSSV1(t, func(t *testing.T, srv *mediatest.Server, b *oss.Bucket) {
		for _, key := range []string{"a/1+ x", "a/2", "a/b/3", "z"} {
			_, err := b.InitiateMultipartUpload(key)
			require.NoError(t, err)
		}
		var keys, prefixes []string
		for key, id, more := "", "", true; more; {
			page, err := b.ListMultipartUploads(oss.MaxUploads(1), oss.Prefix("a/"), oss.Delimiter("/"), oss.KeyMarker(key), oss.UploadIDMarker(id))
			require.NoError(t, err)
			for _, u := range page.Uploads {
				keys = append(keys, u.Key)
			}
			prefixes = append(prefixes, page.CommonPrefixes...)
			key, id, more = page.NextKeyMarker, page.NextUploadIDMarker, page.IsTruncated
		}
		require.Equal(t, []string{"a/1+ x", "a/2"}, keys)
		require.Equal(t, []string{"a/b/"}, prefixes)
		page, err := b.ListMultipartUploads()
		require.NoError(t, err)
		require.Len(t, page.Uploads, 4)
		for _, u := range page.Uploads {
			imur := oss.InitiateMultipartUploadResult{Bucket: bucket, Key: u.Key, UploadID: u.UploadID}
			require.NoError(t, b.AbortMultipartUpload(imur))
			requireOSSV1Error(t, b.AbortMultipartUpload(imur), 404, "NoSuchUpload")
		}
		require.Empty(t, srv.Uploads())
	})
}

func TestAliyunOSSGoSDK_UploadFileAndDownloadFileResume(t *testing.T) {
	t.Parallel()
	eachOSSV1(t, func(t *testing.T, srv *mediatest.Server, b *oss.Bucket) {
		dir, data := t.TempDir(), noise(5*partSize+1)
		file := filepath.Join(dir, "source")
		require.NoError(t, os.WriteFile(file, data, 0o600))
		// The SDK takes the parts that are done and the failure from two channels,
		// in any order: the delay lets it note the parts first.
		denied := mediatest.Fault{Operation: "UploadPart", Nth: 4, Times: mediatest.Always, Status: 403, Code: "AccessDenied", Delay: 50 * time.Millisecond}
		srv.Fault(denied)
		upload := func() error {
			return b.UploadFile("key", file, partSize, oss.Checkpoint(true, filepath.Join(dir, "up.cp")))
		}
		requireOSSV1Error(t, upload(), 403, "AccessDenied")
		srv.ClearFaults()
		before := srv.Calls("UploadPart")
		require.NoError(t, upload())
		require.GreaterOrEqual(t, srv.Calls("UploadPart")-before, 3)
		require.Less(t, srv.Calls("UploadPart")-before, 6, "not all parts again")
		stored, _ := srv.Object(bucket, "key")
		require.True(t, bytes.Equal(data, stored))
		require.Equal(t, 1, srv.Calls("InitiateMultipartUpload"))

		denied.Operation, denied.Nth = "GetObject", 3
		srv.Fault(denied)
		target := filepath.Join(dir, "target")
		download := func() error {
			return b.DownloadFile("key", target, partSize, oss.Checkpoint(true, filepath.Join(dir, "down.cp")))
		}
		requireOSSV1Error(t, download(), 403, "AccessDenied")
		srv.ClearFaults()
		before = srv.Calls("GetObject")
		require.NoError(t, download())
		require.GreaterOrEqual(t, srv.Calls("GetObject")-before, 4)
		require.Less(t, srv.Calls("GetObject")-before, 6, "not all parts again")
		got, err := os.ReadFile(target)
		require.NoError(t, err)
		require.True(t, bytes.Equal(data, got))
	})
}

func TestAliyunOSSGoSDK_CopyFile(t *testing.T) {
	t.Parallel()
	eachOSSV1(t, func(t *testing.T, srv *mediatest.Server, b *oss.Bucket) {
		data := noise(4*partSize + 9)
		srv.CreateBucket("other")
		srv.PutObject("other", oddKey, data)
		srv.Fault(mediatest.Fault{Operation: "UploadPartCopy", Nth: 3, Times: mediatest.Always, Status: 403, Code: "AccessDenied"})
		checkpoint := filepath.Join(t.TempDir(), "copy.cp")
		requireOSSV1Error(t, b.CopyFile("other", oddKey, "copy", partSize, oss.Checkpoint(true, checkpoint)), 403, "AccessDenied")
		srv.ClearFaults()
		require.NoError(t, b.CopyFile("other", oddKey, "copy", partSize, oss.Checkpoint(true, checkpoint)))
		stored, _ := srv.Object(bucket, "copy")
		require.True(t, bytes.Equal(data, stored))
		require.NoError(t, b.CopyFile("other", oddKey, "copy", partSize, oss.Routines(3)))

		imur, err := b.InitiateMultipartUpload("by hand")
		require.NoError(t, err)
		meta, err := b.GetObjectMeta("copy")
		require.NoError(t, err)
		etag := meta.Get("ETag")
		first, err := b.UploadPartCopy(imur, bucket, "copy", 0, partSize, 1, oss.CopySourceIfMatch(etag))
		require.NoError(t, err)
		second, err := b.UploadPartCopy(imur, bucket, "copy", partSize+7, 100, 2)
		require.NoError(t, err)
		_, err = b.UploadPartCopy(imur, bucket, "copy", 0, 100, 3, oss.CopySourceIfMatch(`"other"`))
		requireOSSV1Error(t, err, 412, "PreconditionFailed")
		_, err = b.UploadPartCopy(imur, bucket, "none", 0, 100, 3)
		requireOSSV1Error(t, err, 404, "NoSuchKey")
		_, err = b.CompleteMultipartUpload(imur, []oss.UploadPart{first, second})
		require.NoError(t, err)
		stored, _ = srv.Object(bucket, "by hand")
		require.True(t, bytes.Equal(append(bytes.Clone(data[:partSize]), data[partSize+7:partSize+107]...), stored))
	})
}
