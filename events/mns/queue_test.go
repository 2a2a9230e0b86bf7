package mns_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/alimedia/alimedia-go"
	"github.com/alimedia/alimedia-go/credentials"
	"github.com/alimedia/alimedia-go/events"
	"github.com/alimedia/alimedia-go/events/mns"
	"github.com/alimedia/alimedia-go/mediatest"
)

const (
	name   = "ice-callback-media"
	secret = "Planted+Secret/0123456789=="
	token  = "PlantedToken/9876543210=="
)

func open(t *testing.T, srv *mediatest.Server, keys credentials.Provider) *mns.Queue {
	t.Helper()
	q, err := mns.New(mns.Config{Endpoint: srv.URL, QueueName: name, Credentials: keys, HTTPClient: srv.HTTPClient(), WaitTime: time.Second})
	require.NoError(t, err)
	return q
}

func TestNew_Refuses(t *testing.T) {
	t.Parallel()
	good := mns.Config{Endpoint: "1234567890123456.mns.cn-shanghai.aliyuncs.com", QueueName: name}
	for want, change := range map[string]func(*mns.Config){
		"":                   func(*mns.Config) {},
		"Endpoint: the":      func(c *mns.Config) { c.Endpoint = "" },
		"Endpoint: http://":  func(c *mns.Config) { c.Endpoint = "http://1234.mns.cn-shanghai.aliyuncs.com/" },
		"Endpoint: an":       func(c *mns.Config) { c.Endpoint = "https://user:pw@evil.com/x" },
		"QueueName: a name":  func(c *mns.Config) { c.QueueName = "a/../b" },
		"QueueName: a name ": func(c *mns.Config) { c.QueueName = "" },
		"WaitTime: a":        func(c *mns.Config) { c.WaitTime = 31 * time.Second },
		"WaitTime: a ":       func(c *mns.Config) { c.WaitTime = 1500 * time.Millisecond },
	} {
		cfg := good
		change(&cfg)
		_, err := mns.New(cfg)
		if want == "" {
			require.NoError(t, err)
			continue
		}
		require.ErrorContains(t, err, strings.TrimSpace(want))
		require.NotContains(t, err.Error(), "pw")
	}
	for _, here := range []string{"http://127.0.0.1:80", "http://localhost:80", "http://[::1]:80"} {
		_, err := mns.New(mns.Config{Endpoint: here, QueueName: name})
		require.NoError(t, err)
	}
	q, err := mns.New(mns.Config{Endpoint: good.Endpoint, QueueName: name, Credentials: credentials.Static("id", secret, token)})
	require.NoError(t, err)
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%d"} {
		require.Equal(t, "mns.Queue("+name+")", fmt.Sprintf(verb, q))
	}
}

// The whole way: an event goes into the queue, a consumer handles and deletes it.
func TestQueue_Consume(t *testing.T) {
	t.Parallel()
	for _, encoded := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			srv := mediatest.New(t, mediatest.InMemory())
			srv.SetQueue(name, mediatest.QueueSettings{VisibilityTimeout: 10 * time.Second, Base64: encoded})
			q := open(t, srv, srv.Config().Credentials)
			var got []string
			ctx, cancel := context.WithCancel(t.Context())
			done := make(chan error)
			go func() {
				done <- events.Consume(ctx, q, func(ctx context.Context, e events.Event) error {
					time.Sleep(2 * time.Minute) // longer than a message is hidden
					got = append(got, e.MediaId)
					return ctx.Err()
				}, events.ConsumeConfig{})
			}()
			srv.Send(name, `{"EventType":"FileUploadComplete","VideoId":"<v> & \"ü\""}`)
			time.Sleep(3 * time.Minute)
			require.Equal(t, []string{`<v> & "ü"`}, got)
			require.Empty(t, srv.QueueMessages(name))
			require.Greater(t, srv.Calls("ChangeMessageVisibility"), 7)
			require.Equal(t, 1, srv.Calls("DeleteMessage"))
			cancel()
			require.NoError(t, <-done)
			srv.HTTPClient().CloseIdleConnections()
		})
	}
}

