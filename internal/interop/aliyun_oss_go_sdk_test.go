package interop

import (
	"bytes"
	"io"
	"testing"

	"github.com/aliyun/aliyun-oss-go-sdk/oss"
	"github.com/stretchr/testify/require"

	"github.com/alimedia/alimedia-go/mediatest"
)

// ossV1Bucket opens a bucket by the OSS SDK for Go, version 1, with the
// server's long-lived keys.
func ossV1Bucket(t *testing.T, srv *mediatest.Server, version oss.AuthVersionType, opts ...oss.ClientOption) *oss.Bucket {
	t.Helper()
	keys := srv.Credentials()
	opts = append([]oss.ClientOption{oss.AuthVersion(version), oss.Region(region)}, opts...)
	client, err := oss.New(srv.URL, keys.AccessKeyId, keys.AccessKeySecret, opts...)
	require.NoError(t, err)
	b, err := client.Bucket(bucket)
	require.NoError(t, err)
	return b
}

// eachOSSSignature runs a test with a signature of either version.
func eachOSSSignature(t *testing.T, test func(*testing.T, oss.AuthVersionType)) {
	for _, version := range []oss.AuthVersionType{oss.AuthV1, oss.AuthV4} {
		t.Run(string(version), func(t *testing.T) {
			t.Parallel()
			test(t, version)
		})
	}
}

func TestAliyunOSSGoSDK_PutGet(t *testing.T) {
	t.Parallel()
	eachOSSSignature(t, func(t *testing.T, version oss.AuthVersionType) {
		srv := serverWithBucket(t)
		b := ossV1Bucket(t, srv, version)
		data := noise(3 << 20)
		require.NoError(t, b.PutObject("a dir/ü+&.bin", bytes.NewReader(data)))
		body, err := b.GetObject("a dir/ü+&.bin")
		require.NoError(t, err)
		defer func() { _ = body.Close() }()
		got, err := io.ReadAll(body)
		require.NoError(t, err)
		require.True(t, bytes.Equal(data, got))
	})
}
