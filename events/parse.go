package events

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/alimedia/alimedia-go"
)

// MaxBytes is the maximum size of a message.
const MaxBytes = 1 << 20

// maxName bounds an event type; the longest known one has 31 bytes.
const maxName = 128

var (
	// ErrMalformed means that a message is not an event.
	ErrMalformed = errors.New("events: the message is not an event")

	// ErrTooLarge means that a message is larger than [MaxBytes].
	ErrTooLarge = fmt.Errorf("events: the message is larger than %d bytes", MaxBytes)
)

// Parse decodes a message of either service. The message is JSON, or JSON in
// Base64 as queues often deliver it. It must be an object with an EventType. A
// field that cannot be decoded is zero. The error is [ErrMalformed] or
// [ErrTooLarge].
func Parse(message []byte) (Event, error) {
	text, err := plain(message)
	if err != nil {
		return Event{}, err
	}
	top, err := objectOf(text, members)
	if err != nil {
		return Event{}, err
	}
	event := Event{Service: "vod", Raw: alimedia.JSON(text)}
	event.EventType = top.text("EventType")
	if event.EventType == "" || len(event.EventType) > maxName {
		return Event{}, fmt.Errorf("%w: no EventType", ErrMalformed)
	}
	event.EventTime = timeOf(top.text("EventTime"))
	event.UserId = top.text("UserId")

	event.Body = event.Raw
	details := top
	if body := top.json("MessageBody"); body != "" {
		event.Service, event.Body = "ice", body
		// Details of another form than an object are left to the reader.
		details, _ = objectOf([]byte(body), members)
	}
	details.fill(&event)
	return event, nil
}

// fill sets the fields that have different names in different messages.
func (o object) fill(e *Event) {
	e.MediaId = o.text(mediaIds...)
	e.MediaType = o.text("MediaType")
	e.JobId = o.text(jobIds...)
	e.FileURL = o.text(fileURLs...)
	e.SourceURL = o.text("SourceURL")
	e.Size = sizeOf(o.text("Size"))
	e.Status = o.text("Status")
	e.ErrorCode, e.ErrorMessage = o.failure()
	e.UserData = o.json(userData...)
}

// failure is the error that an object reports.
func (o object) failure() (code, message string) {
	code, message = o.text(errorCodes...), o.text(errorMessages...)
	if code == "0" { // AI events say Code 0 and Message OK
		return "", ""
	}
	return code, message
}

// plain decodes the Base64 of a message.
func plain(message []byte) ([]byte, error) {
	if len(message) > MaxBytes {
		return nil, ErrTooLarge
	}
	message = bytes.TrimSpace(message)
	if len(message) == 0 || message[0] == '{' {
		return message, nil
	}
	text, err := base64.RawStdEncoding.AppendDecode(nil, bytes.TrimRight(message, "="))
	if err != nil {
		return nil, fmt.Errorf("%w: neither a JSON object nor Base64 of one", ErrMalformed)
	}
	return bytes.TrimSpace(text), nil
}

// members are the members of a message that an Event has fields for. Others are
// not decoded.
var members = setOf(
	[]string{"EventType", "EventTime", "UserId", "MessageBody", "MediaType", "SourceURL", "Size", "Status"},
	mediaIds, jobIds, fileURLs, errorCodes, errorMessages, userData,
)

// setOf is a set of names in lower case.
func setOf(names ...[]string) map[string]bool {
	set := map[string]bool{}
	for _, name := range slices.Concat(names...) {
		set[strings.ToLower(name)] = true
	}
	return set
}

var (
	mediaIds      = []string{"MediaId", "VideoId", "ImageId", "AttachedMediaId"}
	jobIds        = []string{"JobId", "TaskId", "MediaRefreshJobId"}
	fileURLs      = []string{"FileURL", "StreamFileURL", "MediaURL"}
	errorCodes    = []string{"ErrorCode", "Code"}
	errorMessages = []string{"ErrorMessage", "Message"}
	userData      = []string{"UserData", "Extend"}
)

// object has the known members of a JSON object. Its keys are in lower case and
// without the spaces that some keys end in.
type object map[string]json.RawMessage

func objectOf(text []byte, members map[string]bool) (object, error) {
	malformed := fmt.Errorf("%w: not a JSON object", ErrMalformed)
	if !json.Valid(text) {
		return nil, malformed
	}
	d := json.NewDecoder(bytes.NewReader(text))
	if start, err := d.Token(); err != nil || start != json.Delim('{') {
		return nil, malformed
	}
	o, spelled := object{}, map[string]string{}
	var value json.RawMessage // reuses its memory
	for d.More() {
		token, err := d.Token()
		if err != nil {
			return nil, malformed
		}
		key, _ := token.(string)
		if err := d.Decode(&value); err != nil {
			return nil, malformed
		}
		// Of two alike always the same one; of two equal the last one.
		name := strings.ToLower(strings.TrimSpace(key))
		if other, taken := spelled[name]; members[name] && (!taken || key <= other) {
			o[name], spelled[name] = bytes.Clone(value), key
		}
	}
	return o, nil
}

// text is the first of the named members that is not empty: a string, a number or
// a boolean.
func (o object) text(names ...string) string {
	for _, name := range names {
		if text := textOf(o[strings.ToLower(name)]); text != "" {
			return text
		}
	}
	return ""
}

func textOf(raw json.RawMessage) string {
	if len(raw) == 0 {
		return ""
	}
	switch raw[0] {
	case '"':
		text := ""
		_ = json.Unmarshal(raw, &text) // it is a string
		return strings.TrimSpace(text)
	case '{', '[', 'n':
		return ""
	}
	return strings.TrimSpace(string(raw))
}

// json is the first of the named members that is not empty, quoted or not.
func (o object) json(names ...string) alimedia.JSON {
	for _, name := range names {
		var document alimedia.JSON
		if document.UnmarshalJSON(o[strings.ToLower(name)]) == nil && document != "" {
			return document
		}
	}
	return ""
}

// sizeOf parses 12, "12" and 1.2e1. Anything else is 0.
func sizeOf(text string) int64 {
	if n, err := strconv.ParseInt(text, 10, 64); err == nil {
		return max(n, 0)
	}
	f, err := strconv.ParseFloat(text, 64)
	if err != nil || !(f > 0 && f < math.MaxInt64) {
		return 0
	}
	return int64(f)
}

// timeOf also parses the times of image and AI events, which have a colon before
// the milliseconds: 2024-04-10T01:37:14:627Z.
func timeOf(text string) time.Time {
	const seconds = len("2006-01-02T15:04:05")
	if len(text) > seconds && text[seconds] == ':' {
		text = text[:seconds] + "." + text[seconds+1:]
	}
	t, err := alimedia.ParseTime(text)
	if err != nil {
		return time.Time{}
	}
	return t
}
