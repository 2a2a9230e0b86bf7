package mediatest

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"time"
)

const maxFaults = 1000

// faultDocument is a [Fault] in JSON. In place of its functions it has Key and
// Params.
type faultDocument struct {
	Operation string            `json:",omitempty"`
	Key       string            `json:",omitempty"` // of the object that the request is for
	Params    map[string]string `json:",omitempty"` // that the query has
	Nth       int               `json:",omitempty"`
	Times     int               `json:",omitempty"` // -1: always

	Delay         span  `json:",omitzero"`
	ResponseDelay span  `json:",omitzero"`
	Drip          span  `json:",omitzero"`
	RetryAfter    span  `json:",omitzero"`
	AfterBytes    int64 `json:",omitempty"`

	Status       int             `json:",omitempty"`
	Code         string          `json:",omitempty"`
	Message      string          `json:",omitempty"`
	Foreign      *answerDocument `json:",omitempty"`
	Reset        bool            `json:",omitempty"`
	AfterEffect  bool            `json:",omitempty"`
	ExpiredToken bool            `json:",omitempty"`
	Throttling   bool            `json:",omitempty"`
}

// answerDocument is an [Response] in JSON.
type answerDocument struct {
	Status  int               `json:",omitempty"`
	Header  map[string]string `json:",omitempty"`
	Body    string
	Endless bool `json:",omitempty"`
}

// check finds what makes no sense.
func (d *faultDocument) check() error {
	bad := func(status int) bool { return status != 0 && (status < 200 || status > 599) }
	switch {
	case bad(d.Status), d.Foreign != nil && bad(d.Foreign.Status):
		return wrong("Status is a number from 200 to 599")
	case d.Nth < 0:
		return wrong("Nth counts from 1")
	case d.Times < -1:
		return wrong("Times is a number, or -1 for always")
	case d.AfterBytes < 0:
		return wrong("AfterBytes is not negative")
	case d.Foreign != nil && d.Foreign.Endless && d.Foreign.Body == "":
		return wrong("an Endless answer has a Body")
	}
	return nil
}

// fault is the fault that the document says.
func (d *faultDocument) fault() Fault {
	f := Fault{
		Operation: d.Operation, Nth: d.Nth, Times: d.Times, Delay: time.Duration(d.Delay), ResponseDelay: time.Duration(d.ResponseDelay),
		Drip: time.Duration(d.Drip), RetryAfter: time.Duration(d.RetryAfter), AfterBytes: d.AfterBytes, Status: d.Status, Code: d.Code,
		Message: d.Message, Reset: d.Reset, AfterEffect: d.AfterEffect, ExpiredToken: d.ExpiredToken, Throttling: d.Throttling,
		document: d,
	}
	if d.Times < 0 {
		f.Times = Always
	}
	if d.Foreign != nil {
		f.Foreign = &Response{Status: d.Foreign.Status, Body: d.Foreign.Body, Endless: d.Foreign.Endless, Header: http.Header{}}
		for name, value := range d.Foreign.Header {
			f.Foreign.Header.Set(name, value)
		}
	}
	if d.Key != "" || len(d.Params) > 0 {
		f.Match = func(r Request) bool { return (d.Key == "" || d.Key == r.Key) && hasAll(r.Params, d.Params) }
	}
	return f
}

func hasAll(params url.Values, wanted map[string]string) bool {
	for name, value := range wanted {
		if !params.Has(name) || params.Get(name) != value {
			return false
		}
	}
	return true
}

// documentOf shows a fault, as far as JSON can.
func documentOf(f *Fault) faultDocument {
	if f.document != nil {
		return *f.document
	}
	d := faultDocument{
		Operation: f.Operation, Nth: f.Nth, Times: f.Times, Delay: span(f.Delay), ResponseDelay: span(f.ResponseDelay), Drip: span(f.Drip),
		RetryAfter: span(f.RetryAfter), AfterBytes: f.AfterBytes, Status: f.Status, Code: f.Code, Message: f.Message, Reset: f.Reset,
		AfterEffect: f.AfterEffect, ExpiredToken: f.ExpiredToken, Throttling: f.Throttling,
	}
	if d.Times == Always {
		d.Times = -1
	}
	if f.Foreign != nil {
		d.Foreign = &answerDocument{Status: f.Foreign.Status, Body: f.Foreign.Body, Endless: f.Foreign.Endless}
	}
	return d
}

func (c *control) getFaults(*http.Request) (any, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	all := []faultState{}
	for _, f := range c.faults {
		all = append(all, faultState{documentOf(&f.Fault), f.seen})
	}
	return struct{ Faults []faultState }{all}, nil
}

// postFaults sets one fault or a list of them, all or none.
func (c *control) postFaults(r *http.Request) (any, error) {
	var text json.RawMessage
	if err := decode(r, &text); err != nil {
		return nil, err
	}
	documents := make([]faultDocument, 1)
	target := any(&documents[0])
	if strings.HasPrefix(strings.TrimSpace(string(text)), "[") {
		target = &documents
	}
	if err := decodeText(text, target); err != nil {
		return nil, err
	}
	var faults []Fault
	for i := range documents {
		if err := documents[i].check(); err != nil {
			return nil, err
		}
		if err := c.knows(documents[i].Operation); err != nil {
			return nil, err
		}
		faults = append(faults, documents[i].fault())
	}
	c.mu.Lock()
	room := maxFaults - len(c.faults)
	c.mu.Unlock()
	if len(faults) > room {
		return nil, wrong("there are %d faults at most", maxFaults)
	}
	c.Fault(faults...)
	return c.getFaults(r)
}

func (c *control) deleteFaults(*http.Request) (any, error) {
	c.ClearFaults()
	return nothing{}, nil
}
