// Command minio uploads with minio-go, without a hash of the payload.
package main

import (
	"context"
	"strings"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"

	"github.com/alimedia/alimedia-go/internal/bench/uploadcmp/client"
)

func main() { client.Main(connect) }

func connect(s client.Setting) (client.Client, error) {
	scheme, host, _ := strings.Cut(s.Endpoint, "://")
	c, err := minio.New(host, &minio.Options{
		Creds:  credentials.NewStaticV4(client.Id, client.Secret, ""),
		Secure: scheme == "https",
		Region: client.Region,
	})
	if err != nil {
		return client.Client{}, err
	}
	options := minio.PutObjectOptions{
		PartSize:             uint64(s.Part),
		NumThreads:           uint(s.Workers),
		DisableContentSha256: true,
	}
	return client.Client{One: func(ctx context.Context, o client.Object) error {
		var err error
		if o.Body != nil {
			options := options
			options.ConcurrentStreamParts = true
			_, err = c.PutObject(ctx, s.Bucket, o.Key, o.Body, o.Size, options)
		} else {
			_, err = c.FPutObject(ctx, s.Bucket, o.Key, o.Path, options)
		}
		return err
	}}, nil
}
