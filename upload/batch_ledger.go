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
)

// ledger is the list of what [Uploader.UploadAll] has finished: a file in the
// checkpoint directory with a line of JSON for each upload. Lines are only ever
// added, by several processes at once if need be. In memory is where they
// begin, 16 bytes for each.
//
// An upload is looked for, and added, by who holds the lock of its checkpoint.
type ledger struct {
	dir  string
	path string
	log  *slog.Logger

	mu     sync.Mutex
	index  map[uint64]int64 // where the line of a key begins, by the key's first half
	known  int64            // bytes of the file that index covers
	file   fs.FileInfo      // that they are of
	buffer *bufio.Reader
	warned bool
}

const (
	ledgerName = "finished.jsonl"
	maxLine    = 64 << 10 // bytes of a ledger; a path has 4 KiB, a URL less
)

// entry is a line of the ledger.
type entry struct {
	Key    string   `json:"finished"` // the first, so that it is found without reading JSON
	Source identity `json:"source"`
	Result Result   `json:"result"`
}

const (
	entryStart = `{"finished":"`
	keyLength  = 32 // hexadecimal digits
)

func newLedger(dir string, log *slog.Logger) *ledger {
	return &ledger{dir: dir, path: filepath.Join(dir, ledgerName), log: log}
}

// option makes an upload with checkpoints in the same directory use l.
func (l *ledger) option(o *options) {
	if l.dir != "" && o.checkpoint.dir == l.dir {
		o.checkpoint.ledger = l
	}
}

// entryFor describes an upload, checkpoint being the name of its checkpoint. A
// file that has changed is another.
func entryFor(checkpoint string, source identity) entry {
	sum := sha256.Sum256([]byte(checkpoint + "\n" + source.Version))
	return entry{Key: hex.EncodeToString(sum[:keyLength/2]), Source: source}
}

// find returns the result of a finished upload, nil when there is none.
func (l *ledger) find(want entry) (*Result, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	err := checkRegular(l.path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	f, err := os.Open(l.path)
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
	if got.Key != want.Key || got.Source != want.Source {
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
	if l.file == nil || !os.SameFile(l.file, info) || info.Size() < l.known {
		l.index, l.known = make(map[uint64]int64), 0
	}
	if l.file = info; info.Size() == l.known {
		return nil
	}
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
		l.log.Warn("upload: damaged lines in the list of finished uploads are ignored", "file", l.path, "offset", at, "error", err)
	}
}

// add appends a line, as one and for good.
func (l *ledger) add(e entry) error {
	line, err := json.Marshal(e)
	if err != nil {
		return err
	}
	// It begins on a line of its own, whatever a process that died has left.
	line = append(append([]byte{'\n'}, line...), '\n')
	if len(line) > maxLine {
		return fmt.Errorf("a line of %d bytes, at most %d are allowed", len(line), maxLine)
	}
	err = checkRegular(l.path)
	made := errors.Is(err, fs.ErrNotExist)
	if err != nil && !made {
		return err
	}
	f, err := os.OpenFile(l.path, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o600)
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
		syncDir(l.dir)
	}
	return err
}

// finished looks whether UploadAll has finished the same upload before.
func (r *run) finished(ctx context.Context, o checkpointOptions, name string) (*Result, error) {
	if o.ledger == nil {
		return nil, nil
	}
	r.ledger, r.entry = o.ledger, entryFor(name, r.content.identity)
	res, err := r.ledger.find(r.entry)
	if err != nil {
		return nil, r.unlisted(ctx, o, "not read", err)
	}
	if res != nil {
		r.tracker.set(func(p *Progress) { p.MediaId, p.Total = res.MediaId, res.Size })
		r.tracker.resumed(res.Size)
		r.log.InfoContext(ctx, "upload: finished before", "name", r.file.name, "media_id", res.MediaId)
	}
	return res, nil
}

// list records for UploadAll that the upload is finished. Where that fails its
// checkpoint stays and tells the same.
func (r *run) list(ctx context.Context, o checkpointOptions, res *Result) error {
	if r.ledger == nil {
		return nil
	}
	r.entry.Result = *res
	if err := r.ledger.add(r.entry); err != nil {
		r.keep = true
		return r.unlisted(ctx, o, "not written", err)
	}
	return nil
}

func (r *run) unlisted(ctx context.Context, o checkpointOptions, what string, err error) error {
	if o.required {
		return fatal(fmt.Errorf("%w: %w", ErrCheckpoint, err))
	}
	r.log.WarnContext(ctx, "upload: list of finished uploads "+what, "file", r.ledger.path, "error", err)
	return nil
}
