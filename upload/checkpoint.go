package upload

import (
	"bytes"
	"context"
	"crypto/rand"
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
	"strings"
	"sync"
	"time"

	"github.com/alimedia/alimedia-go"
	"github.com/alimedia/alimedia-go/credentials"
)

// Reasons that have to do with a checkpoint, to be found with errors.Is.
var (
	// ErrCheckpointLocked: another process or goroutine is at the same upload.
	ErrCheckpointLocked = errors.New("the upload is under way elsewhere, its checkpoint is locked")
	// ErrCheckpoint: the checkpoint cannot be written and
	// WithCheckpointRequired was given.
	ErrCheckpoint = errors.New("the checkpoint cannot be written")
	// ErrNotResumable: an earlier run made an asset whose upload credential
	// ended with its process, and the service does not issue another. A new
	// upload is a new asset: WithRecreate allows it.
	ErrNotResumable = errors.New("the earlier upload cannot be resumed")
)

// WithCheckpoint records in dir how far the upload is, so that another call
// with the same file and target, in this process or a later one, goes on where
// this one stopped: with the same MediaId, with the parts that the store has,
// and without a second registration. dir is made if it is not there.
//
// There is one file of mode 0600 per upload, without a secret in it, and it is
// removed after success; [Uploader.UploadAll] keeps a list then. It counts for
// the same absolute path, size, modification time, inode, region, account and
// target; accounts are told apart by their AccessKey, temporary credentials not
// at all. A checkpoint that cannot be read is ignored, one that cannot be
// written makes no difference to the upload; both are logged. While an upload
// runs its checkpoint is locked: see [ErrCheckpointLocked].
//
// When an upload fails or ctx ends, checkpoint and parts stay. The store is
// asked to remove parts only when they are of no more use; ApsaraVideo VOD
// removes them after 7 days, then they are sent again under the same MediaId.
// A VODImage, VODAttachedMedia or ICEStream is gone on with when its object has
// arrived, before that it is [ErrNotResumable] where the service issues no
// other credential.
//
// Only a [File] and an [HLS] playlist with all that it names can be recognised
// again; other sources are uploaded without a checkpoint. The slices of a
// playlist are recorded in a second file. One moment cannot be bridged: when a
// process dies between the service's making of an asset and the arrival of the
// answer, nobody knows the MediaId. A VODVideo with a ReferenceId is found even
// then.
func WithCheckpoint(dir string) Option {
	return func(o *options) { o.checkpoint.dir = dir }
}

// WithCheckpointRequired makes an upload fail that cannot write its
// checkpoint, with [ErrCheckpoint]. It is written once before an asset is made.
func WithCheckpointRequired() Option {
	return func(o *options) { o.checkpoint.required = true }
}

// WithRecreate starts again with a new asset where the one of an earlier run
// cannot be resumed. Without it such an upload is [ErrNotResumable].
func WithRecreate() Option {
	return func(o *options) { o.checkpoint.recreate = true }
}

type checkpointOptions struct {
	dir      string
	required bool
	recreate bool
	ledger   *ledger // of UploadAll
}

// identity is what a source is recognised by.
type identity struct {
	Source  string `json:"source"`  // where it is; empty when it cannot be recognised
	Version string `json:"version"` // what it is, as of now
}

// fileIdentity describes a file on disk.
func fileIdentity(name string, info fs.FileInfo) identity {
	path, err := filepath.Abs(name)
	if err != nil {
		return identity{}
	}
	return identity{path, fmt.Sprintf("%d bytes, %d, inode %d", info.Size(), info.ModTime().UnixNano(), inode(info))}
}

// unknownFile is for files that could be anywhere.
func unknownFile(string, fs.FileInfo) identity { return identity{} }

// step is how far an upload is.
type step string

const (
	stepCreating   step = "creating"   // the service was asked for an asset
	stepSending    step = "sending"    // the place is known
	stepCompleting step = "completing" // the store has all parts
	stepStored     step = "stored"     // the object is there, it may be registered
	stepDone       step = "done"       // it is registered
)

