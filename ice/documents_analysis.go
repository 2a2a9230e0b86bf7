package ice

import (
	"encoding/json"

	"github.com/alimedia/alimedia-go"
)

// SmarttagParams asks [Client.SubmitSmarttagJob] for raw results as well.
type SmarttagParams struct {
	NeedAsrData  *bool `json:"needAsrData,omitzero"`  // recognized speech; false when nil
	NeedOcrData  *bool `json:"needOcrData,omitzero"`  // recognized texts; false when nil
	NeedMetaData *bool `json:"needMetaData,omitzero"` // false when nil
	NlpParams    any   `json:"nlpParams,omitzero"`    // switches language processing on

	Extra map[string]json.RawMessage `json:"-"` // keys without a field
	Raw   alimedia.JSON              `json:"-"` // when set, sent instead of all the above
}

// SmarttagQueryParams chooses the result of a tagging job.
type SmarttagQueryParams struct {
	LabelResultType string `json:"labelResultType,omitzero" check:"in=auto|hmi"` // auto: by the machine; hmi: revised by people

	Extra map[string]json.RawMessage `json:"-"` // keys without a field
	Raw   alimedia.JSON              `json:"-"` // when set, sent instead of all the above
}

// SmarttagTemplateConfig changes a smart tag template for one job.
type SmarttagTemplateConfig struct {
	FaceCategoryIds string `json:",omitzero"` // face libraries, separated by commas

	Extra map[string]json.RawMessage `json:"-"` // keys without a field
	Raw   alimedia.JSON              `json:"-"` // when set, sent instead of all the above
}

// CensorCover is a cover to check.
type CensorCover struct {
	Bucket   string `json:",omitzero"`
	Location string `json:",omitzero"` // such as oss-cn-shanghai
	Object   string `json:",omitzero"`

	Extra map[string]json.RawMessage `json:"-"` // keys without a field
	Raw   alimedia.JSON              `json:"-"` // when set, sent instead of all the above
}

// CopyrightParams is the kind of an invisible watermark.
type CopyrightParams struct {
	AlgoType string `json:"algoType,omitzero" check:"in=v1|v2"` // v1, the default, for videos of three minutes and more; v2 for shorter ones

	Extra map[string]json.RawMessage `json:"-"` // keys without a field
	Raw   alimedia.JSON              `json:"-"` // when set, sent instead of all the above
}

// TraceParams is the kind of a playlist with a trace.
type TraceParams struct {
	M3u8Type string `json:"m3u8Type,omitzero" check:"in=v1|v2"` // v1, the default, has absolute paths; v2 relative ones

	Extra map[string]json.RawMessage `json:"-"` // keys without a field
	Raw   alimedia.JSON              `json:"-"` // when set, sent instead of all the above
}

// MediaAudit is the result of reviewing a media asset.
type MediaAudit struct {
	MediaId string `json:",omitzero" check:"required"`
	Status  string `json:",omitzero" check:"required,in=Normal|Blocked"` // Normal or Blocked
	Reason  string `json:",omitzero" check:"bytes=128"`                  // needed for Blocked; at most 128 bytes
	Comment string `json:",omitzero" check:"bytes=512"`                  // at most 512 bytes

	Extra map[string]json.RawMessage `json:"-"` // keys without a field
	Raw   alimedia.JSON              `json:"-"` // when set, sent instead of all the above
}

// IProductionParams holds parameters of the algorithms of
// [Client.SubmitIProductionJob]. Those of other algorithms go into Extra.
type IProductionParams struct {
	Model string `json:",omitzero"`    // of Cover: gif for an animated one
	Fps   int64  `json:"fps,omitzero"` // of CaptionExtraction: frames looked at in a second, 2 to 10; 5 when zero
	// of CaptionExtraction: area [[top,bottom],[left,right]] as shares of the picture;
	// the lowest quarter when empty
	Roi   [][]float64 `json:"roi,omitzero"`
	Lang  string      `json:"lang,omitzero"`  // of CaptionExtraction: ch, en or ch_ml for both
	Track string      `json:"track,omitzero"` // of CaptionExtraction: main for the main subtitles only

	Extra map[string]json.RawMessage `json:"-"` // keys without a field
	Raw   alimedia.JSON              `json:"-"` // when set, sent instead of all the above
}

// SearchLibConfig holds settings of a search library.
type SearchLibConfig struct {
	FaceGroupIds string `json:"faceGroupIds,omitzero"` // up to three face libraries, separated by commas

	Extra map[string]json.RawMessage `json:"-"` // keys without a field
	Raw   alimedia.JSON              `json:"-"` // when set, sent instead of all the above
}

// SearchMessage is what a search library keeps about an asset.
type SearchMessage struct {
	Title        string             `json:"title,omitzero"`
	CustomFields SearchCustomFields `json:"customFields,omitzero"` // can't be changed later

	Extra map[string]json.RawMessage `json:"-"` // keys without a field
	Raw   alimedia.JSON              `json:"-"` // when set, sent instead of all the above
}

// SearchCustomFields are fields that [CustomFilters] search by.
type SearchCustomFields struct {
	IntField1 *int64 `json:"intField1,omitzero"`
	StrField1 string `json:"strField1,omitzero"`
	StrField2 string `json:"strField2,omitzero"`

	Extra map[string]json.RawMessage `json:"-"` // keys without a field
	Raw   alimedia.JSON              `json:"-"` // when set, sent instead of all the above
}

// WorkflowInput is what a workflow works on.
type WorkflowInput struct {
	Type  string `json:",omitzero" check:"in=Media|OSS"` // Media for the ID of a media asset, OSS for the URL of an object
	Media string `json:",omitzero"`

	Extra map[string]json.RawMessage `json:"-"` // keys without a field
	Raw   alimedia.JSON              `json:"-"` // when set, sent instead of all the above
}

// YikeModelParams holds parameters of a video model.
type YikeModelParams struct {
	AudioEnable *bool `json:",omitzero"` // videos with sound

	Extra map[string]json.RawMessage `json:"-"` // keys without a field
	Raw   alimedia.JSON              `json:"-"` // when set, sent instead of all the above
}
