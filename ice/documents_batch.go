package ice

import (
	"encoding/json"

	"github.com/alimedia/alimedia-go"
)

// BatchInputConfig holds the materials and texts of a batch of videos, from which
// each video takes some. With MediaGroupArray the groups follow each other; with
// MediaArray pictures are matched to the texts.
//
// Reference:
// https://www.alibabacloud.com/help/en/ims/use-cases/batch-video-production-public-parameters
type BatchInputConfig struct {
	MediaGroupArray      []BatchMediaGroup `json:",omitzero"`
	MediaArray           []string          `json:",omitzero"` // IDs of media assets or OSS URLs
	Title                string            `json:",omitzero"`
	TitleArray           []string          `json:",omitzero"` // one is taken at random for each video
	SubHeadingArray      []BatchSubHeading `json:",omitzero"`
	SpeechText           string            `json:",omitzero"`
	SpeechTextArray      []string          `json:",omitzero"` // one is taken at random for each video
	StickerArray         []BatchSticker    `json:",omitzero"` // one is taken at random for each video
	BackgroundMusic      string            `json:",omitzero"` // ID of a media asset, or OSS URL
	BackgroundMusicArray []string          `json:",omitzero"` // one is taken at random for each video
	BackgroundImageArray []string          `json:",omitzero"` // one is taken at random for each video

	Extra map[string]json.RawMessage `json:"-"` // keys without a field
	Raw   alimedia.JSON              `json:"-"` // when set, sent instead of all the above
}

// BatchMediaGroup is a part of each video of a batch.
type BatchMediaGroup struct {
	GroupName       string   `json:",omitzero"`
	MediaArray      []string `json:",omitzero"` // IDs of media assets or OSS URLs
	SpeechTextArray []string `json:",omitzero"` // texts that are spoken in this part
	Duration        float64  `json:",omitzero"` // seconds
	SplitMode       string   `json:",omitzero"` // how its materials are cut

	Extra map[string]json.RawMessage `json:"-"` // keys without a field
	Raw   alimedia.JSON              `json:"-"` // when set, sent instead of all the above
}

// BatchSubHeading is a line below the title.
type BatchSubHeading struct {
	Level      int64    `json:",omitzero" check:"required,min=1,max=5"` // 1 to 5
	TitleArray []string `json:",omitzero" check:"required,items=50"`    // at most 50 texts of 50 characters, one of which is taken at random

	Extra map[string]json.RawMessage `json:"-"` // keys without a field
	Raw   alimedia.JSON              `json:"-"` // when set, sent instead of all the above
}

// BatchSticker is a logo or sticker; it needs a MediaId, which wins, or a
// MediaURL.
type BatchSticker struct {
	MediaId    string   `json:",omitzero"`
	MediaURL   string   `json:",omitzero"`                 // OSS URL of an image
	X          float64  `json:",omitzero"`                 // distance from the left: share of the width up to 0.9999, pixels from 2 on
	Y          float64  `json:",omitzero"`                 // distance from the top: share of the height up to 0.9999, pixels from 2 on
	Width      float64  `json:",omitzero"`                 // share of the width up to 1, pixels from 2 on; the size of the material when zero
	Height     float64  `json:",omitzero"`                 // share of the height up to 1, pixels from 2 on; the size of the material when zero
	DyncFrames int64    `json:",omitzero" check:"max=100"` // frames of an animated image
	Opacity    *float64 `json:",omitzero"`                 // 0 (transparent) to 1, which is the default

	Extra map[string]json.RawMessage `json:"-"` // keys without a field
	Raw   alimedia.JSON              `json:"-"` // when set, sent instead of all the above
}

// BatchEditingConfig says how the videos of a batch are edited.
//
// Reference:
// https://www.alibabacloud.com/help/en/ims/use-cases/batch-video-production-public-parameters
type BatchEditingConfig struct {
	MediaConfig           BatchMediaConfig           `json:",omitzero"`
	TitleConfig           BatchTextConfig            `json:",omitzero"`
	SubHeadingConfig      map[string]BatchTextConfig `json:",omitzero"` // looks of the sub-headings, by their level: "1" to "5"
	SpeechConfig          BatchSpeechConfig          `json:",omitzero"`
	BackgroundMusicConfig BatchMusicConfig           `json:",omitzero"`
	BackgroundImageConfig BatchBackgroundConfig      `json:",omitzero"`
	ProcessConfig         BatchProcessConfig         `json:",omitzero"`

	Extra map[string]json.RawMessage `json:"-"` // keys without a field
	Raw   alimedia.JSON              `json:"-"` // when set, sent instead of all the above
}