const (
	checkpointVersion = 1
	maxCheckpoint     = 8 << 20            // bytes; 10,000 parts have less than 2 MB
	partsLife         = 7 * 24 * time.Hour // how long the service keeps parts
)

// record is the first line of a checkpoint. A line for each part follows.
type record struct {
	Version   int       `json:"checkpoint"`
	Step      step      `json:"step"`
	Source    identity  `json:"source"`
	Created   time.Time `json:"created"`
	Token     string    `json:"token"` // names the upload to operations that must not be done twice
	MediaId   string    `json:"mediaId,omitempty"`
	FileURL   string    `json:"fileURL,omitempty"`
	MediaURL  string    `json:"mediaURL,omitempty"`
	RequestId string    `json:"requestId,omitempty"`
	Address   address   `json:"address,omitzero"`
	UploadId  string    `json:"uploadId,omitempty"`
	Initiated time.Time `json:"initiated,omitzero"`
	PartSize  int64     `json:"partSize,omitempty"`
	ETag      string    `json:"etag,omitempty"`
	Size      int64     `json:"size,omitempty"`
	CRC64     uint64    `json:"crc64,omitempty"`
	Already   bool      `json:"alreadyRegistered,omitempty"`
	Asked     time.Time `json:"asked,omitzero"` // when the service was last asked to register the object
}

type partRecord struct {
	Number int    `json:"part"`
	ETag   string `json:"etag"`
	Size   int64  `json:"size"`
	CRC64  uint64 `json:"crc64"`
}

// parseCheckpoint reads a checkpoint. A line that was not written to its end
// is left out, with all that follows.
func parseCheckpoint(data []byte) (record, map[int]part, error) {
	if len(data) > maxCheckpoint {
		return record{}, nil, fmt.Errorf("more than %d bytes", maxCheckpoint)
	}
	line, rest, ok := bytes.Cut(data, []byte("\n"))
	if !ok {
		return record{}, nil, errors.New("empty or cut off")
	}
	var r record
	if err := json.Unmarshal(line, &r); err != nil {
		return record{}, nil, err
	}
	if err := r.check(); err != nil {
		return record{}, nil, err
	}
	parts := make(map[int]part)
	for {
		line, more, ok := bytes.Cut(rest, []byte("\n"))
		var p partRecord
		if !ok || json.Unmarshal(line, &p) != nil || p.Number < 1 || p.Number > maxParts || p.Size < 1 || p.Size > maxPart || p.ETag == "" {
			return r, parts, nil
		}
		parts[p.Number] = part{number: p.Number, etag: p.ETag, size: p.Size, crc: p.CRC64}
		rest = more
	}
}

// check refuses what this code did not write.
func (r *record) check() error {
	if r.Version != checkpointVersion {
		return fmt.Errorf("version %d, this is version %d", r.Version, checkpointVersion)
	}
	switch r.Step {
	case stepCreating, stepSending, stepCompleting, stepStored, stepDone:
	default:
		return fmt.Errorf("unknown step %.40q", r.Step)
	}
	if r.Address != (address{}) {
		endpoint, err := parseEndpoint(r.Address.Endpoint)
		if err != nil {
			return err
		}
		r.Address.Endpoint = endpoint
		if err := checkObject(r.Address.Bucket, r.Address.Key); err != nil {
			return err
		}
	} else if r.Step != stepCreating && r.MediaId == "" {
		return errors.New("neither address nor MediaId")
	}
	if (r.Step == stepStored || r.Step == stepDone) && r.Size < 1 {
		return fmt.Errorf("an object of %d bytes", r.Size)
	}
	if r.UploadId != "" && (r.PartSize < minPart || r.PartSize > maxPart) {
		return fmt.Errorf("parts of %d bytes", r.PartSize)
	}
	return nil
}

