package ice

import (
	"encoding/json"

	"github.com/alimedia/alimedia-go"
)

// Types of clips.
const (
	ClipVideo       = "Video"       // the default of video tracks
	ClipImage       = "Image"       // seen for its Duration
	ClipGlobalImage = "GlobalImage" // seen all the time, such as a logo or a background
	ClipAvatar      = "AI_Avatar"   // a digital human who speaks Content
	ClipTTS         = "AI_TTS"      // speech made of Content
	ClipASR         = "AI_ASR"      // subtitles made of speech
	ClipText        = "Text"        // a text on a subtitle track
	ClipSubtitle    = "Subtitle"    // a subtitle file
)

// Timeline arranges tracks of clips into a video. A job needs a video or an audio
// track. In a template, a text such as "$Name" stands for a value of ClipsParam;
// where the field is no string, put it into Extra.
//
// Reference: https://help.aliyun.com/document_detail/198823.html
type Timeline struct {
	VideoTracks    []VideoTrack    `json:",omitzero" check:"items=100"` // the first lies at the bottom
	AudioTracks    []AudioTrack    `json:",omitzero"`
	ImageTracks    []ImageTrack    `json:",omitzero" check:"items=100"` // video tracks take images too, and supersede these
	SubtitleTracks []SubtitleTrack `json:",omitzero" check:"items=100"`
	EffectTracks   []EffectTrack   `json:",omitzero"` // effects on the whole picture
	FECanvas       TimelineCanvas  `json:",omitzero"` // the size that texts are laid out for; results of another size scale them

	Extra map[string]json.RawMessage `json:"-"` // keys without a field
	Raw   alimedia.JSON              `json:"-"` // when set, sent instead of all the above
}

// TimelineCanvas is the picture that positions and fonts of a [Timeline] were
// chosen for.
type TimelineCanvas struct {
	Width  float64 `json:",omitzero"` // pixels
	Height float64 `json:",omitzero"` // pixels

	Extra map[string]json.RawMessage `json:"-"` // keys without a field
	Raw   alimedia.JSON              `json:"-"` // when set, sent instead of all the above
}

// VideoTrack holds videos and images, one after the other or at times of their
// own.
type VideoTrack struct {
	Type             string           `json:",omitzero"` // Effect for a track whose clips are effects; else empty
	MainTrack        *bool            `json:",omitzero"` // the track whose length the others follow
	TrackShortenMode string           `json:",omitzero"` // AutoSpeed: speed up when longer than the main track
	TrackExpandMode  string           `json:",omitzero"` // AutoSpeed: slow down when shorter than the main track
	VideoTrackClips  []VideoTrackClip `json:",omitzero" check:"required"`

	Extra map[string]json.RawMessage `json:"-"` // keys without a field
	Raw   alimedia.JSON              `json:"-"` // when set, sent instead of all the above
}

