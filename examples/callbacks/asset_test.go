package main

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/alimedia/alimedia-go/events"
)

func parse(t *testing.T, message string) events.Event {
	t.Helper()
	e, err := events.Parse([]byte(message))
	require.NoError(t, err)
	return e
}

// life is all that the services report of one video.
var life = []string{
	`{"EventType":"UploadByURLComplete","EventTime":"2026-11-25T10:00:00Z","VideoId":"v","Status":"fail","ErrorCode":"HTTP404"}`,
	`{"EventType":"FileUploadComplete","EventTime":"2026-11-25T10:00:01Z","VideoId":"v","Size":1,"FileUrl":"http://a/1","Status":"success"}`,
	`{"EventType":"FileUploadComplete","EventTime":"2026-11-25T10:00:05Z","VideoId":"v","Size":7,"FileUrl":"http://a/2","Status":"success"}`,
	`{"EventType":"VideoAnalysisComplete","EventTime":"2026-11-25T10:00:06Z","VideoId":"v","Duration":"12.5","Size":7,"Status":"success"}`,
	`{"EventType":"StreamTranscodeComplete","EventTime":"2026-11-25T10:01:00Z","VideoId":"v","Duration":12.4,"Definition":"HD","FileUrl":"http://a/hd","Status":"success","JobId":"1"}`,
	`{"EventType":"StreamTranscodeComplete","EventTime":"2026-11-25T10:01:00Z","VideoId":"v","Definition":"LD","Status":"fail","JobId":"2","ErrorCode":"E"}`,
	`{"EventType":"TranscodeComplete","EventTime":"2026-11-25T10:01:00Z","VideoId":"v","Status":"success","StreamInfos":[{"Duration":12.4}]}`,
	`{"EventType":"SnapshotComplete","EventTime":"2026-11-25T10:01:00Z","VideoId":"v","Status":"fail","ErrorCode":"S"}`,
	`{"EventType":"TranscodeComplete","VideoId":"v","Status":"fail","ErrorCode":"no time"}`,
}

func TestAsset_TheOrderOfEventsIsOfNoAccount(t *testing.T) {
	t.Parallel()
	want := asset{MediaId: "v", State: ready, StateAt: 1795600860000, Size: 7, SizeAt: 1795600806000, Duration: 12400, DurationAt: 1795600860000, FileURL: "http://a/2", FileURLAt: 1795600805000, Events: int64(len(life))}
	for range 2000 {
		a := asset{MediaId: "v", State: expected}
		for _, i := range rand.Perm(len(life)) {
			a.apply(parse(t, life[i]))
		}
		require.Equal(t, want, a)
	}
	gone := asset{State: deleted}
	gone.apply(parse(t, life[6]))
	require.Equal(t, deleted, gone.State)
	gone = asset{State: ready, StateAt: 1 << 60}
	gone.apply(parse(t, `{"EventType":"DeleteMediaComplete","VideoId":"v","Status":"success"}`))
	require.Equal(t, deleted, gone.State, "whatever its time says")
	bad := asset{State: uploaded}
	bad.apply(parse(t, `{"EventType":"TranscodeComplete","EventTime":"2026-11-25T10:01:00Z","VideoId":"v","Status":"fail","ErrorCode":"E"}`))
	require.Equal(t, failed, bad.State)
	require.Equal(t, "E", bad.ErrorCode)
}
