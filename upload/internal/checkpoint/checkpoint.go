package checkpoint

import (
	"errors"
	"time"
)

// Reasons of a failed upload, to be found with errors.Is. Package upload
// documents them.
var (
	ErrLocked      = errors.New("the upload is in progress elsewhere: its checkpoint is locked")
	ErrUnavailable = errors.New("the upload has no checkpoint")
	ErrDuplicate   = errors.New("another upload has the same destination")
)

// Checkpoint remembers one upload for later runs. A [File] keeps it on disk,
// and [None] forgets it. PartStored may be called concurrently.
//
// If a checkpoint that is not required cannot be written, that is logged and
// the upload continues without it. The errors of the methods are those of a
// required checkpoint. They match [ErrUnavailable].
type Checkpoint interface {
	// State returns the state of the upload, and whether an earlier run has
	// saved it.
	State() (s State, earlier bool)
	// Reset forgets everything about the upload. It is written with the next
	// change.
	Reset(source Identity)
	// Save writes the state as it is, to find out whether that is possible.
	Save() error
	// SaveSource replaces the identity of the source.
	SaveSource(source Identity) error
	// SaveAsset saves the asset that the service has created.
	SaveAsset(a Asset) error

	// Load returns the multipart upload of an earlier run. ok is false if there
	// is no earlier run.
	Load() (m Multipart, ok bool)
	// Started saves a new multipart upload.
	Started(uploadID string, partSize int64, lostIDs bool) error
	// PartStored saves a part. That adds one line, however many there are.
	PartStored(p Part) error
	// Replace sets the parts that are still valid.
	Replace(parts []Part) error
	// DropParts forgets the multipart upload of an earlier run. Its asset stays.
	DropParts() error
	// Restart forgets the multipart upload. The asset stays, and what is saved
	// from now on is that of this run.
	Restart() error
	// Completing saves that all parts are stored.
	Completing() error
	// Durable reports whether everything that was saved is on disk.
	Durable() bool

	// SaveObject saves that the object is stored.
	SaveObject(o Object) error
	// SaveAsked saves when the service was asked to register the object, or a
	// zero time if it has refused.
	SaveAsked(at time.Time) error
	// SaveRegistration saves that the object is registered.
	SaveRegistration(r Registration) error

	// Completed returns the result of the upload if it was completed before.
	Completed() (*Result, error)
	// SaveCompleted adds the result to the completed index.
	SaveCompleted(r Result) error

	// Segments opens the list of the stored segments of a playlist.
	Segments(mediaID, prefix string) (*Segments, error)
	// Segment opens the checkpoint of a segment that is sent in parts. replaced
	// is not nil if the checkpoint was that of another file or another object:
	// its multipart upload is no longer needed.
	Segment(number int, source Identity, a Asset) (c Checkpoint, replaced *State, err error)
	// HasSegments reports whether there are checkpoints of segments.
	HasSegments() bool
	// DropSegments removes the checkpoints of segments. It calls abort with the
	// state of each before.
	DropSegments(abort func(State))
	// ForgetSegments removes everything that is saved about segments.
	ForgetSegments()

	// Close releases the checkpoint, and removes it if remove is true and the
	// completed index could be written.
	Close(remove bool)
}

// None is a [Checkpoint] that remembers nothing.
type None struct{}

var _ Checkpoint = None{}

// State returns no state.
func (None) State() (State, bool) { return State{}, false }

// Reset does nothing.
func (None) Reset(Identity) {}

// Save does nothing.
func (None) Save() error { return nil }

// SaveSource does nothing.
func (None) SaveSource(Identity) error { return nil }

// SaveAsset does nothing.
func (None) SaveAsset(Asset) error { return nil }

// Load returns no multipart upload.
func (None) Load() (Multipart, bool) { return Multipart{}, false }

// Started does nothing.
func (None) Started(string, int64, bool) error { return nil }

// PartStored does nothing.
func (None) PartStored(Part) error { return nil }

// Replace does nothing.
func (None) Replace([]Part) error { return nil }

// DropParts does nothing.
func (None) DropParts() error { return nil }

// Restart does nothing.
func (None) Restart() error { return nil }

// Completing does nothing.
func (None) Completing() error { return nil }

// Durable returns false.
func (None) Durable() bool { return false }

// SaveObject does nothing.
func (None) SaveObject(Object) error { return nil }

// SaveAsked does nothing.
func (None) SaveAsked(time.Time) error { return nil }

// SaveRegistration does nothing.
func (None) SaveRegistration(Registration) error { return nil }

// Completed returns no result.
func (None) Completed() (*Result, error) { return nil, nil }

// SaveCompleted does nothing.
func (None) SaveCompleted(Result) error { return nil }

// Segments returns a list that is not on disk.
func (None) Segments(_, prefix string) (*Segments, error) { return &Segments{prefix: prefix}, nil }

// Segment returns None.
func (None) Segment(int, Identity, Asset) (Checkpoint, *State, error) { return None{}, nil, nil }

// HasSegments returns false.
func (None) HasSegments() bool { return false }

// DropSegments does nothing.
func (None) DropSegments(func(State)) {}

// ForgetSegments does nothing.
func (None) ForgetSegments() {}

// Close does nothing.
func (None) Close(bool) {}