// VideoTrackClip is a video, an image or a digital human, and needs a MediaId or a
// MediaURL. On a track of the type Effect it is an effect with Type, SubType and
// the time.
type VideoTrackClip struct {
	Type      string `json:",omitzero"` // [ClipVideo], which is the default, [ClipImage], [ClipGlobalImage] or [ClipAvatar]
	MediaId   string `json:",omitzero"` // media asset of IMS or VOD
	MediaURL  string `json:",omitzero"` // OSS URL such as https://bucket.oss-cn-shanghai.aliyuncs.com/a.mp4, in the region of the client
	SubType   string `json:",omitzero"` // of effects only
	ExtParams string `json:",omitzero"` // of effects only

	X      float64 `json:",omitzero"` // distance from the left: share of the width up to 0.9999, pixels from 2 on
	Y      float64 `json:",omitzero"` // distance from the top: share of the height up to 0.9999, pixels from 2 on
	Width  float64 `json:",omitzero"` // share of the width up to 1, pixels from 2 on; the size of the material when zero
	Height float64 `json:",omitzero"` // share of the height up to 1, pixels from 2 on; the size of the material when zero
	// how the material fits Width and Height: Contain, Cover (cut) or Fill
	// (stretched), which is the default
	AdaptMode string   `json:",omitzero"`
	Opacity   *float64 `json:",omitzero"` // 0 (transparent) to 1, which is the default

	In          float64  `json:",omitzero"` // seconds in the material where the clip begins
	Out         float64  `json:",omitzero"` // seconds in the material where it ends; the end of the material when zero
	MaxOut      float64  `json:",omitzero"` // seconds in the material where it ends at the latest
	TimelineIn  *float64 `json:",omitzero"` // seconds in the result; after the clip before when nil
	TimelineOut float64  `json:",omitzero"` // seconds in the result; TimelineIn and the length of the clip when zero
	Duration    float64  `json:",omitzero"` // seconds that an image or a digital human is seen
	Speed       float64  `json:",omitzero"` // 2 is twice as fast; 1 when zero
	DyncFrames  int64    `json:",omitzero"` // frames per second of an animated image
	ClipId      string   `json:",omitzero"` // a name of your own, for the ReferenceClipId of others
	// the clip of another track whose time this one takes; without effect beside
	// TimelineIn and TimelineOut
	ReferenceClipId string `json:",omitzero"`

	Content         string `json:",omitzero"` // what a digital human says
	AvatarId        string `json:",omitzero"` // the digital human
	LoopMotion      *bool  `json:",omitzero"` // its movements start over
	Voice           string `json:",omitzero"` // voice that speaks, such as zhichu
	CustomizedVoice string `json:",omitzero"` // voice of your own, which wins over Voice
	SpeechRate      int64  `json:",omitzero"` // -500 (slow) to 500 (fast)
	PitchRate       int64  `json:",omitzero"` // -500 (low) to 500 (high)

	Effects []Effect `json:",omitzero"`

	Extra map[string]json.RawMessage `json:"-"` // keys without a field
	Raw   alimedia.JSON              `json:"-"` // when set, sent instead of all the above
}

// AudioTrack holds sounds, the sound of videos, and speech made of text.
type AudioTrack struct {
	MainTrack        *bool            `json:",omitzero"` // the track whose length the others follow
	TrackShortenMode string           `json:",omitzero"` // AutoSpeed: speed up when longer than the main track
	TrackExpandMode  string           `json:",omitzero"` // AutoSpeed: slow down when shorter than the main track
	AudioTrackClips  []AudioTrackClip `json:",omitzero" check:"required"`

	Extra map[string]json.RawMessage `json:"-"` // keys without a field
	Raw   alimedia.JSON              `json:"-"` // when set, sent instead of all the above
}