// BatchMediaConfig is about the materials of a batch.
type BatchMediaConfig struct {
	Volume *float64 `json:",omitzero"` // factor of their sound, 0 (the default) to 10

	Extra map[string]json.RawMessage `json:"-"` // keys without a field
	Raw   alimedia.JSON              `json:"-"` // when set, sent instead of all the above
}

// BatchTextConfig is the look of titles and subtitles of a batch. Where a name of
// a style or an effect is asked for, one of several, separated by commas, is taken
// at random.
type BatchTextConfig struct {
	X                float64  `json:",omitzero"` // share of the width up to 0.9999, pixels from 2 on
	Y                float64  `json:",omitzero"` // share of the height up to 0.9999, pixels from 2 on
	TimelineIn       *float64 `json:",omitzero"` // seconds
	TimelineOut      float64  `json:",omitzero"` // seconds
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
	EffectColorStyleId  string  `json:",omitzero"` // as EffectColorStyle

	Extra map[string]json.RawMessage `json:"-"` // keys without a field
	Raw   alimedia.JSON              `json:"-"` // when set, sent instead of all the above
}

// BatchSpeechConfig is about the speech of a batch.
type BatchSpeechConfig struct {
	Volume             *float64            `json:",omitzero"` // factor, 0 to 10
	Gain               *float64            `json:",omitzero"` // factor
	Voice              string              `json:",omitzero"` // a voice, or several separated by commas, one of which is taken at random
	CustomizedVoice    string              `json:",omitzero"` // a voice of your own
	Style              string              `json:",omitzero"` // kind of voice, such as Gentle
	SpeechRate         int64               `json:",omitzero"` // -500 (slow) to 500 (fast)
	SpeechLanguage     string              `json:",omitzero"` // such as zh
	AsrConfig          BatchTextConfig     `json:",omitzero"` // look of the subtitles
	SpecialWordsConfig []BatchSpecialWords `json:",omitzero"`

	Extra map[string]json.RawMessage `json:"-"` // keys without a field
	Raw   alimedia.JSON              `json:"-"` // when set, sent instead of all the above
}

// BatchSpecialWords marks or bans words in subtitles.
type BatchSpecialWords struct {
	Type             string         `json:",omitzero"` // Highlight or Forbidden
	WordsList        []string       `json:",omitzero"`
	Style            BatchWordStyle `json:",omitzero"` // look of highlighted words
	SoundReplaceMode string         `json:",omitzero"` // what is heard instead of forbidden words

	Extra map[string]json.RawMessage `json:"-"` // keys without a field
	Raw   alimedia.JSON              `json:"-"` // when set, sent instead of all the above
}

// BatchWordStyle is the look of highlighted words.
type BatchWordStyle struct {
	FontName      string   `json:",omitzero"`
	FontSize      float64  `json:",omitzero"`
	FontColor     string   `json:",omitzero"`
	OutlineColour string   `json:",omitzero"`
	Outline       float64  `json:",omitzero"` // pixels
	FontFace      FontFace `json:",omitzero"`

	Extra map[string]json.RawMessage `json:"-"` // keys without a field
	Raw   alimedia.JSON              `json:"-"` // when set, sent instead of all the above
}

// BatchMusicConfig is about the music of a batch.
type BatchMusicConfig struct {
	Volume *float64 `json:",omitzero"` // factor, 0 to 10
	Gain   *float64 `json:",omitzero"` // factor
	Style  string   `json:",omitzero"` // kind of music from the library of the service, such as bgm-relaxing

	Extra map[string]json.RawMessage `json:"-"` // keys without a field
	Raw   alimedia.JSON              `json:"-"` // when set, sent instead of all the above
}

// BatchBackgroundConfig is what is seen where a picture does not fill a video.
type BatchBackgroundConfig struct {
	SubType string  `json:",omitzero"` // Blur or Color
	Type    string  `json:",omitzero"`
	Radius  float64 `json:",omitzero"` // of the blur, 0.01 to 1
	Color   string  `json:",omitzero"` // such as #000066

	Extra map[string]json.RawMessage `json:"-"` // keys without a field
	Raw   alimedia.JSON              `json:"-"` // when set, sent instead of all the above
}

