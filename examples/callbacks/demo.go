package main

import (
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/alimedia/alimedia-go"
	"github.com/alimedia/alimedia-go/events"
	"github.com/alimedia/alimedia-go/events/mns"
	"github.com/alimedia/alimedia-go/mediatest"
	"github.com/alimedia/alimedia-go/upload"
	"github.com/alimedia/alimedia-go/vod"
)

const (
	// What SetMessageCallback and SetEventCallback were given. The world knows this
	// URL; behind the proxy the server has another address.
	callbackURL = "https://media.example.com/callbacks"

	oldKey = "SpringKey2026" // of the environment, in a real program
	newKey = "AutumnKey2026"

	queueName = "ice-callback-media"
)

// stage is what the demonstration plays on: the simulated services, and this
// program as it serves.
type stage struct {
	store   *store
	news    *events.News
	service *mediatest.Server
	vod     *vod.Client
	address string // where callbacks are received
}

// demo shows what happens to genuine, repeated, forged and late callbacks, to
// messages of a queue and to events that never come.
func demo(ctx context.Context, s settings) error {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	slog.SetDefault(slog.New(slog.DiscardHandler)) // refusals are shown as answers
	folder, err := os.MkdirTemp("", "callbacks")
	if err != nil {
		return err
	}
	defer os.RemoveAll(folder)
	db, err := openDatabase(ctx, s.postgres, filepath.Join(folder, "callbacks.db"))
	if err != nil {
		return err
	}
	defer db.Close()
	fmt.Println("Events go into", db)

	service := mediatest.Start(mediatest.Processing(300 * time.Millisecond))
	defer service.Close()
	st := &stage{store: &store{db}, news: new(events.News), service: service}
	if st.vod, err = vod.New(service.Config()); err != nil {
		return err
	}
	serving, stop := context.WithCancel(ctx)
	group, serving := errgroup.WithContext(serving)
	defer func() { stop(); _ = group.Wait() }()
	if err := st.serve(serving, group); err != nil {
		return err
	}
	for _, part := range []func(context.Context) error{st.callbacks, st.messages, st.upload, st.lost} {
		if err := part(ctx); err != nil {
			return err
		}
	}
	fmt.Println("What the database knows now")
	if err := st.store.print(ctx, os.Stdout); err != nil {
		return err
	}
	stop()
	return group.Wait()
}

// serve starts what serve of the real program starts.
func (st *stage) serve(ctx context.Context, group *errgroup.Group) error {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	st.address = listener.Addr().String()
	receiver, err := events.New(events.Config{
		Keys: []alimedia.Secret{oldKey, newKey},
		URLs: []string{callbackURL, st.localURL()},
	}, func(ctx context.Context, e events.Event) error { return st.handle(ctx, e, "http") })
	if err != nil {
		return err
	}
	group.Go(func() error { return listen(ctx, listener, receiver) })

	st.service.SetQueue(queueName, mediatest.QueueSettings{})
	queue, err := mns.New(mns.Config{Endpoint: st.service.URL, QueueName: queueName, Credentials: st.service.Config().Credentials})
	if err != nil {
		return err
	}
	group.Go(func() error {
		return events.Consume(ctx, queue, func(ctx context.Context, e events.Event) error { return st.handle(ctx, e, "queue") },
			events.ConsumeConfig{Reject: st.store.reject})
	})
	return nil
}

func (st *stage) localURL() string { return "http://" + st.address + "/callbacks" }

// handle stores an event and tells uploads that wait.
func (st *stage) handle(ctx context.Context, e events.Event, via string) error {
	repeated, err := st.store.handle(ctx, e, via)
	if err != nil {
		return err
	}
	verdict := "stored"
	if repeated {
		verdict = "known already"
	}
	fmt.Printf("   %-7s  %s of %s: %s (event %.8s)\n", via, e.EventType, e.MediaId, verdict, e.Id())
	return st.news.Handle(ctx, e)
}

// callbacks shows which callbacks are believed.
func (st *stage) callbacks(ctx context.Context) error {
	now := time.Now().UTC().Truncate(time.Second)
	at := func(d time.Duration) string { return now.Add(d).Format(time.RFC3339) }
	transcoded := mediatest.Callback{
		Service: "vod", AuthKey: newKey, Time: now,
		Body: `{"EventType":"TranscodeComplete","EventTime":"` + at(0) + `","VideoId":"43q91jdh7df","Status":"success","StreamInfos":[` +
			`{"Status":"success","JobId":"j1","Definition":"HD","Format":"mp4","Duration":12.5},{"Status":"fail","JobId":"j2","Definition":"4K","ErrorCode":"InvalidParameter"}]}`,
	}
	anew, forged, late := transcoded, transcoded, transcoded
	anew.Time = now.Add(time.Second)
	forged.AuthKey = "GuessedKey1"
	late.Time = now.Add(-time.Hour)
	for _, step := range []struct {
		what     string
		callback mediatest.Callback
	}{
		{"A video plays", transcoded},
		{"The same callback again", transcoded},
		{"The same event, signed anew", anew},
		{"Forged with another key", forged},
		{"Signed an hour ago", late},
		{"An older event arrives late: the video still plays, and its size is known", mediatest.Callback{
			Service: "vod", AuthKey: newKey,
			Body: `{"EventType":"FileUploadComplete","EventTime":"` + at(-time.Minute) + `","VideoId":"43q91jdh7df","Size":1439213,"Status":"success"}`,
		}},
		{"From IMS, still with the old key", mediatest.Callback{
			Service: "ice", AuthKey: oldKey,
			Body: `{"EventType":"RegisterMediaComplete","UserId":1074210416593145,"EventTime":"` + at(0) + `","MessageBody":{"MediaId":"5e778ec0027b71ed","Status":"Success"}}`,
		}},
	} {
		fmt.Println(step.what)
		if err := st.post(ctx, step.callback); err != nil {
			return err
		}
	}
	return nil
}

