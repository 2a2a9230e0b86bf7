package upload

import (
	"errors"

	"github.com/alimedia/alimedia-go/upload/internal/checkpoint"
)

// Reasons that have to do with a checkpoint, to be found with errors.Is.
var (
	// ErrCheckpointLocked: another process or goroutine is at the same upload.
	ErrCheckpointLocked = checkpoint.ErrLocked
	// ErrCheckpoint: there is no checkpoint, and WithCheckpointRequired or
	// WithKey needs one.
	ErrCheckpoint = checkpoint.ErrUnavailable
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
