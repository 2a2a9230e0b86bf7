package upload

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"maps"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/alimedia/alimedia-go/internal/retry"
	"github.com/alimedia/alimedia-go/upload/internal/ossobject"
	"github.com/alimedia/alimedia-go/upload/internal/transfer"
)

// Reasons that have to do with a checkpoint, to be found with errors.Is.
var (
	// ErrCheckpointLocked: another process or goroutine is at the same upload.
	ErrCheckpointLocked = errors.New("the upload is under way elsewhere, its checkpoint is locked")
	// ErrCheckpoint: there is no checkpoint, and WithCheckpointRequired or
	// WithKey needs one.
	ErrCheckpoint = errors.New("the upload has no checkpoint")
	// ErrKeyReused: an upload with this key is finished, and its content is
	// another. Only WithVerifyContent tells.
	ErrKeyReused = errors.New("the key names a finished upload of other content")
	// ErrNotResumable: an earlier run made an asset whose upload credential
	// ended with its process, and the service does not issue another. A new
	// upload is a new asset: WithRecreate allows it.
	ErrNotResumable = errors.New("the earlier upload cannot be resumed")
)

// WithCheckpoint keeps in dir how far the upload is. Another call for the same
// upload, in this process or a later one, continues where this one stopped:
// with the same MediaId, with the parts that are stored, and without a second
// registration. Once an upload has succeeded, every further call returns the
// earlier [Result] with AlreadyUploaded set and sends nothing.
//
// An upload is the same when all of these are:
//   - the account that the credentials belong to, as STS says (see
//     [Config].CheckpointScope), whatever keys, user or role sign;
//   - the kind of target, its region, application, storage location, the asset
//     that a stream is for, the ReferenceId of a [VODVideo], the bucket and key
//     of a [Bucket] and the kind of its registration;
//   - the key of [WithKey], or else the absolute path, size and modification
//     time of the file.
//
// Title, tags, category, template, workflow and user data are no part of it.
// Without a key a source other than [File], [HLS] and what says so itself
// cannot be recognized; it is uploaded without a checkpoint.
//
// The directory is made if it is missing. It and its files must belong to this
// user and be writable by nobody else, and no file may be a link; what is not
// so is not believed. Files have mode 0600 and hold no secret; URLs are kept
// without their query. A file of less than 10 KiB, and 100 bytes for each
// part, describes an upload that is not finished. The list finished.jsonl
// describes the finished ones, see [Uploader.UploadAll]. To upload everything
// again, as new assets, use another directory or remove that file.
//
// A checkpoint that cannot be read, written or believed is logged, and the
// upload continues without it, unless [WithCheckpointRequired] is given. While
// an upload runs its checkpoint is locked, see [ErrCheckpointLocked]. The lock
// holds between machines that share a file system with locks.
//
// After a failure the checkpoint and the parts stay. ApsaraVideo VOD removes
// parts after 7 days; then they are sent again under the same MediaId. A
// VODImage, VODAttachedMedia or ICEStream continues when its object has
// arrived; before that it fails with [ErrNotResumable] where the service
// issues no other credential.
//
// When a process dies after the service has created an asset and before the
// answer arrives, nothing knows the MediaId and the next run creates another
// asset. A VODVideo with a ReferenceId is found even then.
func WithCheckpoint(dir string) Option {
	return func(o *options) { o.checkpoint.dir = dir }
}

// WithCheckpointRequired makes an upload fail with [ErrCheckpoint] that has no
// checkpoint: no directory was given, the source cannot be recognized, the
// directory or a file in it is not to be believed, the account is not known, or
// writing fails. All but a later failure to write is found before an asset is
// created.
func WithCheckpointRequired() Option {
	return func(o *options) { o.checkpoint.required = true }
}

// WithRecreate starts again with a new asset where the one of an earlier run
// cannot be continued. Without it such an upload is [ErrNotResumable].
func WithRecreate() Option {
	return func(o *options) { o.checkpoint.recreate = true }
}

