package ingest_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"time"

	"github.com/alimedia/alimedia-go/ingest"
	"github.com/alimedia/alimedia-go/mediatest"
	"github.com/alimedia/alimedia-go/upload"
	"github.com/alimedia/alimedia-go/vod"
)

// One machine: the queue, the submission and a worker in one process. The
// services are simulated.
func Example() {
	srv := mediatest.Start()
	defer srv.Close()
	video, err := vod.New(srv.Config())
	check(err)
	dir, err := os.MkdirTemp("", "ingest-example-")
	check(err)
	defer os.RemoveAll(dir)
	movies := filepath.Join(dir, "movies")
	check(os.Mkdir(movies, 0o700))
	for _, name := range []string{"one.mp4", "two.mp4", "empty.mp4"} {
		data := []byte("movie")
		if name == "empty.mp4" {
			data = nil
		}
		check(os.WriteFile(filepath.Join(movies, name), data, 0o600))
	}

	ctx := context.Background() // of signal.NotifyContext, in a real program
	queue, err := ingest.Serve(ingest.ServerConfig{Dir: filepath.Join(dir, "queue"), Listen: "127.0.0.1:0"})
	check(err)
	defer queue.Close()
	fleet, err := ingest.Open(ctx, ingest.Config{Server: queue})
	check(err)
	defer fleet.Close()

	count, err := fleet.Submit(ctx, ingest.Folder(movies, ingest.Target{VODVideo: &upload.VODVideo{}}))
	check(err)
	fmt.Println(count.Queued, "jobs")
	check(fleet.Work(ctx, ingest.WorkerConfig{
		Upload: upload.Config{VOD: video},
		Roots:  []ingest.Root{{Dir: movies}},
		Idle:   time.Second, // ends when the queue is empty
	}))
	summary, err := fleet.Report(ctx, nil)
	check(err)
	fmt.Print(summary)
	// Output:
	// 3 jobs
	// done     2
	// working  0
	// waiting  0
	// dead     1
	//      1 dead      0 waiting  Empty: upload "empty.mp4": open: the source is empty
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
