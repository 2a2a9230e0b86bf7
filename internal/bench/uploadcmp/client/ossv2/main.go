// Command ossv2 uploads with alibabacloud-oss-go-sdk-v2.
package main

import (
	"context"

	"github.com/aliyun/alibabacloud-oss-go-sdk-v2/oss"
	"github.com/aliyun/alibabacloud-oss-go-sdk-v2/oss/credentials"

	"github.com/alimedia/alimedia-go/internal/bench/uploadcmp/client"
)

func main() { client.Main(connect) }

func connect(s client.Setting) (client.Client, error) {
	cfg := oss.LoadDefaultConfig().
		WithCredentialsProvider(credentials.NewStaticCredentialsProvider(client.Id, client.Secret)).
		WithRegion(client.Region).
		WithEndpoint(s.Endpoint).
		WithUsePathStyle(true)
	uploader := oss.NewUploader(oss.NewClient(cfg), func(o *oss.UploaderOptions) {
		o.PartSize = s.Part
		o.ParallelNum = s.Workers
	})
	return client.Client{One: func(ctx context.Context, o client.Object) error {
		req := &oss.PutObjectRequest{Bucket: &s.Bucket, Key: &o.Key}
		var err error
		if o.Body != nil {
			_, err = uploader.UploadFrom(ctx, req, o.Body)
		} else {
			_, err = uploader.UploadFile(ctx, req, o.Path)
		}
		return err
	}}, nil
}
