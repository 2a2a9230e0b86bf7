package main

import (
	"context"
	"fmt"

	"github.com/alimedia/alimedia-go/mediatest"
)

func Example() {
	srv := mediatest.Start()
	defer srv.Close()
	for i := range 30 {
		srv.PutObject(bucket(i), key(i), []byte("film"))
	}
	for range 2 { // again is harmless
		if err := run(context.Background(), srv.Config(), 31); err != nil {
			fmt.Println(err)
		}
	}
	// Output:
	// failed: https://films-0.oss-cn-shanghai.aliyuncs.com/0030.mp4
	// registered: 30 failed: 1
	// failed: https://films-0.oss-cn-shanghai.aliyuncs.com/0030.mp4
	// registered: 30 failed: 1
}
