package transfer

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"sync"

	"github.com/alimedia/alimedia-go"
	"github.com/alimedia/alimedia-go/credentials"
	"github.com/alimedia/alimedia-go/internal/crc64"
)

// memory is an object store for one object. fault, if set, is called before each
// request takes effect.
type memory struct {
	mu      sync.Mutex
	object  []byte
	uploads map[string]map[int][]byte
	calls   map[string]int
	made    int
	fault   func(operation string, call int) error
}

func newMemory() *memory {
	return &memory{uploads: make(map[string]map[int][]byte), calls: make(map[string]int)}
}

func (m *memory) destination() Destination {
	return Destination{
		Credentials: credentials.Static("id", "secret", ""), Clock: new(Clock),
		Open: func(credentials.Credentials) (Object, error) { return m, nil },
	}
}

func (m *memory) call(operation string) error {
	m.mu.Lock()
	m.calls[operation]++
	n := m.calls[operation]
	m.mu.Unlock()
	if m.fault == nil {
		return nil
	}
	return m.fault(operation, n)
}

func info(data []byte) Info {
	crc := crc64.Checksum(data)
	return Info{ETag: fmt.Sprintf("%016X", crc), Size: int64(len(data)), CRC64: crc, HasCRC64: true}
}

func refusal(status int, code string) error {
	return &ServiceError{API: &alimedia.Error{StatusCode: status, Code: code, RequestId: "r"}}
}

func (m *memory) Put(_ context.Context, body io.Reader, _ int64) (Info, error) {
	data, err := io.ReadAll(body)
	if err == nil {
		err = m.call("Put")
	}
	if err != nil {
		return Info{}, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.object = data
	return info(data), nil
}

func (m *memory) CreateMultipart(context.Context) (string, error) {
	if err := m.call("CreateMultipart"); err != nil {
		return "", err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.made++
	id := fmt.Sprint("upload-", m.made)
	m.uploads[id] = make(map[int][]byte)
	return id, nil
}

func (m *memory) UploadPart(_ context.Context, id string, number int, body io.Reader, _ int64) (Info, error) {
	data, err := io.ReadAll(body)
	if err == nil {
		err = m.call("UploadPart")
	}
	if err != nil {
		return Info{}, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.uploads[id] == nil {
		return Info{}, refusal(404, "NoSuchUpload")
	}
	m.uploads[id][number] = data
	return info(data), nil
}

func (m *memory) CompleteMultipart(_ context.Context, id string, parts []Part) (Info, error) {
	if err := m.call("CompleteMultipart"); err != nil {
		return Info{}, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.uploads[id] == nil {
		return Info{}, refusal(404, "NoSuchUpload")
	}
	var data []byte
	for _, p := range parts {
		if info(m.uploads[id][p.Number]).ETag != p.ETag {
			return Info{}, refusal(400, "InvalidPart")
		}
		data = append(data, m.uploads[id][p.Number]...)
	}
	m.object = bytes.Clone(data)
	delete(m.uploads, id)
	return info(data), nil
}

func (m *memory) AbortMultipart(_ context.Context, id string) error {
	if err := m.call("AbortMultipart"); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.uploads[id] == nil {
		return refusal(404, "NoSuchUpload")
	}
	delete(m.uploads, id)
	return nil
}

func (m *memory) ListParts(_ context.Context, id string, after int) (page []Part, next int, err error) {
	if err := m.call("ListParts"); err != nil {
		return nil, 0, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.uploads[id] == nil {
		return nil, 0, refusal(404, "NoSuchUpload")
	}
	for number, data := range m.uploads[id] {
		if number > after {
			page = append(page, Part{Number: number, ETag: info(data).ETag, Size: int64(len(data))})
		}
	}
	return page, 0, nil
}

func (m *memory) ListUploads(context.Context) (all []OpenUpload, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for id := range m.uploads {
		all = append(all, OpenUpload{UploadID: id})
	}
	return all, nil
}

func (m *memory) Head(context.Context) (Info, error) {
	if err := m.call("Head"); err != nil {
		return Info{}, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.object == nil {
		return Info{}, refusal(404, "NoSuchKey")
	}
	return info(m.object), nil
}
