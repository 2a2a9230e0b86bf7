package events_test

import (
	"context"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/alimedia/alimedia-go"
	"github.com/alimedia/alimedia-go/events"
	"github.com/alimedia/alimedia-go/mediatest"
)

// idOf is the Id of a message.
func idOf(t *testing.T, message string) string {
	t.Helper()
	e, err := events.Parse([]byte(message))
	require.NoError(t, err, message)
	require.Regexp(t, "^[0-9a-f]{64}$", e.Id())
	require.Equal(t, e.Id(), e.Id())
	return e.Id()
}

func TestEvent_Id_OfOneEventHoweverItIsDelivered(t *testing.T) {
	t.Parallel()
	const message = `{"EventType":"StreamTranscodeComplete","EventTime":"2026-11-25T10:00:00Z","VideoId":"v","Size":1439213,"Duration":12.50,"FileUrl":"http://a/ü&<b>","Extend":{"a":[1,2,{"b":null}]}}`
	id := idOf(t, message)
	for what, other := range map[string]string{
		"Base64":                  base64.StdEncoding.EncodeToString([]byte(message)),
		"Base64 without padding":  base64.RawStdEncoding.EncodeToString([]byte(message)),
		"other order and spaces":  "\n{ \"Extend\" : {\"a\":[ 1,2 , {\"b\":null}]},\t\"FileUrl\":\"http://a/ü&<b>\",\"Duration\":12.50,\"Size\":1439213,\"VideoId\":\"v\",\"EventTime\":\"2026-11-25T10:00:00Z\",\"EventType\":\"StreamTranscodeComplete\"}\r\n",
		"other escapes":           `{"EventType":"StreamTranscodeComplete","EventTime":"2026-11-25T10:00:00Z","VideoId":"\u0076","Size":1439213,"Duration":12.50,"FileUrl":"http:\/\/a\/\u00fc\u0026\u003cb>","Extend":{"a":[1,2,{"b":null}]}}`,
		"other forms of a number": `{"EventType":"StreamTranscodeComplete","EventTime":"2026-11-25T10:00:00Z","VideoId":"v","Size":1.439213e6,"Duration":125E-1,"FileUrl":"http://a/ü&<b>","Extend":{"a":[1.0,2e0,{"b":null}]}}`,
	} {
		require.Equal(t, id, idOf(t, other), what)
	}
	require.Equal(t,
		idOf(t, `{"EventType":"E","UserId":1074210416593145,"MessageBody":{"MediaId":"m","Status":"Success"}}`),
		idOf(t, `{"EventType":"E","UserId":1.074210416593145E15,"MessageBody":"{\"Status\": \"Success\", \"MediaId\":\"m\"}"}`),
		"MessageBody as a string")
}

// The signature, and so the time of delivery, is no part of an Id.
func TestEvent_Id_SignedAnew(t *testing.T) {
	t.Parallel()
	const url, body = "https://media.example.com/callbacks", `{"EventType":"FileUploadComplete","VideoId":"v"}`
	var ids []string
	receiver, err := events.New(events.Config{Keys: []alimedia.Secret{"OldKey1", "NewKey2"}, URLs: []string{url}}, func(_ context.Context, e events.Event) error {
		ids = append(ids, e.Id())
		return nil
	})
	require.NoError(t, err)
	for i, key := range []alimedia.Secret{"OldKey1", "NewKey2", "NewKey2"} {
		req, err := mediatest.Callback{Service: "vod", URL: url, AuthKey: key, Body: body, Time: time.Now().Add(time.Duration(i) * time.Second)}.Request()
		require.NoError(t, err)
		w := httptest.NewRecorder()
		receiver.ServeHTTP(w, req)
		require.Equal(t, http.StatusOK, w.Code)
	}
	require.Equal(t, []string{idOf(t, body), idOf(t, body), idOf(t, body)}, ids)
}

