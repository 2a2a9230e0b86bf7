package ingest

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/alimedia/alimedia-go/upload"
)

const (
	maxSnapshot = 4 << 20  // bytes of a snapshot in the key-value store
	maxRestored = 64 << 20 // bytes of its files
	lazySave    = 5 * time.Second
)

type taskKey struct{}

// memory is a transport that stores what a job has learned before it sends the
// next request. Whoever continues the job then knows what the request was sent
// for.
type memory struct{ http.RoundTripper }

// RoundTrip implements http.RoundTripper.
func (m memory) RoundTrip(r *http.Request) (*http.Response, error) {
	t, _ := r.Context().Value(taskKey{}).(*task)
	if t == nil {
		return m.RoundTripper.RoundTrip(r)
	}
	action := r.Header.Get("x-acs-action")
	part := r.Method == http.MethodPut && r.URL.Query().Has("partNumber")
	err := t.memorize(r.Context(), part)
	creates := action == "CreateUploadMedia" || action == "CreateUploadVideo"
	if err == nil && creates {
		err = t.note(r.Context(), func(r *Record) { r.Asked = time.Now().UTC() })
	}
	if err != nil {
		if r.Body != nil {
			r.Body.Close()
		}
		return nil, fmt.Errorf("%w: %w", errStore, err)
	}
	answer, err := m.RoundTripper.RoundTrip(r)
	if err == nil && creates && answer.StatusCode == http.StatusOK {
		t.learn(r.Context(), answer)
	}
	return answer, err
}

// learn reads the new MediaId from an answer.
func (t *task) learn(ctx context.Context, answer *http.Response) {
	head, err := io.ReadAll(io.LimitReader(answer.Body, 1<<20))
	rest := answer.Body
	answer.Body = struct {
		io.Reader
		io.Closer
	}{io.MultiReader(bytes.NewReader(head), rest), rest}
	var ids struct{ MediaId, VideoId string }
	if err != nil || json.Unmarshal(head, &ids) != nil {
		return
	}
	id := strings.TrimSpace(ids.MediaId + ids.VideoId)
	if id == "" || len(id) > 128 {
		return
	}
	if err := t.note(ctx, func(r *Record) { r.MediaId = id }); err != nil {
		t.log.Debug("ingest: MediaId not recorded yet", "key", t.job.Key, "error", err) // the checkpoint has it before the next request
	}
}

// note changes the record while the job is worked on.
func (t *task) note(ctx context.Context, change func(*Record)) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	was := t.record.Record
	change(&t.record.Record)
	err := t.save(ctx, t.record)
	if err != nil {
		t.record.Record = was
	}
	if errors.Is(err, errTaken) {
		t.cancel(errTaken)
	}
	return err
}

// memo is the checkpoint directory of a job and its copy in the key-value store.
type memo struct {
	mu       sync.Mutex
	dir      string
	revision uint64            // of the copy
	files    map[string][]byte // as they were copied
	saved    time.Time
}