// journal is the checkpoint of a running upload. A nil journal records
// nothing.
type journal struct {
	path     string
	required bool
	log      *slog.Logger
	unlock   func(remove bool)

	mu      sync.Mutex
	rec     record
	parts   map[int]part
	earlier bool     // rec is of an earlier run
	file    *os.File // for parts to be added; nil when the last writing failed
	warned  bool
}

// openJournal locks the checkpoint and reads it.
func openJournal(o checkpointOptions, name string, source identity, log *slog.Logger) (*journal, error) {
	j := &journal{path: filepath.Join(o.dir, name+".upload"), required: o.required, log: log}
	err := os.MkdirAll(o.dir, 0o700)
	if err == nil {
		j.unlock, err = lockFile(filepath.Join(o.dir, name+".lock"))
	}
	if err != nil {
		if errors.Is(err, ErrCheckpointLocked) {
			return nil, err
		}
		return nil, j.failed(err)
	}
	_ = os.Remove(j.temp()) // of a process that died while it wrote
	j.read()
	if !j.earlier {
		j.start(source)
	}
	return j, nil
}

// read takes over what an earlier run has written.
func (j *journal) read() {
	data, err := readCheckpoint(j.path)
	if errors.Is(err, fs.ErrNotExist) {
		return
	}
	if err == nil {
		j.rec, j.parts, err = parseCheckpoint(data)
	}
	if err != nil {
		j.log.Warn("upload: checkpoint ignored, starting anew", "file", j.path, "error", err)
		return
	}
	j.earlier = true
}

func readCheckpoint(path string) ([]byte, error) {
	if err := checkRegular(path); err != nil {
		return nil, err
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, maxCheckpoint+1))
}

// checkRegular looks before a file is opened: a named pipe would wait.
func checkRegular(path string) error {
	info, err := os.Lstat(path)
	if err == nil && !info.Mode().IsRegular() {
		return errors.New("not a regular file")
	}
	return err
}

