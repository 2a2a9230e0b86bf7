// Package mns receives events from a queue of Simple Message Queue (SMQ, formerly
// Message Service, MNS) by its HTTP API:
//
//	queue, err := mns.New(mns.Config{
//		Endpoint:  "https://1234567890123456.mns.cn-shanghai.aliyuncs.com",
//		QueueName: "ice-callback-media",
//	})
//	...
//	err = events.Consume(ctx, queue, handle, events.ConsumeConfig{})
//
// Events go into a queue if SetMessageCallback of package vod (MnsEndpoint and
// MnsQueueName) or SetEventCallback of package ice (CallbackQueueName) says so with
// the CallbackType MNS. The queue is created in the console. A consumer needs the
// permissions mns:ReceiveMessage, mns:BatchReceiveMessage, mns:DeleteMessage and
// mns:ChangeMessageVisibility for it.
//
// Reference: https://www.alibabacloud.com/help/en/mns/developer-reference/request-protocol-description
package mns

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/alimedia/alimedia-go"
	"github.com/alimedia/alimedia-go/credentials"
	"github.com/alimedia/alimedia-go/events"
	"github.com/alimedia/alimedia-go/internal/endpoint"
)

// Config configures a [Queue].
type Config struct {
	// Endpoint is the host of the account in the region of the queue, such as
	// "1234567890123456.mns.cn-shanghai.aliyuncs.com", or a URL of it. Requests use
	// HTTPS. A URL that begins with http:// is accepted for this machine only.
	Endpoint string

	// QueueName is the name of the queue: letters, digits and hyphens.
	QueueName string

	// Credentials provides the credentials. They are asked for each request. Nil
	// means [credentials.Default].
	Credentials credentials.Provider

	// HTTPClient sends the signed requests. Nil means a default client with pooled
	// connections and the proxy of the environment. Its Timeout must be longer than
	// WaitTime.
	HTTPClient *http.Client

	// WaitTime is how long a request waits for messages (long polling): a number of
	// seconds, at most 30. Zero means 20 seconds.
	WaitTime time.Duration
}

const (
	maxWait        = 30 * time.Second
	maxVisibility  = 12 * time.Hour
	requestTimeout = 15 * time.Second // beyond the wait for messages
)

// Queue is a queue of Simple Message Queue. It implements [events.Queue] and is
// safe for concurrent use.
//
// A request that fails is not repeated, but for two causes: the service has
// rejected credentials that were rotated or have expired, or the clock of this
// machine. Its errors are *[alimedia.Error], such as QueueNotExist or AccessDenied,
// or those of the network.
type Queue struct {
	label
	endpoint    url.URL
	path        string
	credentials credentials.Provider
	http        *http.Client
	wait        time.Duration
	skew        atomic.Int64 // of the service's clock, in nanoseconds
}

var _ events.Queue = (*Queue)(nil)

// label keeps package fmt from printing the fields of a Queue.
type label string

func (l label) String() string { return "mns.Queue(" + string(l) + ")" }

// Format writes the name, whatever the verb.
func (l label) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, l.String()) }

// The documentation knows letters, digits and hyphens. The console may know more.
var validName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_-]{0,255}$`)

// New returns a queue. It sends no request.
func New(cfg Config) (*Queue, error) {
	u, err := endpoint.Parse(cfg.Endpoint)
	switch {
	case strings.TrimSpace(cfg.Endpoint) == "":
		return nil, errors.New("mns: Config.Endpoint: the endpoint of the account is required, such as https://1234567890123456.mns.cn-shanghai.aliyuncs.com")
	case err != nil:
		return nil, fmt.Errorf("mns: Config.Endpoint: %w", err)
	case u.Scheme != "https" && !isLoopback(u.Hostname()):
		return nil, errors.New("mns: Config.Endpoint: http:// is for this machine only, use https://")
	case !validName.MatchString(cfg.QueueName):
		return nil, errors.New("mns: Config.QueueName: a name has letters, digits and hyphens")
	case cfg.WaitTime < 0 || cfg.WaitTime > maxWait || cfg.WaitTime%time.Second != 0:
		return nil, errors.New("mns: Config.WaitTime: a number of seconds, at most 30")
	}
	q := &Queue{
		label:       label(cfg.QueueName),
		endpoint:    u,
		path:        "/queues/" + cfg.QueueName + "/messages",
		credentials: cfg.Credentials,
		wait:        cmp.Or(cfg.WaitTime, 20*time.Second),
	}
	if q.credentials == nil {
		q.credentials = credentials.Default()
	}
	client := cfg.HTTPClient
	if client == nil {
		client = ownHTTPClient()
	}
	// A signed request is meant for one host: redirects are answers.
	own := *client
	own.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	q.http = &own
	return q, nil
}

func isLoopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.IsLoopback()
}

var ownHTTPClient = sync.OnceValue(func() *http.Client {
	return &http.Client{Transport: &http.Transport{
		Proxy:                  http.ProxyFromEnvironment,
		DialContext:            (&net.Dialer{Timeout: 10 * time.Second, KeepAlive: 30 * time.Second}).DialContext,
		ForceAttemptHTTP2:      true,
		TLSHandshakeTimeout:    10 * time.Second,
		MaxIdleConnsPerHost:    32,
		IdleConnTimeout:        8 * time.Second,
		MaxResponseHeaderBytes: 64 << 10,
	}}
})

// Receive waits for messages and returns at most max of them, and at most 16. It
// returns none if there are none after WaitTime, or sooner if the account has too
// many requests that wait.
func (q *Queue) Receive(ctx context.Context, max int) ([]events.Message, error) {
	query := "numOfMessages=" + strconv.Itoa(min(maxOf(max), 16)) + "&waitseconds=" + strconv.Itoa(int(q.wait/time.Second))
	a, err := q.call(ctx, request{action: "BatchReceiveMessage", method: http.MethodGet, query: query, wait: q.wait})
	if alimedia.HasCode(err, "MessageNotExist") {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return a.messages()
}

func maxOf(n int) int { return max(n, 1) }

// Delete deletes a message that was received. It returns [events.ErrLost] if the
// receipt is no longer valid.
func (q *Queue) Delete(ctx context.Context, receipt string) error {
	_, err := q.call(ctx, request{action: "DeleteMessage", method: http.MethodDelete, query: "ReceiptHandle=" + url.QueryEscape(receipt), receipt: receipt})
	return lost(err)
}

// Hide hides a message for d from now: a number of seconds from 1 second to 12
// hours, to which d is rounded up. It returns the receipt that is valid from then
// on, and [events.ErrLost] if the receipt is no longer valid.
func (q *Queue) Hide(ctx context.Context, receipt string, d time.Duration) (string, error) {
	d = min(max(d, time.Second), maxVisibility)
	seconds := int((d + time.Second - 1) / time.Second)
	a, err := q.call(ctx, request{
		action: "ChangeMessageVisibility", method: http.MethodPut, receipt: receipt,
		query: "ReceiptHandle=" + url.QueryEscape(receipt) + "&VisibilityTimeout=" + strconv.Itoa(seconds),
	})
	if err != nil {
		return "", lost(err)
	}
	return a.newReceipt()
}

// lost says so if a receipt is no longer valid.
func lost(err error) error {
	if alimedia.HasCode(err, "MessageNotExist") || alimedia.HasCode(err, "ReceiptHandleError") {
		return fmt.Errorf("%w: %w", events.ErrLost, err)
	}
	return err
}
