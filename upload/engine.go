package upload

import (
	"github.com/alimedia/alimedia-go/upload/internal/checkpoint"
	"github.com/alimedia/alimedia-go/upload/internal/transfer"
)

// engineCheckpoint is a checkpoint as the engine sees it.
type engineCheckpoint struct{ checkpoint.Checkpoint }

// Load implements transfer.Checkpoint.
func (c engineCheckpoint) Load() (transfer.State, bool) {
	m, ok := c.Checkpoint.Load()
	s := transfer.State{
		UploadID: m.UploadID, PartSize: m.PartSize, Created: m.Created, Initiated: m.Initiated,
		Sending: m.Sending, Completing: m.Completing, LostIDs: m.LostIDs,
	}
	for _, p := range m.Parts {
		s.Parts = append(s.Parts, transfer.Part(p))
	}
	return s, ok
}

// PartStored implements transfer.Checkpoint.
func (c engineCheckpoint) PartStored(p transfer.Part) error {
	return c.Checkpoint.PartStored(checkpoint.Part(p))
}

// Replace implements transfer.Checkpoint.
func (c engineCheckpoint) Replace(parts []transfer.Part) error {
	saved := make([]checkpoint.Part, len(parts))
	for i, p := range parts {
		saved[i] = checkpoint.Part(p)
	}
	return c.Checkpoint.Replace(saved)
}
