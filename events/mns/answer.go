package mns

import (
	"bytes"
	"crypto/md5"
	"encoding/hex"
	"encoding/xml"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/alimedia/alimedia-go"
	"github.com/alimedia/alimedia-go/events"
	"github.com/alimedia/alimedia-go/internal/redact"
	"github.com/alimedia/alimedia-go/internal/retry"
)

// ErrChecksum is the Err of a message whose body does not have the MD5 that the
// service has for it.
var ErrChecksum = errors.New("mns: the MD5 of the message body does not match")

// isGenuine reports whether a response of status 2xx is one of the service and not
// the page of a gateway.
func (a answer) isGenuine() bool {
	return a.status == http.StatusNoContent || a.header.Get("x-mns-request-id") != ""
}

// errorDocument is the body of a refusal.
type errorDocument struct {
	XMLName   xml.Name `xml:"Error"`
	Code      string
	Message   string
	RequestId string
	HostId    string
}

// failure is the error that a response reports.
func (a answer) failure(secrets []string) *alimedia.Error {
	clean := func(text string) string { return redact.Text(text, secrets...) }
	e := &alimedia.Error{
		Product: "mns", Action: a.action, StatusCode: a.status,
		RequestId:  clean(a.header.Get("x-mns-request-id")),
		RetryAfter: retry.After(a.header, time.Now()),
	}
	var d errorDocument
	if xml.Unmarshal(a.body, &d) != nil || d.Code == "" {
		e.Message = clean(string(a.body))
		return e
	}
	e.Code, e.Message, e.HostId = clean(d.Code), clean(d.Message), clean(d.HostId)
	if d.RequestId != "" {
		e.RequestId = clean(d.RequestId)
	}
	return e
}

// unexpected is the error of a response that does not prove a success.
func (a answer) unexpected() *alimedia.Error {
	return &alimedia.Error{Product: "mns", Action: a.action, StatusCode: a.status, RequestId: redact.Line(a.header.Get("x-mns-request-id")), Message: "the response is not that of the operation"}
}

// message has texts for numbers, so that an odd one does not cost the others.
type message struct {
	MessageId       string
	ReceiptHandle   string
	MessageBody     string
	MessageBodyMD5  string
	EnqueueTime     string
	NextVisibleTime string
	DequeueCount    string
}

// messages decodes the list of a delivery. A message without a receipt is left out:
// it cannot be settled and is delivered again.
func (a answer) messages() ([]events.Message, error) {
	var document struct {
		XMLName  xml.Name
		Messages []message `xml:"Message"`
	}
	if xml.Unmarshal(a.body, &document) != nil || document.XMLName.Local != "Messages" {
		return nil, a.unexpected()
	}
	all := make([]events.Message, 0, len(document.Messages))
	for _, m := range document.Messages {
		if m.ReceiptHandle = strings.TrimSpace(m.ReceiptHandle); m.ReceiptHandle == "" {
			continue
		}
		all = append(all, events.Message{
			Id:         strings.TrimSpace(m.MessageId),
			Receipt:    m.ReceiptHandle,
			Body:       []byte(m.MessageBody),
			Attempts:   int(min(max(numberOf(m.DequeueCount), 0), 1<<30)),
			Enqueued:   timeOf(m.EnqueueTime),
			Visibility: a.visibility(m),
			Err:        m.verify(),
		})
	}
	return all, nil
}

func (m message) verify() error {
	want := strings.TrimSpace(m.MessageBodyMD5)
	if sum := md5.Sum([]byte(m.MessageBody)); want != "" && !strings.EqualFold(want, hex.EncodeToString(sum[:])) {
		return ErrChecksum
	}
	return nil
}

// visibility is how long a message stays hidden, by the clock of the service, whose
// Date has whole seconds.
func (a answer) visibility(m message) time.Duration {
	date, err := http.ParseTime(a.header.Get("Date"))
	until := timeOf(m.NextVisibleTime)
	if err != nil || until.IsZero() {
		return 0
	}
	return min(max(until.Sub(date)-time.Second, 0), maxVisibility)
}

// newReceipt decodes the answer of ChangeMessageVisibility.
func (a answer) newReceipt() (string, error) {
	var document struct {
		XMLName       xml.Name
		ReceiptHandle string
	}
	if xml.Unmarshal(bytes.TrimSpace(a.body), &document) != nil || document.XMLName.Local == "Error" || strings.TrimSpace(document.ReceiptHandle) == "" {
		return "", a.unexpected()
	}
	return strings.TrimSpace(document.ReceiptHandle), nil
}

func numberOf(text string) int64 {
	n, err := strconv.ParseInt(strings.TrimSpace(text), 10, 64)
	if err != nil {
		return 0
	}
	return n
}

// timeOf parses Unix milliseconds.
func timeOf(text string) time.Time {
	if n := numberOf(text); n > 0 {
		return time.UnixMilli(n).UTC()
	}
	return time.Time{}
}
