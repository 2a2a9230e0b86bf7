package upload

import (
	"errors"
	"fmt"
	"regexp"
	"unicode/utf8"

	"github.com/alimedia/alimedia-go/upload/internal/checkpoint"
)

// key returns the key of the upload, without its owner.
func (r *run) key(in *input) checkpoint.Key {
	target, o := r.target, &r.options
	k := checkpoint.Key{Target: target.name(), UserKey: o.key}
	k.Region = target.signer().region
	target.describe(in.file, &k)
	if o.mediaID != "" {
		k.Asset = o.mediaID
	}
	if k.UserKey == "" {
		k.Source, k.Query = in.identity.Source, in.identity.Query
	} else {
		k.ReferenceID = ""
	}
	return k
}

const defaultApp = "app-1000000" // of VOD and ICE if none is set

const maxUserKey = 1 << 10 // bytes

// referenceID matches what ApsaraVideo VOD accepts as a ReferenceId.
var referenceID = regexp.MustCompile(`^[A-Za-z0-9_-]{6,64}$`)

// check returns an error if the options contradict each other or the target. It
// runs before anything is created.
func (o *options) check(target binding) error {
	named := target.lookup() != nil
	switch {
	case len(o.key) > maxUserKey || !utf8.ValidString(o.key):
		return fmt.Errorf("upload.WithKey: a key is text of at most %d bytes", maxUserKey)
	case o.key != "" && o.checkpoint.dir == "" && !named:
		return errors.New("upload.WithKey needs WithCheckpoint: without a directory only a VODVideo is recognized, by a key that can be its ReferenceId")
	}
	if o.key != "" && !named {
		o.checkpoint.required = true // without a checkpoint the next run would create another asset
	}
	return nil
}
