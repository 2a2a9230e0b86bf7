package upload

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/alimedia/alimedia-go/upload/internal/hls"
	"github.com/alimedia/alimedia-go/upload/internal/transfer"
)

// storedSegments records which files of a playlist are stored, for a later run.
// It is a file next to the checkpoint: a line that identifies the upload, then a
// line with the number and the CRC-64 of each file. Without a checkpoint nothing
// is recorded.
type storedSegments struct {
	Source  identity `json:"source"`
	MediaId string   `json:"mediaId"`
	Prefix  string   `json:"prefix"`

	journal *journal
	files   map[int]uint64 // CRC-64 by number, of an earlier run

	mu   sync.Mutex
	file *os.File
}

// openStoredSegments reads which files an earlier run has stored for the same
// asset.
func openStoredSegments(r *run) (*storedSegments, error) {
	s := &storedSegments{Source: r.content.identity, MediaId: r.place.mediaId, Prefix: r.place.prefix, journal: r.journal}
	if r.journal == nil {
		return s, nil
	}
	var lines []byte
	_, earlier := r.journal.state()
	if data, err := s.journal.dir.read(s.name(), maxCheckpoint); err == nil && earlier {
		lines = s.parse(data)
	}
	head, err := json.Marshal(s)
	if err == nil {
		_ = s.journal.dir.root.Remove(s.name())
		s.file, err = s.journal.dir.open(s.name(), os.O_CREATE|os.O_EXCL|os.O_WRONLY)
	}
	if err == nil {
		_, err = fmt.Fprintf(s.file, "%s\n%s", head, lines)
	}
	return s, s.failed(err)
}

// parse reads the complete lines and returns them.
func (s *storedSegments) parse(data []byte) []byte {
	head, lines, ok := bytes.Cut(data, []byte("\n"))
	var was storedSegments
	if !ok || json.Unmarshal(head, &was) != nil || was.Source != s.Source || was.MediaId != s.MediaId ||
		s.Prefix != "" && was.Prefix != s.Prefix {
		return nil
	}
	s.Prefix, s.files = was.Prefix, make(map[int]uint64)
	for rest := lines; ; {
		line, more, ok := bytes.Cut(rest, []byte("\n"))
		first, second, ok2 := strings.Cut(string(line), " ")
		number, err := strconv.Atoi(first)
		sum, err2 := strconv.ParseUint(second, 16, 64)
		if !ok || !ok2 || err != nil || err2 != nil {
			return lines[:len(lines)-len(rest)]
		}
		s.files[number] = sum
		rest = more
	}
}

// add records a file.
func (s *storedSegments) add(f *hls.File, sum uint64) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.file == nil {
		return nil
	}
	_, err := fmt.Fprintf(s.file, "%d %016x\n", f.Number, sum)
	return s.failed(err)
}

// failed returns the error of the upload after an error of the checkpoint.
func (s *storedSegments) failed(err error) error {
	if err == nil {
		return nil
	}
	s.close()
	s.journal.mu.Lock()
	defer s.journal.mu.Unlock()
	return s.journal.failed(err)
}

func (s *storedSegments) close() {
	if s.file != nil {
		_ = s.file.Close()
		s.file = nil
	}
}

const (
	segmentsEnd = ".segments" // suffix of the file
	segmentMark = ".segment-" // precedes the number of a large segment in the name of its checkpoint
)

func (s *storedSegments) name() string { return s.journal.name + segmentsEnd }

// journalOf returns the checkpoint of a file that is sent in parts, and nil for
// other files. The parts of another file or another key are removed.
func (s *storedSegments) journalOf(ctx context.Context, r *run, f *hls.File, part *transfer.Transfer, to place) (*journal, error) {
	if s.journal == nil || !part.Multipart() {
		return nil, nil
	}
	root, err := s.journal.dir.root.OpenRoot(".")
	if err != nil {
		return nil, s.journal.failed(err)
	}
	j := &journal{
		dir: &stateDir{root, s.journal.dir.path}, name: s.journal.name + segmentMark + strconv.Itoa(f.Number),
		required: s.journal.required, log: s.journal.log, unlock: func(bool) {},
	}
	if err := j.read(); err != nil {
		j.close(false)
		return nil, s.journal.failed(err)
	}
	source := segmentIdentity(f)
	was, earlier := j.state()
	if earlier && was.Source == source && was.Address.Bucket == to.address.Bucket && was.Address.Key == to.address.Key {
		return j, nil
	}
	if earlier {
		r.abortSegment(ctx, to, was)
	}
	j.start(source)
	j.rec.Step, j.rec.MediaId, j.rec.Address = stepSending, to.mediaId, to.address // written with the upload ID
	return j, nil
}

// segmentIdentity identifies a file among those of its playlist.
func segmentIdentity(f *hls.File) identity {
	switch {
	case f.Text != nil:
		return identity{Source: f.Name, Size: f.Size, Files: digest(string(f.Text))}
	case f.URL != nil:
		return identity{Source: unsigned(f.URL.String()), Query: digest(f.URL.RawQuery), Size: UnknownSize}
	}
	return identity{Source: f.Path, Size: f.Size, Modified: f.ModTime.UTC().Format(time.RFC3339Nano)}
}

// abortSegment aborts the multipart upload of a segment that is not resumed.
func (r *run) abortSegment(ctx context.Context, to place, was record) {
	if was.UploadId == "" {
		return
	}
	to.address = was.Address
	if err := r.engine.Abort(ctx, r.destination(to), was.UploadId); err != nil {
		r.log.WarnContext(ctx, "upload: parts of a segment not removed", "upload_id", was.UploadId, "error", err)
	}
}

// abandonSegments aborts the multipart uploads of all segments of a playlist
// when the upload restarts. p has the credentials.
func (r *run) abandonSegments(ctx context.Context, p place) {
	for _, name := range r.journal.segments() {
		if data, err := r.journal.dir.read(name, maxCheckpoint); err == nil {
			if was, _, err := parseCheckpoint(data); err == nil {
				r.abortSegment(ctx, p, was)
			}
		}
		_ = r.journal.dir.root.Remove(name)
	}
}

// segments are the checkpoints of the large segments of a playlist.
func (j *journal) segments() (all []string) {
	return j.dir.segmentsOf(j.name)
}

func (d *stateDir) segmentsOf(upload string) (all []string) {
	entries, _ := fs.ReadDir(d.root.FS(), ".")
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), upload+segmentMark) {
			all = append(all, e.Name())
		}
	}
	return all
}

// forget removes the checkpoint of the segments after the playlist is stored.
func (*hlsSegments) forget(j *journal) {
	if j == nil {
		return
	}
	_ = j.dir.root.Remove((&storedSegments{journal: j}).name())
	for _, name := range j.segments() {
		_ = j.dir.root.Remove(name)
	}
}
