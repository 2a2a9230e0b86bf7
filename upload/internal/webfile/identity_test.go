package webfile

import (
	"net/url"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestOrigin_B59_Origins(t *testing.T) {
	t.Parallel()
	for _, same := range [][2]string{
		{"http://h", "HTTP://H:80/x"}, {"https://Example.com/a?b#c", "https://u:p@example.COM:443/"}, {"http://[::1]/", "http://[::1]:80"}, {"http://h:8080/", "http://H:8080"},
	} {
		a, err := url.Parse(same[0])
		require.NoError(t, err)
		b, err := url.Parse(same[1])
		require.NoError(t, err)
		require.Equal(t, Origin(a), Origin(b))
	}
	for _, other := range [][2]string{{"http://h", "https://h"}, {"https://h", "https://h:80"}, {"https://h", "https://h.evil.test"}, {"https://h", "https://g@hh"}, {"https://h.", "https://h"}} {
		a, err := url.Parse(other[0])
		require.NoError(t, err)
		b, err := url.Parse(other[1])
		require.NoError(t, err)
		require.NotEqual(t, Origin(a), Origin(b))
	}
}

func TestIdentity_B55_Signatures(t *testing.T) {
	t.Parallel()
	address := func(text string) string {
		u, err := url.Parse(text)
		require.NoError(t, err)
		at, query := Identity(u)
		require.NotContains(t, at+query, "s3cr3t")
		return at + " " + query
	}
	plain := address("https://h.test/a/b.mp4?id=7")
	for _, same := range []string{
		"HTTPS://H.test:443/a/b.mp4?id=7", "https://u:s3cr3t@h.test/a/b.mp4?id=7#s3cr3t",
		"https://h.test/a/b.mp4?id=7&Expires=1&OSSAccessKeyId=x&Signature=s3cr3t", "https://h.test/a/b.mp4?id=7&auth_key=1-0-0-s3cr3t",
		"https://h.test/a/b.mp4?X-Amz-Algorithm=a&X-Amz-Credential=b&X-Amz-Date=c&X-Amz-Expires=1&X-Amz-SignedHeaders=h&X-Amz-Signature=s3cr3t&id=7",
		"https://h.test/a/b.mp4?id=7&x-oss-signature-version=OSS4-HMAC-SHA256&x-oss-credential=c&x-oss-date=d&x-oss-expires=60&x-oss-signature=s3cr3t",
		"https://h.test/a/b.mp4?sv=2&sp=r&se=2026&sr=b&sig=s3cr3t&id=7",
	} {
		require.Equal(t, plain, address(same), same)
	}
	for _, other := range []string{
		"http://h.test/a/b.mp4?id=7", "https://h.test/a/b.mp4?id=8", "https://h.test/a/b.mp4", "https://h.test/a%2Fb.mp4?id=7", "https://h.test:8443/a/b.mp4?id=7",
		"https://h.test/a/b.mp4?id=7&sr=1", "https://h.test/a/b.mp4?id=7&policy=1",
	} {
		require.NotEqual(t, plain, address(other), other)
	}
}
