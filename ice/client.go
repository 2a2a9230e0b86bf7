// Package ice is the client of Intelligent Media Services (IMS), product code
// ICE, API version 2020-11-09: all of its operations, typed.
//
// A request is a plain struct. Zero-value fields are not sent. Names are those of
// the API reference. A parameter that is a JSON document has a type in this package,
// or is an any that takes a value to marshal, or the document as a string,
// json.RawMessage or [alimedia.JSON].
//
// A response is a struct of values with RequestId first. A field that arrives in
// another form than documented is converted if no information is lost, and is zero
// otherwise. Numbers in values of type any are json.Number. A response without the
// proof of a success, such as the ID of a new asset, is an error. [Client.Do] calls
// operations by name, also those that this package does not have.
//
// Operations that return pages have an iterator, such as [Client.SearchMediaIter].
// Asynchronous jobs have a function that waits for their end, such as
// [Client.WaitMediaConvertJob].
//
//	media, err := ice.New(alimedia.Config{Region: "cn-shanghai"})
//	out, err := media.GetMediaInfo(ctx, ice.GetMediaInfoRequest{MediaId: id})
//	fmt.Println(out.MediaInfo.MediaBasicInfo.Title)
//
// # Where to begin
//
//   - Upload a file and have it registered: package [github.com/alimedia/alimedia-go/upload].
//   - Register what is in OSS already: [Client.RegisterMediaInfo], or [Client.RegisterMediaInfoAll] for any number of files; read it: [Client.GetMediaInfo].
//   - Find assets: [Client.SearchMediaIter], with package [github.com/alimedia/alimedia-go/search].
//   - Transcode: [Client.SubmitMediaConvertJob] and [Client.WaitMediaConvertJob].
//   - Play: [Client.GetPlayInfo]. Edit: [Client.SubmitMediaProducingJob].
package ice

import (
	"context"

	"github.com/alimedia/alimedia-go"
	"github.com/alimedia/alimedia-go/internal/rpc"
)

//go:generate go run ../internal/gen

// Client calls the operations of one region. It is safe for concurrent use.
type Client struct{ rpc *rpc.Client }

// New returns a client for cfg.Region.
func New(cfg alimedia.Config) (*Client, error) {
	c, err := rpc.New(service, cfg)
	if err != nil {
		return nil, err
	}
	return &Client{c}, nil
}

// With returns a client with a changed configuration, which shares the
// connections of c. A setting that cannot work is the error of every call.
func (c *Client) With(change func(*alimedia.Config)) *Client {
	return &Client{c.rpc.With(change)}
}

// Region is the region the client calls; empty when only an endpoint was given.
func (c *Client) Region() string { return c.rpc.Region() }

// Do calls an operation by its name: in is a struct, a map of parameters or
// nil, out a pointer or nil. It is not repeated where that might do the thing
// twice. What out points to is replaced. Numbers in values of type any are
// json.Number and keep all digits.
func (c *Client) Do(ctx context.Context, action string, in, out any) error {
	return c.rpc.Do(ctx, rpc.Op{Action: action}, in, out)
}

// Types of a media asset.
const (
	MediaTypeImage = "image"
	MediaTypeVideo = "video"
	MediaTypeAudio = "audio"
	MediaTypeText  = "text"
	MediaTypeOther = "other" // only in UploadFileInfo
)

// States of a media asset.
const (
	MediaStatusInit        = "Init"        // registered, nothing known of the file yet
	MediaStatusPreparing   = "Preparing"   // being analysed
	MediaStatusPrepareFail = "PrepareFail" // final
	MediaStatusNormal      = "Normal"      // final: ready for use
)

// What a media asset is for.
const (
	BusinessTypeGeneral   = "general"
	BusinessTypeSubtitles = "subtitles"
	BusinessTypeFont      = "font"
	BusinessTypeWatermark = "watermark"
	BusinessTypeOpening   = "opening"
	BusinessTypeEnding    = "ending"
)

// Qualities of a media stream.
const (
	DefinitionFD = "FD" // low definition
	DefinitionLD = "LD" // standard definition
	DefinitionSD = "SD" // high definition
	DefinitionHD = "HD" // ultra-high definition
	DefinitionOD = "OD" // original quality
	Definition2K = "2K"
	Definition4K = "4K"
	DefinitionSQ = "SQ" // standard sound
	DefinitionHQ = "HQ" // high sound
)

// Where an output URL points to.
const (
	OutputTypeOSS = "oss"
	OutputTypeCDN = "cdn"
)
