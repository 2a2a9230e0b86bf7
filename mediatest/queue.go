package mediatest

import (
	"cmp"
	"crypto/md5"
	"encoding/base64"
	"encoding/hex"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Simple Message Queue (SMQ, formerly MNS): queues that events go into, by its
// HTTP API.

const (
	defaultVisibility = 30 * time.Second
	maxVisibility     = 12 * time.Hour
	maxQueued         = 10000 // messages of one queue
)

// QueueSettings are the properties of a queue that matter to its consumers.
type QueueSettings struct {
	// VisibilityTimeout is how long a message is hidden after it was received.
	// Zero means 30 seconds. It is a number of seconds.
	VisibilityTimeout time.Duration

	// Base64 encodes the messages of events, as many accounts receive them.
	Base64 bool
}

func (q QueueSettings) valid() bool {
	v := q.VisibilityTimeout
	return v > 0 && v <= maxVisibility && v%time.Second == 0
}

// QueueMessage is a message in a queue.
type QueueMessage struct {
	Id           string
	Body         string
	Enqueued     time.Time
	Visible      time.Time // when it can be received; in the past: now
	DequeueCount int       // how often it was received
}

// queue is a queue and its messages, the oldest first.
type queue struct {
	settings QueueSettings
	messages []*queueMessage
	seq      int
}

type queueMessage struct {
	QueueMessage
	first   time.Time // when it was received first
	receipt string    // of the last delivery
}

// queue makes the queue if there is none. The caller holds mu.
func (s *Server) queue(name string) *queue {
	q := s.queues[name]
	if q == nil {
		q = &queue{settings: QueueSettings{VisibilityTimeout: defaultVisibility}}
		s.queues[name] = q
	}
	return q
}

// SetQueue creates a queue or changes its settings. Queues that a callback is
// configured for exist anyway.
func (s *Server) SetQueue(name string, settings QueueSettings) {
	settings.VisibilityTimeout = cmp.Or(settings.VisibilityTimeout, defaultVisibility)
	if !settings.valid() {
		s.misuse("SetQueue: a visibility timeout is a number of seconds up to 12 hours")
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.queue(name).settings = settings
}

// Send puts a message into a queue as it is, and returns its id.
func (s *Server) Send(queue, body string) (messageId string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.send(queue, body)
}

// send drops the oldest message of a full queue. The caller holds mu.
func (s *Server) send(name, body string) string {
	q := s.queue(name)
	q.seq++
	now := s.now()
	m := &queueMessage{QueueMessage: QueueMessage{
		Id: strings.ToUpper(s.randomID(8)) + "-" + strconv.Itoa(q.seq), Body: body, Enqueued: now, Visible: now,
	}}
	if q.messages = append(q.messages, m); len(q.messages) > maxQueued {
		q.messages = slices.Clone(q.messages[1:])
	}
	s.wakeQueues()
	return m.Id
}

// enqueue puts an event into a queue.
func (s *Server) enqueue(e *Event, name string) {
	e.Queue = name
	body := e.Body
	if s.queue(name).settings.Base64 {
		body = base64.StdEncoding.EncodeToString([]byte(body))
	}
	s.send(name, body)
}

// Receive takes the oldest message that can be received out of a queue, as if it
// had been received and deleted. It reports whether there was one.
func (s *Server) Receive(queue string) (body string, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	q := s.queues[queue]
	if q == nil {
		return "", false
	}
	i := slices.IndexFunc(q.messages, func(m *queueMessage) bool { return !m.Visible.After(s.now()) })
	if i < 0 {
		return "", false
	}
	body = q.messages[i].Body
	q.messages = slices.Delete(q.messages, i, i+1)
	return body, true
}

// QueueMessages lists the messages of a queue, the oldest first.
func (s *Server) QueueMessages(queue string) []QueueMessage {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []QueueMessage
	if q := s.queues[queue]; q != nil {
		for _, m := range q.messages {
			all = append(all, m.QueueMessage)
		}
	}
	return all
}

// deliver receives at most limit messages. The caller holds mu.
func (s *Server) deliver(q *queue, limit int) []*queueMessage {
	now := s.now()
	var all []*queueMessage
	for _, m := range q.messages {
		if len(all) == limit {
			break
		}
		if m.Visible.After(now) {
			continue
		}
		if m.DequeueCount++; m.DequeueCount == 1 {
			m.first = now
		}
		s.hide(m, q.settings.VisibilityTimeout)
		copied := *m
		all = append(all, &copied)
	}
	return all
}

// hide gives the message a new receipt. The old one is no longer valid.
func (s *Server) hide(m *queueMessage, d time.Duration) {
	m.Visible = s.now().Add(d)
	// Real ones have characters that a query escapes, too.
	m.receipt = "1-" + base64.StdEncoding.EncodeToString([]byte(s.randomID(12))) + "+/" + s.randomID(2)
}

// nextVisible is when the next message can be received; zero if there is none.
func (q *queue) nextVisible() time.Time {
	var next time.Time
	for _, m := range q.messages {
		if next.IsZero() || m.Visible.Before(next) {
			next = m.Visible
		}
	}
	return next
}

// wakeQueues wakes the requests that wait for messages. The caller holds mu.
func (s *Server) wakeQueues() {
	close(s.queueNews)
	s.queueNews = make(chan struct{})
}

// bodyMD5 is the MessageBodyMD5 of a message.
func bodyMD5(body string) string {
	sum := md5.Sum([]byte(body))
	return strings.ToUpper(hex.EncodeToString(sum[:]))
}
