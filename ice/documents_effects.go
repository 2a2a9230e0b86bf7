package ice

import (
	"encoding/json"

	"github.com/alimedia/alimedia-go"
)

// Types of effects. SubType says which one of a kind.
const (
	EffectTransition  = "Transition"  // to the next clip: SubType, Duration
	EffectFilter      = "Filter"      // colors: SubType, ExtParams
	EffectVFX         = "VFX"         // SubType, ExtParams, Duration or times
	EffectBackground  = "Background"  // what is beside the picture: SubType Blur with Radius, or Color with Color
	EffectText        = "Text"        // a text over the clip
	EffectASR         = "AI_ASR"      // subtitles of what is said in the clip
	EffectTTS         = "AI_TTS"      // speech made of the text of the clip
	EffectCrop        = "Crop"        // X, Y, Width, Height in the material
	EffectRotate      = "Rotate"      // Angle, or Degree
	EffectFlip        = "Flip"        // Direction
	EffectScale       = "Scale"       // Width, Height, X, Y
	EffectKenBurns    = "KenBurns"    // camera that moves from Start to End
	EffectFreezeFrame = "FreezeFrame" // the last frame for Duration
	EffectClip        = "Clip"        // SubType RandomClip with ClipDuration
	EffectVolume      = "Volume"      // Gain
	EffectAFade       = "AFade"       // sound: SubType In or Out, Duration, Curve
	EffectADenoise    = "ADenoise"    // sound: Mode
	EffectALoudNorm   = "ALoudNorm"   // sound: Loudness, TruePeak
	EffectAEqualize   = "AEqualize"   // sound, on effect tracks only: Peak, Gain
)

// Effect changes a clip, or the whole picture on an [EffectTrack]. Type decides
// which of the other fields count.
//
// Reference:
// https://www.alibabacloud.com/help/en/ims/developer-reference/effect-configuration-description
type Effect struct {
	Type string `json:",omitzero"` // such as [EffectTransition]
	// which one: a name such as wiperight, names separated by commas of which one is
	// taken at random, or random
	SubType     string   `json:",omitzero"`
	ExtParams   string   `json:",omitzero"` // settings of some filters and effects, such as effect=color,brightness=42
	Duration    float64  `json:",omitzero"` // seconds; a transition takes 1 when zero
	TimelineIn  *float64 `json:",omitzero"` // seconds in the result; that of the clip when nil
	TimelineOut float64  `json:",omitzero"` // seconds in the result; that of the clip when zero

	X         float64 `json:",omitzero"` // share of the width up to 0.9999, pixels from 2 on
	Y         float64 `json:",omitzero"` // share of the height up to 0.9999, pixels from 2 on
	Width     float64 `json:",omitzero"` // share of the width up to 1, pixels from 2 on
	Height    float64 `json:",omitzero"` // share of the height up to 1, pixels from 2 on
	Radius    float64 `json:",omitzero"` // of the blur of a background, 0.01 to 1
	Color     string  `json:",omitzero"` // of a background, such as #000066
	Degree    float64 `json:",omitzero"` // of a rotation
	Direction string  `json:",omitzero"` // of a flip: horizontal or vertical
	Start     string  `json:",omitzero"` // region where the camera of KenBurns begins
	End       string  `json:",omitzero"` // region where it ends

	Gain         *float64 `json:",omitzero"` // factor of the volume: 0 is mute, 1 the original, 10 the loudest
	In           float64  `json:",omitzero"` // seconds in the clip where a change of the volume begins
	Out          float64  `json:",omitzero"` // seconds in the clip where it ends; the end of the clip when zero
	Curve        string   `json:",omitzero"` // of a fade: tri is linear, exp the default
	Mode         *int64   `json:",omitzero"` // of denoising: 0 wind, 1 noise, 2 echo, 3 clearer voices, 4 voices without music
	Loudness     float64  `json:",omitzero"` // LUFS, such as -24
	TruePeak     float64  `json:",omitzero"` // dBTP, such as -2
	Peak         float64  `json:",omitzero"` // highest level of the equalized sound, up to 1
	ClipDuration float64  `json:",omitzero"` // seconds that RandomClip takes

	Voice             string            `json:",omitzero"` // of speech made of text
	CustomizedVoice   string            `json:",omitzero"` // a voice of your own
	SpeechRate        int64             `json:",omitzero"` // -500 (slow) to 500 (fast)
	PitchRate         int64             `json:",omitzero"` // -500 (low) to 500 (high)
	AlignmentText     string            `json:",omitzero"` // what is said, where only the times of the subtitles are to be recognized
	NeedHighlighting  *bool             `json:",omitzero"` // marks the words that matter in recognized subtitles
	HighlightingStyle HighlightingStyle `json:",omitzero"`
	Content           string            `json:",omitzero"` // text of [EffectText]
	FixedFontSize     float64           `json:",omitzero"` // instead of FontSize: does not scale
	FixedX            float64           `json:",omitzero"` // instead of X: does not scale
	FixedY            float64           `json:",omitzero"` // instead of Y: does not scale
	FontFace          FontFace          `json:",omitzero"` // bold, italic, underlined
	Font              string            `json:",omitzero"` // name of a system font; SimSun when empty. FontUrl wins.
	FontUrl           string            `json:",omitzero"` // OSS URL of a font file
	FontSize          float64           `json:",omitzero"` // needed by texts; it scales with the material and the output
	FontColor         string            `json:",omitzero"` // such as #FFFFFF
	FontColorOpacity  string            `json:",omitzero"` // 0 (transparent) to 1, which is the default
	Spacing           float64           `json:",omitzero"` // pixels between characters
	LineSpacing       float64           `json:",omitzero"` // pixels between lines
	Angle             float64           `json:",omitzero"` // degrees, counterclockwise
	BorderStyle       int64             `json:",omitzero"` // 1 for outline and shadow, which is the default; 3 for an opaque box
	Outline           float64           `json:",omitzero"` // pixels
	OutlineColour     string            `json:",omitzero"` // such as #000000
	Shadow            float64           `json:",omitzero"` // pixels
	BackColour        string            `json:",omitzero"` // color of the shadow, such as #000000
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

	Extra map[string]json.RawMessage `json:"-"` // keys without a field
	Raw   alimedia.JSON              `json:"-"` // when set, sent instead of all the above
}

