package upload

import (
	"bufio"
	"bytes"
	"context"
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

	"github.com/alimedia/alimedia-go/internal/retry"
	"github.com/alimedia/alimedia-go/upload/internal/transfer"
)

// ledger is the list of finished uploads: a file in the checkpoint directory
// with a line of JSON for each. Lines are only ever added, by several processes
// at once if need be. In memory is where they begin, 16 bytes for each.
//
// An upload is looked for, and added, by who holds the lock of its checkpoint.
type ledger struct {
	log *slog.Logger

	mu     sync.Mutex
	index  map[uint64]int64 // where the line of a key begins, by the key's first half
	known  int64            // bytes of the file that index covers
	file   fs.FileInfo      // that they are of
	marks  [2][64]byte      // its first bytes, and its last up to known
	buffer *bufio.Reader
	warned bool
}

const (
	ledgerName = "finished.jsonl"
	maxLine    = 64 << 10 // bytes of a ledger; a path has 4 KiB, a URL less
)

// entry is a line of the ledger.
type entry struct {
	Key    string   `json:"finished"`        // the first, so that it is found without reading JSON
	Keyed  bool     `json:"keyed,omitempty"` // Key is of WithKey
	Source identity `json:"source"`
	Result Result   `json:"result"`
}

const (
	entryStart = `{"finished":"`
	keyLength  = 32 // hexadecimal digits
)

func newLedger(log *slog.Logger) *ledger { return &ledger{log: log} }

// ledgers are the lists of the directories in use.
type ledgers struct {
	mu  sync.Mutex
	dir map[string]*ledger // by path
}

const maxLedgers = 64 // lists kept in memory

