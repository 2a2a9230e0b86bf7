package mediatest

import (
	"crypto/hmac"
	"encoding/xml"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	queueVersion   = "2015-06-06"
	queueNamespace = "http://mns.aliyuncs.com/doc/v1/"
	maxBatch       = 16
	maxWaitSeconds = 30
)

var (
	errNoQueue   = refused(404, "QueueNotExist", "The queue name you provided is not exist.")
	errNoMessage = refused(404, "MessageNotExist", "Message not exist.")
)

var errQueueThrottled = failure{status: 503, code: "QpsLimitExceeded", message: "The qps limit of the queue is exceeded."}

var errQueueTokenExpired = failure{status: 403, code: "SecurityTokenExpired", message: "The security token is expired."}

// asksQueue reports whether a request is one to a queue.
func asksQueue(r *http.Request) bool {
	return strings.HasPrefix(r.URL.Path, "/queues/") &&
		(r.Header.Get("x-mns-version") != "" || strings.HasPrefix(r.Header.Get("Authorization"), "MNS "))
}

// queueOperation is the operation of a request to a queue and the queue's name.
func queueOperation(r *http.Request, q url.Values) (operation, name string) {
	name, rest, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/queues/"), "/")
	if rest != "messages" || q.Has("peekonly") {
		return unsupported, name
	}
	switch r.Method {
	case http.MethodGet:
		if queueParam(q, "numOfMessages") != "" {
			return "BatchReceiveMessage", name
		}
		return "ReceiveMessage", name
	case http.MethodDelete:
		return "DeleteMessage", name
	case http.MethodPut:
		return "ChangeMessageVisibility", name
	}
	return unsupported, name
}

// queueParam reads a parameter whose name clients write in different cases.
func queueParam(q url.Values, name string) string {
	for key, values := range q {
		if strings.EqualFold(key, name) {
			return values[0]
		}
	}
	return ""
}

// queueOperations lock mu themselves. They return the document of the answer; nil
// means status 204.
var queueOperations = map[string]func(*Server, *exchange) (any, error){
	"ReceiveMessage":          (*Server).receiveMessages,
	"BatchReceiveMessage":     (*Server).receiveMessages,
	"DeleteMessage":           (*Server).deleteMessage,
	"ChangeMessageVisibility": (*Server).changeVisibility,
}

func (s *Server) serveQueue(x *exchange) {
	err := s.admitQueue(x)
	operation := queueOperations[x.operation]
	if err == nil && operation == nil {
		err = refused(400, "InvalidRequestURL", "Http request URL format invalid.")
	}
	var document any
	if err == nil {
		document, err = operation(s, x)
	}
	var f failure
	switch {
	case errors.Is(err, errGone):
		x.cut()
	case errors.As(err, &f):
		x.refuse(f)
	case err != nil:
		x.refuse(refused(500, "InternalError", "%v", err))
	case document == nil:
		x.identify()
		x.w.WriteHeader(http.StatusNoContent)
	default:
		x.identify()
		x.writeXML(http.StatusOK, document)
	}
}

// admitQueue checks the signature and the permission.
func (s *Server) admitQueue(x *exchange) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	id, signature, ok := strings.Cut(strings.TrimPrefix(x.r.Header.Get("Authorization"), "MNS "), ":")
	date, err := http.ParseTime(x.r.Header.Get("Date"))
	k := s.keys[id]
	switch {
	case x.r.Header.Get("Authorization") == "":
		return refused(400, "MissingAuthorizationHeader", "Authorization header is required.")
	case !ok:
		return refused(400, "InvalidAuthorizationHeader", "The Authorization header format is invalid.")
	case x.r.Header.Get("x-mns-version") == "":
		return refused(400, "MissingVersionHeader", "The x-mns-version header is required.")
	case err != nil:
		return refused(400, "InvalidDateHeader", "The Date header format is invalid.")
	case date.Sub(s.wall()).Abs() > maxSkew:
		return refused(408, "TimeExpired", "The http request you sent is expired.")
	case k == nil || x.r.Header.Get("security-token") == "" && k.SecurityToken != "":
		return refused(403, "InvalidAccessKeyId", "The AccessKey Id you provided is not exist.")
	case x.r.Header.Get("security-token") != k.SecurityToken:
		return refused(403, "InvalidSecurityToken", "The security token is invalid.")
	case k.expired(s.now()):
		return errQueueTokenExpired
	case !hmac.Equal([]byte(ossV1Signature(k.AccessKeySecret, queueStringToSign(x.r))), []byte(signature)):
		return refused(403, "SignatureDoesNotMatch", "The request signature we calculated does not match the signature you provided. Check your key and signing method.")
	case k.allow("mns:"+x.operation) != nil:
		return refused(403, "AccessDenied", "The OwnerId that your Access Key Id associated to is forbidden for this operation.")
	case s.queues[x.key] == nil:
		return errNoQueue
	}
	return nil
}

