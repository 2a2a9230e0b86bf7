package upload

import (
	"errors"
	"fmt"
	"regexp"
	"unicode/utf8"

	"github.com/alimedia/alimedia-go/upload/internal/checkpoint"
)

// key is what the upload is known by, but for its owner.
func (r *run) key(target binding, o options) checkpoint.Key {
	k := checkpoint.Key{Target: target.name(), UserKey: o.key}
	k.Region = target.signer().region
	target.describe(r.file, &k)
	if o.mediaId != "" {
		k.Asset = o.mediaId
	}
	if k.UserKey == "" {
		k.Source, k.Query = r.content.identity.Source, r.content.identity.Query
	} else {
		k.ReferenceID = ""
	}
	return k
}

const defaultApp = "app-1000000" // of VOD and ICE where none is given

const maxUserKey = 1 << 10 // bytes

// referenceID is what ApsaraVideo VOD takes as a ReferenceId.
var referenceID = regexp.MustCompile(`^[A-Za-z0-9_-]{6,64}$`)

// check refuses options that cannot be kept, before anything is created.
func (o *options) check(target binding) error {
	named := target.lookup() != nil
	switch {
	case len(o.key) > maxUserKey || !utf8.ValidString(o.key):
		return fmt.Errorf("upload.WithKey: a key is text of at most %d bytes", maxUserKey)
	case o.key != "" && o.checkpoint.dir == "" && !named:
		return errors.New("upload.WithKey needs WithCheckpoint: only a VODVideo whose key can be its ReferenceId is found without a directory")
	}
	if o.key != "" && !named {
		o.checkpoint.required = true // without a checkpoint the key would make a second asset
	}
	return nil
}
