package upload

import (
	"errors"

	"github.com/alimedia/alimedia-go"
)

// errorNames are the codes of the errors of this package. The first that matches
// counts.
var errorNames = []struct {
	err  error
	code string
}{
	{ErrPanic, "Panic"}, {ErrEmpty, "Empty"}, {ErrSize, "Size"}, {ErrChanged, "Changed"}, {ErrName, "Name"},
	{ErrTooLarge, "TooLarge"}, {ErrPage, "Page"}, {ErrNotPublic, "NotPublic"}, {ErrUntrustedHost, "UntrustedHost"},
	{ErrAddressChanged, "AddressChanged"}, {ErrAddress, "Address"}, {ErrCredentialExpired, "CredentialExpired"},
	{ErrChecksum, "Checksum"}, {ErrUnproven, "Unproven"}, {ErrLost, "Lost"}, {ErrCallback, "Callback"}, {ErrStalled, "Stalled"},
	{ErrCheckpointLocked, "CheckpointLocked"}, {ErrCheckpoint, "Checkpoint"}, {ErrNotResumable, "NotResumable"},
	{ErrDuplicate, "Duplicate"}, {ErrPlaylist, "Playlist"}, {ErrRemote, "Remote"},
	{ErrOutside, "Outside"}, {ErrLoop, "Loop"}, {ErrNotAllowed, "NotAllowed"}, {ErrNoPrefix, "NoPrefix"}, {ErrKeyReused, "KeyReused"},
}

// ErrorCode returns a short name for an error of this package, for metrics and
// statistics. For an Err value it is its name without "Err", such as "Changed".
// For other errors it is that of [alimedia.ErrorCode]. It is empty for nil.
func ErrorCode(err error) string {
	code := alimedia.ErrorCode(err)
	if code == "" || code == "Canceled" || code == "DeadlineExceeded" {
		return code
	}
	for _, n := range errorNames {
		if errors.Is(err, n.err) {
			return n.code
		}
	}
	return code
}
