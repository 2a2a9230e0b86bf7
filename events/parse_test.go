package events_test

import (
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/alimedia/alimedia-go"
	"github.com/alimedia/alimedia-go/events"
)

const (
	succeeded = "succeeded"
	failed    = "failed"
	neither   = ""
)

// samples have the form of the messages in the services' documentation.
var samples = map[string]struct {
	message string
	want    events.Event // without Body and Raw
	result  string
}{
	"VOD FileUploadComplete": {
		`{"Status":"success","EventTime":"2017-03-20T07:49:17Z","EventType":"FileUploadComplete","VideoId":"43q91jdh7df****","Size":1439213,
		  "FileUrl":"http://example-bucket.oss-cn-shanghai.aliyuncs.com/a.mp4","Extend":"{\"test\":\"your extend data\"}"}`,
		events.Event{
			Service: "vod", EventType: events.FileUploadComplete, EventTime: at("2017-03-20T07:49:17Z"), MediaId: "43q91jdh7df****", Size: 1439213,
			FileURL: "http://example-bucket.oss-cn-shanghai.aliyuncs.com/a.mp4", Status: "success", UserData: `{"test":"your extend data"}`,
		}, succeeded,
	},
	"IMS FileUploadComplete": {
		`{"EventType":"FileUploadComplete","UserId":1833220977560000,"EventTime":"2022-07-15T08:48:14Z","MessageBody":{"Status":"Success",
		  "FileUrl":"http://outin.oss-cn-shanghai.aliyuncs.com/sv/a.mp4","MediaId":"c321b3a0041a71eda1590674a2ce****","AppId":"app-1000000",
		  "Size":"5510872","MediaType":"video","UserData":"{\"localId\":\"42\"}"}}`,
		events.Event{
			Service: "ice", EventType: events.FileUploadComplete, EventTime: at("2022-07-15T08:48:14Z"), UserId: "1833220977560000",
			MediaId: "c321b3a0041a71eda1590674a2ce****", MediaType: "video", FileURL: "http://outin.oss-cn-shanghai.aliyuncs.com/sv/a.mp4",
			Size: 5510872, Status: "Success", UserData: `{"localId":"42"}`,
		}, succeeded,
	},
	"VOD ImageUploadComplete, a colon before the milliseconds": {
		`{"Status":"success","FileURL":"https://example-bucket.oss-cn-shanghai.aliyuncs.com/image/a.jpg","AppId":"app-1000000",
		  "EventType":"ImageUploadComplete","EventTime":"2024-04-10T01:37:14:627Z","Size":105520,"ImageId":"59bdbf10df76a8d8b6137a5ad12****"}`,
		events.Event{
			Service: "vod", EventType: events.ImageUploadComplete, EventTime: at("2024-04-10T01:37:14.627Z"), MediaId: "59bdbf10df76a8d8b6137a5ad12****",
			FileURL: "https://example-bucket.oss-cn-shanghai.aliyuncs.com/image/a.jpg", Size: 105520, Status: "success",
		}, succeeded,
	},
	"VOD AttachedMediaUploadComplete": {
		`{"EventTime":"2019-01-20T07:49:17Z","EventType":"AttachedMediaUploadComplete","AttachedMediaId":"62cb3151eba52js82j2da3b55bc5****",
		  "Size":14333,"FileURL":"https://example.aliyundoc.com/a.png","Status":"success"}`,
		events.Event{
			Service: "vod", EventType: events.AttachedMediaUploadComplete, EventTime: at("2019-01-20T07:49:17Z"),
			MediaId: "62cb3151eba52js82j2da3b55bc5****", FileURL: "https://example.aliyundoc.com/a.png", Size: 14333, Status: "success",
		}, succeeded,
	},
	"VOD UploadByURLComplete, a blank in a key": {
		`{"Status":"success","EventTime":"2017-03-20T07:49:17Z","EventType":"UploadByURLComplete","VideoId":"43q9fjdun3f****",
		  "JobId":"4c815bjs83j1****","SourceURL ":"http://example.aliyundoc.com/a.mp4","Size":"123456"}`,
		events.Event{
			Service: "vod", EventType: events.UploadByURLComplete, EventTime: at("2017-03-20T07:49:17Z"), MediaId: "43q9fjdun3f****",
			JobId: "4c815bjs83j1****", SourceURL: "http://example.aliyundoc.com/a.mp4", Size: 123456, Status: "success",
		}, succeeded,
	},
	"VOD UploadByURLComplete, failed, blanks everywhere": {
		`{"Status":"fail","EventTime":"2017-03-20T07:49:17Z","EventType":"UploadByURLComplete","ErrorCode ":"URLInvalidError ",
		  "ErrorMessage ":"download video failed by the url","JobId":"4c815bjsued****","SourceURL ":"http://example.aliyundoc.com/a.mp4"}`,
		events.Event{
			Service: "vod", EventType: events.UploadByURLComplete, EventTime: at("2017-03-20T07:49:17Z"), JobId: "4c815bjsued****",
			SourceURL: "http://example.aliyundoc.com/a.mp4", Status: "fail", ErrorCode: "URLInvalidError", ErrorMessage: "download video failed by the url",
		}, failed,
	},
	"VOD UploadByURLComplete of a stream": {
		`{"Status":"success","SourceURL":"https://example.com/record/a","VideoId":"0a389969855b438a9eb2a1d1efc0****","EventType":"UploadByURLComplete",
		  "FileType":"Stream","EventTime":"2021-12-21T04:04:01Z","StreamFileURL":"http://outin.oss-cn-shanghai.aliyuncs.com/a.flv","JobId":"5d018d2bc9400d1831f9868a04e4****"}`,
		events.Event{
			Service: "vod", EventType: events.UploadByURLComplete, EventTime: at("2021-12-21T04:04:01Z"), MediaId: "0a389969855b438a9eb2a1d1efc0****",
			JobId: "5d018d2bc9400d1831f9868a04e4****", FileURL: "http://outin.oss-cn-shanghai.aliyuncs.com/a.flv", SourceURL: "https://example.com/record/a", Status: "success",
		}, succeeded,
	},
	"VOD TranscodeComplete": {
		`{"EventTime":"2017-03-20T07:49:17Z","EventType":"TranscodeComplete","VideoId":"43q9fjdun3f****","Status":"success","Extend":{"a":1},
		  "StreamInfos":[{"Status":"success","Bitrate":"1028","Definition":"LD","Duration":110.2,"Encrypt":true}]}`,
		events.Event{
			Service: "vod", EventType: events.TranscodeComplete, EventTime: at("2017-03-20T07:49:17Z"), MediaId: "43q9fjdun3f****", Status: "success", UserData: `{"a":1}`,
		}, succeeded,
	},
	"VOD AIMediaAuditComplete": {
		`{"EventTime":"2022-10-20T10:29:46:540Z","EventType":"AIMediaAuditComplete","JobId":"43q91jdh7df****","MediaId":"SHEN38505NDF9****",
		  "Status":"success","Code":"0","Message":"OK","Data":{"Suggestion":"review"}}`,
		events.Event{
			Service: "vod", EventType: events.AIMediaAuditComplete, EventTime: at("2022-10-20T10:29:46.54Z"), MediaId: "SHEN38505NDF9****",
			JobId: "43q91jdh7df****", Status: "success",
		}, succeeded,
	},
	"VOD UpdateMediaStorageClassComplete": {
		`{"EventType":"UpdateMediaStorageClassComplete","EventTime":"2022-06-23T13:11:33Z","Status":"Failed","MediaId":"71151b80f2d471ecb21b472190a9****",
		  "Scope":"All","ErrorCode":"NoSuchKey","ErrorMessage":"OSS bucket or object does not exist"}`,
		events.Event{
			Service: "vod", EventType: events.UpdateMediaStorageClassComplete, EventTime: at("2022-06-23T13:11:33Z"), MediaId: "71151b80f2d471ecb21b472190a9****",
			Status: "Failed", ErrorCode: "NoSuchKey", ErrorMessage: "OSS bucket or object does not exist",
		}, failed,
	},
	"VOD WorkflowTaskComplete": {
		`{"EventType":"WorkflowTaskComplete","EventTime":"2023-01-04T02:04:06Z","WorkflowId":"w","Status":"Succeed","VideoId":"v","TaskId":"t","ActivityResults":"[]"}`,
		events.Event{
			Service: "vod", EventType: events.WorkflowTaskComplete, EventTime: at("2023-01-04T02:04:06Z"), MediaId: "v", JobId: "t", Status: "Succeed",
		}, succeeded,
	},
	"IMS RegisterMediaComplete": {
		`{"EventType":"RegisterMediaComplete","UserId":1074210416593145,"EventTime":"2024-07-25T09:21:36Z","MessageBody":{"Status":"Success","MediaId":"m"}}`,
		events.Event{
			Service: "ice", EventType: events.RegisterMediaComplete, EventTime: at("2024-07-25T09:21:36Z"), UserId: "1074210416593145", MediaId: "m", Status: "Success",
		}, succeeded,
	},
	"IMS ProduceMediaComplete, failed": {
		`{"EventType":"ProduceMediaComplete","UserId":1074210416593145,"EventTime":"2024-07-25T09:21:36Z","MessageBody":{"Status":"Failed","MediaId":"m",
		  "MediaURL":"http://example.com/a.mp4","ProjectId":"p","JobId":"j","ErrorCode":"InvalidParameter","ErrorMessage":"bad","UserData":"plain text"}}`,
		events.Event{
			Service: "ice", EventType: events.ProduceMediaComplete, EventTime: at("2024-07-25T09:21:36Z"), UserId: "1074210416593145", MediaId: "m", JobId: "j",
			FileURL: "http://example.com/a.mp4", Status: "Failed", ErrorCode: "InvalidParameter", ErrorMessage: "bad", UserData: "plain text",
		}, failed,
	},
	"IMS BatchProduceMediaComplete": {
		`{"EventType":"BatchProduceMediaComplete","UserId":"1074210416593145","EventTime":"2024-07-25 09:21:36","MessageBody":"{\"JobId\":\"j\",\"Status\":\"Finished\"}"}`,
		events.Event{
			Service: "ice", EventType: events.BatchProduceMediaComplete, EventTime: at("2024-07-25T09:21:36Z"), UserId: "1074210416593145", JobId: "j", Status: "Finished",
		}, succeeded,
	},
	"IMS LiveRecordTaskStatus, no result": {
		`{"EventType":"LiveRecordTaskStatus","UserId":1,"EventTime":"x","MessageBody":{"JobId":"j","Status":"Paused"}}`,
		events.Event{Service: "ice", EventType: events.LiveRecordTaskStatus, UserId: "1", JobId: "j", Status: "Paused"}, neither,
	},
	"unknown, every type wrong": {
		`{"eventtype":"New","EventTime":17,"VideoId":12.5,"MediaId":null,"JobId":{"a":1},"Size":"many","Status":true,"FileUrl":["x"],"ErrorCode":7}`,
		events.Event{Service: "vod", EventType: "New", MediaId: "12.5", Status: "true", ErrorCode: "7"}, neither,
	},
	"an error without a status": {
		`{"EventType":"New","ErrorCode":"Busy"}`,
		events.Event{Service: "vod", EventType: "New", ErrorCode: "Busy"}, failed,
	},
	"details that are no object": {
		`{"EventType":"New","MessageBody":[1,2]}`,
		events.Event{Service: "ice", EventType: "New"}, neither,
	},
}