var snapshotFile = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9._-]{0,200}$`)

// recall writes the checkpoint of an earlier delivery into the directory. It
// saves it again, so that a worker that had the job before cannot.
func (t *task) recall(ctx context.Context) error {
	t.memo.mu.Lock()
	defer t.memo.mu.Unlock()
	entry, err := t.state.Get(ctx, "job."+t.record.hash)
	switch {
	case errors.Is(err, jetstream.ErrKeyNotFound):
		t.memo.files = make(map[string][]byte)
	case err != nil:
		return fmt.Errorf("%w: %w", errStore, err)
	default:
		t.memo.revision = entry.Revision()
		if t.memo.files, err = unpack(entry.Value()); err != nil {
			t.log.Warn("ingest: checkpoint ignored", "key", t.job.Key, "error", err)
			t.memo.files = make(map[string][]byte)
		}
	}
	for name, data := range t.memo.files {
		if err := os.WriteFile(filepath.Join(t.memo.dir, name), data, 0o600); err != nil {
			return fmt.Errorf("%w: %w", upload.ErrCheckpoint, err)
		}
	}
	return t.store(ctx)
}

// memorize copies the directory to the key-value store if it has changed. Parts
// that were added to a file are copied every few seconds only.
func (t *task) memorize(ctx context.Context, part bool) error {
	if t.memo.dir == "" || ctx.Err() != nil {
		return nil // a registration has none; a request that is canceled fails by itself
	}
	t.memo.mu.Lock()
	defer t.memo.mu.Unlock()
	if part && time.Since(t.memo.saved) < lazySave && !t.replaced() {
		return nil
	}
	files, err := readFiles(t.memo.dir)
	if err != nil {
		return err
	}
	if same(files, t.memo.files, true) {
		return nil
	}
	if part && time.Since(t.memo.saved) < lazySave && same(files, t.memo.files, false) {
		return nil
	}
	was := t.memo.files
	t.memo.files = files
	if err := t.store(ctx); err != nil {
		t.memo.files = was
		return err
	}
	return nil
}

// replaced reports whether a file was written anew, and not only extended.
func (t *task) replaced() bool {
	entries, err := os.ReadDir(t.memo.dir)
	if err != nil {
		return true
	}
	n := 0
	for _, e := range entries {
		if !kept(e.Name()) {
			continue
		}
		n++
		old, known := t.memo.files[e.Name()]
		if !known {
			return true
		}
		head, err := readHead(filepath.Join(t.memo.dir, e.Name()), len(old))
		if err != nil || !bytes.Equal(head, old) {
			return true
		}
	}
	return n != len(t.memo.files)
}

func readHead(name string, n int) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, int64(n)))
}

// store writes the copy. memo.mu is held.
func (t *task) store(ctx context.Context) error {
	text, err := pack(t.memo.files)
	if err != nil {
		return err
	}
	if limit := min(int64(maxSnapshot), t.nc.MaxPayload()-1<<10); int64(len(text)) > limit {
		if t.memo.revision > 0 && !t.memo.saved.IsZero() {
			return nil // the older copy still has the asset and the upload ID: parts are sent again
		}
		return fmt.Errorf("%w: its copy has %d bytes, at most %d are possible", upload.ErrCheckpoint, len(text), limit)
	}
	revision, err := t.state.Update(ctx, "job."+t.record.hash, text, t.memo.revision)
	if isMismatch(err) {
		entry, unknown := t.state.Get(ctx, "job."+t.record.hash)
		if unknown != nil || !bytes.Equal(entry.Value(), text) {
			t.cancel(errTaken)
			return errTaken
		}
		revision, err = entry.Revision(), nil // the response was lost
	}
	if err == nil {
		t.memo.revision, t.memo.saved = revision, time.Now()
	}
	return err
}

// forget removes the copy of a job that is done.
func (t *task) forget(ctx context.Context) {
	if t.memo.dir == "" {
		return
	}
	if err := t.erase(ctx, "job."+t.record.hash); err != nil {
		t.log.Debug("ingest: checkpoint of a completed job not removed", "key", t.job.Key, "error", err)
	}
}

// kept reports whether a file of a checkpoint directory is copied: not locks, and
// not the list of completed uploads.
func kept(name string) bool {
	return snapshotFile.MatchString(name) && !strings.HasSuffix(name, ".lock") && !strings.HasSuffix(name, ".jsonl")
}

func readFiles(dir string) (map[string][]byte, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	files := make(map[string][]byte)
	for _, e := range entries {
		if !kept(e.Name()) {
			continue
		}
		data, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if errors.Is(err, fs.ErrNotExist) {
			continue // renamed meanwhile
		}
		if err != nil {
			return nil, err
		}
		files[e.Name()] = data
	}
	return files, nil
}

// same compares two directories. Files of a may be longer unless exactly is set.
func same(a, b map[string][]byte, exactly bool) bool {
	if len(a) != len(b) {
		return false
	}
	for name, data := range a {
		old, ok := b[name]
		if !ok || !bytes.HasPrefix(data, old) || exactly && len(data) != len(old) {
			return false
		}
	}
	return true
}

func pack(files map[string][]byte) ([]byte, error) {
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	err := json.NewEncoder(z).Encode(files)
	if closed := z.Close(); err == nil {
		err = closed
	}
	return out.Bytes(), err
}

func unpack(text []byte) (map[string][]byte, error) {
	z, err := gzip.NewReader(bytes.NewReader(text))
	if err != nil {
		return nil, err
	}
	limited := &io.LimitedReader{R: z, N: maxRestored}
	var files map[string][]byte
	if err := json.NewDecoder(limited).Decode(&files); err != nil {
		return nil, errors.New("not a checkpoint")
	}
	for name := range files {
		if !kept(name) {
			return nil, fmt.Errorf("a file %.40q", name)
		}
	}
	return files, nil
}
