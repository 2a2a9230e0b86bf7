package main

import (
	"encoding/json"
	"time"

	"github.com/alimedia/alimedia-go/events"
)

// States of an asset, the later ones decide when two events have the same time.
const (
	expected = "expected" // an upload has begun
	uploaded = "uploaded" // the file is there and is processed
	failed   = "failed"
	ready    = "ready"
	deleted  = "deleted" // for good
)

var ranks = map[string]int{"": -1, expected: 0, uploaded: 1, failed: 2, ready: 3, deleted: 4}

// asset is a row of the table assets.
type asset struct {
	MediaId, Service  string
	State             string
	StateAt           int64
	ErrorCode         string
	Size, SizeAt      int64
	Duration          int64 // milliseconds
	DurationAt        int64
	FileURL           string
	FileURLAt         int64
	Events            int64
	Checks, CheckedAt int64
	UpdatedAt         int64
}

// apply changes an asset by an event. The result does not depend on the order in
// which events arrive: of each value the one of the latest event stays.
func (a *asset) apply(e events.Event) {
	at := millis(e.EventTime)
	a.Events++
	a.become(stateOf(e), at, e.ErrorCode)
	if e.Size > 0 {
		latest(&a.Size, &a.SizeAt, e.Size, at)
	}
	if e.FileURL != "" && e.EventType != events.StreamTranscodeComplete {
		latest(&a.FileURL, &a.FileURLAt, e.FileURL, at)
	}
	if d := durationOf(e); d > 0 {
		latest(&a.Duration, &a.DurationAt, d.Milliseconds(), at)
	}
}

// become changes the state, if nothing newer has.
func (a *asset) become(state string, at int64, code string) {
	switch {
	case state == "" || a.State == deleted:
		return
	case state == deleted, at > a.StateAt, at == a.StateAt && ranks[state] >= ranks[a.State]:
		a.State, a.StateAt, a.ErrorCode = state, at, ""
		if state == failed {
			a.ErrorCode = code
		}
	}
}

// latest keeps the value of the later time; of two at one time the greater one.
func latest[T int64 | string](value *T, at *int64, next T, nextAt int64) {
	if nextAt > *at || nextAt == *at && next > *value {
		*value, *at = next, nextAt
	}
}

// stateOf is the state that an event reports; empty: none.
func stateOf(e events.Event) string {
	good := ""
	switch e.EventType {
	case events.DeleteMediaComplete:
		return deleted
	case events.FileUploadComplete, events.UploadByURLComplete, events.VideoAnalysisComplete:
		good = uploaded
	case events.ImageUploadComplete, events.AttachedMediaUploadComplete, events.RegisterMediaComplete, events.TranscodeComplete, events.ProduceMediaComplete:
		good = ready
	default:
		return ""
	}
	switch {
	case e.Succeeded():
		return good
	case e.Failed():
		return failed
	}
	return ""
}

// durationOf is how long the video plays, as far as the event says.
func durationOf(e events.Event) time.Duration {
	var longest time.Duration
	for _, s := range e.Streams() {
		longest = max(longest, s.Duration)
	}
	var details struct{ Duration json.Number } // seconds
	if e.EventType == events.VideoAnalysisComplete && e.Body.Decode(&details) == nil {
		if seconds, err := details.Duration.Float64(); err == nil && seconds > 0 && seconds < 1e9 {
			longest = time.Duration(seconds * float64(time.Second))
		}
	}
	return longest
}

func millis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}