func at(s string) time.Time {
	t, _ := time.Parse(time.RFC3339Nano, s)
	return t
}

func TestParse_Samples(t *testing.T) {
	t.Parallel()
	for name, tt := range samples {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := events.Parse([]byte(tt.message))
			require.NoError(t, err)
			require.Equal(t, tt.message, string(got.Raw))
			require.Equal(t, got.Service == "vod", got.Body == got.Raw)
			require.Equal(t, tt.result == succeeded, got.Succeeded())
			require.Equal(t, tt.result == failed, got.Failed())

			for _, queued := range []string{
				base64.StdEncoding.EncodeToString([]byte(tt.message)),
				base64.RawStdEncoding.EncodeToString([]byte(tt.message)) + "\r\n",
				" \n" + tt.message + "\n",
			} {
				again, err := events.Parse([]byte(queued))
				require.NoError(t, err)
				require.Equal(t, got, again)
			}
			got.Body, got.Raw = "", ""
			require.Equal(t, tt.want, got)
		})
	}
}

func TestParse_Refuses(t *testing.T) {
	t.Parallel()
	const secret = "do-not-show"
	for name, message := range map[string]string{
		"nothing":         "",
		"blanks":          " \n",
		"null":            "null",
		"string":          `"` + secret + `"`,
		"array":           `[{"EventType":"` + secret + `"}]`,
		"no EventType":    `{"VideoId":"` + secret + `"}`,
		"empty EventType": `{"EventType":" ","VideoId":"` + secret + `"}`,
		"long EventType":  `{"EventType":"` + strings.Repeat(secret, 12) + `"}`,
		"object as type":  `{"EventType":{"a":"` + secret + `"}}`,
		"two objects":     `{"EventType":"a"}{"EventType":"` + secret + `"}`,
		"cut":             `{"EventType":"` + secret,
		"comma at end":    `{"EventType":"` + secret + `",}`,
		"Base64 of text":  base64.StdEncoding.EncodeToString([]byte(secret)),
		"Base64 of array": base64.StdEncoding.EncodeToString([]byte(`["` + secret + `"]`)),
		"Base64 twice":    base64.StdEncoding.EncodeToString([]byte(base64.StdEncoding.EncodeToString([]byte(uploaded)))),
		"too deep":        `{"EventType":"a","b":` + strings.Repeat("[", 20000) + strings.Repeat("]", 20000) + `}`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := events.Parse([]byte(message))
			require.ErrorIs(t, err, events.ErrMalformed)
			require.NotContains(t, err.Error(), secret)
			require.Zero(t, got)
		})
	}
	_, err := events.Parse(make([]byte, events.MaxBytes+1))
	require.ErrorIs(t, err, events.ErrTooLarge)
}