// queueStringToSign is the text that a signature of Simple Message Queue covers.
func queueStringToSign(r *http.Request) string {
	var b strings.Builder
	b.WriteString(r.Method + "\n" + r.Header.Get("Content-MD5") + "\n" + r.Header.Get("Content-Type") + "\n" + r.Header.Get("Date") + "\n")
	var names []string
	for name := range r.Header {
		if name = strings.ToLower(name); strings.HasPrefix(name, "x-mns-") {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	for _, name := range names {
		b.WriteString(name + ":" + headerValue(r, name) + "\n")
	}
	b.WriteString(r.URL.RequestURI())
	return b.String()
}

// receiveMessages waits for messages as long as the request asks for, by the
// server's clock.
func (s *Server) receiveMessages(x *exchange) (any, error) {
	limit, err := queueNumber(x.query, "numOfMessages", 1, 1, maxBatch)
	if err != nil {
		return nil, err
	}
	wait, err := queueNumber(x.query, "waitseconds", 0, 0, maxWaitSeconds)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	deadline := s.now().Add(time.Duration(wait) * time.Second)
	for {
		q := s.queues[x.key]
		if q == nil { // after a reset
			return nil, errNoQueue
		}
		now := s.now()
		if all := s.deliver(q, limit); len(all) > 0 {
			return x.messages(all), nil
		}
		if !now.Before(deadline) {
			return nil, errNoMessage
		}
		until := deadline
		if next := q.nextVisible(); !next.IsZero() && next.Before(until) {
			until = next
		}
		news := s.queueNews
		s.mu.Unlock()
		err := x.waitNews(until.Sub(now), news)
		s.mu.Lock()
		if err != nil {
			return nil, err
		}
	}
}

// queueNumber reads a parameter between two limits.
func queueNumber(q url.Values, name string, none, low, high int) (int, error) {
	text := queueParam(q, name)
	if text == "" {
		return none, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < low || n > high {
		return 0, refused(400, "InvalidArgument", "The value of %s should between %d and %d seconds/bytes.", name, low, high)
	}
	return n, nil
}

// waitNews waits for d or for news of a queue.
func (x *exchange) waitNews(d time.Duration, news <-chan struct{}) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	left, _ := x.r.Context().Value(leftKey{}).(chan struct{})
	select {
	case <-timer.C:
	case <-news:
	case <-x.r.Context().Done():
		return errGone
	case <-left:
		return errGone
	case <-x.srv.done:
		return errGone
	}
	return nil
}

type xmlMessage struct {
	XMLName          xml.Name `xml:"Message"`
	MessageId        string
	ReceiptHandle    string
	MessageBodyMD5   string
	MessageBody      string
	EnqueueTime      int64
	NextVisibleTime  int64
	FirstDequeueTime int64
	DequeueCount     int
	Priority         int
}

type xmlMessages struct {
	XMLName  xml.Name `xml:"Messages"`
	XMLNS    string   `xml:"xmlns,attr"`
	Messages []xmlMessage
}

// messages is the document of a delivery.
func (x *exchange) messages(all []*queueMessage) any {
	list := xmlMessages{XMLNS: queueNamespace}
	for _, m := range all {
		list.Messages = append(list.Messages, xmlMessage{
			MessageId: m.Id, ReceiptHandle: m.receipt, MessageBody: m.Body, MessageBodyMD5: bodyMD5(m.Body), Priority: 8,
			EnqueueTime: m.Enqueued.UnixMilli(), NextVisibleTime: m.Visible.UnixMilli(), FirstDequeueTime: m.first.UnixMilli(), DequeueCount: m.DequeueCount,
		})
	}
	if x.operation == "ReceiveMessage" {
		return list.Messages[0]
	}
	return list
}

func (s *Server) deleteMessage(x *exchange) (any, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	q := s.queues[x.key]
	i, err := q.find(queueParam(x.query, "ReceiptHandle"), s.now())
	if err != nil {
		return nil, err
	}
	q.messages = slices.Delete(q.messages, i, i+1)
	return nil, nil
}

// find finds the message of a receipt.
func (q *queue) find(receipt string, now time.Time) (index int, err error) {
	if receipt == "" {
		return 0, refused(400, "MissingReceiptHandle", "ReceiptHandle is required.")
	}
	if q == nil {
		return 0, errNoQueue
	}
	i := slices.IndexFunc(q.messages, func(m *queueMessage) bool { return m.receipt == receipt && m.Visible.After(now) })
	switch {
	case i >= 0:
		return i, nil
	case !strings.HasPrefix(receipt, "1-"):
		return 0, refused(400, "ReceiptHandleError", "The receipt handle you provide is not valid.")
	}
	return 0, errNoMessage
}

type xmlVisibility struct {
	XMLName         xml.Name `xml:"ChangeVisibility"`
	XMLNS           string   `xml:"xmlns,attr"`
	ReceiptHandle   string
	NextVisibleTime int64
}

func (s *Server) changeVisibility(x *exchange) (any, error) {
	seconds, err := queueNumber(x.query, "VisibilityTimeout", 0, 1, int(maxVisibility/time.Second))
	switch {
	case err != nil:
		return nil, err
	case seconds == 0:
		return nil, refused(400, "MissingVisibilityTimeout", "VisibilityTimeout is required.")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	q := s.queues[x.key]
	i, err := q.find(queueParam(x.query, "ReceiptHandle"), s.now())
	if err != nil {
		return nil, err
	}
	m := q.messages[i]
	s.hide(m, time.Duration(seconds)*time.Second)
	s.wakeQueues() // it may be visible sooner than those who wait know
	return xmlVisibility{XMLNS: queueNamespace, ReceiptHandle: m.receipt, NextVisibleTime: m.Visible.UnixMilli()}, nil
}

func (x *exchange) writeXML(status int, document any) {
	text, err := xml.Marshal(document)
	if err != nil {
		x.srv.misuse("%s: %v", x.operation, err)
	}
	text = append([]byte(xml.Header), text...)
	x.w.Header().Set("Content-Type", "text/xml;charset=utf-8")
	x.w.Header().Set("Content-Length", strconv.Itoa(len(text)))
	x.w.WriteHeader(status)
	_, _ = x.w.Write(text)
}

func writeQueueError(x *exchange, f failure) {
	x.writeXML(f.status, struct {
		XMLName                          xml.Name `xml:"Error"`
		XMLNS                            string   `xml:"xmlns,attr"`
		Code, Message, RequestId, HostId string
	}{XMLNS: queueNamespace, Code: f.code, Message: f.message, RequestId: x.id, HostId: x.r.Host})
}
