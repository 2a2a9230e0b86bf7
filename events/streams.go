package events

import (
	"cmp"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/alimedia/alimedia-go"
)

// maxStreams bounds the list that a message can ask for.
const maxStreams = 1000

// Stream is the result of one stream of a transcoding, or of one output of
// SubmitMediaConvertJob. Fields that the message lacks are zero.
type Stream struct {
	Name       string // of the output, in the configuration of the job
	GroupName  string // of the output group that it is part of
	JobId      string // JobId or TaskId
	Definition string // such as HD or LD-MP4
	Format     string // such as mp4 or m3u8
	FileURL    string // without the auth_key that playing may need

	// Status is unchanged. Its spelling varies: use Succeeded and Failed.
	Status       string
	ErrorCode    string
	ErrorMessage string

	Duration time.Duration
	Size     int64   // bytes
	Bitrate  float64 // kbit/s
	Fps      float64
	Width    int64
	Height   int64
	IsAudio  bool // there is no picture
	Encrypt  bool

	// Body is the object with the details. Decode it into your own struct.
	Body alimedia.JSON
}

// Succeeded reports whether the stream is there.
func (s Stream) Succeeded() bool { return Event{Status: s.Status}.Succeeded() }

// Failed reports whether the stream failed.
func (s Stream) Failed() bool { return Event{Status: s.Status, ErrorCode: s.ErrorCode}.Failed() }

// Streams returns the results of the streams or outputs that the event reports, at
// most 1,000, in the order of the message:
//
//   - TranscodeComplete of VOD: each of its StreamInfos. The event is a success if
//     one of them is, so look here for those that failed.
//   - StreamTranscodeComplete and MediaConvertOutputComplete: the one stream or
//     output.
//   - MediaConvertComplete and MediaConvertOutputGroupComplete: the outputs and the
//     outputs of the groups, if the message lists them.
//
// Of other events it is empty. It decodes Body on each call. An entry or a field
// that cannot be decoded is left out or zero and costs no other.
func (e Event) Streams() []Stream {
	o, err := objectOf([]byte(e.Body), streamMembers)
	if err != nil {
		return nil
	}
	switch e.EventType {
	case TranscodeComplete, MediaConvertComplete:
		return outputs(o, "")
	case MediaConvertOutputGroupComplete:
		return outputs(o, o.text(groupNames...))
	case StreamTranscodeComplete, MediaConvertOutputComplete:
		return []Stream{streamOf(o, e.Body, "")}
	}
	return nil
}

var (
	streamLists = []string{"StreamInfos", "Outputs", "OutputDetails"}
	groupLists  = []string{"OutputGroups", "OutputGroupDetails"}
	streamNames = []string{"Name", "OutputName"}
	groupNames  = []string{"GroupName", "OutputGroupName", "Name"}

	streamMembers = setOf(
		[]string{"Definition", "Format", "Status", "Duration", "Size", "Bitrate", "Fps", "Width", "Height", "IsAudio", "Encrypt"},
		streamLists, groupLists, streamNames, groupNames, jobIds, fileURLs, errorCodes, errorMessages,
	)
)

// outputs are the streams that an object lists, and those of its groups.
func outputs(o object, group string) []Stream {
	var all []Stream
	for _, entry := range o.list(streamLists...) {
		if inner, err := objectOf([]byte(entry), streamMembers); err == nil && len(all) < maxStreams {
			all = append(all, streamOf(inner, entry, group))
		}
	}
	for _, entry := range o.list(groupLists...) {
		inner, err := objectOf([]byte(entry), streamMembers)
		if err != nil || len(all) >= maxStreams {
			continue
		}
		for _, name := range groupLists { // there are no groups of groups
			delete(inner, strings.ToLower(name))
		}
		all = append(all, outputs(inner, inner.text(groupNames...))...)
	}
	return all[:min(len(all), maxStreams)]
}

// list is the first of the named members that is not empty: the entries of an
// array, or the one object that stands in place of it.
func (o object) list(names ...string) []alimedia.JSON {
	text := o.json(names...)
	var entries []alimedia.JSON
	if text.Decode(&entries) == nil && entries != nil {
		return entries
	}
	if strings.HasPrefix(strings.TrimSpace(string(text)), "{") {
		return []alimedia.JSON{text}
	}
	return nil
}

func streamOf(o object, body alimedia.JSON, group string) Stream {
	s := Stream{
		Name:       o.text(streamNames...),
		GroupName:  cmp.Or(group, o.text("GroupName", "OutputGroupName")),
		JobId:      o.text(jobIds...),
		Definition: o.text("Definition"),
		Format:     o.text("Format"),
		FileURL:    o.text(fileURLs...),
		Status:     o.text("Status"),
		Duration:   time.Duration(floatOf(o.text("Duration"), maxSeconds) * float64(time.Second)),
		Size:       sizeOf(o.text("Size")),
		Bitrate:    floatOf(o.text("Bitrate"), math.MaxInt64),
		Fps:        floatOf(o.text("Fps"), math.MaxInt64),
		Width:      sizeOf(o.text("Width")),
		Height:     sizeOf(o.text("Height")),
		IsAudio:    strings.EqualFold(o.text("IsAudio"), "true"),
		Encrypt:    strings.EqualFold(o.text("Encrypt"), "true"),
		Body:       body,
	}
	s.ErrorCode, s.ErrorMessage = o.failure()
	return s
}

const maxSeconds = float64(math.MaxInt64 / time.Second)

// floatOf parses a number of at least zero. Anything else is 0.
func floatOf(text string, limit float64) float64 {
	f, err := strconv.ParseFloat(text, 64)
	if err != nil || !(f > 0 && f < limit) {
		return 0
	}
	return f
}
