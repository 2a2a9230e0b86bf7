package vod

import (
	"encoding/json"

	"github.com/alimedia/alimedia-go"
)

// Timeline arranges tracks of clips into a video. A job needs a video or an audio
// track.
//
// Reference: https://help.aliyun.com/document_detail/52839.html
type Timeline struct {
	VideoTracks    []VideoTrack    `json:",omitzero" check:"items=100"` // the first lies at the bottom
	AudioTracks    []AudioTrack    `json:",omitzero"`
	ImageTracks    []ImageTrack    `json:",omitzero" check:"items=100"`
	SubtitleTracks []SubtitleTrack `json:",omitzero" check:"items=100"`

	Extra map[string]json.RawMessage `json:"-"` // keys without a field
	Raw   alimedia.JSON              `json:"-"` // when set, sent instead of all the above
}

// VideoTrack holds videos and images, one after the other or at times of their
// own.
type VideoTrack struct {
	VideoTrackClips []VideoTrackClip `json:",omitzero" check:"required"`

	Extra map[string]json.RawMessage `json:"-"` // keys without a field
	Raw   alimedia.JSON              `json:"-"` // when set, sent instead of all the above
}

// VideoTrackClip is a video or an image, or effects over the tracks below.
type VideoTrackClip struct {
	MediaId string `json:",omitzero"` // media asset
	Type    string `json:",omitzero"` // Video, which is the default, or Image

	X           float64  `json:",omitzero"` // distance from the left: share of the width up to 0.9999, pixels from 2 on
	Y           float64  `json:",omitzero"` // distance from the top: share of the height up to 0.9999, pixels from 2 on
	Width       float64  `json:",omitzero"` // share of the width up to 1, pixels from 2 on; the size of the material when zero
	Height      float64  `json:",omitzero"` // share of the height up to 1, pixels from 2 on; the size of the material when zero
	AdaptMode   string   `json:",omitzero"` // how the material fits Width and Height: Contain, Cover (cut) or Fill (stretched)
	In          float64  `json:",omitzero"` // seconds in the material where the clip begins
	Out         float64  `json:",omitzero"` // seconds in the material where it ends; the end of the material when zero
	TimelineIn  *float64 `json:",omitzero"` // seconds in the result; after the clip before when nil
	TimelineOut float64  `json:",omitzero"` // seconds in the result; TimelineIn and the length of the clip when zero
	Duration    float64  `json:",omitzero"` // seconds that an image is seen
	Speed       float64  `json:",omitzero"` // 2 is twice as fast; 1 when zero
	DyncFrames  int64    `json:",omitzero"` // frames per second of an animated image

	Effects []Effect `json:",omitzero"`

	Extra map[string]json.RawMessage `json:"-"` // keys without a field
	Raw   alimedia.JSON              `json:"-"` // when set, sent instead of all the above
}

// AudioTrack holds sounds, and the sound of videos.
type AudioTrack struct {
	AudioTrackClips []AudioTrackClip `json:",omitzero" check:"required"`

	Extra map[string]json.RawMessage `json:"-"` // keys without a field
	Raw   alimedia.JSON              `json:"-"` // when set, sent instead of all the above
}

// AudioTrackClip is a sound.
type AudioTrackClip struct {
	MediaId     string   `json:",omitzero"` // media asset
	In          float64  `json:",omitzero"` // seconds in the material where the clip begins
	Out         float64  `json:",omitzero"` // seconds in the material where it ends; the end of the material when zero
	TimelineIn  *float64 `json:",omitzero"` // seconds in the result; 0 when nil
	TimelineOut float64  `json:",omitzero"` // seconds in the result; the end of the clip when zero
	Speed       float64  `json:",omitzero"` // 2 is twice as fast; 1 when zero
	LoopMode    *bool    `json:",omitzero"` // repeats the clip until TimelineOut
	Effects     []Effect `json:",omitzero"`

	Extra map[string]json.RawMessage `json:"-"` // keys without a field
	Raw   alimedia.JSON              `json:"-"` // when set, sent instead of all the above
}

