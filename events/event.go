package events

import (
	"strings"
	"time"

	"github.com/alimedia/alimedia-go"
)

// Event is a message of a service. Its fields are common to many events and have
// the same names for both services, whatever the message calls them. Body has the
// rest of the message. Fields that the message lacks are zero.
type Event struct {
	Service   string    // "vod" or "ice", by the form of the message
	EventType string    // such as [FileUploadComplete]
	EventTime time.Time // when it happened; zero when unreadable
	UserId    string    // the account; IMS only

	MediaId   string // of the asset: MediaId, VideoId, ImageId or AttachedMediaId
	MediaType string // such as video or image
	JobId     string // of the job or task that ended
	FileURL   string // of the file, stream or product; without the auth_key that playing may need
	SourceURL string // where a file was fetched from
	Size      int64  // bytes

	// Status is unchanged. Its spelling varies: use Succeeded and Failed.
	Status       string
	ErrorCode    string
	ErrorMessage string

	// UserData is the UserData of the operation, or its Extend.
	UserData alimedia.JSON

	// Body is the object with the details of the event: the MessageBody of IMS,
	// or the whole message of VOD. Decode it into your own struct. json.Number
	// accepts numbers and strings, [alimedia.JSON] accepts documents and strings
	// that contain one.
	Body alimedia.JSON

	// Raw is the whole message.
	Raw alimedia.JSON
}

// Succeeded reports whether the event reports a success.
func (e Event) Succeeded() bool {
	switch strings.ToLower(e.Status) {
	case "success", "succeed", "succeeded", "finished":
		return true
	}
	return false
}

// Failed reports whether the event reports a failure. An event without a result,
// such as that of a running recording, is neither a failure nor a success.
func (e Event) Failed() bool {
	switch strings.ToLower(e.Status) {
	case "fail", "failed", "failure", "error":
		return true
	case "":
		return e.ErrorCode != ""
	}
	return false
}
