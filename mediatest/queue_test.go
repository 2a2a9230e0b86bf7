package mediatest_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/alimedia/alimedia-go"
	"github.com/alimedia/alimedia-go/credentials"
	"github.com/alimedia/alimedia-go/events"
	"github.com/alimedia/alimedia-go/events/mns"
	"github.com/alimedia/alimedia-go/ice"
	"github.com/alimedia/alimedia-go/mediatest"
	"github.com/alimedia/alimedia-go/vod"
)

const queueName = "ice-callback-media"

// queueOf opens a queue of a server.
func queueOf(t testing.TB, srv *mediatest.Server) *mns.Queue {
	t.Helper()
	cfg := srv.Config()
	q, err := mns.New(mns.Config{Endpoint: srv.URL, QueueName: queueName, Credentials: cfg.Credentials, HTTPClient: srv.HTTPClient()})
	require.NoError(t, err)
	return q
}

func TestQueue_EventsGoWhereTheCallbackSays(t *testing.T) {
	t.Parallel()
	for _, service := range []string{"vod", "ice"} {
		t.Run(service, func(t *testing.T) {
			t.Parallel()
			srv := mediatest.New(t)
			q := queueOf(t, srv)
			_, err := q.Receive(t.Context(), 1)
			require.True(t, alimedia.HasCode(err, "QueueNotExist"), err)
			if service == "vod" {
				c, err := vod.New(srv.Config())
				require.NoError(t, err)
				_, err = c.SetMessageCallback(t.Context(), vod.SetMessageCallbackRequest{CallbackType: "mns", MnsEndpoint: srv.URL, MnsQueueName: queueName, EventTypeList: alimedia.Ptr("ALL")})
				require.NoError(t, err)
				_, err = c.DeleteVideo(t.Context(), vod.DeleteVideoRequest{VideoIds: []string{srv.AddMedia(mediatest.Media{})}})
				require.NoError(t, err)
			} else {
				c, err := ice.New(srv.Config())
				require.NoError(t, err)
				_, err = c.SetEventCallback(t.Context(), ice.SetEventCallbackRequest{CallbackType: "MNS", CallbackQueueName: queueName, EventTypeList: "ALL"})
				require.NoError(t, err)
				_, err = c.DeleteMediaInfos(t.Context(), ice.DeleteMediaInfosRequest{MediaIds: []string{srv.AddMedia(mediatest.Media{Service: "ice"})}})
				require.NoError(t, err)
			}
			messages, err := q.Receive(t.Context(), 16)
			require.NoError(t, err)
			require.Len(t, messages, 1)
			e, err := events.Parse(messages[0].Body)
			require.NoError(t, err)
			require.Equal(t, service, e.Service)
			require.Equal(t, "DeleteMediaComplete", e.EventType)
			require.NoError(t, q.Delete(t.Context(), messages[0].Receipt))
			require.Empty(t, srv.QueueMessages(queueName))
		})
	}
}

func TestQueue_VisibilityAndReceipts(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		srv := mediatest.New(t, mediatest.InMemory())
		srv.SetQueue(queueName, mediatest.QueueSettings{VisibilityTimeout: 10 * time.Second})
		id := srv.Send(queueName, "a")
		q := queueOf(t, srv)
		first, err := q.Receive(t.Context(), 16)
		require.NoError(t, err)
		require.Len(t, first, 1)
		require.Equal(t, id, first[0].Id)
		require.Equal(t, 1, first[0].Attempts)
		require.InDelta(t, 10*time.Second, first[0].Visibility, float64(2*time.Second))

		receipt, err := q.Hide(t.Context(), first[0].Receipt, 15*time.Second)
		require.NoError(t, err)
		require.NotEqual(t, first[0].Receipt, receipt)
		_, err = q.Hide(t.Context(), first[0].Receipt, time.Minute)
		require.ErrorIs(t, err, events.ErrLost, "an old receipt")
		require.ErrorIs(t, q.Delete(t.Context(), first[0].Receipt), events.ErrLost)
		require.ErrorIs(t, q.Delete(t.Context(), "unknown"), events.ErrLost)

		// A request waits until the message is visible again.
		began := time.Now()
		second, err := q.Receive(t.Context(), 1)
		require.NoError(t, err)
		require.Len(t, second, 1)
		require.InDelta(t, 15*time.Second, time.Since(began), float64(100*time.Millisecond))
		require.Equal(t, 2, second[0].Attempts)
		require.ErrorIs(t, q.Delete(t.Context(), receipt), events.ErrLost)
		require.NoError(t, q.Delete(t.Context(), second[0].Receipt))

		// And no longer than it asked for.
		began = time.Now()
		none, err := q.Receive(t.Context(), 1)
		require.NoError(t, err)
		require.Empty(t, none)
		require.Equal(t, 20*time.Second, time.Since(began))
	})
}

