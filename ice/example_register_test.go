package ice_test

import (
	"context"
	"fmt"

	"github.com/alimedia/alimedia-go/ice"
	"github.com/alimedia/alimedia-go/mediatest"
)

// Register all objects of a bucket. What is registered already keeps its MediaId.
func ExampleClient_RegisterMediaInfoAll() {
	srv := mediatest.Start()
	defer srv.Close()
	for i := range 25 {
		srv.PutObject("films", fmt.Sprintf("%02d.mp4", i), []byte("film"))
	}
	files := func(yield func(ice.RegisterMediaInfoRequest) bool) {
		for i := range 25 {
			if !yield(ice.RegisterMediaInfoRequest{InputURL: fmt.Sprintf("oss://films/%02d.mp4", i), Title: fmt.Sprint("Film ", i)}) {
				return
			}
		}
	}
	for range 2 {
		registered, before := 0, 0
		for res := range client(srv).RegisterMediaInfoAll(context.Background(), files) {
			switch {
			case res.Err != nil:
				fmt.Println(res.Request.InputURL, res.Err)
			case res.AlreadyRegistered:
				before++
			default:
				registered++
			}
		}
		fmt.Println("registered:", registered, "before:", before)
	}
	// Output:
	// registered: 25 before: 0
	// registered: 0 before: 25
}