// FontFace is the style of a font.
type FontFace struct {
	Bold      bool `json:",omitzero"`
	Italic    bool `json:",omitzero"`
	Underline bool `json:",omitzero"`

	Extra map[string]json.RawMessage `json:"-"` // keys without a field
	Raw   alimedia.JSON              `json:"-"` // when set, sent instead of all the above
}

// HighlightingStyle is the look of the marked words in recognized subtitles. Its
// colors are BGR in hexadecimal without #: 00FFFF is yellow.
type HighlightingStyle struct {
	FontColor     string  `json:",omitzero"`
	OutlineColour string  `json:",omitzero"`
	Outline       float64 `json:",omitzero"` // pixels

	Extra map[string]json.RawMessage `json:"-"` // keys without a field
	Raw   alimedia.JSON              `json:"-"` // when set, sent instead of all the above
}

// SubtitleEffect is one layer of outline, shadow or box around a text.
type SubtitleEffect struct {
	Type     string  `json:",omitzero"` // Outline, Shadow or Box
	Color    string  `json:",omitzero"` // such as #0420B6
	Opacity  string  `json:",omitzero"` // 0 (transparent) to 1
	Bord     float64 `json:",omitzero"` // width of the outline; how far a box reaches beyond the text
	XBord    float64 `json:",omitzero"` // width of the outline from left to right
	YBord    float64 `json:",omitzero"` // width of the outline from top to bottom
	Shift    float64 `json:",omitzero"` // offset
	XShift   float64 `json:",omitzero"` // offset to the right
	YShift   float64 `json:",omitzero"` // offset to the bottom
	Blur     float64 `json:",omitzero"` // glow
	Radius   float64 `json:",omitzero"` // round corners of a box
	ImageURL string  `json:",omitzero"` // picture of a box
	Width    float64 `json:",omitzero"` // of the picture, pixels
	Height   float64 `json:",omitzero"` // of the picture, pixels
	TextArea string  `json:",omitzero"` // where the text is in the picture: x,y,width,height as shares, such as 0.1,0.2,0.8,0.6

	Extra map[string]json.RawMessage `json:"-"` // keys without a field
	Raw   alimedia.JSON              `json:"-"` // when set, sent instead of all the above
}
