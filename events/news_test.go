package events_test

import (
	"context"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/alimedia/alimedia-go"
	"github.com/alimedia/alimedia-go/events"
	"github.com/alimedia/alimedia-go/mediatest"
	"github.com/alimedia/alimedia-go/upload"
	"github.com/alimedia/alimedia-go/vod"
)

func tell(t *testing.T, n *events.News, mediaId string) {
	t.Helper()
	require.NoError(t, n.Handle(context.Background(), events.Event{MediaId: mediaId}))
}

// waits reports whether Wait has nothing to return yet.
func waits(n *events.News, mediaId string) bool {
	ctx, cancel := context.WithTimeout(context.Background(), time.Hour)
	defer cancel()
	return n.Wait(ctx, mediaId) != nil
}

func TestNews(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		n := new(events.News)
		tell(t, n, "a")
		tell(t, n, "a")
		require.True(t, waits(n, "b"))
		require.False(t, waits(n, "a"), "news from before counts")
		require.True(t, waits(n, "a"), "once")

		var waiting sync.WaitGroup
		for range 3 {
			waiting.Go(func() { _ = n.Wait(context.Background(), "a") })
		}
		synctest.Wait()
		require.True(t, waits(n, "a"), "one gives up, the others go on")
		tell(t, n, "b")
		synctest.Wait()
		tell(t, n, "a")
		waiting.Wait()
		require.True(t, waits(n, "a"), "who waited has it")
		require.False(t, waits(n, "b"))

		ctx, cancel := context.WithCancelCause(context.Background())
		cancel(context.Canceled)
		require.ErrorIs(t, n.Wait(ctx, "a"), context.Canceled)
		tell(t, n, "a")
		require.NoError(t, n.Wait(ctx, "a"), "what is there needs no waiting")
	})
}

func TestNews_Concurrently(t *testing.T) {
	t.Parallel()
	n := new(events.News)
	var all sync.WaitGroup
	for i := range 200 {
		id := strconv.Itoa(i)
		all.Go(func() { _ = n.Wait(context.Background(), id) }) // without an end of ctx only news end it
		all.Go(func() { _ = n.Handle(context.Background(), events.Event{MediaId: id}) })
	}
	all.Wait()
}

// An upload that waits hears of the end by a callback, and not only when it
// would have asked anyway.
func TestNews_EndsTheWaitOfAnUpload(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const processing = 10*time.Minute + 20*time.Second // not a multiple of the minute between questions
		srv := mediatest.New(t, mediatest.InMemory(), mediatest.Processing(processing))
		client, err := vod.New(srv.Config())
		require.NoError(t, err)
		up, err := upload.New(upload.Config{VOD: client, HTTPClient: srv.HTTPClient()})
		require.NoError(t, err)

		news := new(events.News)
		receiver, err := events.New(events.Config{Keys: []alimedia.Secret{authKey}, URLs: []string{callbackURL}}, news.Handle)
		require.NoError(t, err)
		d := &desk{Receiver: receiver}
		go func() {
			time.Sleep(processing + 5*time.Second)
			body := `{"EventType":"TranscodeComplete","VideoId":"` + srv.Medias()[0].MediaId + `","Status":"success"}`
			d.post(t, mediatest.Callback{AuthKey: authKey, Body: body})
		}()

		start := time.Now()
		res, err := up.Upload(t.Context(), upload.Reader("a.mp4", strings.NewReader("video"), 5), upload.VODVideo{Title: "A"}, upload.WithWait(news))
		require.NoError(t, err)
		require.Equal(t, vod.VideoStatusNormal, res.Status)
		require.InDelta(t, (processing + 5*time.Second).Seconds(), time.Since(start).Seconds(), 5, "asked at once")
		require.LessOrEqual(t, srv.Calls("GetVideoInfo"), 13, "asked once a minute before")
	})
}