// AudioTrackClip is a sound, which needs a MediaId or a MediaURL, or the speech
// made of Content. Clips of a track must not overlap.
type AudioTrackClip struct {
	Type     string `json:",omitzero"` // empty, or [ClipTTS]
	MediaId  string `json:",omitzero"` // media asset of IMS or VOD
	MediaURL string `json:",omitzero"` // OSS URL, in the region of the client

	In          float64  `json:",omitzero"` // seconds in the material where the clip begins
	Out         float64  `json:",omitzero"` // seconds in the material where it ends; the end of the material when zero
	MaxOut      float64  `json:",omitzero"` // seconds in the material where it ends at the latest
	TimelineIn  *float64 `json:",omitzero"` // seconds in the result; 0 when nil
	TimelineOut float64  `json:",omitzero"` // seconds in the result; the end of the clip when zero, and never after the video tracks
	Duration    float64  `json:",omitzero"` // seconds
	Speed       float64  `json:",omitzero"` // 2 is twice as fast; 1 when zero
	LoopMode    *bool    `json:",omitzero"` // repeats the clip until TimelineOut
	ClipId      string   `json:",omitzero"` // a name of your own, for the ReferenceClipId of others
	// the clip of another track whose time this one takes; without effect beside
	// TimelineIn and TimelineOut
	ReferenceClipId string `json:",omitzero"`

	Content         string `json:",omitzero"` // text to speak, or SSML in <speak>
	Voice           string `json:",omitzero"` // voice that speaks, such as zhichu
	CustomizedVoice string `json:",omitzero"` // voice of your own, which wins over Voice
	SpeechRate      int64  `json:",omitzero"` // -500 (slow) to 500 (fast)
	PitchRate       int64  `json:",omitzero"` // -500 (low) to 500 (high)
	Format          string `json:",omitzero"` // of the speech: pcm, wav or mp3

	Effects []Effect `json:",omitzero"`

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
	MediaId     string   `json:",omitzero"` // media asset of IMS or VOD
	MediaURL    string   `json:",omitzero"` // OSS URL, in the region of the client
	ImageId     string   `json:",omitzero"` // media asset, as older documents say
	ImageURL    string   `json:",omitzero"` // OSS URL, as older documents say
	X           float64  `json:",omitzero"` // distance from the left: share of the width up to 0.9999, pixels from 2 on
	Y           float64  `json:",omitzero"` // distance from the top: share of the height up to 0.9999, pixels from 2 on
	Width       float64  `json:",omitzero"` // share of the width up to 1, pixels from 2 on; the size of the material when zero
	Height      float64  `json:",omitzero"` // share of the height up to 1, pixels from 2 on; the size of the material when zero
	Opacity     *float64 `json:",omitzero"` // 0 (transparent) to 1, which is the default
	TimelineIn  *float64 `json:",omitzero"` // seconds in the result; 0 when nil
	TimelineOut float64  `json:",omitzero"` // seconds in the result; the end of the video when zero
	Duration    float64  `json:",omitzero"` // seconds
	DyncFrames  int64    `json:",omitzero"` // frames per second of an animated image
	Effects     []Effect `json:",omitzero"`

	Extra map[string]json.RawMessage `json:"-"` // keys without a field
	Raw   alimedia.JSON              `json:"-"` // when set, sent instead of all the above
}

// SubtitleTrack holds texts and subtitle files.
type SubtitleTrack struct {
	SubtitleTrackClips []SubtitleTrackClip `json:",omitzero" check:"required"`

	Extra map[string]json.RawMessage `json:"-"` // keys without a field
	Raw   alimedia.JSON              `json:"-"` // when set, sent instead of all the above
}

