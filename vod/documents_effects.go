package vod

import (
	"encoding/json"

	"github.com/alimedia/alimedia-go"
)

// Types of effects.
const (
	EffectText       = "Text"       // a text over the clip: Content, FontSize
	EffectBackground = "Background" // what is beside the picture: SubType Blur with Radius, or Color with Color
	EffectVolume     = "Volume"     // Gain
	EffectAFade      = "AFade"      // sound: SubType In or Out, Duration, Curve
	EffectTransition = "Transition" // to the next clip: SubType, Duration
	EffectFilter     = "Filter"     // colors: SubType
	EffectVFX        = "VFX"        // SubType
	EffectScale      = "Scale"      // Width, Height, X, Y
	EffectCrop       = "Crop"       // X, Y, Width, Height in the material
)

// Effect changes a clip. Type decides which of the other fields count.
//
// Reference:
// https://www.alibabacloud.com/help/en/vod/developer-reference/effect-configurations
type Effect struct {
	Type             string   `json:",omitzero"` // such as [EffectTransition]
	SubType          string   `json:",omitzero"` // which one, such as wiperight or random
	Duration         float64  `json:",omitzero"` // seconds; a transition takes 1 when zero
	TimelineIn       *float64 `json:",omitzero"` // seconds in the result; that of the clip when nil
	TimelineOut      float64  `json:",omitzero"` // seconds in the result; that of the clip when zero
	X                float64  `json:",omitzero"` // share of the width up to 0.9999, pixels from 2 on
	Y                float64  `json:",omitzero"` // share of the height up to 0.9999, pixels from 2 on
	Width            float64  `json:",omitzero"` // share of the width up to 1, pixels from 2 on
	Height           float64  `json:",omitzero"` // share of the height up to 1, pixels from 2 on
	Radius           float64  `json:",omitzero"` // of the blur of a background, 0.01 to 1
	Color            string   `json:",omitzero"` // of a background, such as #000066
	Gain             *float64 `json:",omitzero"` // factor of the volume: 0 is mute, 1 the original
	Curve            string   `json:",omitzero"` // of a fade: tri is linear
	Content          string   `json:",omitzero"` // text of [EffectText]
	FixedFontSize    float64  `json:",omitzero"` // instead of FontSize: does not scale
	FixedX           float64  `json:",omitzero"` // instead of X: does not scale
	FixedY           float64  `json:",omitzero"` // instead of Y: does not scale
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

// FontFace is the style of a font.
type FontFace struct {
	Bold      bool `json:",omitzero"`
	Italic    bool `json:",omitzero"`
	Underline bool `json:",omitzero"`

	Extra map[string]json.RawMessage `json:"-"` // keys without a field
	Raw   alimedia.JSON              `json:"-"` // when set, sent instead of all the above
}

// ProduceConfig says where the video of an editing project goes and what it is
// like.
type ProduceConfig struct {
	TemplateGroupId string `json:",omitzero"` // transcoding template group; VOD_NO_TRANSCODE: nothing
	StorageLocation string `json:",omitzero"` // needed outside of cn-shanghai
	Width           int64  `json:",omitzero"` // pixels
	Height          int64  `json:",omitzero"` // pixels

	Extra map[string]json.RawMessage `json:"-"` // keys without a field
	Raw   alimedia.JSON              `json:"-"` // when set, sent instead of all the above
}

// ProduceMetadata describes the video that an editing project makes.
type ProduceMetadata struct {
	Title       string `json:",omitzero"`
	Description string `json:",omitzero"`

	Extra map[string]json.RawMessage `json:"-"` // keys without a field
	Raw   alimedia.JSON              `json:"-"` // when set, sent instead of all the above
}
