package checkpoint

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"strings"
	"sync"
)

const (
	segmentsEnd = ".segments" // extension of the list of stored segments
	segmentMark = ".segment-" // precedes the number of a segment in the name of its checkpoint
)

// Segments is the list of the stored segments of a playlist. It is a file next
// to the checkpoint: a line that identifies the upload, then a line with the
// number and the CRC-64 of each segment.
type Segments struct {
	prefix string
	stored map[int]uint64
	failed func(error) error // returns the error of the upload after a failed write

	mu  sync.Mutex
	out *os.File // nil if nothing is saved
}

// segmentsHead is the first line of the file.
type segmentsHead struct {
	Source  Identity `json:"source"`
	MediaID string   `json:"mediaId"`
	Prefix  string   `json:"prefix"`
}

// Segments implements [Checkpoint]. Segments of another source, another asset
// or another prefix are forgotten.
func (f *File) Segments(mediaID, prefix string) (*Segments, error) {
	head := segmentsHead{Source: f.options.Source, MediaID: mediaID, Prefix: prefix}
	s := &Segments{failed: func(err error) error {
		f.mu.Lock()
		defer f.mu.Unlock()
		return f.failed(err)
	}}
	name := f.name + segmentsEnd
	var lines []byte
	if _, earlier := f.State(); earlier {
		if data, err := f.dir.read(name, maxSize); err == nil {
			lines = s.parse(data, &head)
		}
	}
	s.prefix = head.Prefix
	text, err := json.Marshal(head)
	if err == nil {
		_ = f.dir.root.Remove(name)
		s.out, err = f.dir.open(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY)
	}
	if err == nil {
		_, err = fmt.Fprintf(s.out, "%s\n%s", text, lines)
	}
	return s, s.check(err)
}

// parse reads the complete lines of an earlier run and returns them. A prefix
// that is not known yet is that of the earlier run.
func (s *Segments) parse(data []byte, head *segmentsHead) []byte {
	line, lines, ok := bytes.Cut(data, []byte("\n"))
	var was segmentsHead
	if !ok || json.Unmarshal(line, &was) != nil || was.Source != head.Source || was.MediaID != head.MediaID ||
		head.Prefix != "" && was.Prefix != head.Prefix {
		return nil
	}
	head.Prefix, s.stored = was.Prefix, make(map[int]uint64)
	for rest := lines; ; {
		line, more, ok := bytes.Cut(rest, []byte("\n"))
		first, second, ok2 := strings.Cut(string(line), " ")
		number, err := strconv.Atoi(first)
		sum, err2 := strconv.ParseUint(second, 16, 64)
		if !ok || !ok2 || err != nil || err2 != nil {
			return lines[:len(lines)-len(rest)]
		}
		s.stored[number] = sum
		rest = more
	}
}

// Prefix returns the prefix of the segments' keys. It is empty if neither the
// service nor an earlier run has said it.
func (s *Segments) Prefix() string { return s.prefix }

// Stored returns the CRC-64 of a segment that an earlier run has stored.
func (s *Segments) Stored(number int) (crc64 uint64, ok bool) {
	crc64, ok = s.stored[number]
	return crc64, ok
}

// Add saves that a segment is stored. It may be called concurrently.
func (s *Segments) Add(number int, crc64 uint64) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.out == nil {
		return nil
	}
	_, err := fmt.Fprintf(s.out, "%d %016x\n", number, crc64)
	return s.check(err)
}

// check returns the error of the upload after err.
func (s *Segments) check(err error) error {
	if err == nil {
		return nil
	}
	s.Close()
	return s.failed(err)
}

// Close releases the file.
func (s *Segments) Close() {
	if s.out != nil {
		_ = s.out.Close()
		s.out = nil
	}
}

// Segment implements [Checkpoint]. The lock of f protects it, too.
func (f *File) Segment(number int, source Identity, a Asset) (c Checkpoint, replaced *State, err error) {
	s := &File{dir: f.dir, name: f.name + segmentMark + strconv.Itoa(number), options: f.options, release: func(bool) {}}
	if err := s.read(); err != nil {
		f.mu.Lock()
		defer f.mu.Unlock()
		return None{}, nil, f.failed(err)
	}
	was, earlier := s.State()
	if earlier && was.Source == source && was.Address.Bucket == a.Address.Bucket && was.Address.Key == a.Address.Key {
		return s, nil, nil
	}
	if earlier {
		replaced = &was
	}
	s.Reset(source)
	s.state.setAsset(Asset{MediaID: a.MediaID, Address: a.Address}) // written with the upload ID
	return s, replaced, nil
}

// segmentFiles returns the names of the checkpoints of an upload's segments.
func (d *Dir) segmentFiles(upload string) (names []string) {
	entries, _ := fs.ReadDir(d.root.FS(), ".")
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), upload+segmentMark) {
			names = append(names, e.Name())
		}
	}
	return names
}

// HasSegments implements [Checkpoint].
func (f *File) HasSegments() bool { return len(f.dir.segmentFiles(f.name)) > 0 }

// DropSegments implements [Checkpoint].
func (f *File) DropSegments(abort func(State)) {
	for _, name := range f.dir.segmentFiles(f.name) {
		if data, err := f.dir.read(name, maxSize); err == nil {
			if was, _, err := Parse(data, f.options.CheckAddress); err == nil {
				abort(was)
			}
		}
		_ = f.dir.root.Remove(name)
	}
}

// ForgetSegments implements [Checkpoint].
func (f *File) ForgetSegments() {
	_ = f.dir.root.Remove(f.name + segmentsEnd)
	for _, name := range f.dir.segmentFiles(f.name) {
		_ = f.dir.root.Remove(name)
	}
}
