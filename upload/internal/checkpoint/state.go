package checkpoint

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// Step is how far an upload is.
type Step string

// The steps, in order.
const (
	Creating   Step = "creating"   // the service is asked for an asset
	Sending    Step = "sending"    // the destination is known
	Completing Step = "completing" // all parts are stored
	Stored     Step = "stored"     // the object is stored, and may have to be registered
	Registered Step = "done"       // the object is registered
)

const (
	version = 2       // of State
	maxSize = 8 << 20 // bytes of a checkpoint; one with 10,000 parts has less than 2 MB
)

// What OSS allows.
const (
	MinPartSize = 100 << 10 // bytes, except for the last part
	MaxPartSize = 5 << 30   // bytes
	MaxParts    = 10_000
)

// State is what a checkpoint says of an upload. It is the first line of the
// file. A line for each part follows.
type State struct {
	Version           int       `json:"checkpoint"`
	Step              Step      `json:"step"`
	Source            Identity  `json:"source"`
	Created           time.Time `json:"created"`
	Token             string    `json:"token"` // identifies the upload in requests that must take effect only once
	MediaID           string    `json:"mediaId,omitempty"`
	FileURL           string    `json:"fileURL,omitempty"`
	MediaURL          string    `json:"mediaURL,omitempty"`
	RequestID         string    `json:"requestId,omitempty"`
	Address           Address   `json:"address,omitzero"`
	UploadID          string    `json:"uploadId,omitempty"`
	Initiated         time.Time `json:"initiated,omitzero"` // when the multipart upload began
	PartSize          int64     `json:"partSize,omitempty"`
	LostIDs           bool      `json:"strays,omitempty"` // there may be other multipart uploads, whose IDs never arrived
	ETag              string    `json:"etag,omitempty"`
	Size              int64     `json:"size,omitempty"`
	CRC64             uint64    `json:"crc64,omitempty"`
	AlreadyRegistered bool      `json:"alreadyRegistered,omitempty"`
	Asked             time.Time `json:"asked,omitzero"` // when the service was last asked to register the object
	PartCount         int       `json:"parts"`          // lines that were written together with this one
}

// Address says where an object is. It holds no secret.
type Address struct {
	Endpoint string `json:"Endpoint"` // scheme and host
	Bucket   string `json:"Bucket"`
	Key      string `json:"Key"`
}

// Part is a part that OSS has confirmed.
type Part struct {
	Number int    `json:"part"`
	ETag   string `json:"etag"`
	Size   int64  `json:"size"`
	CRC64  uint64 `json:"crc64"`
}

// Asset is an asset that a service has created, and the destination of its
// object.
type Asset struct {
	MediaID   string
	FileURL   string
	MediaURL  string
	RequestID string
	Address   Address
}

// Object is an object that OSS has stored.
type Object struct {
	ETag  string
	Size  int64
	CRC64 uint64
}

// Registration is the result of registering an object.
type Registration struct {
	MediaID   string
	RequestID string
	Already   bool // the object was registered before this upload
}

// Multipart is what a checkpoint says of a multipart upload.
type Multipart struct {
	UploadID   string // empty if no multipart upload is known
	PartSize   int64  // bytes
	Created    time.Time
	Initiated  time.Time // when the multipart upload began
	Sending    bool      // the destination was known, and not all parts were stored
	Completing bool      // all parts were stored
	LostIDs    bool      // there may be multipart uploads whose IDs never arrived
	Parts      []Part    // sorted by number
}

// Asset returns the asset of the upload.
func (s State) Asset() Asset {
	return Asset{MediaID: s.MediaID, FileURL: s.FileURL, MediaURL: s.MediaURL, RequestID: s.RequestID, Address: s.Address}
}

// Stored reports whether the object is stored.
func (s State) Stored() bool { return s.Step == Stored || s.Step == Registered }

// Format returns the content of a checkpoint.
func Format(s State, parts []Part) ([]byte, error) {
	s.PartCount = len(parts)
	text, err := json.Marshal(s)
	if err != nil {
		return nil, err
	}
	text = append(text, '\n')
	for _, p := range parts {
		line, err := formatPart(p)
		if err != nil {
			return nil, err
		}
		text = append(text, line...)
	}
	return text, nil
}

func formatPart(p Part) ([]byte, error) {
	line, err := json.Marshal(p)
	return append(line, '\n'), err
}

// Parse reads a checkpoint. An incomplete line is ignored, and so are all lines
// after it. checkAddress checks an address and returns its standard form.
func Parse(data []byte, checkAddress func(Address) (Address, error)) (State, map[int]Part, error) {
	line, rest, ok := bytes.Cut(data, []byte("\n"))
	if !ok {
		return State{}, nil, errors.New("empty or cut off")
	}
	var s State
	if err := json.Unmarshal(line, &s); err != nil {
		return State{}, nil, err
	}
	if err := s.check(checkAddress); err != nil {
		return State{}, nil, err
	}
	parts := make(map[int]Part)
	for {
		line, more, ok := bytes.Cut(rest, []byte("\n"))
		var p Part
		if !ok || json.Unmarshal(line, &p) != nil || p.Number < 1 || p.Number > MaxParts || p.Size < 1 || p.Size > MaxPartSize || p.ETag == "" {
			return s, parts, nil
		}
		parts[p.Number] = p
		rest = more
	}
}

// check returns an error if this package cannot have written the state.
func (s *State) check(checkAddress func(Address) (Address, error)) error {
	if s.Version != version {
		return fmt.Errorf("version %d, this is version %d", s.Version, version)
	}
	switch s.Step {
	case Creating, Sending, Completing, Stored, Registered:
	default:
		return fmt.Errorf("unknown step %.40q", s.Step)
	}
	if s.Address != (Address{}) {
		address, err := checkAddress(s.Address)
		if err != nil {
			return err
		}
		s.Address = address
	} else if s.Step != Creating && s.MediaID == "" {
		return errors.New("neither address nor MediaId")
	}
	if s.Stored() && s.Size < 1 {
		return fmt.Errorf("an object of %d bytes", s.Size)
	}
	if s.UploadID != "" && (s.PartSize < MinPartSize || s.PartSize > MaxPartSize) {
		return fmt.Errorf("parts of %d bytes", s.PartSize)
	}
	return nil
}

// clamp sets times in the future to now: a clock was set back.
func (s *State) clamp(now time.Time) {
	for _, t := range []*time.Time{&s.Created, &s.Initiated, &s.Asked} {
		if t.After(now) {
			*t = now
		}
	}
}
