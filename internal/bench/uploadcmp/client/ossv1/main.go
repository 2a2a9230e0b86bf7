// Command ossv1 uploads with aliyun-oss-go-sdk.
package main

import (
	"context"

	"github.com/aliyun/aliyun-oss-go-sdk/oss"

	"github.com/alimedia/alimedia-go/internal/bench/uploadcmp/client"
)

func main() { client.Main(connect) }

func connect(s client.Setting) (client.Client, error) {
	c, err := oss.New(s.Endpoint, client.Id, client.Secret, oss.AuthVersion(oss.AuthV4), oss.Region(client.Region))
	if err != nil {
		return client.Client{}, err
	}
	bucket, err := c.Bucket(s.Bucket)
	if err != nil {
		return client.Client{}, err
	}
	return client.Client{One: func(ctx context.Context, o client.Object) error {
		if o.Size <= s.Part {
			return bucket.PutObjectFromFile(o.Key, o.Path, oss.WithContext(ctx))
		}
		return bucket.UploadFile(o.Key, o.Path, s.Part, oss.Routines(s.Workers), oss.WithContext(ctx))
	}}, nil
}
