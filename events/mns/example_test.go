package mns_test

import (
	"context"
	"fmt"

	"github.com/alimedia/alimedia-go/events"
	"github.com/alimedia/alimedia-go/events/mns"
	"github.com/alimedia/alimedia-go/mediatest"
)

// A consumer of a queue, and a test of it: mediatest simulates the queue.
func Example() {
	srv := mediatest.Start()
	defer srv.Close()
	srv.Send("ice-callback-media", `{"EventType":"TranscodeComplete","VideoId":"v1","Status":"success","StreamInfos":[
		{"Definition":"HD","Status":"success"},{"Definition":"4K","Status":"fail","ErrorCode":"InvalidParameter"}]}`)

	queue, err := mns.New(mns.Config{
		Endpoint:    srv.URL, // https://<account id>.mns.<region>.aliyuncs.com
		QueueName:   "ice-callback-media",
		Credentials: srv.Config().Credentials, // nil: the default chain
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx, cancel := context.WithCancel(context.Background())
	err = events.Consume(ctx, queue, func(_ context.Context, e events.Event) error {
		fmt.Println(e.Id()[:8], e.MediaId, "plays:", e.Succeeded())
		for _, s := range e.Streams() {
			if s.Failed() {
				fmt.Println(s.Definition, "failed:", s.ErrorCode)
			}
		}
		cancel() // the program ends
		return nil
	}, events.ConsumeConfig{})
	fmt.Println(err, len(srv.QueueMessages("ice-callback-media")))
	// Output:
	// c949e86b v1 plays: true
	// 4K failed: InvalidParameter
	// <nil> 0
}
