package checkpoint

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"sync"
)

const (
	// IndexName is the name of the completed index in a checkpoint directory.
	IndexName = "finished.jsonl"

	maxLine = 64 << 10 // bytes; a path has 4 KiB, a URL less
)

// Index is the completed index of a checkpoint directory: a file with one line
// of JSON for each completed upload. Lines are only added, also by several
// processes at a time. Memory holds where each line begins: 16 bytes for a line.
//
// Only the holder of an upload's lock looks it up and adds it.
type Index struct {
	log *slog.Logger

	mu      sync.Mutex
	offsets map[uint64]int64 // of the line of a key, by the first half of the key
	known   int64            // bytes of the file that offsets covers
	file    fs.FileInfo      // the file that they are of
	marks   [2][64]byte      // its first bytes, and its last bytes before known
	buffer  *bufio.Reader
	warned  bool
}

// NewIndex returns the index of a directory. It reads nothing yet.
func NewIndex(log *slog.Logger) *Index { return &Index{log: log} }

const maxIndexes = 64 // kept in memory

// Indexes are the indexes of the directories in use. The zero value is ready to
// use.
type Indexes struct {
	mu     sync.Mutex
	byPath map[string]*Index
}

// Of returns the index of a directory.
func (x *Indexes) Of(dir string, log *slog.Logger) *Index {
	if path, err := filepath.Abs(dir); err == nil {
		dir = path
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.byPath[dir] == nil {
		if len(x.byPath) >= maxIndexes || x.byPath == nil {
			x.byPath = make(map[string]*Index)
		}
		x.byPath[dir] = NewIndex(log)
	}
	return x.byPath[dir]
}

// Result is the result of a completed upload. It converts to and from the
// Result of package upload, so the fields are the same in the same order.
type Result struct {
	MediaId           string `json:"MediaId"`
	FileURL           string `json:"FileURL"`
	MediaURL          string `json:"MediaURL"`
	RequestId         string `json:"RequestId"`
	Bucket            string `json:"Bucket"`
	Key               string `json:"Key"`
	ETag              string `json:"ETag"`
	Size              int64  `json:"Size"`
	CRC64             uint64 `json:"CRC64"`
	Status            string `json:"Status"`
	AlreadyRegistered bool   `json:"AlreadyRegistered"`
	AlreadyUploaded   bool   `json:"AlreadyUploaded"`
}

// entry is a line of the index.
type entry struct {
	Key    string   `json:"finished"`        // comes first: it is found without reading JSON
	Keyed  bool     `json:"keyed,omitempty"` // a key of the user identifies the upload
	Source Identity `json:"source"`
	Result Result   `json:"result"`
}

const (
	entryStart = `{"finished":"`
	keyLength  = 32 // hexadecimal digits
)

// newEntry describes an upload. A file that has changed is another upload,
// unless a key of the user identifies it.
func newEntry(key Key, source Identity) entry {
	keyed := key.UserKey != ""
	content, _ := json.Marshal(source)
	if keyed {
		content = nil
	}
	sum := sha256.Sum256(append([]byte(key.Name()+"\n"), content...))
	return entry{Key: hex.EncodeToString(sum[:keyLength/2]), Keyed: keyed, Source: source}
}

// describes reports whether e, as it was read, describes the upload want.
func (e *entry) describes(want entry) bool {
	if e.Key != want.Key || e.Keyed != want.Keyed || e.Result.Size < 1 {
		return false
	}
	return want.Keyed || e.Source == want.Source && (e.Source.Size == UnknownSize || e.Source.Size == e.Result.Size)
}

// find returns the result of a completed upload, nil if there is none.
func (x *Index) find(d *Dir, want entry) (*Result, error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	f, err := d.open(IndexName, os.O_RDONLY)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if err := x.readNew(f); err != nil {
		return nil, err
	}
	hash, _ := hashOf(want.Key)
	offset, ok := x.offsets[hash]
	if !ok {
		return nil, nil
	}
	line, err := x.lines(f, offset).ReadSlice('\n')
	if err != nil {
		return nil, err
	}
	var got entry
	if err := json.Unmarshal(line, &got); err != nil {
		x.ignored(offset, err)
		return nil, nil
	}
	if !got.describes(want) {
		return nil, nil
	}
	got.Result.AlreadyUploaded = true
	return &got.Result, nil
}

// readNew reads the lines that were added since the last time.
func (x *Index) readNew(f *os.File) error {
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if x.file == nil || !os.SameFile(x.file, info) || info.Size() < x.known || x.marksOf(f) != x.marks {
		x.offsets, x.known = make(map[uint64]int64), 0
	}
	if x.file = info; info.Size() == x.known {
		return nil
	}
	defer func() { x.marks = x.marksOf(f) }()
	lines := x.lines(f, x.known)
	for at, tooLong := x.known, false; ; {
		line, err := lines.ReadSlice('\n')
		at += int64(len(line))
		switch {
		case err == bufio.ErrBufferFull:
			tooLong = true
			continue
		case err == io.EOF: // an incomplete line may be completed later
			return nil
		case err != nil:
			return err
		}
		if hash, ok := lineHash(line); ok && !tooLong {
			x.offsets[hash] = x.known
		} else if tooLong || len(line) > 1 {
			x.ignored(x.known, errors.New("not an entry"))
		}
		x.known, tooLong = at, false
	}
}

// marksOf tells a file to which lines were added from a file with other
// content: a new file may have the inode number of a removed one.
func (x *Index) marksOf(f *os.File) (marks [2][64]byte) {
	_, _ = f.ReadAt(marks[0][:min(x.known, 64)], 0)
	_, _ = f.ReadAt(marks[1][:min(x.known, 64)], max(0, x.known-64))
	return marks
}

// lines reads f from an offset on.
func (x *Index) lines(f *os.File, offset int64) *bufio.Reader {
	r := io.NewSectionReader(f, offset, 1<<62)
	if x.buffer == nil {
		x.buffer = bufio.NewReaderSize(r, maxLine)
	}
	x.buffer.Reset(r)
	return x.buffer
}

// lineHash returns the hash of the key of a complete line.
func lineHash(line []byte) (uint64, bool) {
	rest, ok := bytes.CutPrefix(line, []byte(entryStart))
	if !ok || len(rest) < keyLength || !bytes.HasSuffix(line, []byte("}\n")) {
		return 0, false
	}
	return hashOf(string(rest[:keyLength]))
}

func hashOf(key string) (uint64, bool) {
	hash, err := strconv.ParseUint(key[:keyLength/2], 16, 64)
	return hash, err == nil
}

// ignored logs a damaged line, only the first one.
func (x *Index) ignored(offset int64, err error) {
	if !x.warned {
		x.warned = true
		x.log.Warn("upload: damaged lines in the completed index are ignored", "file", IndexName, "offset", offset, "error", err)
	}
}

// add appends a line in one write and flushes it to disk.
func (x *Index) add(d *Dir, e entry) error {
	e.Result.FileURL, e.Result.MediaURL = Unsigned(e.Result.FileURL), Unsigned(e.Result.MediaURL)
	line, err := json.Marshal(e)
	if err != nil {
		return err
	}
	// A process that ended while it wrote may have left an incomplete line.
	line = append(append([]byte{'\n'}, line...), '\n')
	if len(line) > maxLine {
		return fmt.Errorf("a line of %d bytes, at most %d are allowed", len(line), maxLine)
	}
	created := !d.has(IndexName)
	f, err := d.open(IndexName, os.O_WRONLY|os.O_APPEND|os.O_CREATE)
	if err != nil {
		return err
	}
	if _, err = f.Write(line); err == nil {
		err = f.Sync()
	}
	if closed := f.Close(); err == nil {
		err = closed
	}
	if created {
		d.sync()
	}
	return err
}

// Completed implements [Checkpoint]. Keys of earlier runs count, too.
func (f *File) Completed() (*Result, error) {
	for _, e := range f.entries {
		result, err := f.options.Index.find(f.dir, e)
		if err != nil {
			return nil, f.indexFailed("not read", err)
		}
		if result != nil {
			return result, nil
		}
	}
	return nil, nil
}

// SaveCompleted implements [Checkpoint]. If it fails the checkpoint stays when
// it is closed, and says that the upload is completed.
func (f *File) SaveCompleted(r Result) error {
	e := f.entries[0]
	e.Result = r
	if err := f.options.Index.add(f.dir, e); err != nil {
		f.mu.Lock()
		f.unlisted = true
		f.mu.Unlock()
		return f.indexFailed("not written", err)
	}
	return nil
}

// indexFailed returns the error of the upload after an error of the index.
func (f *File) indexFailed(what string, err error) error {
	if f.options.Required {
		return fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	f.options.Logger.Warn("upload: completed index "+what, "file", f.dir.file(IndexName), "error", err)
	return nil
}