func TestParse_Sizes(t *testing.T) {
	t.Parallel()
	for size, want := range map[string]int64{
		`12`: 12, `"12"`: 12, `" 12 "`: 12, `12.0`: 12, `1.2e1`: 12, `"1.5"`: 1, `0`: 0, `null`: 0, `""`: 0, `true`: 0, `-1`: 0, `-1.5`: 0,
		`9223372036854775807`: 1<<63 - 1, `9223372036854775808`: 0, `1e300`: 0, `1e999`: 0, `"NaN"`: 0, `"Inf"`: 0, `[5]`: 0,
	} {
		e, err := events.Parse([]byte(`{"EventType":"a","Size":` + size + `}`))
		require.NoError(t, err, size)
		require.Equal(t, want, e.Size, size)
	}
}

// Of keys that mean the same the same one counts each time.
func TestParse_Ambiguous(t *testing.T) {
	t.Parallel()
	for range 50 {
		e, err := events.Parse([]byte(`{"EventType":"a","VideoId ":"2","VideoId":"1","videoid":"3"}`))
		require.NoError(t, err)
		require.Equal(t, "1", e.MediaId)
	}
}

// The documentation calls MediaContent a JSON string and shows an object; the
// values inside are JSON strings.
func TestEvent_DecodeIntoOwnStruct(t *testing.T) {
	t.Parallel()
	type change struct{ OldValue, NewValue any }
	for name, content := range map[string]string{
		"object": `{"Title":"{\"OldValue\":\"old\",\"NewValue\":\"new\"}"}`,
		"string": `"{\"Title\":\"{\\\"OldValue\\\":\\\"old\\\",\\\"NewValue\\\":\\\"new\\\"}\"}"`,
	} {
		e, err := events.Parse([]byte(`{"EventType":"MediaBaseChangeComplete","MediaId":"m","OperateMode":"update","Size":"7","MediaContent":` + content + `}`))
		require.NoError(t, err, name)
		var details struct {
			OperateMode  string
			Size         json.Number
			MediaContent alimedia.JSON
		}
		require.NoError(t, e.Body.Decode(&details))
		require.Equal(t, "update", details.OperateMode)
		require.EqualValues(t, "7", details.Size)
		var changes map[string]alimedia.JSON
		require.NoError(t, details.MediaContent.Decode(&changes), name)
		var title change
		require.NoError(t, changes["Title"].Decode(&title), name)
		require.Equal(t, change{"old", "new"}, title)
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range samples {
		f.Add([]byte(s.message))
		f.Add([]byte(base64.StdEncoding.EncodeToString([]byte(s.message))))
	}
	f.Fuzz(func(t *testing.T, message []byte) {
		e, err := events.Parse(message)
		if err != nil {
			require.Zero(t, e)
			return
		}
		require.NotEmpty(t, e.EventType)
		require.LessOrEqual(t, len(e.EventType), 128)
		require.True(t, json.Valid([]byte(e.Raw)))
		require.GreaterOrEqual(t, e.Size, int64(0))
		require.False(t, e.Succeeded() && e.Failed())
		again, err := events.Parse([]byte(e.Raw))
		require.NoError(t, err)
		require.Equal(t, e, again)
	})
}