// start forgets what an earlier run has done.
func (j *journal) start(source identity) {
	if j == nil {
		return
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	var token [16]byte
	_, _ = rand.Read(token[:])
	j.rec = record{
		Version: checkpointVersion, Step: stepCreating, Source: source,
		Created: time.Now().UTC(), Token: hex.EncodeToString(token[:]),
	}
	j.parts, j.earlier = make(map[int]part), false
}

// state is a copy of the record, and whether it is of an earlier run.
func (j *journal) state() (record, bool) {
	if j == nil {
		return record{}, false
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.rec, j.earlier
}

// update changes the record and writes all anew.
func (j *journal) update(change func(*record)) error {
	if j == nil {
		return nil
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	change(&j.rec)
	if err := j.write(); err != nil {
		return j.failed(err)
	}
	return nil
}

// asked records that the service is asked to register the object at this time,
// or that it has refused.
func (j *journal) asked(at time.Time) error {
	return j.update(func(r *record) { r.Asked = at.UTC() })
}

// keep is the parts of an upload that are worth keeping, nil to forget it.
func (j *journal) keep(parts []part) error {
	return j.update(func(r *record) {
		clear(j.parts)
		for _, p := range parts {
			j.parts[p.number] = p
		}
		if parts == nil {
			r.UploadId, r.PartSize, r.Step = "", 0, stepSending
			j.earlier = false
		}
	})
}

// add records a part. That costs one line, however many there are.
func (j *journal) add(p part) error {
	if j == nil {
		return nil
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	j.parts[p.number] = p
	if j.file == nil {
		return nil
	}
	line, err := partLine(p)
	if err == nil {
		_, err = j.file.Write(line)
	}
	if err != nil {
		return j.failed(err)
	}
	return nil
}

func partLine(p part) ([]byte, error) {
	line, err := json.Marshal(partRecord{p.number, p.etag, p.size, p.crc})
	return append(line, '\n'), err
}

// temp is where the next state is written. The lock keeps others away from it.
func (j *journal) temp() string { return j.path + ".tmp" }

// write replaces the file at once and leaves it open for parts.
func (j *journal) write() (err error) {
	j.closeFile()
	text, err := json.Marshal(j.rec)
	if err != nil {
		return err
	}
	text = append(text, '\n')
	for _, p := range j.parts {
		line, err := partLine(p)
		if err != nil {
			return err
		}
		text = append(text, line...)
	}
	f, err := os.OpenFile(j.temp(), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	if _, err = f.Write(text); err == nil {
		err = f.Sync()
	}
	if closed := f.Close(); err == nil {
		err = closed
	}
	if err == nil {
		err = os.Rename(f.Name(), j.path)
	}
	if err != nil {
		_ = os.Remove(f.Name())
		return err
	}
	syncDir(filepath.Dir(j.path))
	j.file, err = os.OpenFile(j.path, os.O_WRONLY|os.O_APPEND, 0)
	return err
}

// syncDir makes a renaming last. Not all systems can.
func syncDir(dir string) {
	if d, err := os.Open(dir); err == nil {
		_ = d.Sync()
		_ = d.Close()
	}
}

// failed is what becomes of the upload when its checkpoint cannot be written.
func (j *journal) failed(err error) error {
	j.closeFile()
	if j.required {
		return fatal(fmt.Errorf("%w: %w", ErrCheckpoint, err))
	}
	if !j.warned {
		j.warned = true
		j.log.Warn("upload: checkpoint not written, the upload goes on and could not be resumed", "file", j.path, "error", err)
	}
	return nil
}

// lasts reports whether what was recorded is on disk.
func (j *journal) lasts() bool {
	if j == nil {
		return false
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.file != nil
}

func (j *journal) closeFile() {
	if j.file != nil {
		_ = j.file.Close()
		j.file = nil
	}
}

// close gives the checkpoint to others, or removes it.
func (j *journal) close(remove bool) {
	if j == nil {
		return
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	j.closeFile()
	if remove {
		if err := os.Remove(j.path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			j.log.Warn("upload: checkpoint not removed", "file", j.path, "error", err)
		}
	}
	_, err := os.Lstat(j.path)
	j.unlock(errors.Is(err, fs.ErrNotExist)) // a lock of nothing is of no use
}

// checkpointName is the name of the file for an upload: all that tells it from
// others, but for the state of the source.
func (u *Uploader) checkpointName(ctx context.Context, source identity, target Target) (string, error) {
	region, account, err := u.account(ctx, target)
	if err != nil {
		return "", err
	}
	key := []any{source.Source, region, account, kindOfTarget(target), target}
	if b, ok := target.(Bucket); ok {
		key = append(key, kindOfTarget(b.Register))
	}
	text, err := json.Marshal(key)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:16]), nil
}

func kindOfTarget(t any) string { return strings.TrimPrefix(fmt.Sprintf("%T", t), "*") }

// account is whose upload it is.
func (u *Uploader) account(ctx context.Context, target Target) (region, id string, err error) {
	var keys credentials.Provider
	look := func(c *alimedia.Config) { keys = c.Credentials }
	switch target.(type) {
	case VODVideo, VODImage, VODAttachedMedia:
		if u.cfg.VOD != nil {
			u.cfg.VOD.With(look)
			region = u.cfg.VOD.Region()
		}
	case Bucket:
		keys = u.cfg.Credentials
		region = u.cfg.OSSRegion
	default:
		if u.cfg.ICE != nil {
			u.cfg.ICE.With(look)
			region = u.cfg.ICE.Region()
		}
	}
	if keys == nil {
		return region, "", nil // which the target refuses
	}
	k, err := keys.Credentials(ctx)
	if err != nil {
		return "", "", fmt.Errorf("credentials: %w", err)
	}
	if k.SecurityToken != "" { // such keys change by the hour
		return region, "", nil
	}
	return region, k.AccessKeyId, nil
}