func TestQueue_TemporaryCredentialsAndClock(t *testing.T) {
	t.Parallel()
	srv := mediatest.New(t)
	srv.SetQueue(name, mediatest.QueueSettings{})
	keys := srv.IssueCredentials()
	asked := 0
	q := open(t, srv, provider(func() credentials.Credentials {
		if asked++; asked == 3 || asked == 5 {
			keys = srv.IssueCredentials()
		}
		return keys
	}))
	srv.Send(name, "a")
	messages, err := q.Receive(t.Context(), 1)
	require.NoError(t, err)
	require.Equal(t, keys.AccessKeyId, srv.Requests()[0].AccessKeyId)
	_ = messages

	// Rotated keys: rejected once, then others are asked for.
	srv.Clock().Advance(24 * time.Hour)
	messages, err = q.Receive(t.Context(), 1)
	require.NoError(t, err)
	require.Equal(t, 2, messages[0].Attempts)
	require.Equal(t, 3, asked)

	// A clock that is wrong is corrected, and keys that have expired meanwhile.
	srv.SetClockSkew(time.Hour)
	messages, err = q.Receive(t.Context(), 1)
	require.NoError(t, err)
	require.NoError(t, q.Delete(t.Context(), messages[0].Receipt))
	require.Equal(t, 6, asked)
	require.Equal(t, 1, srv.Calls("DeleteMessage"), "the time is known now")
}

type provider func() credentials.Credentials

func (p provider) Credentials(context.Context) (credentials.Credentials, error) { return p(), nil }

// answering is a queue whose server answers with what it is given.
func answering(t *testing.T, status int, header map[string]string, body string) *mns.Queue {
	t.Helper()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		for name, value := range header {
			w.Header().Set(name, value)
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}))
	t.Cleanup(srv.Close)
	client := srv.Client()
	q, err := mns.New(mns.Config{Endpoint: srv.URL, QueueName: name, Credentials: credentials.Static("id", secret, token), HTTPClient: client})
	require.NoError(t, err)
	return q
}

var genuine = map[string]string{"x-mns-request-id": "512B2A634403E52B1956133E"}

const sample = `<?xml version="1.0" encoding="UTF-8"?>
<Messages xmlns="http://mns.aliyuncs.com/doc/v1/">
  <Message><MessageId>m1</MessageId><ReceiptHandle>1-ODU4</ReceiptHandle><MessageBodyMD5>0CC175B9C0F1B6A831C399E269772661</MessageBodyMD5><MessageBody>a</MessageBody>
    <EnqueueTime>1250700979248000</EnqueueTime><NextVisibleTime>1250700799348000</NextVisibleTime><FirstDequeueTime>x</FirstDequeueTime><DequeueCount>many</DequeueCount><Priority>8</Priority></Message>
  <Message><MessageId>m2</MessageId><ReceiptHandle>1-ODU5</ReceiptHandle><MessageBodyMD5>0CC175B9C0F1B6A831C399E269772661</MessageBodyMD5><MessageBody>b</MessageBody><DequeueCount>3</DequeueCount></Message>
  <Message><MessageId>m3</MessageId><MessageBody>c</MessageBody></Message>
</Messages>`

func TestQueue_Receive_OddMessages(t *testing.T) {
	t.Parallel()
	messages, err := answering(t, 200, genuine, sample).Receive(t.Context(), 16)
	require.NoError(t, err)
	require.Len(t, messages, 2, "a message without a receipt cannot be settled")
	require.Equal(t, "m1", messages[0].Id)
	require.Zero(t, messages[0].Attempts)
	require.NoError(t, messages[0].Err)
	require.ErrorIs(t, messages[1].Err, mns.ErrChecksum)
	require.Equal(t, 3, messages[1].Attempts)
	require.Zero(t, messages[1].Visibility)
}

func TestQueue_HostileAnswers(t *testing.T) {
	t.Parallel()
	for what, test := range map[string]struct {
		status int
		header map[string]string
		body   string
		want   string
	}{
		"a page":               {200, nil, "<html>sign in</html>", "unexpected response (HTTP 200): <html>sign in</html>"},
		"a page with the id":   {200, genuine, "<html></html>", "unexpected response (HTTP 200)"},
		"no XML":               {200, genuine, "{}", "unexpected response (HTTP 200)"},
		"nothing":              {200, genuine, "", "unexpected response (HTTP 200)"},
		"cut off":              {200, genuine, sample[:300], "unexpected response (HTTP 200)"},
		"entities":             {200, genuine, `<!DOCTYPE x [<!ENTITY a "b">]><Messages><Message>&a;</Message></Messages>`, "unexpected response (HTTP 200)"},
		"too large":            {200, genuine, strings.Repeat(" ", 9<<20), "AnswerTooLarge"},
		"redirect":             {302, map[string]string{"Location": "https://evil.example.com/"}, "", "unexpected response (HTTP 302)"},
		"gateway":              {502, nil, "Bad Gateway\n" + strings.Repeat("x", 5000), "unexpected response (HTTP 502): Bad Gateway"},
		"an echo of secrets":   {403, genuine, "<Error><Code>SignatureDoesNotMatch</Code><Message>key " + secret + " token " + token + " </Message><RequestId>r1</RequestId></Error>", "SignatureDoesNotMatch (HTTP 403): key *** token *** [request id r1]"},
		"an error as a result": {200, genuine, "<Error><Code>InternalError</Code></Error>", "unexpected response (HTTP 200)"},
	} {
		q := answering(t, test.status, test.header, test.body)
		_, err := q.Receive(t.Context(), 1)
		require.ErrorContains(t, err, test.want, what)
		require.NotContains(t, err.Error(), secret)
		require.NotContains(t, fmt.Sprintf("%+v", err), token)
		require.LessOrEqual(t, len(err.Error()), 1100)
		if test.body == "" && test.status == 200 {
			continue // an answer of the service without a body is proof of a deletion
		}
		_, err = q.Hide(t.Context(), "r", time.Second)
		require.Error(t, err, what)
	}
	require.ErrorContains(t, answering(t, 200, nil, "").Delete(t.Context(), "r"), "unexpected response", "no proof of a deletion")
	require.NoError(t, answering(t, 204, nil, "").Delete(t.Context(), "r"))
	require.NoError(t, answering(t, 200, genuine, "").Delete(t.Context(), "r"))
	_, err := answering(t, 200, genuine, "<ChangeVisibility></ChangeVisibility>").Hide(t.Context(), "r", time.Second)
	require.Error(t, err)
}

