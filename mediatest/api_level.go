package mediatest

import (
	"cmp"
	"net/url"

	"github.com/alimedia/alimedia-go/internal/catalogue"
)

// The levels at which the fake does an operation, as the header
// X-Mediatest-Level of an answer says.
const (
	// Behavior: the operation reads and changes the state of the server.
	Behavior = "behavior"

	// Shape: the request is checked, and the answer has the documented form
	// with plausible values. The same request gets the same answer.
	Shape = "shape"
)

const levelHeader = "X-Mediatest-Level"

// Levels says at which level the server does each operation of service "ice"
// or "vod".
func Levels(service string) map[string]string {
	levels := map[string]string{}
	for _, action := range catalogue.Actions(service) {
		levels[action] = Shape
		if behaviorOf(service, action) != nil {
			levels[action] = Behavior
		}
	}
	return levels
}

// behaviorOf finds what does an operation at level behavior.
func behaviorOf(service, action string) operation {
	if op := operations[service][action]; op != nil {
		return op
	}
	if op, ok := families[service+"."+action]; ok {
		return op.run
	}
	return nil
}

// check compares the request with the documentation of the operation.
func (c *call) check(op *catalogue.Operation, query, form url.Values) error {
	problem := op.Check(query, form, c.opts.strict)
	switch {
	case problem == nil:
		return nil
	case problem.Fault == catalogue.Missing:
		return missing(problem.Parameter)
	case problem.Fault == catalogue.Unknown:
		return refused(400, "InvalidParameter", "mediatest: %s has no parameter %q; the service would pass over it.", c.action, problem.Parameter)
	case problem.Fault == catalogue.Position:
		return refused(400, "InvalidParameter", "mediatest: the parameter %q of %s is in the wrong place: query or form body; the service would take it.", problem.Parameter, c.action)
	}
	return c.invalid(problem.Parameter)
}

// limitCodes are the codes of single parameters that are too long or too many,
// where they have one of their own.
var limitCodes = map[string]string{
	"vod.CreateUploadVideo.Title": "LengthExceededMax", "vod.CreateUploadVideo.Description": "LengthExceededMax", "vod.CreateUploadVideo.Tags": "TagsExceededMax",
	"vod.CreateUploadVideo.FileName": "InvalidFileName.Extension",
	"vod.DeleteVideo.VideoIds":       "VideoIdsExceededMax", "vod.DeleteStream.JobIds": "JobIdsExceededMax",
	"vod.GetAttachedMediaInfo.MediaIds": "ExceededMax", "vod.GetUploadDetails.MediaIds": "LimitExceeded.MediaIds",
	"vod.UploadMediaByURL.UploadURLs": "InvalidParameter.UploadURLs",
	"vod.SearchMedia.Match":           "ErrorMatchSyntax",
}

// invalid refuses a parameter with the code that the operation documents for it.
func (c *call) invalid(parameter string) error {
	f := invalid(parameter)
	f.code = cmp.Or(limitCodes[c.service+"."+c.action+"."+parameter], f.code)
	return f
}
