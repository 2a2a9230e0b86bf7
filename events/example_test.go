package events_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/alimedia/alimedia-go"
	"github.com/alimedia/alimedia-go/events"
	"github.com/alimedia/alimedia-go/mediatest"
)

// A receiver of callbacks, and a test of it: mediatest signs as the service
// does.
func Example() {
	const url = "https://media.example.com/callbacks" // as in SetMessageCallback
	receiver, err := events.New(events.Config{
		Keys: []alimedia.Secret{"OldKey1", "NewKey2"},
		URLs: []string{url},
	}, func(_ context.Context, e events.Event) error {
		switch {
		case e.EventType == events.TranscodeComplete && e.Succeeded():
			fmt.Println(e.MediaId, "plays")
		case e.Failed():
			fmt.Println(e.MediaId, e.EventType, "failed:", e.ErrorCode)
		}
		return nil // an error makes the service repeat the callback
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	mux := http.NewServeMux()
	mux.Handle("/callbacks", receiver)

	post := func(c mediatest.Callback) {
		c.URL = url
		req, err := c.Request()
		if err != nil {
			fmt.Println(err)
			return
		}
		response := httptest.NewRecorder()
		mux.ServeHTTP(response, req)
		fmt.Println(response.Code)
	}
	post(mediatest.Callback{Service: "vod", AuthKey: "OldKey1", Body: `{"EventType":"TranscodeComplete","VideoId":"v1","Status":"success"}`})
	post(mediatest.Callback{Service: "ice", AuthKey: "NewKey2", Body: `{"EventType":"ProduceMediaComplete","MessageBody":{"MediaId":"m1","Status":"Failed","ErrorCode":"InvalidParameter"}}`})
	post(mediatest.Callback{Service: "vod", AuthKey: "Forged3", Body: `{"EventType":"TranscodeComplete","VideoId":"v2","Status":"success"}`})
	// Output:
	// v1 plays
	// 200
	// m1 ProduceMediaComplete failed: InvalidParameter
	// 200
	// 403
}

// A consumer of a message queue gets the same events, often in Base64.
func ExampleParse() {
	e, err := events.Parse([]byte("eyJFdmVudFR5cGUiOiJGaWxlVXBsb2FkQ29tcGxldGUiLCJWaWRlb0lkIjoidjEiLCJTaXplIjoxNCwiU3RhdHVzIjoic3VjY2VzcyJ9"))
	fmt.Println(e.EventType, e.MediaId, e.Size, e.Succeeded(), err)

	var details struct{ VideoId, Status string }
	err = e.Body.Decode(&details)
	fmt.Println(details.VideoId, details.Status, err)
	// Output:
	// FileUploadComplete v1 14 true <nil>
	// v1 success <nil>
}
