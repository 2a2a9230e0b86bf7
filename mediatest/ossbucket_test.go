package mediatest_test

import (
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/alimedia/alimedia-go/mediatest"
)

func TestOSS_Buckets(t *testing.T) {
	t.Parallel()
	srv := mediatest.New(t)
	other := srv.AddAccount("1234567890123456")
	other.CreateBucket("foreign")
	w := wireOf(srv)
	status := func(method, object, query string) int { return w.send(t, method, object, query, "").status }

	require.Equal(t, 200, status("PUT", "my-bucket/", ""))
	require.Equal(t, 200, status("PUT", "my-bucket/", ""), "it is there already")
	w.refuses(t, 409, "BucketAlreadyExists", "PUT", "foreign/", "")
	for _, wrong := range []string{"ab", "-ab", "ab-", "Upper"} {
		w.refuses(t, 400, "InvalidBucketName", "PUT", wrong+"/", "")
	}
	w.refuses(t, 404, "NoSuchBucket", "GET", "nobody/", "acl")
	w.refuses(t, 403, "AccessDenied", "GET", "foreign/", "acl")
	w.refuses(t, 501, "NotImplemented", "GET", "my-bucket/", "lifecycle")
	w.refuses(t, 501, "NotImplemented", "PUT", "my-bucket/", "acl")

	all := w.send(t, "GET", "", "", "")
	require.Equal(t, 200, all.status, all.raw)
	require.Contains(t, all.raw, "<Name>my-bucket</Name>")
	require.Contains(t, all.raw, "<Name>"+srv.StorageBucket()+"</Name>")
	require.NotContains(t, all.raw, "foreign")
	first := w.send(t, "GET", "", "max-keys=1", "")
	require.Equal(t, []string{"true", "my-bucket"}, []string{element(t, first, "IsTruncated"), element(t, first, "NextMarker")})
	require.NotContains(t, w.send(t, "GET", "", "marker=my-bucket", "").raw, "<Name>my-bucket")
	require.NotContains(t, w.send(t, "GET", "", "prefix=out", "").raw, "<Name>my-bucket")
	require.Equal(t, "private", element(t, w.send(t, "GET", "my-bucket/", "acl", ""), "Grant"))
	info := w.send(t, "GET", "my-bucket/", "bucketInfo", "")
	require.Equal(t, []string{"oss-cn-shanghai", srv.Account().Id()}, []string{element(t, info, "Location"), element(t, info, "ID")})
	require.Contains(t, w.send(t, "GET", "my-bucket/", "location", "").raw, ">oss-cn-shanghai</LocationConstraint>")

	srv.PutObject("my-bucket", "a", nil)
	w.refuses(t, 409, "BucketNotEmpty", "DELETE", "my-bucket/", "")
	w.refuses(t, 403, "AccessDenied", "DELETE", srv.StorageBucket()+"/", "")
	require.Equal(t, 204, status("DELETE", "my-bucket/a", ""))
	require.Equal(t, 204, status("DELETE", "my-bucket/", ""))
	w.refuses(t, 404, "NoSuchBucket", "DELETE", "my-bucket/", "")
}

func TestOSS_TagsAndACLs(t *testing.T) {
	t.Parallel()
	srv := mediatest.New(t)
	srv.PutObject("own", "a", []byte("content"))
	w := wireOf(srv)
	tags := func(inside string) answer {
		return w.send(t, "PUT", "own/a", "tagging", "<Tagging><TagSet>"+inside+"</TagSet></Tagging>")
	}
	require.Equal(t, 200, tags("<Tag><Key>k 1</Key><Value>v&amp;1</Value></Tag><Tag><Key>k2</Key><Value/></Tag>").status)
	require.Equal(t, "2", w.send(t, "HEAD", "own/a", "", "").header.Get("x-oss-tagging-count"))
	require.Contains(t, w.send(t, "GET", "own/a", "tagging", "").raw, "<Tag><Key>k 1</Key><Value>v&amp;1</Value></Tag><Tag><Key>k2</Key><Value></Value></Tag>")
	require.Equal(t, "InvalidTag", element(t, tags("<Tag><Key></Key><Value>v</Value></Tag>"), "Code"))
	require.Equal(t, "InvalidTag", element(t, tags("<Tag><Key>k</Key></Tag><Tag><Key>k</Key></Tag>"), "Code"))
	require.Equal(t, "MalformedXML", element(t, tags("<Tag>"), "Code"))
	require.Equal(t, 204, w.send(t, "DELETE", "own/a", "tagging", "").status)
	require.NotContains(t, w.send(t, "GET", "own/a", "tagging", "").raw, "<Tag>")
	data, _ := srv.Object("own", "a")
	require.Equal(t, "content", string(data))

	require.Equal(t, "default", element(t, w.send(t, "GET", "own/a", "acl", ""), "Grant"))
	require.Equal(t, 200, w.send(t, "PUT", "own/a", "acl", "", "x-oss-object-acl", "public-read").status)
	require.Equal(t, "public-read", element(t, w.send(t, "GET", "own/a", "acl", ""), "Grant"))
	w.refuses(t, 400, "InvalidArgument", "PUT", "own/a", "acl", "x-oss-object-acl", "everyone")
	w.refuses(t, 400, "InvalidArgument", "PUT", "own/a", "acl")
	for _, sub := range []string{"acl", "tagging"} {
		w.refuses(t, 404, "NoSuchKey", "GET", "own/none", sub)
	}
	w.refuses(t, 404, "NoSuchKey", "DELETE", "own/none", "tagging")
	w.refuses(t, 501, "NotImplemented", "POST", "own/a", "acl")
}

// Tags change while the object is read.
func TestOSS_TagsChangeUnderReaders(t *testing.T) {
	t.Parallel()
	srv := mediatest.New(t)
	srv.CreateBucket("own")
	w := wireOf(srv)
	w.send(t, "PUT", "own/a", "", "content", "x-oss-tagging", "k=v")
	var all sync.WaitGroup
	for _, method := range []string{"HEAD", "PUT"} {
		all.Go(func() {
			for range 30 {
				if method == "HEAD" {
					w.send(t, method, "own/a", "", "")
					continue
				}
				w.send(t, method, "own/a", "acl", "", "x-oss-object-acl", "private")
				w.send(t, "DELETE", "own/a", "tagging", "")
			}
		})
	}
	all.Wait()
}