// WithKey names the upload, such as "order-4711": with the same checkpoint
// directory, uploads of one key, target and account make one asset, whatever
// the path of the file and for every source, over processes and machines. A
// key has at most 1,024 bytes.
//
// What is stored under a key stays. While an upload is not finished, parts
// that differ from those of an earlier run are sent again to the same asset.
// Once it is finished, the earlier Result is returned, whatever the source
// holds by then; [WithVerifyContent] makes other content an error.
//
// A VODVideo without ReferenceId gets the key as its ReferenceId when it has 6
// to 64 letters, digits, "-" and "_"; then it is found without a checkpoint
// directory, too. For every other target a key needs [WithCheckpoint], and a
// checkpoint that cannot be kept is an error as with [WithCheckpointRequired].
func WithKey(key string) Option {
	return func(o *options) { o.key = key }
}

// WithMediaId uploads into an asset that was created before, with a credential
// from RefreshUploadVideo or RefreshUploadMedia. The target is a [VODVideo] or
// an [ICEMedia], of which nothing else is used. An asset that has a file gets
// this one in its place.
func WithMediaId(id string) Option {
	return func(o *options) { o.mediaId = id }
}

// WithVerifyContent compares the CRC-64 of the whole source with that of the
// finished upload before its Result is returned as AlreadyUploaded. Other
// content is another upload, which makes a new asset; with [WithKey] it is
// [ErrKeyReused]. The source is read once more for it. A [Reader], which can
// be read once, and a playlist are errors.
func WithVerifyContent() Option {
	return func(o *options) { o.verify = true }
}

type checkpointOptions struct {
	dir      string
	required bool
	recreate bool
}

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
	checkpointVersion = 2
	maxCheckpoint     = 8 << 20            // bytes; 10,000 parts have less than 2 MB
	partsLife         = 7 * 24 * time.Hour // how long the service keeps parts
)

// record is the first line of a checkpoint. A line for each part follows.
type record struct {
	Version   int               `json:"checkpoint"`
	Step      step              `json:"step"`
	Source    identity          `json:"source"`
	Created   time.Time         `json:"created"`
	Token     string            `json:"token"` // names the upload to operations that must not be done twice
	MediaId   string            `json:"mediaId,omitempty"`
	FileURL   string            `json:"fileURL,omitempty"`
	MediaURL  string            `json:"mediaURL,omitempty"`
	RequestId string            `json:"requestId,omitempty"`
	Address   ossobject.Address `json:"address,omitzero"`
	UploadId  string            `json:"uploadId,omitempty"`
	Initiated time.Time         `json:"initiated,omitzero"`
	PartSize  int64             `json:"partSize,omitempty"`
	Strays    bool              `json:"strays,omitempty"` // there may be other multipart uploads, whose IDs never arrived
	ETag      string            `json:"etag,omitempty"`
	Size      int64             `json:"size,omitempty"`
	CRC64     uint64            `json:"crc64,omitempty"`
	Already   bool              `json:"alreadyRegistered,omitempty"`
	Asked     time.Time         `json:"asked,omitzero"` // when the service was last asked to register the object
	Parts     int               `json:"parts"`          // lines that follow and were written with this one
}

type partRecord struct {
	Number int    `json:"part"`
	ETag   string `json:"etag"`
	Size   int64  `json:"size"`
	CRC64  uint64 `json:"crc64"`
}

// parseCheckpoint reads a checkpoint. A line that was not written to its end
// is left out, with all that follows.
func parseCheckpoint(data []byte) (record, map[int]transfer.Part, error) {
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
	parts := make(map[int]transfer.Part)
	for {
		line, more, ok := bytes.Cut(rest, []byte("\n"))
		var p partRecord
		if !ok || json.Unmarshal(line, &p) != nil || p.Number < 1 || p.Number > transfer.MaxParts || p.Size < 1 || p.Size > transfer.MaxPartSize || p.ETag == "" {
			return r, parts, nil
		}
		parts[p.Number] = transfer.Part{Number: p.Number, ETag: p.ETag, Size: p.Size, CRC64: p.CRC64}
		rest = more
	}
}

