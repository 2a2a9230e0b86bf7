// Command aws uploads with the transfer manager of aws-sdk-go-v2: CRC32, and
// no other hash of the payload, as it does over HTTPS.
package main

import (
	"context"
	"io"
	"os"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/feature/s3/transfermanager"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/alimedia/alimedia-go/internal/bench/uploadcmp/client"
)

func main() { client.Main(connect) }

func connect(s client.Setting) (client.Client, error) {
	store := s3.New(s3.Options{
		Region:       client.Region,
		BaseEndpoint: &s.Endpoint,
		UsePathStyle: true,
		Credentials:  aws.NewCredentialsCache(credentials.NewStaticCredentialsProvider(client.Id, client.Secret, "")),
	}, s3.WithAPIOptions(v4.SwapComputePayloadSHA256ForUnsignedPayloadMiddleware))
	manager := transfermanager.New(store, func(o *transfermanager.Options) {
		o.PartSizeBytes = s.Part
		o.Concurrency = s.Workers
	})
	return client.Client{One: func(ctx context.Context, o client.Object) error {
		var body io.Reader = o.Body
		if body == nil {
			f, err := os.Open(o.Path)
			if err != nil {
				return err
			}
			defer f.Close()
			body = f
		}
		_, err := manager.UploadObject(ctx, &transfermanager.UploadObjectInput{Bucket: &s.Bucket, Key: &o.Key, Body: body})
		return err
	}}, nil
}
