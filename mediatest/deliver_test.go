package mediatest_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/alimedia/alimedia-go"
	"github.com/alimedia/alimedia-go/events"
	"github.com/alimedia/alimedia-go/ice"
	"github.com/alimedia/alimedia-go/mediatest"
	"github.com/alimedia/alimedia-go/vod"
)

const callbackKey = "Secret1234567890"

// roundTrip calls a handler in place of the network.
type roundTrip func(*http.Request) *http.Response

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r), nil }

func TestEvents_AreSignedAndRepeated(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const address = "https://backend.example.com/callbacks"
		var got []events.Event
		receiver, err := events.New(events.Config{Keys: []alimedia.Secret{callbackKey}, URLs: []string{address}}, func(_ context.Context, e events.Event) error {
			got = append(got, e)
			return nil
		})
		require.NoError(t, err)
		var tries atomic.Int32
		client := &http.Client{Transport: roundTrip(func(r *http.Request) *http.Response {
			w := httptest.NewRecorder()
			if tries.Add(1) == 1 {
				w.WriteHeader(http.StatusBadGateway)
			} else {
				receiver.ServeHTTP(w, r)
			}
			return w.Result()
		})}
		srv := mediatest.New(t, mediatest.InMemory(), mediatest.EventClient(client), mediatest.Processing(time.Hour))
		c, err := vod.New(srv.Config())
		require.NoError(t, err)
		_, err = c.SetMessageCallback(t.Context(), vod.SetMessageCallbackRequest{
			CallbackType: "HTTP", CallbackURL: address, EventTypeList: alimedia.Ptr("TranscodeComplete"), AuthSwitch: "on", AuthKey: callbackKey,
		})
		require.NoError(t, err)
		id := srv.AddMedia(mediatest.Media{})
		_, err = c.SubmitTranscodeJobs(t.Context(), vod.SubmitTranscodeJobsRequest{VideoId: id, TemplateGroupId: "group"})
		require.NoError(t, err)
		synctest.Wait()
		require.Empty(t, got)
		srv.Clock().Advance(2 * time.Hour)
		time.Sleep(2 * time.Second)
		synctest.Wait()
		require.Len(t, got, 1, "StreamTranscodeComplete is not in the list")
		require.Equal(t, "TranscodeComplete", got[0].EventType)
		require.Equal(t, "vod", got[0].Service)
		require.Equal(t, id, got[0].MediaId)
		require.True(t, got[0].Succeeded())
		all := srv.Events()
		require.Equal(t, 2, all[len(all)-1].Attempts)
	})
}

func TestEvents_OfAJobComeWhenItEndsWithoutAnyCall(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		srv := mediatest.New(t, mediatest.InMemory(), mediatest.Processing(time.Minute))
		c, err := ice.New(srv.Config())
		require.NoError(t, err)
		_, err = c.SetEventCallback(t.Context(), ice.SetEventCallbackRequest{CallbackType: "MNS", CallbackQueueName: "ice-callback-a", EventTypeList: "ALL"})
		require.NoError(t, err)
		require.NoError(t, c.Do(t.Context(), "SubmitMediaConvertJob", map[string]any{"Config": "{}", "UserData": "mine"}, nil))
		_, ok := srv.Receive("ice-callback-a")
		require.False(t, ok)
		time.Sleep(time.Minute + time.Second)
		synctest.Wait()
		body, ok := srv.Receive("ice-callback-a")
		require.True(t, ok)
		e, err := events.Parse([]byte(body))
		require.NoError(t, err)
		require.Equal(t, "MediaConvertComplete", e.EventType)
		require.Equal(t, "ice", e.Service)
		require.Equal(t, srv.Account().Id(), e.UserId)
	})
}

func TestEvents_GoWhereUserDataSays(t *testing.T) {
	t.Parallel()
	received := make(chan string, 10)
	backend := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { received <- r.URL.Path }))
	defer backend.Close()
	srv := mediatest.New(t)
	id := srv.AddMedia(mediatest.Media{Service: "ice"})
	srv.CreateBucket("own")
	srv.PutObject("own", "a.mp4", []byte("a"))
	c := callerOf(srv, iceVersion)
	c.ok(t, "RegisterMediaStream", "MediaId", id, "InputURL", srv.ObjectURL("own", "a.mp4"), "UserData", `{"MessageCallback":{"CallbackURL":"`+backend.URL+`/one"},"Extend":{"a":1}}`)
	require.Equal(t, "/one", <-received)
}

func TestClock_AdvanceEndsCredentialsAndNotSignatures(t *testing.T) {
	t.Parallel()
	srv := mediatest.New(t)
	c := callerOf(srv, vodVersion)
	c.keys = srv.IssueCredentials()
	c.ok(t, "GetVideoList")
	before := srv.Clock().Now()
	srv.Clock().Advance(24 * time.Hour)
	require.GreaterOrEqual(t, srv.Clock().Now().Sub(before), 24*time.Hour)
	c.fails(t, 400, "InvalidSecurityToken.Expired", "GetVideoList")
	c.keys = srv.IssueCredentials()
	c.ok(t, "GetVideoList")
}