func TestQueue_NetworkErrorsAndContext(t *testing.T) {
	t.Parallel()
	srv := httptest.NewServer(http.NotFoundHandler())
	endpoint := srv.URL
	srv.Close()
	q, err := mns.New(mns.Config{Endpoint: endpoint, QueueName: name, Credentials: credentials.Static("id", secret, "")})
	require.NoError(t, err)
	err = q.Delete(t.Context(), "receipt-that-is-long")
	require.ErrorContains(t, err, "mns: DeleteMessage: ")
	require.NotContains(t, err.Error(), "receipt-that-is-long")
	require.NotErrorIs(t, err, events.ErrLost)

	enough := errors.New("enough")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(enough)
	_, err = q.Receive(ctx, 1)
	require.ErrorIs(t, err, enough)
	require.ErrorIs(t, err, context.Canceled)
}

// A server that says nothing does not hold up a consumer.
func TestQueue_SilentServer(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		client := &http.Client{Transport: silent{}}
		q, err := mns.New(mns.Config{Endpoint: "https://example.com", QueueName: name, Credentials: credentials.Static("id", secret, ""), HTTPClient: client})
		require.NoError(t, err)
		began := time.Now()
		_, err = q.Receive(t.Context(), 1)
		require.ErrorContains(t, err, "no response in time")
		require.NotErrorIs(t, err, context.DeadlineExceeded)
		require.Equal(t, 35*time.Second, time.Since(began))
	})
}

type silent struct{}

func (silent) RoundTrip(r *http.Request) (*http.Response, error) {
	<-r.Context().Done()
	return nil, r.Context().Err()
}

func TestQueue_WhatIsSent(t *testing.T) {
	t.Parallel()
	var requests atomic.Int32
	got := make(chan *http.Request, 3)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		requests.Add(1)
		got <- r.Clone(context.Background())
		w.Header().Set("x-mns-request-id", "r")
		w.WriteHeader(404)
		_, _ = io.WriteString(w, "<Error><Code>MessageNotExist</Code></Error>")
	}))
	defer srv.Close()
	q, err := mns.New(mns.Config{Endpoint: srv.URL, QueueName: name, Credentials: credentials.Static("id", secret, token), HTTPClient: srv.Client()})
	require.NoError(t, err)
	messages, err := q.Receive(t.Context(), 100)
	require.NoError(t, err)
	require.Empty(t, messages)
	require.ErrorIs(t, q.Delete(t.Context(), "a+b/c=="), events.ErrLost)
	_, err = q.Hide(t.Context(), "a+b/c==", 1500*time.Millisecond)
	require.ErrorIs(t, err, events.ErrLost)
	var api *alimedia.Error
	require.ErrorAs(t, err, &api)
	require.Equal(t, "ChangeMessageVisibility", api.Action)
	for _, want := range []string{
		"GET /queues/" + name + "/messages?numOfMessages=16&waitseconds=20",
		"DELETE /queues/" + name + "/messages?ReceiptHandle=a%2Bb%2Fc%3D%3D",
		"PUT /queues/" + name + "/messages?ReceiptHandle=a%2Bb%2Fc%3D%3D&VisibilityTimeout=2",
	} {
		r := <-got
		require.Equal(t, want, r.Method+" "+r.RequestURI)
		require.Equal(t, token, r.Header.Get("security-token"))
		require.Equal(t, "2015-06-06", r.Header.Get("x-mns-version"))
		require.Regexp(t, `^MNS id:[A-Za-z0-9+/]{27}=$`, r.Header.Get("Authorization"))
		require.Equal(t, "text/xml", r.Header.Get("Content-Type"))
	}
}
