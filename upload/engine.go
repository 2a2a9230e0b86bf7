package upload

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"github.com/alimedia/alimedia-go/upload/internal/transfer"
)

// checkpoint is the journal as the engine sees it.
func (j *journal) checkpoint() transfer.Checkpoint {
	if j == nil {
		return transfer.NoCheckpoint{}
	}
	return engineCheckpoint{j}
}

type engineCheckpoint struct{ *journal }

// Load implements transfer.Checkpoint.
func (c engineCheckpoint) Load() (transfer.State, bool) {
	was, earlier := c.state()
	if !earlier {
		return transfer.State{}, false
	}
	c.mu.Lock()
	parts := slices.SortedFunc(maps.Values(c.parts), func(a, b transfer.Part) int { return cmp.Compare(a.Number, b.Number) })
	c.mu.Unlock()
	return transfer.State{
		UploadID: was.UploadId, PartSize: was.PartSize, Created: was.Created, Initiated: was.Initiated,
		Sending: was.Step == stepSending, Completing: was.Step == stepCompleting, LostIDs: was.Strays, Parts: parts,
	}, true
}

// Started implements transfer.Checkpoint.
func (c engineCheckpoint) Started(uploadID string, partSize int64, lostIDs bool) error {
	return c.update(func(r *record) {
		r.UploadId, r.PartSize, r.Initiated, r.Strays = uploadID, partSize, time.Now().UTC(), lostIDs
	})
}

// PartStored implements transfer.Checkpoint.
func (c engineCheckpoint) PartStored(p transfer.Part) error { return c.add(p) }

// Replace implements transfer.Checkpoint.
func (c engineCheckpoint) Replace(parts []transfer.Part) error {
	return c.keep(append([]transfer.Part{}, parts...))
}

// Restart implements transfer.Checkpoint.
func (c engineCheckpoint) Restart() error { return c.keep(nil) }

// Completing implements transfer.Checkpoint.
func (c engineCheckpoint) Completing() error {
	return c.update(func(r *record) { r.Step = stepCompleting })
}

// Durable implements transfer.Checkpoint.
func (c engineCheckpoint) Durable() bool { return c.lasts() }