// clamp makes times that are not over yet those of now: a clock was set back.
func (r *record) clamp(now time.Time) {
	for _, t := range []*time.Time{&r.Created, &r.Initiated, &r.Asked} {
		if t.After(now) {
			*t = now
		}
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
	if r.Address != (ossobject.Address{}) {
		endpoint, err := ossobject.ParseEndpoint(r.Address.Endpoint)
		if err != nil {
			return err
		}
		r.Address.Endpoint = endpoint
		if err := ossobject.CheckName(r.Address.Bucket, r.Address.Key); err != nil {
			return err
		}
	} else if r.Step != stepCreating && r.MediaId == "" {
		return errors.New("neither address nor MediaId")
	}
	if (r.Step == stepStored || r.Step == stepDone) && r.Size < 1 {
		return fmt.Errorf("an object of %d bytes", r.Size)
	}
	if r.UploadId != "" && (r.PartSize < transfer.MinPartSize || r.PartSize > transfer.MaxPartSize) {
		return fmt.Errorf("parts of %d bytes", r.PartSize)
	}
	return nil
}

// journal is the checkpoint of a running upload. A nil journal records
// nothing.
type journal struct {
	dir      *stateDir
	name     string // of its files, without their ends
	required bool
	log      *slog.Logger
	unlock   func(remove bool)

	mu      sync.Mutex
	rec     record
	parts   map[int]transfer.Part
	earlier bool     // rec is of an earlier run
	file    *os.File // for parts to be added; nil when the last writing failed
	warned  bool
}

// Ends of the names of an upload's files.
const (
	uploadEnd = ".upload" // its checkpoint
	tempEnd   = ".upload.tmp"
	lockEnd   = ".lock"
)

// path is the checkpoint as logs show it.
func (j *journal) path() string { return j.dir.file(j.name + uploadEnd) }

// openJournal locks the checkpoint and reads it. An earlier run may have kept
// it under one of the other names.
func openJournal(dir *stateDir, names []string, o checkpointOptions, source identity, log *slog.Logger) (_ *journal, err error) {
	j := &journal{dir: dir, name: names[0], required: o.required, log: log}
	if j.unlock, err = dir.lock(j.name + lockEnd); err != nil {
		return nil, err
	}
	for _, other := range names[1:] {
		if err == nil {
			err = j.takeName(other)
		}
	}
	if err == nil {
		err = j.read()
	}
	if err != nil {
		j.unlock(!dir.has(j.name+uploadEnd) && !dir.has(j.name+tempEnd))
		return nil, err
	}
	if !j.earlier {
		j.start(source)
	}
	return j, nil
}

// takeName gives the checkpoint of another name this one's, unless there is
// one already.
func (j *journal) takeName(other string) error {
	if !j.dir.has(other+uploadEnd) && !j.dir.has(other+tempEnd) || j.dir.has(j.name+uploadEnd) || j.dir.has(j.name+tempEnd) {
		return nil
	}
	unlock, err := j.dir.lock(other + lockEnd)
	if err != nil {
		return err
	}
	defer unlock(true)
	for _, name := range j.dir.segmentsOf(other) {
		if err := j.dir.root.Rename(name, j.name+strings.TrimPrefix(name, other)); err != nil {
			return err
		}
	}
	for _, end := range []string{segmentsEnd, tempEnd, uploadEnd} {
		if err := j.dir.root.Rename(other+end, j.name+end); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	j.dir.sync()
	return nil
}

// read takes over what an earlier run has written. A file that was written and
// did not get its name yet is the newer one.
func (j *journal) read() error {
	newer, parts, err := j.load(tempEnd)
	rec, old, olderErr := j.load(uploadEnd)
	switch {
	case err == nil:
		if olderErr == nil && rec.UploadId == newer.UploadId && len(parts) < newer.Parts {
			maps.Copy(old, parts) // it was not written to its end
			parts = old
		}
		j.rec, j.parts, j.earlier = newer, parts, true
		if err := j.dir.root.Rename(j.name+tempEnd, j.name+uploadEnd); err != nil {
			return err
		}
		j.dir.sync()
		return nil
	case errors.Is(err, errForeign):
		return err
	case errors.Is(olderErr, errForeign):
		return olderErr
	}
	if !errors.Is(err, fs.ErrNotExist) {
		_ = j.dir.root.Remove(j.name + tempEnd) // of a process that died while it wrote
	}
	if olderErr == nil {
		j.rec, j.parts, j.earlier = rec, old, true
	} else if !errors.Is(olderErr, fs.ErrNotExist) {
		j.log.Warn("upload: checkpoint ignored, starting anew", "file", j.path(), "error", olderErr)
	}
	return nil
}

func (j *journal) load(end string) (record, map[int]transfer.Part, error) {
	data, err := j.dir.read(j.name+end, maxCheckpoint)
	if err != nil {
		return record{}, nil, err
	}
	rec, parts, err := parseCheckpoint(data)
	rec.clamp(time.Now().UTC())
	return rec, parts, err
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
	j.parts, j.earlier = make(map[int]transfer.Part), false
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
	j.rec.FileURL, j.rec.MediaURL = unsigned(j.rec.FileURL), unsigned(j.rec.MediaURL)
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
func (j *journal) keep(parts []transfer.Part) error {
	return j.update(func(r *record) {
		clear(j.parts)
		for _, p := range parts {
			j.parts[p.Number] = p
		}
		if parts == nil {
			r.UploadId, r.PartSize, r.Step = "", 0, stepSending
			j.earlier = false
		}
	})
}

// drop forgets the parts of an earlier run. Its asset stays.
func (j *journal) drop() error {
	return j.update(func(r *record) {
		clear(j.parts)
		if r.UploadId != "" {
			r.UploadId, r.PartSize, r.Step = "", 0, stepSending
		}
	})
}

// add records a part. That costs one line, however many there are.
func (j *journal) add(p transfer.Part) error {
	if j == nil {
		return nil
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	j.parts[p.Number] = p
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

func partLine(p transfer.Part) ([]byte, error) {
	line, err := json.Marshal(partRecord{p.Number, p.ETag, p.Size, p.CRC64})
	return append(line, '\n'), err
}

// write replaces the file at once and leaves it open for parts.
func (j *journal) write() (err error) {
	j.closeFile()
	j.rec.Parts = len(j.parts)
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
	err = j.dir.write(j.name+tempEnd, text)
	if errors.Is(err, fs.ErrExist) { // it could not be renamed before
		_ = j.dir.root.Remove(j.name + tempEnd)
		err = j.dir.write(j.name+tempEnd, text)
	}
	if err == nil {
		err = j.dir.root.Rename(j.name+tempEnd, j.name+uploadEnd)
	}
	if err != nil {
		return err
	}
	j.dir.sync()
	j.file, err = j.dir.open(j.name+uploadEnd, os.O_WRONLY|os.O_APPEND)
	return err
}

// failed is what becomes of the upload when its checkpoint cannot be written.
func (j *journal) failed(err error) error {
	j.closeFile()
	if j.required {
		return retry.Permanent(fmt.Errorf("%w: %w", ErrCheckpoint, err))
	}
	if !j.warned {
		j.warned = true
		j.log.Warn("upload: checkpoint not written, the upload goes on and could not be resumed", "file", j.path(), "error", err)
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
		for _, end := range []string{tempEnd, uploadEnd} {
			if err := j.dir.root.Remove(j.name + end); err != nil && !errors.Is(err, fs.ErrNotExist) {
				j.log.Warn("upload: checkpoint not removed", "file", j.path(), "error", err)
			}
		}
	}
	j.unlock(!j.dir.has(j.name+uploadEnd) && !j.dir.has(j.name+tempEnd)) // a lock of nothing is of no use
	j.dir.close()
}
