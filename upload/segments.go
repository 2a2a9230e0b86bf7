package upload

import (
	"context"
	"iter"

	"github.com/alimedia/alimedia-go/upload/internal/checkpoint"
)

// segments are files that are stored before the file of an upload: those of a
// playlist.
type segments interface {
	// exist reports whether the source is a playlist.
	exist() bool
	// names are the names of their objects, without the prefix.
	names() iter.Seq[string]
	// size returns the size of all segments and of a file of size bytes.
	size(file int64) int64
	// send stores all segments that are not stored yet.
	send(ctx context.Context, r *run, saved checkpoint.Checkpoint, dest destination) error
	// tracker returns the tracker of the file that is sent after them.
	tracker(t *tracker) *tracker
	// forget removes the checkpoint of the segments.
	forget(c checkpoint.Checkpoint)
}

// noSegments are those of a single file.
type noSegments struct{}

func (noSegments) exist() bool                                                          { return false }
func (noSegments) names() iter.Seq[string]                                              { return func(func(string) bool) {} }
func (noSegments) size(file int64) int64                                                { return file }
func (noSegments) send(context.Context, *run, checkpoint.Checkpoint, destination) error { return nil }
func (noSegments) tracker(t *tracker) *tracker                                          { return t }
func (noSegments) forget(checkpoint.Checkpoint)                                         {}
