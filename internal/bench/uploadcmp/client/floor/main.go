// Command floor makes the requests of an upload with nothing but net/http:
// what no client can be faster than. There is no signature, no repetition, no
// refreshing, and no reading of a response but its status.
package main

import (
	"bytes"
	"context"
	"encoding/xml"
	"fmt"
	"hash"
	"hash/crc64"
	"io"
	"net/http"
	"os"
	"sync"
	"sync/atomic"

	"github.com/alimedia/alimedia-go/internal/bench/uploadcmp/client"
)

func main() { client.Main(connect) }

func connect(s client.Setting) (client.Client, error) {
	f := &floor{Setting: s, client: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: s.Workers}}}
	return client.Client{One: f.upload}, nil
}

type floor struct {
	client.Setting
	client *http.Client
}

func (f *floor) upload(ctx context.Context, o client.Object) error {
	file, err := os.Open(o.Path)
	if err != nil {
		return err
	}
	defer file.Close()
	url := f.Endpoint + "/" + f.Bucket + "/" + o.Key
	if o.Size <= f.Part {
		_, err := f.do(ctx, http.MethodPut, url, file, o.Size)
		return err
	}
	response, err := f.do(ctx, http.MethodPost, url+"?uploads", http.NoBody, 0)
	if err != nil {
		return err
	}
	var opened struct{ UploadId string }
	if err := xml.Unmarshal(response, &opened); err != nil {
		return err
	}
	url += "?uploadId=" + opened.UploadId
	var list bytes.Buffer
	list.WriteString("<CompleteMultipartUpload>")
	parts := (o.Size + f.Part - 1) / f.Part
	for n := int64(1); n <= parts; n++ {
		fmt.Fprintf(&list, "<Part><PartNumber>%d</PartNumber></Part>", n)
	}
	list.WriteString("</CompleteMultipartUpload>")
	if err := f.parts(ctx, url, file, o.Size, parts); err != nil {
		return err
	}
	_, err = f.do(ctx, http.MethodPost, url, &list, int64(list.Len()))
	return err
}

func (f *floor) parts(ctx context.Context, url string, file *os.File, size, parts int64) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var wg sync.WaitGroup
	var next atomic.Int64
	for range f.Workers {
		wg.Go(func() {
			for n := next.Add(1); n <= parts; n = next.Add(1) {
				from := (n - 1) * f.Part
				length := min(f.Part, size-from)
				_, err := f.do(ctx, http.MethodPut, fmt.Sprintf("%s&partNumber=%d", url, n), io.NewSectionReader(file, from, length), length)
				if err != nil {
					cancel(err)
					return
				}
			}
		})
	}
	wg.Wait()
	return context.Cause(ctx)
}

var crcTable = crc64.MakeTable(crc64.ECMA)

// summed computes the CRC64 of what is read.
type summed struct {
	io.Reader
	hash.Hash64
}

// Read implements io.Reader.
func (s summed) Read(p []byte) (int, error) {
	n, err := s.Reader.Read(p)
	_, _ = s.Hash64.Write(p[:n])
	return n, err
}

func (f *floor) do(ctx context.Context, method, url string, body io.Reader, size int64) ([]byte, error) {
	if f.CRC && method == http.MethodPut {
		body = summed{body, crc64.New(crcTable)}
	}
	req, err := http.NewRequestWithContext(ctx, method, url, io.NopCloser(body))
	if err != nil {
		return nil, err
	}
	req.ContentLength = size
	resp, err := f.client.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	response, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s", method, resp.Status)
	}
	return response, err
}
