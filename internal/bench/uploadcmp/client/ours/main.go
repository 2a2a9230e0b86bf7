// Command ours uploads with package upload of this SDK.
package main

import (
	"context"

	"github.com/alimedia/alimedia-go/credentials"
	"github.com/alimedia/alimedia-go/internal/bench/uploadcmp/client"
	"github.com/alimedia/alimedia-go/upload"
)

func main() { client.Main(connect) }

func connect(s client.Setting) (client.Upload, error) {
	up, err := upload.New(upload.Config{
		Credentials: credentials.Static(client.Id, client.Secret, ""),
		OSSEndpoint: s.Endpoint,
		OSSRegion:   client.Region,
		PartSize:    s.Part,
		Parallel:    s.Workers,
	})
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context, o client.Object) error {
		src := upload.File(o.Path)
		if o.Body != nil {
			src = upload.Reader(o.Key, o.Body, o.Size)
		}
		_, err := up.Upload(ctx, src, upload.Bucket{Name: s.Bucket, Key: o.Key})
		return err
	}, nil
}