// BatchProcessConfig says how materials are cut and joined.
type BatchProcessConfig struct {
	SingleShotDuration        float64  `json:",omitzero"` // seconds that a shot lasts
	EnableClipSplit           *bool    `json:",omitzero"` // cuts materials into shots
	ImageDuration             float64  `json:",omitzero"` // seconds that an image is seen
	AlignmentMode             string   `json:",omitzero"` // how pictures follow the speech
	AllowVfxEffect            *bool    `json:",omitzero"` // adds effects
	VfxEffectProbability      float64  `json:",omitzero"` // how often, 0 to 1
	VfxFirstClipEffectList    []string `json:",omitzero"` // effects of the first clip, such as open
	VfxNotFirstClipEffectList []string `json:",omitzero"` // effects of the others
	AllowTransition           *bool    `json:",omitzero"` // adds transitions
	TransitionDuration        float64  `json:",omitzero"` // seconds
	TransitionList            []string `json:",omitzero"` // such as wiperight
	UseUniformTransition      *bool    `json:",omitzero"` // the same in all of a video
	AllowFilter               *bool    `json:",omitzero"` // adds filters
	FilterList                []string `json:",omitzero"` // such as m1

	Extra map[string]json.RawMessage `json:"-"` // keys without a field
	Raw   alimedia.JSON              `json:"-"` // when set, sent instead of all the above
}

// BatchOutputConfig says where the videos of a batch go, how many they are and
// what they are like.
type BatchOutputConfig struct {
	MediaURL            string      `json:",omitzero" check:"url=oss"` // in the region of the client; {index} in the name becomes the number of the video
	StorageLocation     string      `json:",omitzero"`                 // bucket of VOD
	FileName            string      `json:",omitzero"`                 // in VOD, with its extension; {index} becomes the number of the video
	VodTemplateGroupId  string      `json:",omitzero"`                 // what VOD makes of them
	Count               int64       `json:",omitzero"`                 // number of videos; 1 when zero
	MaxDuration         float64     `json:",omitzero"`                 // seconds
	FixedDuration       float64     `json:",omitzero"`                 // seconds
	Width               int64       `json:",omitzero"`                 // pixels
	Height              int64       `json:",omitzero"`                 // pixels
	Video               OutputVideo `json:",omitzero"`
	GeneratePreviewOnly *bool       `json:",omitzero"` // makes editing projects and no videos

	Extra map[string]json.RawMessage `json:"-"` // keys without a field
	Raw   alimedia.JSON              `json:"-"` // when set, sent instead of all the above
}

// TemplateContent is the configuration of an editing template. One of the type
// Timeline has the fields of a [Timeline], with a text such as "$Name" for each
// value that ClipsParam gives; lists of clips by a variable (Sys_Type,
// Sys_ArrayObject, Sys_Template) are in Extra. One of the type BatchEditing has
// the three configurations. That of an advanced template (VETemplate) comes from
// its file: pass it as Raw.
//
// Reference:
// https://www.alibabacloud.com/help/en/ims/user-guide/common-template-config-details-1
type TemplateContent struct {
	VideoTracks    []VideoTrack    `json:",omitzero"`
	AudioTracks    []AudioTrack    `json:",omitzero"`
	ImageTracks    []ImageTrack    `json:",omitzero"`
	SubtitleTracks []SubtitleTrack `json:",omitzero"`
	EffectTracks   []EffectTrack   `json:",omitzero"`

	InputTemplateConfig   BatchInputConfig   `json:",omitzero"`
	EditingTemplateConfig BatchEditingConfig `json:",omitzero"`
	OutputTemplateConfig  BatchOutputConfig  `json:",omitzero"`

	Extra map[string]json.RawMessage `json:"-"` // keys without a field
	Raw   alimedia.JSON              `json:"-"` // when set, sent instead of all the above
}

// RelatedMedia lists the media assets of a template by their kind.
type RelatedMedia struct {
	Video []string `json:"video,omitzero"`
	Audio []string `json:"audio,omitzero"`
	Image []string `json:"image,omitzero"`

	Extra map[string]json.RawMessage `json:"-"` // keys without a field
	Raw   alimedia.JSON              `json:"-"` // when set, sent instead of all the above
}
