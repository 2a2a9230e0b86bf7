package events

import (
	"strings"
	"time"

	"github.com/alimedia/alimedia-go"
)

// Event is what a service reports. The fields are common to many events and
// the same for both services, whatever the message calls them; what else the
// message says is in Body. A field that the message lacks is zero.
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

	// Status is as sent, and spelled in many ways: ask Succeeded and Failed.
	Status       string
	ErrorCode    string
	ErrorMessage string

	// UserData is what you gave the operation: UserData, or its Extend.
	UserData alimedia.JSON

	// Body is the object with the event's details: the MessageBody of IMS, all
	// of the message of VOD. Decode it into a struct of your own; json.Number
	// takes a number and a string alike, [alimedia.JSON] a document however it
	// is quoted.
	Body alimedia.JSON

	// Raw is the whole message.
	Raw alimedia.JSON
}

// Succeeded reports whether the event tells of a success.
func (e Event) Succeeded() bool {
	switch strings.ToLower(e.Status) {
	case "success", "succeed", "succeeded", "finished":
		return true
	}
	return false
}

// Failed reports whether the event tells of a failure. An event without a
// result, such as of a recording that goes on, is neither that nor a success.
func (e Event) Failed() bool {
	switch strings.ToLower(e.Status) {
	case "fail", "failed", "failure", "error":
		return true
	case "":
		return e.ErrorCode != ""
	}
	return false
}
