package mediatest

import (
	"cmp"
	"context"
	"encoding/json"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/alimedia/alimedia-go"
)

// Event is an event message that the server has sent, or would have sent if
// the account had a callback for it.
type Event struct {
	Service   string // "vod" or "ice"
	EventType string
	Body      string // the JSON: flat from VOD, in an envelope from ICE

	URL      string // where it was posted; empty: nowhere
	Queue    string // the queue it went into; empty: none
	Attempts int    // of posting it
	Status   int    // of the last answer; 0: none

	waiting bool            // it is still being posted
	key     alimedia.Secret // that signs it
}

const (
	callbackAttempts = 3
	callbackTimeout  = 5 * time.Second
	maxEvents        = 10000
)

// EventClient posts callbacks by a client of yours, wherever they go. Without
// it they are posted to addresses of this machine only, and by an [InMemory]
// server not at all.
func EventClient(client *http.Client) Option { return func(o *options) { o.events = client } }

// Events lists the events so far, the latest last.
func (s *Server) Events() []Event {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := make([]Event, len(s.events))
	for i, e := range s.events {
		all[i] = *e
	}
	return all
}

// userData is the part of UserData that decides about callbacks.
type userData struct {
	MessageCallback json.RawMessage
	Extend          json.RawMessage
}

// text is a JSON value as a string: what a string says, else the JSON itself.
func rawText(raw json.RawMessage) string {
	var text string
	if json.Unmarshal(raw, &text) == nil {
		return text
	}
	return string(raw)
}

// ownCallback is where a UserData, or another parameter of a call, sends the
// events of what the call makes.
type ownCallback struct{ CallbackURL, CallbackType, MnsQueueName string }

// emit sends an event of the account. The caller holds mu.
func (s *Server) emit(acc *Account, service, kind, userDataText string, details fields) {
	var data userData
	_ = json.Unmarshal([]byte(userDataText), &data) // other texts have no callback
	var own ownCallback
	_ = json.Unmarshal([]byte(rawText(data.MessageCallback)), &own)
	s.emitTo(acc, own, service, kind, userDataText, details)
}

func (s *Server) emitTo(acc *Account, own ownCallback, service, kind, userDataText string, details fields) {
	var data userData
	_ = json.Unmarshal([]byte(userDataText), &data)

	body := fields{}
	for name, value := range details {
		body[name] = value
	}
	now := s.now().Format(timeFormat)
	if service == "vod" {
		body["EventType"], body["EventTime"] = kind, now
		if len(data.Extend) > 0 {
			body["Extend"] = rawText(data.Extend)
		}
	} else {
		if userDataText != "" {
			body["UserData"] = userDataText
		}
		id, _ := strconv.ParseInt(acc.id, 10, 64) // 0 for an odd id
		body = fields{"EventType": kind, "EventTime": now, "UserId": id, "MessageBody": body}
	}
	text, err := json.Marshal(body)
	if err != nil {
		s.misuse("event %s: %v", kind, err)
		return
	}
	e := &Event{Service: service, EventType: kind, Body: string(text)}
	if s.events = append(s.events, e); len(s.events) > maxEvents {
		s.events = slices.Clone(s.events[len(s.events)-maxEvents/2:])
	}

	setting := map[string]string{}
	if t := acc.made[service+".Callback"]["it"]; t != nil {
		setting = t.values
	}
	selected := selects(setting["EventTypeList"], kind)
	key := ""
	if setting["AuthSwitch"] == "on" {
		key = setting["AuthKey"]
	}
	switch {
	case strings.EqualFold(own.CallbackType, "mns") && own.MnsQueueName != "":
		s.enqueue(e, own.MnsQueueName)
	case own.CallbackURL != "":
		s.post(e, own.CallbackURL, key)
	case !selected:
	case strings.EqualFold(setting["CallbackType"], "MNS"):
		s.enqueue(e, cmp.Or(setting["MnsQueueName"], setting["CallbackQueueName"]))
	case setting["CallbackURL"] != "":
		s.post(e, setting["CallbackURL"], key)
	}
}

// selects reports whether an EventTypeList has an event. VOD calls all events
// of AI jobs AIComplete there.
func selects(list, kind string) bool {
	return list == "ALL" || containsComma(list, kind) || containsComma(list, "ALL") ||
		containsComma(list, "AIComplete") && (strings.HasPrefix(kind, "AI") || kind == "VideoAnalysisComplete")
}

// post delivers an event in the background.
func (s *Server) post(e *Event, address, key string) {
	e.URL = address
	client := s.callbackClient(address)
	if client == nil || s.closed {
		return
	}
	service, body := e.Service, e.Body
	done := e.Attempts // before the state was loaded
	e.waiting, e.key = true, alimedia.Secret(key)
	s.working.Add(1)
	go func() {
		defer s.working.Done()
		for attempt := done; attempt < callbackAttempts; attempt++ {
			if attempt > 0 && !s.pause(time.Second) {
				return
			}
			status := s.postOnce(client, Callback{Service: service, URL: address, AuthKey: alimedia.Secret(key), Body: body})
			s.mu.Lock()
			if status == 0 && s.closed {
				s.mu.Unlock()
				return // it is posted again where the state is loaded
			}
			e.Attempts, e.Status = attempt+1, status
			e.waiting = status != http.StatusOK && e.Attempts < callbackAttempts
			waiting := e.waiting
			s.mu.Unlock()
			if !waiting {
				return
			}
		}
	}()
}

// callbackClient reaches a server of the user; nil where nothing is posted.
func (s *Server) callbackClient(address string) *http.Client {
	u, err := url.Parse(address)
	switch {
	case s.opts.events != nil:
		return s.opts.events
	case err != nil || s.opts.inMemory:
		return nil
	}
	if ip := net.ParseIP(u.Hostname()); u.Hostname() != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return nil
	}
	return s.away
}

func (s *Server) postOnce(client *http.Client, c Callback) int {
	s.mu.Lock()
	c.Time = s.wall()
	s.mu.Unlock()
	req, err := c.Request()
	if err != nil {
		return 0
	}
	ctx, cancel := context.WithTimeout(s.life, callbackTimeout)
	defer cancel()
	resp, err := client.Do(req.WithContext(ctx))
	if err != nil {
		return 0
	}
	_ = resp.Body.Close()
	return resp.StatusCode
}

// pause waits; false when the server closes meanwhile.
func (s *Server) pause(d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-s.done:
		return false
	}
}