// ImageTrack lays images over the video.
type ImageTrack struct {
	ImageTrackClips []ImageTrackClip `json:",omitzero" check:"required"`

	Extra map[string]json.RawMessage `json:"-"` // keys without a field
	Raw   alimedia.JSON              `json:"-"` // when set, sent instead of all the above
}

// ImageTrackClip is an image.
type ImageTrackClip struct {
	ImageId     string   `json:",omitzero"` // image of the library
	MediaId     string   `json:",omitzero"` // media asset
	ImageURL    string   `json:"ImageUrl,omitzero"`
	X           float64  `json:",omitzero"` // distance from the left: share of the width up to 0.9999, pixels from 2 on
	Y           float64  `json:",omitzero"` // distance from the top: share of the height up to 0.9999, pixels from 2 on
	Width       float64  `json:",omitzero"` // share of the width up to 1, pixels from 2 on; the size of the material when zero
	Height      float64  `json:",omitzero"` // share of the height up to 1, pixels from 2 on; the size of the material when zero
	TimelineIn  *float64 `json:",omitzero"` // seconds in the result; 0 when nil
	TimelineOut float64  `json:",omitzero"` // seconds in the result; the end of the video when zero
	DyncFrames  int64    `json:",omitzero"` // frames per second of an animated image

	Extra map[string]json.RawMessage `json:"-"` // keys without a field
	Raw   alimedia.JSON              `json:"-"` // when set, sent instead of all the above
}

// SubtitleTrack holds texts and subtitle files.
type SubtitleTrack struct {
	SubtitleTrackClips []SubtitleTrackClip `json:",omitzero" check:"required"`

	Extra map[string]json.RawMessage `json:"-"` // keys without a field
	Raw   alimedia.JSON              `json:"-"` // when set, sent instead of all the above
}

// SubtitleTrackClip is a text, which needs Content, or a subtitle file, which
// needs FileURL.
type SubtitleTrackClip struct {
	Type    string `json:",omitzero"` // Text or Subtitle
	SubType string `json:",omitzero"`
	Content string `json:",omitzero"` // text; \n or \N begins a line
	FileURL string `json:",omitzero"` // subtitle file

	X                float64  `json:",omitzero"` // distance from the left: share of the width up to 0.9999, pixels from 2 on
	Y                float64  `json:",omitzero"` // distance from the top: share of the height up to 0.9999, pixels from 2 on
	TimelineIn       *float64 `json:",omitzero"` // seconds in the result; 0 when nil
	TimelineOut      float64  `json:",omitzero"` // seconds in the result; the end of the video when zero
	FontFace         FontFace `json:",omitzero"` // bold, italic, underlined
	Font             string   `json:",omitzero"` // name of a font; SimSun when empty
	FontSize         float64  `json:",omitzero"` // needed by texts; it scales with the material and the output
	FontColor        string   `json:",omitzero"` // such as #FFFFFF
	FontColorOpacity string   `json:",omitzero"` // 0 (transparent) to 1, which is the default
	Spacing          float64  `json:",omitzero"` // pixels between characters
	Angle            float64  `json:",omitzero"` // degrees, counterclockwise
	BorderStyle      int64    `json:",omitzero"` // 1 for outline and shadow, which is the default; 3 for an opaque box
	Outline          float64  `json:",omitzero"` // pixels
	OutlineColour    string   `json:",omitzero"` // such as #000000
	Shadow           float64  `json:",omitzero"` // pixels
	BackColour       string   `json:",omitzero"` // color of the shadow, such as #000000
	// Alignment is the anchor that X and Y are margins from: TopLeft, TopCenter,
	// TopRight, CenterLeft, CenterCenter, CenterRight, BottomLeft, BottomCenter or
	// BottomRight.
	Alignment string  `json:",omitzero"`
	AdaptMode string  `json:",omitzero"` // AutoWrap breaks long lines
	TextWidth float64 `json:",omitzero"` // where lines wrap: share of the width up to 1, else pixels

	Extra map[string]json.RawMessage `json:"-"` // keys without a field
	Raw   alimedia.JSON              `json:"-"` // when set, sent instead of all the above
}
