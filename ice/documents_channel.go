package ice

import (
	"encoding/json"

	"github.com/alimedia/alimedia-go"
)

// ChannelOutputConfig is one playlist of a channel.
type ChannelOutputConfig struct {
	ManifestName     string          `json:",omitzero"` // name of the playlist
	Format           string          `json:",omitzero"` // HLS
	SourceGroupName  string          `json:",omitzero"` // group of playlists that each source has, by its name
	ManifestSettings ChannelManifest `json:",omitzero"`

	Extra map[string]json.RawMessage `json:"-"` // keys without a field
	Raw   alimedia.JSON              `json:"-"` // when set, sent instead of all the above
}

// ChannelManifest is what a playlist of a channel is like.
type ChannelManifest struct {
	WindowDuration int64  `json:",omitzero"` // seconds in the playlist
	AdMarkType     string `json:",omitzero"` // how ads are marked: Daterange

	Extra map[string]json.RawMessage `json:"-"` // keys without a field
	Raw   alimedia.JSON              `json:"-"` // when set, sent instead of all the above
}

// ProgramAdBreak is an ad in a program.
type ProgramAdBreak struct {
	MessageType          string       `json:",omitzero"` // SCTE 35 message: SPLICE_INSERT or TIME_SIGNAL
	OffsetMillis         int64        `json:",omitzero"` // milliseconds from the begin of the program
	SourceLocationName   string       `json:",omitzero"` // source location of the ad
	SourceName           string       `json:",omitzero"` // the ad
	SpliceInsertSettings SpliceInsert `json:",omitzero"` // of SPLICE_INSERT
	TimeSignalSettings   any          `json:",omitzero"` // of TIME_SIGNAL

	Extra map[string]json.RawMessage `json:"-"` // keys without a field
	Raw   alimedia.JSON              `json:"-"` // when set, sent instead of all the above
}

// SpliceInsert holds fields of a splice_insert message of SCTE 35.
type SpliceInsert struct {
	AvailNumber     int64 `json:"AvailNumber,omitzero"`
	AvailExpected   int64 `json:",omitzero"` // number of ads expected
	SpliceEventID   int64 `json:",omitzero"`
	UniqueProgramID int64 `json:",omitzero"`

	Extra map[string]json.RawMessage `json:"-"` // keys without a field
	Raw   alimedia.JSON              `json:"-"` // when set, sent instead of all the above
}

// ProgramClipRange is the part of a source that is played.
type ProgramClipRange struct {
	StartOffsetMillis *int64 `json:",omitzero"` // milliseconds
	EndOffsetMillis   *int64 `json:",omitzero"` // milliseconds

	Extra map[string]json.RawMessage `json:"-"` // keys without a field
	Raw   alimedia.JSON              `json:"-"` // when set, sent instead of all the above
}

// ProgramTransition says where a program comes in the schedule.
type ProgramTransition struct {
	Type             string `json:",omitzero"` // RELATIVE, or ABSOLUTE
	RelativePosition string `json:",omitzero"` // AFTER_PROGRAM or BEFORE_PROGRAM
	RelativeProgram  string `json:",omitzero"` // the program that it follows or precedes

	Extra map[string]json.RawMessage `json:"-"` // keys without a field
	Raw   alimedia.JSON              `json:"-"` // when set, sent instead of all the above
}

// SourcePackage is a playlist of a source.
type SourcePackage struct {
	SourceGroupName string `json:"sourceGroupName,omitzero"`
	RelativePath    string `json:"relativePath,omitzero"` // under the URL of the source location
	Type            string `json:"type,omitzero"`         // hls

	Extra map[string]json.RawMessage `json:"-"` // keys without a field
	Raw   alimedia.JSON              `json:"-"` // when set, sent instead of all the above
}
