package events_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/alimedia/alimedia-go/events"
	"github.com/alimedia/alimedia-go/mediatest"
	"github.com/alimedia/alimedia-go/vod"
)

func parsed(t *testing.T, message string) events.Event {
	t.Helper()
	e, err := events.Parse([]byte(message))
	require.NoError(t, err)
	return e
}

func TestEvent_Streams_OneOfThemFailed(t *testing.T) {
	t.Parallel()
	e := parsed(t, `{"EventType":"TranscodeComplete","VideoId":"v","Status":"success","StreamInfos":[
		{"Status":"success","Bitrate":"1028","Definition":"HD","Duration":110.25,"Encrypt":true,"FileUrl":"http://a/hd.m3u8","Format":"m3u8","Fps":"25","Height":720,"Width":"1280","Size":93,"JobId":"j1"},
		{"Status":"fail","Definition":"LD","Format":"mp4","JobId":"j2","ErrorCode":"InvalidParameter.ResourceContentBad","ErrorMessage":"The resource is bad.","IsAudio":"true"}]}`)
	require.True(t, e.Succeeded(), "one stream is there")
	streams := e.Streams()
	require.Len(t, streams, 2)
	require.Contains(t, string(streams[0].Body), `"Bitrate":"1028"`)
	streams[0].Body, streams[1].Body = "", ""
	require.Equal(t, []events.Stream{
		{Status: "success", Bitrate: 1028, Definition: "HD", Duration: 110250 * time.Millisecond, Encrypt: true, FileURL: "http://a/hd.m3u8", Format: "m3u8", Fps: 25, Height: 720, Width: 1280, Size: 93, JobId: "j1"},
		{Status: "fail", Definition: "LD", Format: "mp4", JobId: "j2", ErrorCode: "InvalidParameter.ResourceContentBad", ErrorMessage: "The resource is bad.", IsAudio: true},
	}, streams)
	require.True(t, streams[0].Succeeded())
	require.True(t, streams[1].Failed())
	require.False(t, streams[0].Failed())
	require.False(t, streams[1].Succeeded())
}

func TestEvent_Streams_OfAConvertJob(t *testing.T) {
	t.Parallel()
	e := parsed(t, `{"EventType":"MediaConvertComplete","UserId":1,"MessageBody":{"JobId":"j","Status":"Success",
		"OutputDetails":[{"Name":"mp4","Status":"Success","TaskId":"t1"}],
		"OutputGroupDetails":[{"Name":"hls","Status":"Success","Outputs":[{"Name":"720p","Status":"Success","TaskId":"t2"},
			{"Name":"1080p","Status":"Failed","TaskId":"t3","Code":"InvalidParameter.ResourceContentBad","Message":"bad"}]}]}}`)
	var got []string
	for _, s := range e.Streams() {
		got = append(got, strings.Join([]string{s.GroupName, s.Name, s.JobId, s.Status, s.ErrorCode, s.ErrorMessage}, " "))
	}
	require.Equal(t, []string{" mp4 t1 Success  ", "hls 720p t2 Success  ", "hls 1080p t3 Failed InvalidParameter.ResourceContentBad bad"}, got)

	one := parsed(t, `{"EventType":"MediaConvertOutputComplete","UserId":1,"MessageBody":{"JobId":"j","GroupName":"hls","Name":"720p","Status":"Fail","Code":"E"}}`).Streams()
	require.Len(t, one, 1)
	require.Equal(t, "hls", one[0].GroupName)
	require.Equal(t, "720p", one[0].Name)
	require.Equal(t, "E", one[0].ErrorCode)
	require.True(t, one[0].Failed())
	require.Equal(t, "hls", parsed(t, `{"EventType":"MediaConvertOutputGroupComplete","MessageBody":{"Name":"hls","Outputs":[{"OutputName":"a"}]}}`).Streams()[0].GroupName)
}

func TestEvent_Streams_Tolerance(t *testing.T) {
	t.Parallel()
	for message, want := range map[string]int{
		`"StreamInfos":[1,"x",null,[],{"Status":{"a":1},"Size":"many","Duration":-1,"Bitrate":"NaN","Width":-3,"JobId":["j"]},{"Definition":"HD"}]`: 2,
		`"StreamInfos":"[{\"Definition\":\"HD\"}]"`: 1, // JSON as text
		`"streaminfos ":[{"definition":"HD"}]`:      1,
		`"StreamInfos":{"Definition":"HD"}`:         1, // one object for a list
		`"StreamInfos":["{\"Definition\":\"HD\"}"]`: 1,
		`"StreamInfos":"text"`:                      0,
		`"StreamInfos":[]`:                          0,
		`"StreamInfos":null`:                        0,
		`"x":1`:                                     0,
		`"Outputs":[{}],"OutputGroups":[{"Outputs":[{}],"OutputGroups":[{"Outputs":[{}]}]},7,{}]`:         2,
		`"StreamInfos":[` + strings.Repeat(`{"a":1},`, 1500) + `{}]`:                                      1000,
		`"OutputGroups":[` + strings.Repeat(`{"Outputs":[`+strings.Repeat(`{},`, 600)+`{}]},`, 5) + `{}]`: 1000,
	} {
		streams := parsed(t, `{"EventType":"TranscodeComplete",`+message+`}`).Streams()
		require.Len(t, streams, want, message[:min(len(message), 80)])
		for _, s := range streams {
			require.Zero(t, s.Duration)
			require.Zero(t, s.Width)
		}
	}
	require.Empty(t, parsed(t, `{"EventType":"FileUploadComplete","StreamInfos":[{}]}`).Streams())
	require.Empty(t, parsed(t, `{"EventType":"TranscodeComplete","MessageBody":"text"}`).Streams())
	require.Empty(t, events.Event{EventType: "TranscodeComplete"}.Streams())
	require.Len(t, parsed(t, `{"EventType":"StreamTranscodeComplete","Definition":"HD"}`).Streams(), 1)
}

// What the simulator sends has the form of the documentation.
func TestEvent_Streams_OfATaskInWhichOneStreamFails(t *testing.T) {
	t.Parallel()
	srv := mediatest.New(t)
	c, err := vod.New(srv.Config())
	require.NoError(t, err)
	id := srv.AddMedia(mediatest.Media{})
	group, err := c.AddTranscodeTemplateGroup(t.Context(), vod.AddTranscodeTemplateGroupRequest{Name: "g", TranscodeTemplateList: []vod.TranscodeTemplate{{Definition: "HD"}, {Definition: "LD"}}})
	require.NoError(t, err)
	srv.Outcome(mediatest.Outcome{Code: "InvalidSource", Message: "no video", Times: 1})
	_, err = c.SubmitTranscodeJobs(t.Context(), vod.SubmitTranscodeJobsRequest{VideoId: id, TemplateGroupId: group.TranscodeTemplateGroupId})
	require.NoError(t, err)
	srv.Clock().Advance(time.Hour)
	for _, sent := range srv.Events() {
		if sent.EventType != events.TranscodeComplete {
			continue
		}
		e := parsed(t, sent.Body)
		require.True(t, e.Succeeded())
		failed := 0
		for _, s := range e.Streams() {
			if s.Failed() {
				failed++
				require.Equal(t, "InvalidSource", s.ErrorCode)
				require.NotEmpty(t, s.JobId)
			}
		}
		require.Equal(t, 1, failed)
		require.Len(t, e.Streams(), 2)
		return
	}
	t.Fatal("no TranscodeComplete")
}