// SubtitleTrackClip is a text, which needs Content, a subtitle file, which needs
// FileURL, or the recognized speech of a media.
type SubtitleTrackClip struct {
	Type          string `json:",omitzero"` // [ClipText], [ClipSubtitle] or [ClipASR]
	SubType       string `json:",omitzero"`
	Content       string `json:",omitzero"` // text; \n or \N begins a line
	FileURL       string `json:",omitzero"` // OSS URL of a file in SRT or ASS
	MediaId       string `json:",omitzero"` // media asset to recognize
	MediaURL      string `json:",omitzero"` // OSS URL of a media to recognize
	AlignmentText string `json:",omitzero"` // what is said, where only the times are to be recognized

	X           float64  `json:",omitzero"` // distance from the left: share of the width up to 0.9999, pixels from 2 on
	Y           float64  `json:",omitzero"` // distance from the top: share of the height up to 0.9999, pixels from 2 on
	TimelineIn  *float64 `json:",omitzero"` // seconds in the result; 0 when nil
	TimelineOut float64  `json:",omitzero"` // seconds in the result; the end of the video when zero
	Duration    float64  `json:",omitzero"` // seconds
	ClipId      string   `json:",omitzero"` // a name of your own, for the ReferenceClipId of others
	// the clip of another track whose time this one takes; without effect beside
	// TimelineIn and TimelineOut
	ReferenceClipId string `json:",omitzero"`

	FontFace         FontFace `json:",omitzero"` // bold, italic, underlined
	Font             string   `json:",omitzero"` // name of a system font; SimSun when empty. FontUrl wins.
	FontUrl          string   `json:",omitzero"` // OSS URL of a font file
	FontSize         float64  `json:",omitzero"` // needed by texts; it scales with the material and the output
	FontColor        string   `json:",omitzero"` // such as #FFFFFF
	FontColorOpacity string   `json:",omitzero"` // 0 (transparent) to 1, which is the default
	Spacing          float64  `json:",omitzero"` // pixels between characters
	LineSpacing      float64  `json:",omitzero"` // pixels between lines
	Angle            float64  `json:",omitzero"` // degrees, counterclockwise
	BorderStyle      int64    `json:",omitzero"` // 1 for outline and shadow, which is the default; 3 for an opaque box
	Outline          float64  `json:",omitzero"` // pixels
	OutlineColour    string   `json:",omitzero"` // such as #000000
	Shadow           float64  `json:",omitzero"` // pixels
	BackColour       string   `json:",omitzero"` // color of the shadow, such as #000000
	// Alignment is the anchor: TopLeft, TopCenter, TopRight, CenterLeft, CenterCenter,
	// CenterRight, BottomLeft, BottomCenter or BottomRight, from which X and Y are
	// margins; with Left, Center or Right they are the exact point.
	Alignment string `json:",omitzero"`
	// AdaptMode says what happens with long lines: AutoWrap, AutoWrapAtSpaces (between
	// words only), AutoScale (smaller text) or AutoWrapAtSpacesStrict.
	AdaptMode string  `json:",omitzero"`
	TextWidth float64 `json:",omitzero"` // where lines wrap: share of the width up to 1, else pixels

	EffectColorStyle string           `json:",omitzero"` // a ready-made style of colored text, such as CS0001-000004
	SubtitleEffects  []SubtitleEffect `json:",omitzero"` // outlines, shadows and boxes of your own
	BubbleStyleId    string           `json:",omitzero"` // a ready-made speech bubble, such as BS0001-000001
	BubbleWidth      float64          `json:",omitzero"` // share of the width up to 1, else pixels
	BubbleHeight     float64          `json:",omitzero"` // share of the height up to 1, else pixels

	AaiMotionInEffect   string  `json:",omitzero"` // how the text comes in, such as fade_in
	AaiMotionIn         float64 `json:",omitzero"` // seconds
	AaiMotionOutEffect  string  `json:",omitzero"` // how it leaves, such as fade_out
	AaiMotionOut        float64 `json:",omitzero"` // seconds
	AaiMotionLoopEffect string  `json:",omitzero"` // excludes both, such as heartbeat_display
	Ratio               float64 `json:",omitzero"` // speed of AaiMotionLoopEffect

	ScrollStartX      float64 `json:",omitzero"` // pixels
	ScrollEndX        float64 `json:",omitzero"` // pixels
	ScrollStartY      float64 `json:",omitzero"` // pixels
	ScrollEndY        float64 `json:",omitzero"` // pixels
	ScrollSpeed       float64 `json:",omitzero"` // pixels per second
	ScrollStartFreeze float64 `json:",omitzero"` // seconds that it rests at the start
	ScrollEndFreeze   float64 `json:",omitzero"` // seconds that it rests at the end
	ScrollDirection   string  `json:",omitzero"` // Left for a text that scrolls to the left
	ScrollLoop        *bool   `json:",omitzero"` // scrolls again and again

	Extra map[string]json.RawMessage `json:"-"` // keys without a field
	Raw   alimedia.JSON              `json:"-"` // when set, sent instead of all the above
}

// EffectTrack holds effects on the whole picture.
type EffectTrack struct {
	EffectTrackItems []Effect `json:",omitzero" check:"required"`

	Extra map[string]json.RawMessage `json:"-"` // keys without a field
	Raw   alimedia.JSON              `json:"-"` // when set, sent instead of all the above
}
