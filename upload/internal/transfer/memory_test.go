package transfer

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"sync"

	"github.com/alimedia/alimedia-go"
	"github.com/alimedia/alimedia-go/credentials"
	"github.com/alimedia/alimedia-go/internal/crc64"
)

// memory is an object store for one object. intercept, if set, is called in place
// of each request; fault, if set, is called before a request takes effect.
type memory struct {
	mu        sync.Mutex
	object    []byte
	uploads   map[string]map[int][]byte
	calls     map[string]int
	sent      map[int]int // how often each part was sent
	made      int
	fault     func(operation string, call int) error
	intercept func(context.Context, request) error
}

// request is one request to a memory.
type request struct {
	operation string
	nth       int // among the requests of the operation
	part      int
	signer    string // AccessKeyId
	body      io.Reader
	apply     func(body io.Reader) error // carries it out
}

func newMemory() *memory {
	return &memory{uploads: make(map[string]map[int][]byte), calls: make(map[string]int), sent: make(map[int]int)}
}

// connection is a memory as one credential reaches it.
type connection struct {
	*memory
	signer string
}

func (m *memory) destination() Destination {
	return Destination{
		Credentials: credentials.Static("id", "secret", ""), Clock: new(Clock),
		Open: func(c credentials.Credentials) (Object, error) { return connection{m, c.AccessKeyId}, nil },
	}
}

func (c connection) do(ctx context.Context, operation string, part int, body io.Reader, effect func(data []byte) error) error {
	c.mu.Lock()
	c.calls[operation]++
	if part > 0 {
		c.sent[part]++
	}
	r := request{operation: operation, nth: c.calls[operation], part: part, signer: c.signer, body: body}
	c.mu.Unlock()
	r.apply = func(body io.Reader) error {
		data, err := io.ReadAll(body)
		if err == nil && c.fault != nil {
			err = c.fault(operation, r.nth)
		}
		if err != nil {
			return err
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		return effect(data)
	}
	if c.intercept != nil {
		return c.intercept(ctx, r)
	}
	return r.apply(body)
}

func info(data []byte) Info {
	crc := crc64.Checksum(data)
	return Info{ETag: fmt.Sprintf("%016X", crc), Size: int64(len(data)), CRC64: crc, HasCRC64: true}
}

func refusal(status int, code string) error {
	return &ServiceError{API: &alimedia.Error{StatusCode: status, Code: code, RequestId: "r"}}
}

func (c connection) Put(ctx context.Context, body io.Reader, size int64) (done Info, err error) {
	err = c.do(ctx, "Put", 0, io.LimitReader(body, size), func(data []byte) error {
		c.object, done = data, info(data)
		return nil
	})
	return done, err
}

func (c connection) CreateMultipart(ctx context.Context) (id string, err error) {
	err = c.do(ctx, "CreateMultipart", 0, http.NoBody, func([]byte) error {
		c.made++
		id = fmt.Sprint("upload-", c.made)
		c.uploads[id] = make(map[int][]byte)
		return nil
	})
	return id, err
}

func (c connection) UploadPart(ctx context.Context, id string, number int, body io.Reader, size int64) (done Info, err error) {
	err = c.do(ctx, "UploadPart", number, io.LimitReader(body, size), func(data []byte) error {
		if c.uploads[id] == nil {
			return refusal(404, "NoSuchUpload")
		}
		c.uploads[id][number], done = data, info(data)
		return nil
	})
	return done, err
}

func (c connection) CompleteMultipart(ctx context.Context, id string, parts []Part) (done Info, err error) {
	err = c.do(ctx, "CompleteMultipart", 0, http.NoBody, func([]byte) error {
		if c.uploads[id] == nil {
			return refusal(404, "NoSuchUpload")
		}
		var data []byte
		for _, p := range parts {
			if info(c.uploads[id][p.Number]).ETag != p.ETag {
				return refusal(400, "InvalidPart")
			}
			data = append(data, c.uploads[id][p.Number]...)
		}
		c.object, done = data, info(data)
		delete(c.uploads, id)
		return nil
	})
	return done, err
}

func (c connection) AbortMultipart(ctx context.Context, id string) error {
	return c.do(ctx, "AbortMultipart", 0, http.NoBody, func([]byte) error {
		if c.uploads[id] == nil {
			return refusal(404, "NoSuchUpload")
		}
		delete(c.uploads, id)
		return nil
	})
}

func (c connection) ListParts(ctx context.Context, id string, after int) (page []Part, next int, err error) {
	err = c.do(ctx, "ListParts", 0, http.NoBody, func([]byte) error {
		if c.uploads[id] == nil {
			return refusal(404, "NoSuchUpload")
		}
		for number, data := range c.uploads[id] {
			if number > after {
				page = append(page, Part{Number: number, ETag: info(data).ETag, Size: int64(len(data))})
			}
		}
		return nil
	})
	return page, 0, err
}

func (c connection) ListUploads(ctx context.Context) (all []OpenUpload, err error) {
	err = c.do(ctx, "ListUploads", 0, http.NoBody, func([]byte) error {
		for id := range c.uploads {
			all = append(all, OpenUpload{UploadID: id})
		}
		return nil
	})
	return all, err
}

func (c connection) Head(ctx context.Context) (found Info, err error) {
	err = c.do(ctx, "Head", 0, http.NoBody, func([]byte) error {
		if c.object == nil {
			return refusal(404, "NoSuchKey")
		}
		found = info(c.object)
		return nil
	})
	return found, err
}

// times is how often a part was sent.
func (m *memory) times(part int) int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.sent[part]
}
