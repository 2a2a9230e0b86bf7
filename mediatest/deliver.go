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

// Receive takes the oldest message out of a queue of Message Service (MNS). It
// reports whether there was one.
func (s *Server) Receive(queue string) (body string, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	messages := s.queues[queue]
	if len(messages) == 0 {
		return "", false
	}
	s.queues[queue] = messages[1:]
	return messages[0], true
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

// emit sends an event of the account. The caller holds mu.
func (s *Server) emit(acc *Account, service, kind, userDataText string, details fields) {
	var data userData
	_ = json.Unmarshal([]byte(userDataText), &data) // other texts have no callback
	var own struct{ CallbackURL, CallbackType, MnsQueueName string }
	_ = json.Unmarshal([]byte(rawText(data.MessageCallback)), &own)

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
	case setting["CallbackType"] == "MNS":
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

func (s *Server) enqueue(e *Event, queue string) {
	e.Queue = queue
	s.queues[queue] = append(s.queues[queue], e.Body)
}

// post delivers an event in the background.
func (s *Server) post(e *Event, address, key string) {
	e.URL = address
	client := s.opts.events
	if client == nil {
		u, err := url.Parse(address)
		if err != nil || s.opts.inMemory {
			return
		}
		if ip := net.ParseIP(u.Hostname()); u.Hostname() != "localhost" && (ip == nil || !ip.IsLoopback()) {
			return
		}
		client = s.away
	}
	if s.closed {
		return
	}
	service, body := e.Service, e.Body
	s.working.Add(1)
	go func() {
		defer s.working.Done()
		for attempt := range callbackAttempts {
			if attempt > 0 && !s.pause(time.Second) {
				return
			}
			status := s.postOnce(client, Callback{Service: service, URL: address, AuthKey: alimedia.Secret(key), Body: body})
			s.mu.Lock()
			e.Attempts, e.Status = attempt+1, status
			s.mu.Unlock()
			if status == http.StatusOK {
				return
			}
		}
	}()
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

// ended tells of a job that has ended.
func (s *Server) ended(acc *Account, t *thing) {
	event := cmp.Or(t.event, t.family.event)
	if event == "" || t.canceled {
		return
	}
	good, bad := "Success", "Fail"
	if t.family.service == "vod" {
		good, bad = "success", "fail"
	}
	details := fields{"JobId": t.id, "Status": good}
	if t.code != "" {
		details["Status"], details["ErrorCode"], details["ErrorMessage"] = bad, t.code, t.message
	}
	for _, name := range []string{"MediaId", "VideoId", "MediaURL", "ProjectId", "Definition", "SourceURL"} {
		if v := t.values[name]; v != "" {
			details[name] = v
		}
	}
	if from := t.values["UploadURL"]; from != "" {
		details["SourceURL"] = from
		if t.family.service == "vod" {
			details["VideoId"] = t.values["MediaId"]
		}
	}
	data := t.values["UserData"]
	if a := acc.medias[cmp.Or(t.values["VideoId"], t.values["MediaId"])]; a != nil && data == "" {
		data = a.Params.Get("UserData") // given at the upload, the default for jobs
	}
	s.emit(acc, t.family.service, event, data, details)
	if t.family == transcodeJobs {
		s.taskEnded(acc, t, data)
	}
}

// taskEnded tells of a transcoding task of VOD when its last job has ended: a
// success if one of them was.
func (s *Server) taskEnded(acc *Account, job *thing, data string) {
	status := "fail"
	for _, other := range acc.sorted(transcodeJobs) {
		if other.values["TaskId"] != job.values["TaskId"] {
			continue
		}
		if !other.settled {
			return
		}
		if other.code == "" {
			status = "success"
		}
	}
	s.emit(acc, "vod", "TranscodeComplete", data, fields{"VideoId": job.values["VideoId"], "Status": status})
}

// arrivedEvent tells of an asset whose object is there.
func (s *Server) arrivedEvent(acc *Account, a *asset) {
	if a.Params.Has("UploadURLs") || a.Params.Has("OutputMediaConfig") || a.Service == "vod" && a.InputURL != "" {
		return // the job tells, or nobody
	}
	data := a.Params.Get("UserData")
	if a.Service == "ice" {
		kind := "FileUploadComplete"
		if a.InputURL != "" {
			kind = "RegisterMediaComplete"
		}
		s.emit(acc, "ice", kind, data, fields{"MediaId": a.MediaId, "Status": "Success", "FileURL": a.URL, "Size": a.Size})
		return
	}
	switch a.Type {
	case "image":
		s.emit(acc, "vod", "ImageUploadComplete", data, fields{"ImageId": a.MediaId, "Status": "success", "FileURL": a.URL, "Size": a.Size})
	case "attached":
		s.emit(acc, "vod", "AttachedMediaUploadComplete", data, fields{"MediaId": a.MediaId, "Status": "success", "FileURL": a.URL, "FileSize": a.Size})
	default:
		s.emit(acc, "vod", "FileUploadComplete", data, fields{"VideoId": a.MediaId, "Status": "success", "FileUrl": a.URL, "Size": a.Size})
	}
}
