package upload

import (
	"fmt"

	"github.com/alimedia/alimedia-go/upload/internal/checkpoint"
)

// ErrDuplicate means that another upload of this Uploader is writing the same
// object of a bucket, or that an earlier job of this batch has written it or is
// the same upload. Nothing was sent.
var ErrDuplicate = checkpoint.ErrDuplicate

// claim reserves the destination of the upload. completed means that the upload
// was completed before. release keeps the reservation of a batch if the upload
// is done.
func (r *run) claim(in *input, saved checkpoint.Checkpoint, completed bool) (release func(done bool), err error) {
	release = func(bool) {}
	object := r.target.object(in.file.name)
	if batch := r.options.batch; batch != nil {
		_, unsaved := saved.(checkpoint.None)
		release, err = batch.Claim(object, r.uploadName(in), completed, !unsaved)
	}
	if err != nil || completed || object == "" {
		return release, err
	}
	undo := release
	unlock, err := r.claims.Claim(object)
	if err != nil {
		undo(false)
		return nil, err
	}
	return func(done bool) {
		undo(done)
		unlock()
	}, nil
}

// uploadName identifies the upload in its batch. It is empty if the source
// cannot be identified.
func (r *run) uploadName(in *input) string {
	k := r.key(in)
	switch {
	case k.UserKey != "":
		return k.Name()
	case k.Source != "":
		return k.Name() + fmt.Sprintf(" %v", in.identity)
	}
	return ""
}