func (l *ledgers) of(dir string, log *slog.Logger) *ledger {
	if path, err := filepath.Abs(dir); err == nil {
		dir = path
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.dir[dir] == nil {
		if len(l.dir) >= maxLedgers || l.dir == nil {
			l.dir = make(map[string]*ledger)
		}
		l.dir[dir] = newLedger(log)
	}
	return l.dir[dir]
}

// entryFor describes an upload, checkpoint being the name of its checkpoint. A
// file that has changed is another, except where the user's key names it.
func entryFor(checkpoint string, source identity, keyed bool) entry {
	content, _ := json.Marshal(source)
	if keyed {
		content = nil
	}
	sum := sha256.Sum256(append([]byte(checkpoint+"\n"), content...))
	return entry{Key: hex.EncodeToString(sum[:keyLength/2]), Keyed: keyed, Source: source}
}

// is reports whether e, as read, tells of the upload want.
func (e *entry) is(want entry) bool {
	if e.Key != want.Key || e.Keyed != want.Keyed || e.Result.Size < 1 {
		return false
	}
	return want.Keyed || e.Source == want.Source && (e.Source.Size == UnknownSize || e.Source.Size == e.Result.Size)
}

// find returns the result of a finished upload, nil when there is none.
func (l *ledger) find(d *stateDir, want entry) (*Result, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	f, err := d.open(ledgerName, os.O_RDONLY)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if err := l.catchUp(f); err != nil {
		return nil, err
	}
	hash, _ := indexKey(want.Key)
	at, ok := l.index[hash]
	if !ok {
		return nil, nil
	}
	line, err := l.lines(f, at).ReadSlice('\n')
	if err != nil {
		return nil, err
	}
	var got entry
	if err := json.Unmarshal(line, &got); err != nil {
		l.ignored(at, err)
		return nil, nil
	}
	if !got.is(want) {
		return nil, nil
	}
	got.Result.AlreadyUploaded = true
	return &got.Result, nil
}

// catchUp reads what was added since the last time.
func (l *ledger) catchUp(f *os.File) error {
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if l.file == nil || !os.SameFile(l.file, info) || info.Size() < l.known || l.marksOf(f) != l.marks {
		l.index, l.known = make(map[uint64]int64), 0
	}
	if l.file = info; info.Size() == l.known {
		return nil
	}
	defer func() { l.marks = l.marksOf(f) }()
	lines := l.lines(f, l.known)
	for at, tooLong := l.known, false; ; {
		line, err := lines.ReadSlice('\n')
		at += int64(len(line))
		switch {
		case err == bufio.ErrBufferFull:
			tooLong = true
			continue
		case err == io.EOF: // what has no end yet may get one
			return nil
		case err != nil:
			return err
		}
		if hash, ok := lineKey(line); ok && !tooLong {
			l.index[hash] = l.known
		} else if tooLong || len(line) > 1 {
			l.ignored(l.known, errors.New("not an entry"))
		}
		l.known, tooLong = at, false
	}
}

// marksOf tells a list that was only added to from one that was written over:
// a file that is removed may leave its number to the next.
func (l *ledger) marksOf(f *os.File) (marks [2][64]byte) {
	_, _ = f.ReadAt(marks[0][:min(l.known, 64)], 0)
	_, _ = f.ReadAt(marks[1][:min(l.known, 64)], max(0, l.known-64))
	return marks
}

// lines reads f from an offset on.
func (l *ledger) lines(f *os.File, at int64) *bufio.Reader {
	r := io.NewSectionReader(f, at, 1<<62)
	if l.buffer == nil {
		l.buffer = bufio.NewReaderSize(r, maxLine)
	}
	l.buffer.Reset(r)
	return l.buffer
}

// lineKey is the index key of a line that was written to its end.
func lineKey(line []byte) (uint64, bool) {
	rest, ok := bytes.CutPrefix(line, []byte(entryStart))
	if !ok || len(rest) < keyLength || !bytes.HasSuffix(line, []byte("}\n")) {
		return 0, false
	}
	return indexKey(string(rest[:keyLength]))
}

func indexKey(key string) (uint64, bool) {
	hash, err := strconv.ParseUint(key[:keyLength/2], 16, 64)
	return hash, err == nil
}

// ignored reports a damaged line, the first one only.
func (l *ledger) ignored(at int64, err error) {
	if !l.warned {
		l.warned = true
		l.log.Warn("upload: damaged lines in the list of finished uploads are ignored", "file", ledgerName, "offset", at, "error", err)
	}
}

// add appends a line, as one and for good.
func (l *ledger) add(d *stateDir, e entry) error {
	e.Result.FileURL, e.Result.MediaURL = unsigned(e.Result.FileURL), unsigned(e.Result.MediaURL)
	line, err := json.Marshal(e)
	if err != nil {
		return err
	}
	// It begins on a line of its own, whatever a process that died has left.
	line = append(append([]byte{'\n'}, line...), '\n')
	if len(line) > maxLine {
		return fmt.Errorf("a line of %d bytes, at most %d are allowed", len(line), maxLine)
	}
	made := !d.has(ledgerName)
	f, err := d.open(ledgerName, os.O_WRONLY|os.O_APPEND|os.O_CREATE)
	if err != nil {
		return err
	}
	if _, err = f.Write(line); err == nil {
		err = f.Sync()
	}
	if closed := f.Close(); err == nil {
		err = closed
	}
	if made {
		d.sync()
	}
	return err
}

// finished looks whether the same upload was finished before, under any of the
// names that it may have.
func (r *run) finished(ctx context.Context, o options, names []string) (*Result, error) {
	r.ledger = r.ledgers.of(o.checkpoint.dir, r.log)
	for i, name := range names {
		e := entryFor(name, r.content.identity, o.key != "")
		if i == 0 {
			r.entry = e
		}
		res, err := r.ledger.find(r.journal.dir, e)
		if err != nil {
			return nil, r.unlisted(ctx, o, "not read", err)
		}
		if res == nil {
			continue
		}
		if same, err := r.verified(ctx, o, res); !same || err != nil {
			return nil, err
		}
		r.log.InfoContext(ctx, "upload: finished before", "name", r.file.name, "media_id", res.MediaId)
		return res, nil
	}
	return nil, nil
}

// verified compares the content where that is asked for.
func (r *run) verified(ctx context.Context, o options, res *Result) (bool, error) {
	if !o.verify {
		return true, nil
	}
	c, err := o.source.open(ctx, r.Uploader)
	if err != nil {
		return false, err
	}
	defer c.close()
	if c.segments != nil {
		return false, errors.New("upload.WithVerifyContent does not take playlists")
	}
	in := c.stream
	if c.at != nil {
		in = io.NewSectionReader(c.at, 0, c.size)
	}
	size, crc, err := transfer.Checksum(ctx, in)
	switch {
	case ctx.Err() != nil:
		return false, err
	case err != nil:
		return false, fmt.Errorf("read the source: %w", err)
	case size == res.Size && crc == res.CRC64:
		return true, nil
	case o.key != "":
		return false, fmt.Errorf("%w [MediaId %s]", ErrKeyReused, res.MediaId)
	}
	r.log.WarnContext(ctx, "upload: the content of a finished upload has changed, uploading it as another", "name", r.file.name, "media_id", res.MediaId)
	return false, nil
}

// list records that the upload is finished. Where that fails its checkpoint
// stays and tells the same.
func (r *run) list(ctx context.Context, o options, res *Result) error {
	if r.ledger == nil {
		return nil
	}
	r.entry.Result = *res
	if err := r.ledger.add(r.journal.dir, r.entry); err != nil {
		r.keep = true
		return r.unlisted(ctx, o, "not written", err)
	}
	return nil
}

func (r *run) unlisted(ctx context.Context, o options, what string, err error) error {
	if o.checkpoint.required {
		return retry.Permanent(fmt.Errorf("%w: %w", ErrCheckpoint, err))
	}
	r.log.WarnContext(ctx, "upload: list of finished uploads "+what, "file", r.journal.dir.file(ledgerName), "error", err)
	return nil
}
