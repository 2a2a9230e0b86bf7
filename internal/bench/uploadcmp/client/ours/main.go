// Command ours uploads with package upload of this SDK.
package main

import (
	"context"

	"github.com/alimedia/alimedia-go/credentials"
	"github.com/alimedia/alimedia-go/internal/bench/uploadcmp/client"
	"github.com/alimedia/alimedia-go/upload"
)

func main() { client.Main(connect) }

func connect(s client.Setting) (client.Client, error) {
	up, err := upload.New(upload.Config{
		Credentials: credentials.Static(client.Id, client.Secret, ""),
		OSSEndpoint: s.Endpoint,
		OSSRegion:   client.Region,
		PartSize:    s.Part,
		Parallel:    s.Workers,
		Files:       s.Workers,
	})
	if err != nil {
		return client.Client{}, err
	}
	job := func(o client.Object) upload.Job {
		src := upload.File(o.Path)
		if o.Body != nil {
			src = upload.Reader(o.Key, o.Body, o.Size)
		}
		return upload.Job{Source: src, Target: upload.Bucket{Name: s.Bucket, Key: o.Key}}
	}
	return client.Client{
		One: func(ctx context.Context, o client.Object) error {
			j := job(o)
			_, err := up.Upload(ctx, j.Source, j.Target)
			return err
		},
		All: func(ctx context.Context, objects []client.Object) error {
			jobs := func(yield func(upload.Job) bool) {
				for _, o := range objects {
					if !yield(job(o)) {
						return
					}
				}
			}
			for done := range up.UploadAll(ctx, jobs) {
				if done.Err != nil {
					return done.Err
				}
			}
			return nil
		},
	}, nil
}
