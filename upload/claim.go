package upload

import (
	"fmt"

	"github.com/alimedia/alimedia-go/upload/internal/checkpoint"
)

// ErrDuplicate means that another upload of this Uploader is writing the same
// object of a bucket, or that an earlier job of this batch has written it or is
// the same upload. Nothing was sent.
var ErrDuplicate = checkpoint.ErrDuplicate

// claim reserves the objects of the upload. completed means that the upload
// was completed before. release keeps the reservation of a batch if the upload
// is done.
func (r *run) claim(in *input, saved checkpoint.Checkpoint, completed bool) (release func(done bool), err error) {
	var undo []func(done bool)
	release = func(done bool) {
		for _, f := range undo {
			f(done)
		}
	}
	_, unsaved := saved.(checkpoint.None)
	for _, object := range r.objects(in) {
		if batch := r.options.batch; batch != nil {
			end, err := batch.Claim(object, r.uploadName(in), completed, !unsaved)
			if err != nil {
				release(false)
				return nil, err
			}
			undo = append(undo, end)
		}
		if completed || object == "" {
			continue
		}
		unlock, err := r.claims.Claim(object)
		if err != nil {
			release(false)
			return nil, err
		}
		undo = append(undo, func(bool) { unlock() })
	}
	return release, nil
}

// objects are the objects that the upload writes: that of the file and those of
// its segments. It is one empty name if the service chooses them.
func (r *run) objects(in *input) []string {
	object := r.target.object(in.file.name)
	all := []string{object}
	if object != "" {
		for name := range in.segments.names() {
			all = append(all, segmentPrefix(object)+name)
		}
	}
	return all
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