func TestQueue_ARequestThatWaitsGetsWhatIsSent(t *testing.T) {
	t.Parallel()
	srv := mediatest.New(t)
	srv.SetQueue(queueName, mediatest.QueueSettings{Base64: true})
	q := queueOf(t, srv)
	got := make(chan []events.Message)
	receive := func() {
		messages, _ := q.Receive(context.Background(), 16)
		got <- messages
	}
	go receive()
	for srv.Calls("BatchReceiveMessage") == 0 {
		time.Sleep(time.Millisecond)
	}
	c, err := vod.New(srv.Config())
	require.NoError(t, err)
	_, err = c.SetMessageCallback(t.Context(), vod.SetMessageCallbackRequest{CallbackType: "MNS", MnsEndpoint: srv.URL, MnsQueueName: queueName, EventTypeList: alimedia.Ptr("ALL")})
	require.NoError(t, err)
	_, err = c.DeleteVideo(t.Context(), vod.DeleteVideoRequest{VideoIds: []string{srv.AddMedia(mediatest.Media{})}})
	require.NoError(t, err)
	messages := <-got
	require.Len(t, messages, 1)
	_, err = base64.StdEncoding.DecodeString(string(messages[0].Body))
	require.NoError(t, err)

	// The clock of the server makes the message visible again, and ends a wait.
	go receive()
	srv.Clock().Advance(31 * time.Second)
	require.Equal(t, 2, (<-got)[0].Attempts)
	go receive()
	for srv.Calls("BatchReceiveMessage") < 3 {
		time.Sleep(time.Millisecond)
	}
	srv.Clock().Advance(25 * time.Second)
	require.Empty(t, <-got)

	srv.Send(queueName, "b")
	body, ok := srv.Receive(queueName)
	require.True(t, ok)
	require.Equal(t, "b", body)
	srv.Reset()
	require.Empty(t, srv.QueueMessages(queueName))
}

func TestQueue_Refusals(t *testing.T) {
	t.Parallel()
	srv := mediatest.New(t)
	srv.Send(queueName, "a")
	read := func(edit func(*http.Request)) (int, string) {
		req, err := http.NewRequest(http.MethodGet, srv.URL+"/queues/"+queueName+"/messages", nil)
		require.NoError(t, err)
		req.Header.Set("x-mns-version", "2015-06-06")
		req.Header.Set("Date", time.Now().UTC().Format(http.TimeFormat))
		req.Header.Set("Authorization", "MNS "+srv.Credentials().AccessKeyId+":bm9uc2Vuc2U=")
		edit(req)
		resp, err := srv.HTTPClient().Do(req)
		require.NoError(t, err)
		defer resp.Body.Close()
		body, err := io.ReadAll(resp.Body)
		require.NoError(t, err)
		require.NotEmpty(t, resp.Header.Get("x-mns-request-id"))
		return resp.StatusCode, string(body)
	}
	for _, test := range []struct {
		code   string
		status int
		edit   func(*http.Request)
	}{
		{"SignatureDoesNotMatch", 403, func(*http.Request) {}},
		{"MissingAuthorizationHeader", 400, func(r *http.Request) { r.Header.Del("Authorization") }},
		{"InvalidAuthorizationHeader", 400, func(r *http.Request) { r.Header.Set("Authorization", "MNS x") }},
		{"MissingVersionHeader", 400, func(r *http.Request) { r.Header.Del("x-mns-version") }},
		{"InvalidDateHeader", 400, func(r *http.Request) { r.Header.Set("Date", "today") }},
		{"TimeExpired", 408, func(r *http.Request) { r.Header.Set("Date", time.Now().Add(-time.Hour).UTC().Format(http.TimeFormat)) }},
		{"InvalidAccessKeyId", 403, func(r *http.Request) { r.Header.Set("Authorization", "MNS nobody:x") }},
		{"InvalidSecurityToken", 403, func(r *http.Request) { r.Header.Set("security-token", "x") }},
	} {
		status, body := read(test.edit)
		require.Equal(t, test.status, status, test.code)
		require.Contains(t, body, "<Code>"+test.code+"</Code>")
	}
	last := srv.Requests()[0]
	require.Equal(t, "mns", last.Service)
	require.Equal(t, "ReceiveMessage", last.Operation)
	require.Equal(t, queueName, last.Key)
	require.Empty(t, last.Header.Get("security-token"))

	denied := srv.NewUser(`{"Version":"1","Statement":[{"Effect":"Allow","Action":"mns:BatchReceiveMessage","Resource":"*"}]}`)
	q, err := mns.New(mns.Config{Endpoint: srv.URL, QueueName: queueName, HTTPClient: srv.HTTPClient(), Credentials: credentials.Static(denied.AccessKeyId, denied.AccessKeySecret, "")})
	require.NoError(t, err)
	messages, err := q.Receive(t.Context(), 1)
	require.NoError(t, err)
	require.True(t, alimedia.HasCode(q.Delete(t.Context(), messages[0].Receipt), "AccessDenied"))

	srv.Fault(mediatest.Fault{Operation: "DeleteMessage", Throttling: true})
	err = queueOf(t, srv).Delete(t.Context(), messages[0].Receipt)
	require.True(t, alimedia.HasCode(err, "QpsLimitExceeded"), err)
	require.Len(t, strings.Split(err.Error(), "\n"), 1)
}

func TestQueue_StateIsSaved(t *testing.T) {
	t.Parallel()
	srv := mediatest.New(t)
	srv.SetQueue(queueName, mediatest.QueueSettings{VisibilityTimeout: time.Minute, Base64: true})
	srv.Send(queueName, "a")
	srv.Send(queueName, "b")
	messages, err := queueOf(t, srv).Receive(t.Context(), 1)
	require.NoError(t, err)
	var state bytes.Buffer
	require.NoError(t, srv.Save(&state))

	next := mediatest.New(t)
	require.NoError(t, next.Load(bytes.NewReader(state.Bytes())))
	require.Equal(t, srv.QueueMessages(queueName), next.QueueMessages(queueName))
	require.NoError(t, queueOf(t, next).Delete(t.Context(), messages[0].Receipt), "receipts stay valid")
	again, err := queueOf(t, next).Receive(t.Context(), 16)
	require.NoError(t, err)
	require.Len(t, again, 1)
	require.Equal(t, "b", string(again[0].Body))
	require.Greater(t, again[0].Visibility, 50*time.Second)
}
