package mediatest_test

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"mime/multipart"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aliyun/aliyun-oss-go-sdk/oss"
	"github.com/stretchr/testify/require"

	"github.com/alimedia/alimedia-go/mediatest"
)

// TestOSS_ABucketThatGoesAwayIsNoPanic: whatever is asked of a bucket that comes
// and goes is answered, or refused by the service.
func TestOSS_ABucketThatGoesAwayIsNoPanic(t *testing.T) {
	t.Parallel()
	srv := mediatest.New(t)
	state := saved(t, srv)
	keys := srv.Credentials()
	client, err := oss.New(srv.URL, keys.AccessKeyId, keys.AccessKeySecret, oss.HTTPClient(srv.HTTPClient()))
	require.NoError(t, err)
	b, err := client.Bucket("own")
	require.NoError(t, err)
	ask := []func() error{
		func() error { return client.CreateBucket("own") },
		func() error { return client.DeleteBucket("own") },
		func() error { _, err := client.GetBucketInfo("own"); return err },
		func() error { _, err := client.GetBucketLocation("own"); return err },
		func() error { _, err := client.GetBucketACL("own"); return err },
		func() error { _, err := b.ListObjectsV2(); return err },
		func() error { _, err := b.ListMultipartUploads(); return err },
		func() error { return b.PutObject("key", strings.NewReader("bytes")) },
		func() error { _, err := b.AppendObject("log", strings.NewReader("bytes"), 0); return err },
		func() error { _, err := b.CopyObject("key", "copy"); return err },
		func() error { _, err := b.GetObjectACL("key"); return err },
		func() error { return b.SetObjectACL("key", oss.ACLPrivate) },
		func() error { return b.DeleteObject("key") },
		func() error { _, err := b.DeleteObjects([]string{"log", "copy"}); return err },
		func() error {
			u, err := b.InitiateMultipartUpload("parts")
			if err != nil {
				return err
			}
			p, err := b.UploadPart(u, strings.NewReader("bytes"), 5, 1)
			if err != nil {
				return errors.Join(err, ignored(b.AbortMultipartUpload(u)))
			}
			_, err = b.CompleteMultipartUpload(u, []oss.UploadPart{p})
			return err
		},
		func() error { return b.DeleteObject("parts") },
		func() error { srv.Reset(); return nil },
		func() error { return srv.Load(bytes.NewReader(state)) },
	}
	var all sync.WaitGroup
	for _, do := range ask {
		all.Go(func() {
			for range 25 {
				if err := do(); err != nil && !errors.As(err, new(oss.ServiceError)) {
					t.Errorf("%v", err)
					return
				}
			}
		})
	}
	all.Wait()
}

// ignored is an error of a request whose object may be gone.
func ignored(err error) error {
	if errors.As(err, new(oss.ServiceError)) {
		return nil
	}
	return err
}

func TestOSS_ABucketGoesAwayWhileBytesCome(t *testing.T) {
	t.Parallel()
	away := map[string]func(*mediatest.Server, *oss.Client) error{
		"deleted": func(_ *mediatest.Server, c *oss.Client) error { return c.DeleteBucket("own") },
		"reset":   func(s *mediatest.Server, _ *oss.Client) error { s.Reset(); return nil },
		"another of that name": func(s *mediatest.Server, c *oss.Client) error {
			return errors.Join(c.DeleteBucket("own"), c.CreateBucket("own"))
		},
	}
	for name, goes := range away {
		for kind, send := range map[string]func(*mediatest.Server, *oss.Bucket, io.Reader) error{
			"PutObject": func(_ *mediatest.Server, b *oss.Bucket, r io.Reader) error { return b.PutObject("key", r) },
			"AppendObject": func(_ *mediatest.Server, b *oss.Bucket, r io.Reader) error {
				_, err := b.AppendObject("key", r, 0)
				return err
			},
			"PostObject": postSlowly,
		} {
			t.Run(name+" "+kind, func(t *testing.T) {
				t.Parallel()
				srv := mediatest.New(t)
				srv.CreateBucket("own")
				keys := srv.Credentials()
				client, err := oss.New(srv.URL, keys.AccessKeyId, keys.AccessKeySecret, oss.HTTPClient(srv.HTTPClient()))
				require.NoError(t, err)
				b, err := client.Bucket("own")
				require.NoError(t, err)
				r, w := io.Pipe()
				done := make(chan error, 1)
				go func() { done <- send(srv, b, r) }()
				_, err = w.Write([]byte("hal"))
				require.NoError(t, err)
				require.Eventually(t, func() bool { return srv.Held() == 3 }, 10*time.Second, time.Millisecond)
				require.NoError(t, goes(srv, client))
				_, err = w.Write([]byte("f"))
				require.NoError(t, err)
				require.NoError(t, w.Close())
				requireOSSError(t, <-done, 404, "NoSuchBucket")
				require.Zero(t, srv.Held())
				require.Empty(t, srv.Objects("own"))
			})
		}
	}
}

// postSlowly sends a form whose file comes from r.
func postSlowly(srv *mediatest.Server, _ *oss.Bucket, r io.Reader) error {
	var head bytes.Buffer
	w := multipart.NewWriter(&head)
	for _, field := range formOf(srv).signed() {
		if err := w.WriteField(field[0], field[1]); err != nil {
			return err
		}
	}
	if _, err := w.CreateFormFile("file", "key"); err != nil {
		return err
	}
	end := strings.NewReader("\r\n--" + w.Boundary() + "--\r\n")
	resp, err := srv.HTTPClient().Post(srv.URL+"/own/", w.FormDataContentType(), io.MultiReader(&head, r, end))
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	e := oss.ServiceError{StatusCode: resp.StatusCode, RawMessage: string(text)}
	return errors.Join(xml.Unmarshal(text, &e), e)
}
