package upload

import (
	"errors"

	"github.com/alimedia/alimedia-go/upload/internal/checkpoint"
)

// Errors of checkpoints. Test for them with errors.Is.
var (
	// ErrCheckpointLocked means that another process or goroutine is working on
	// the same upload.
	ErrCheckpointLocked = checkpoint.ErrLocked
	// ErrCheckpoint means that a required checkpoint is not available: see
	// WithCheckpointRequired and WithKey.
	ErrCheckpoint = checkpoint.ErrUnavailable
	// ErrKeyReused means that an upload with this key was completed with other
	// content. Only WithVerifyContent detects it.
	ErrKeyReused = errors.New("the key belongs to a completed upload with other content")
	// ErrNotResumable means that an earlier run created an asset whose upload
	// credential is lost, and that the service does not issue another one.
	// WithRecreate allows a new upload, which creates a new asset.
	ErrNotResumable = errors.New("the earlier upload cannot be resumed")
)

// WithCheckpoint saves the progress of the upload in the directory dir. If the
// upload is interrupted, the next call for the same upload resumes it, in this
// process or in another one: it keeps the MediaId, sends only missing parts, and
// does not register the object twice. After the upload is completed, further
// calls send nothing. They return the earlier [Result] with AlreadyUploaded set.
//
// Two calls are for the same upload if all of the following are equal:
//   - The account that owns the credentials. It does not matter which access
//     key, user or role signs. The account comes from STS, unless
//     [Config].CheckpointScope is set.
//   - The kind of target, its region, its application and its storage location;
//     the asset that a stream is for; the ReferenceId of a [VODVideo]; the
//     bucket, the object key and the kind of registration of a [Bucket].
//   - The key that [WithKey] sets. Without a key: the absolute path, the size
//     and the modification time of a file; for a playlist, those of all its
//     files; for a file on a web server, its URL and its ETag or Last-Modified.
//
// Other fields of the target do not matter: title, tags, category, template,
// workflow and user data. A source that cannot be recognized in a later run,
// such as a [Reader] without a key, is uploaded without a checkpoint.
//
// The directory is created if it does not exist. The directory and its files
// must belong to this user, other users must not be able to write to them, and
// the files must not be links. Files have mode 0600. They hold no credentials,
// and URLs are saved without their query. The checkpoint of an upload takes less
// than 10 KiB and about 100 bytes for each part. It is removed when the upload is
// completed. Completed uploads are listed in the file finished.jsonl, see
// [Uploader.UploadAll]. To upload everything again as new assets, use another
// directory or remove that file.
//
// If a checkpoint cannot be read, written or trusted, that is logged and the
// upload continues without it. [WithCheckpointRequired] makes it an error. The
// checkpoint is locked during the upload, see [ErrCheckpointLocked]. The lock
// also works between machines if they share a file system that supports locks.
//
// After a failure the checkpoint and the stored parts are kept. ApsaraVideo VOD
// removes the parts after 7 days. They are then sent again for the same MediaId.
// The upload of a [VODImage], a [VODAttachedMedia] or an [ICEStream] can be
// resumed if all of its bytes are stored. If bytes are missing and the service
// does not refresh the upload credential, it fails with [ErrNotResumable].
//
// If the process exits after the service creates the asset and before the
// response arrives, the MediaId is lost and the next run creates another asset.
// To prevent this, set the ReferenceId of a VODVideo.
func WithCheckpoint(dir string) Option {
	return func(o *options) { o.checkpoint.dir = dir }
}

// WithCheckpointRequired makes an upload without a checkpoint fail with
// [ErrCheckpoint]. That is the case if no directory is set, if the source cannot
// be recognized, if the directory or one of its files cannot be trusted, if the
// account is not known, or if the checkpoint cannot be written. The checks run
// before an asset is created. A write that fails later fails the upload, and the
// next run resumes it from what was written before.
func WithCheckpointRequired() Option {
	return func(o *options) { o.checkpoint.required = true }
}

// WithRecreate creates a new asset if the asset of an earlier run cannot be
// resumed. Without it such an upload fails with [ErrNotResumable].
func WithRecreate() Option {
	return func(o *options) { o.checkpoint.recreate = true }
}

// WithKey identifies the upload by a key of yours, such as "order-4711", instead
// of by its source. Uploads with the same key, target, account and checkpoint
// directory create one asset, whatever their source is, also in other processes
// and on other machines. A key is at most 1,024 bytes of UTF-8.
//
// The first completed upload of a key determines the content. Until then, an
// upload with other content continues with the same asset and sends the parts
// that differ. Afterwards, the earlier [Result] is returned whatever the source
// holds. [WithVerifyContent] makes other content an error.
//
// A [VODVideo] without a ReferenceId uses the key as its ReferenceId if the key
// consists of 6 to 64 letters, digits, hyphens and underscores. Such an upload
// is recognized without a checkpoint directory. For all other targets and keys,
// WithKey needs [WithCheckpoint] and includes [WithCheckpointRequired].
func WithKey(key string) Option {
	return func(o *options) { o.key = key }
}

// WithMediaId uploads the file of an asset that exists already. The upload
// credential comes from RefreshUploadVideo or RefreshUploadMedia. The target must
// be a [VODVideo] or an [ICEMedia], and its fields are not used. If the asset has
// a file, it is replaced.
func WithMediaId(id string) Option {
	return func(o *options) { o.mediaID = id }
}

// WithVerifyContent compares the CRC-64 of the source with that of the completed
// upload before it returns the earlier [Result]. If the content differs, the file
// is uploaded again as a new asset. With [WithKey] the upload fails with
// [ErrKeyReused] instead. The comparison reads the whole source, so a [Reader] or
// a playlist is an error.
func WithVerifyContent() Option {
	return func(o *options) { o.verify = true }
}

type checkpointOptions struct {
	dir      string
	required bool
	recreate bool
}