func TestEvent_Id_OfDifferentEvents(t *testing.T) {
	t.Parallel()
	seen := map[string]string{}
	for _, message := range []string{
		// Two streams of one video in one second, by JobId, Definition or Format only.
		`{"EventType":"StreamTranscodeComplete","EventTime":"2026-11-25T10:00:00Z","VideoId":"v","Definition":"HD","Format":"mp4","JobId":"1"}`,
		`{"EventType":"StreamTranscodeComplete","EventTime":"2026-11-25T10:00:00Z","VideoId":"v","Definition":"HD","Format":"mp4","JobId":"2"}`,
		`{"EventType":"StreamTranscodeComplete","EventTime":"2026-11-25T10:00:00Z","VideoId":"v","Definition":"LD","Format":"mp4","JobId":"1"}`,
		`{"EventType":"StreamTranscodeComplete","EventTime":"2026-11-25T10:00:00Z","VideoId":"v","Definition":"HD","Format":"m3u8","JobId":"1"}`,
		// Two states of one job, and one state at two times.
		`{"EventType":"LiveRecordTaskStatus","UserId":1,"EventTime":"2026-11-25T10:00:00Z","MessageBody":{"JobId":"j","Status":"start"}}`,
		`{"EventType":"LiveRecordTaskStatus","UserId":1,"EventTime":"2026-11-25T10:00:00Z","MessageBody":{"JobId":"j","Status":"pause"}}`,
		`{"EventType":"LiveRecordTaskStatus","UserId":1,"EventTime":"2026-11-25T10:00:01Z","MessageBody":{"JobId":"j","Status":"start"}}`,
		`{"EventType":"LiveRecordTaskStatus","UserId":2,"EventTime":"2026-11-25T10:00:00Z","MessageBody":{"JobId":"j","Status":"start"}}`,
		// Events without an id.
		`{"EventType":"A"}`, `{"EventType":"B"}`, `{"EventType":"A","x":1}`, `{"EventType":"A","x":"1"}`, `{"EventType":"A","x":true}`, `{"EventType":"A","x":null}`,
		`{"EventType":"A","x":[]}`, `{"EventType":"A","x":{}}`, `{"EventType":"A","x":""}`, `{"EventType":"A","x":[1]}`, `{"EventType":"A","x":[[1]]}`,
		`{"EventType":"A","x":10}`, `{"EventType":"A","x":-1}`, `{"EventType":"A","x":0.1}`, `{"EventType":"A","x":0}`, `{"EventType":"A","x":101}`,
		`{"EventType":"A","x":9007199254740993}`, `{"EventType":"A","x":9007199254740992}`, `{"EventType":"A","x":1e400}`, `{"EventType":"A","x":1e401}`,
		`{"EventType":"A","x":1e99999999999999999999}`, `{"EventType":"A","x":1e99999999999999999998}`,
		// White space and the order of elements are part of a value.
		`{"EventType":"A","x":"1 "}`, `{"EventType":"A","x":[1,2]}`, `{"EventType":"A","x":[2,1]}`, `{"EventType":"A","X":1}`, `{"EventType":"A","x ":1}`,
		// What cannot be decoded.
		"{\"EventType\":\"A\",\"x\":\"\xff\"}", "{\"EventType\":\"A\",\"x\":\"\xfe\"}", `{"EventType":"A","x":"\ud800"}`, `{"EventType":"A","x":"\ud801"}`,
		`{"EventType":"A","MessageBody":"text"}`, `{"EventType":"A","MessageBody":"null"}`, `{"EventType":"A","MessageBody":"{"}`, `{"EventType":"A","MessageBody":"{}{}"}`,
	} {
		id := idOf(t, message)
		require.Empty(t, seen[id], "%s has the Id of another", message)
		seen[id] = message
	}
	require.Empty(t, events.Event{}.Id())
}

func FuzzEvent_Id(f *testing.F) {
	f.Add(`"a"`, `1.50`)
	f.Add(`{"a":[1e9]}`, `null`)
	f.Fuzz(func(t *testing.T, a, b string) {
		one, err := events.Parse(fmt.Appendf(nil, `{"EventType":"E","a":%s,"b":%s}`, a, b))
		if err != nil {
			return
		}
		other, err := events.Parse(fmt.Appendf(nil, "{ \"EventType\" :\"E\",\n\"a\": %s ,\"b\":%s}", a, b))
		require.NoError(t, err)
		require.Equal(t, one.Id(), other.Id())
		if turned, err := events.Parse(fmt.Appendf(nil, `{"b":%s,"a":%s,"EventType":"E"}`, b, a)); err == nil && turned.EventType == "E" && a != b {
			require.NotEmpty(t, turned.Id())
		}
	})
}