// post posts a callback to where this program really listens.
func (st *stage) post(ctx context.Context, c mediatest.Callback) error {
	c.URL = callbackURL
	req, err := c.Request()
	if err != nil {
		return err
	}
	req = req.WithContext(ctx)
	req.URL.Scheme, req.URL.Host, req.Host = "http", st.address, ""
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	_, err = io.Copy(io.Discard, resp.Body)
	fmt.Println("   answer  ", resp.Status)
	return err
}

// messages shows the queue: an event that came over HTTP too, and a message that is
// none.
func (st *stage) messages(ctx context.Context) error {
	fmt.Println("A queue has an event that has come over HTTP, in Base64, and a message that is no event")
	const registered = `{"UserId":1074210416593145,"EventType":"DeleteMediaComplete","MessageBody":{"MediaId":"0a1b2c3d4e5f","Status":"Success"}}`
	e, err := events.Parse([]byte(registered))
	if err != nil {
		return err
	}
	if err := st.handle(ctx, e, "http"); err != nil {
		return err
	}
	st.service.Send(queueName, base64.StdEncoding.EncodeToString([]byte(registered)))
	st.service.Send(queueName, "hello")
	_, err = alimedia.Poll(ctx, 20*time.Millisecond, func(context.Context) (struct{}, bool, error) {
		return struct{}{}, len(st.service.QueueMessages(queueName)) == 0, nil
	})
	if err != nil {
		return err
	}
	var reason string
	if err := st.store.db.QueryRowContext(ctx, "SELECT reason FROM dead_letters ORDER BY received_at DESC LIMIT 1").Scan(&reason); err != nil {
		return err
	}
	fmt.Println("   rejected", reason)
	return nil
}

// upload uploads a video and learns from an event that it plays. The callbacks of
// the upload are the service's own; it transcodes when a template group says so.
func (st *stage) upload(ctx context.Context) error {
	fmt.Println("An upload waits until its video plays")
	all := "ALL"
	if _, err := st.vod.SetMessageCallback(ctx, vod.SetMessageCallbackRequest{
		CallbackType: "HTTP", CallbackURL: st.localURL(), EventTypeList: &all, AuthSwitch: "on", AuthKey: newKey,
	}); err != nil {
		return err
	}
	up, err := upload.New(upload.Config{VOD: st.vod, HTTPClient: st.service.HTTPClient()})
	if err != nil {
		return err
	}
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return st.transcoded(ctx) })
	res, err := up.Upload(ctx, upload.Reader("clip.mp4", strings.NewReader("a clip"), 6), upload.VODVideo{Title: "Clip"}, upload.WithWait(st.news))
	if err != nil {
		return err
	}
	if err := group.Wait(); err != nil {
		return err
	}
	fmt.Printf("   upload   %s is %s\n", res.MediaId, res.Status)
	return nil
}

// transcoded sends the event of a transcoding when the video is ready.
func (st *stage) transcoded(ctx context.Context) error {
	video, err := alimedia.Poll(ctx, 50*time.Millisecond, func(context.Context) (mediatest.Media, bool, error) {
		all := st.service.Medias()
		if len(all) == 0 || all[0].Status != vod.VideoStatusNormal {
			return mediatest.Media{}, false, nil
		}
		return all[0], true, nil
	})
	if err != nil {
		return err
	}
	return st.post(ctx, mediatest.Callback{Service: "vod", AuthKey: newKey, Body: `{"EventType":"TranscodeComplete","EventTime":"` +
		time.Now().UTC().Format(time.RFC3339) + `","VideoId":"` + video.MediaId + `","Status":"success"}`})
}

// lost shows an asset whose events did not come: the service gives up after three
// attempts.
func (st *stage) lost(ctx context.Context) error {
	fmt.Println("The events of another upload did not come: the service is asked")
	id := st.service.AddMedia(mediatest.Media{})
	if err := st.store.expect(ctx, "vod", id); err != nil {
		return err
	}
	asker, err := newAsker(st.service.Config())
	if err != nil {
		return err
	}
	n, err := st.store.reconcile(ctx, asker, 0)
	fmt.Printf("   asked    assets changed: %d\n", n)
	return err
}
