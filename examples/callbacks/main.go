// Callbacks receives events as the services report them: the genuine ones, and
// what others send.
//
//	go run ./examples/callbacks
//
// It needs no account. A server in this process receives on loopback, and the
// callbacks are signed as ApsaraVideo VOD and IMS sign theirs. An upload to the
// SDK's fake of the services waits for the event of its end.
package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"time"

	"github.com/alimedia/alimedia-go"
	"github.com/alimedia/alimedia-go/events"
	"github.com/alimedia/alimedia-go/mediatest"
	"github.com/alimedia/alimedia-go/upload"
	"github.com/alimedia/alimedia-go/vod"
)

const (
	// What SetMessageCallback and SetEventCallback were given. The world knows
	// this URL; behind the proxy the server has another address.
	callbackURL = "https://media.example.com/callbacks"

	oldKey alimedia.Secret = "SpringKey2026" // of the environment, in a real program
	newKey alimedia.Secret = "AutumnKey2026"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	if err := run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "callbacks:", err)
		cancel()
		stop()
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	news := new(events.News)
	receiver, err := events.New(events.Config{
		Keys: []alimedia.Secret{oldKey, newKey},
		URLs: []string{callbackURL},
	}, func(ctx context.Context, e events.Event) error {
		fmt.Printf("   event    %s of %s: %s\n", e.EventType, e.MediaId, e.Status)
		return news.Handle(ctx, e)
	})
	if err != nil {
		return err
	}
	sender, closeServer, err := serve(receiver)
	if err != nil {
		return err
	}
	defer closeServer()

	uploaded := mediatest.Callback{
		Service: "vod", AuthKey: newKey, Time: time.Now(),
		Body: `{"EventType":"FileUploadComplete","VideoId":"43q91jdh7df","Size":1439213,"Status":"success"}`,
	}
	forged, late := uploaded, uploaded
	forged.AuthKey = "GuessedKey1"
	late.Time = uploaded.Time.Add(-time.Hour)
	for _, step := range []struct {
		what     string
		callback mediatest.Callback
	}{
		{"An upload is complete", uploaded},
		{"The same callback again: answered, not handled", uploaded},
		{"Forged with another key", forged},
		{"Signed an hour ago", late},
		{"From IMS, still with the old key", mediatest.Callback{
			Service: "ice", AuthKey: oldKey,
			Body: `{"EventType":"RegisterMediaComplete","UserId":1074210416593145,"MessageBody":{"MediaId":"5e778ec0027b71ed","Status":"Success"}}`,
		}},
	} {
		fmt.Println(step.what)
		if err := sender.post(ctx, step.callback); err != nil {
			return err
		}
	}
	return uploadAndWait(ctx, news, sender)
}

// uploadAndWait uploads a video and learns from an event that it plays.
func uploadAndWait(ctx context.Context, news *events.News, sender sender) error {
	fmt.Println("An upload waits until its video plays")
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	srv := mediatest.Start(mediatest.Processing(300 * time.Millisecond))
	defer srv.Close()
	client, err := vod.New(srv.Config())
	if err != nil {
		return err
	}
	up, err := upload.New(upload.Config{VOD: client, HTTPClient: srv.HTTPClient()})
	if err != nil {
		return err
	}
	reported := make(chan error, 1)
	go func() { reported <- report(ctx, srv, sender) }()
	res, err := up.Upload(ctx, upload.Reader("clip.mp4", strings.NewReader("a clip"), 6), upload.VODVideo{Title: "Clip"}, upload.WithWait(news))
	if err != nil {
		return err
	}
	if err := <-reported; err != nil {
		return err
	}
	fmt.Printf("   upload   %s is %s\n", res.MediaId, res.Status)
	return nil
}

// report does what the fake does not: it sends the event when the video is
// ready.
func report(ctx context.Context, srv *mediatest.Server, sender sender) error {
	video, err := alimedia.Poll(ctx, 50*time.Millisecond, func(context.Context) (mediatest.Media, bool, error) {
		all := srv.Medias()
		if len(all) == 0 || all[0].Status != vod.VideoStatusNormal {
			return mediatest.Media{}, false, nil
		}
		return all[0], true, nil
	})
	if err != nil {
		return err
	}
	return sender.post(ctx, mediatest.Callback{
		Service: "vod", AuthKey: newKey,
		Body: `{"EventType":"TranscodeComplete","VideoId":"` + video.MediaId + `","Status":"success"}`,
	})
}

// sender posts callbacks to where the server really listens.
type sender struct{ address string }

func (s sender) post(ctx context.Context, c mediatest.Callback) error {
	c.URL = callbackURL
	req, err := c.Request()
	if err != nil {
		return err
	}
	req = req.WithContext(ctx)
	req.URL.Scheme, req.URL.Host, req.Host = "http", s.address, ""
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	fmt.Println("   answer  ", resp.Status)
	return nil
}

// serve receives callbacks on loopback.
func serve(receiver http.Handler) (s sender, closeServer func() error, err error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return sender{}, nil, err
	}
	mux := http.NewServeMux()
	mux.Handle("/callbacks", receiver)
	server := &http.Server{Handler: mux, ReadTimeout: 5 * time.Second}
	go func() { _ = server.Serve(listener) }() // ends with ErrServerClosed
	return sender{listener.Addr().String()}, server.Close, nil
}
