package rpc

import (
	"bytes"
	"cmp"
	"encoding/base64"
	"encoding/json"
	"encoding/xml"
	"strings"

	"github.com/alimedia/alimedia-go/internal/redact"
)

// Bounds of what is looked at for an error document.
const (
	maxStarts        = 16        // places in a text where a JSON document may begin
	maxStartAt       = 64 << 10  // bytes before it
	maxXML           = 256 << 10 // bytes of an XML document
	maxMember        = 64 << 10  // bytes of one member
	maxXMLTokens     = 4096
	maxEnvelopeDepth = 3
	maxFoundSecrets  = 64
)

// envelope is the error document of a service, whoever wrote it: members are
// known by their names in any case and with or without underscores, and a
// member of an unexpected form costs only itself.
type envelope struct {
	Code, Message, Description   string
	RequestID, HostID, Recommend string
	Detail                       map[string]any

	secrets []string // values of members that hold secrets by their names
}

// readEnvelope finds the error document in body: JSON or XML, with or without
// text around it, complete or not. It reports false where body is none; what
// it has found is returned all the same.
func readEnvelope(body []byte) (envelope, bool) {
	var best envelope
	text := withoutBOM(body)
	if len(text) > 0 && text[0] == '"' { // a document in a string
		s := scanner{src: text}
		text = []byte(s.text())
	}
	from := 0
	for range maxStarts {
		i := bytes.IndexByte(text[from:min(len(text), maxStartAt)], '{')
		if i < 0 {
			break
		}
		from += i
		var e envelope
		s := scanner{src: text, at: from}
		e.object(&s, 0)
		if e.known() {
			e.collect(text[from:])
			return e, true
		}
		if from == 0 || best.RequestID == "" {
			best = e
		}
		if from++; from >= min(len(text), maxStartAt) {
			break
		}
		if i == 0 && json.Valid(text) {
			break // a document of another kind
		}
	}
	if i := bytes.IndexByte(text[:min(len(text), maxStartAt)], '<'); i >= 0 {
		var e envelope
		if e.xml(text[i:]); e.known() {
			return e, true
		}
	}
	return best, false
}

func (e *envelope) known() bool { return e.Code != "" || e.Message != "" }

// failed reports whether the document of a status 2xx is an error all the
// same: it has a code that does not stand for success, and a message.
func (e *envelope) failed() bool { return e.Message != "" && e.Code != "" && !e.codeIsFine() }

// outerEnvelope reads the members of the document itself, not of documents in it.
func outerEnvelope(body []byte) (e envelope) {
	s := scanner{src: body}
	e.object(&s, maxEnvelopeDepth)
	return e
}

// saying is what a member says about the operation.
type saying uint8

const (
	unsaid saying = iota
	saysSuccess
	saysFailure
)

func sayingOf(failed bool) saying {
	if failed {
		return saysFailure
	}
	return saysSuccess
}

// verdictOf reads the member of a document that says whether the operation
// failed, and the code that it is for a failure which gives no other.
func verdictOf(body []byte, member string) (code string, said saying) {
	var text string
	s := scanner{src: body}
	for more := s.open(); more; more = s.next() {
		if key := unquoted(s.key()); !strings.EqualFold(key, member) {
			s.skip()
			continue
		}
		if s.at >= len(s.src) {
			break
		}
		text = new(envelope).memberText(&s, "", 0)
	}
	number, isNumber := float(text, 64)
	switch strings.ToLower(member) {
	case "success", "result":
		switch strings.ToLower(text) {
		case "fail", "failed", "failure", "error":
			return codeUnsuccessful, saysFailure
		}
		if success, ok := boolean(text); ok {
			return codeUnsuccessful, sayingOf(!success)
		}
	case "retcode":
		if isNumber {
			return text, sayingOf(number != 0)
		}
	case "statuscode", "httpstatuscode":
		if isNumber {
			return text, sayingOf(number >= 400)
		}
	}
	return "", unsaid
}

func (e *envelope) codeIsFine() bool {
	switch strings.ToLower(strings.TrimSpace(e.Code)) {
	case "", "0", "200", "ok", "success", "successful", "succeed", "true":
		return true
	}
	return false
}

// memberName is a key without what differs between spellings.
func memberName(key string) string {
	if len(key) > 32 {
		return ""
	}
	return strings.ToLower(separators.Replace(key))
}

var separators = strings.NewReplacer("_", "", "-", "", ".", "")

// member returns where the text of a member goes; nil for one that is not
// known.
func (e *envelope) member(name string) *string {
	switch name {
	case "code", "errorcode", "errcode":
		return &e.Code
	case "message", "errormessage", "errmessage", "errormsg", "errmsg", "msg":
		return &e.Message
	case "description":
		return &e.Description
	case "requestid":
		return &e.RequestID
	case "hostid":
		return &e.HostID
	case "recommend":
		return &e.Recommend
	}
	return nil
}

// object reads the object at the scanner. What an outer object has said stays.
func (e *envelope) object(s *scanner, depth int) {
	var own, inner envelope
	for more := s.open(); more; more = s.next() {
		name, start := memberName(unquoted(s.key())), s.at
		if s.at >= len(s.src) {
			break
		}
		if field := own.member(name); field != nil {
			if text := own.memberText(s, name, 0); text != "" {
				*field = text
			}
			continue
		}
		complete := s.skip()
		raw := s.src[start:s.at]
		switch name {
		case "accessdenieddetail":
			if complete {
				own.Detail = detailOf(raw)
			}
		case "error", "errors", "response", "result", "data", "body", "fault":
			inner.nested(raw, depth)
		}
	}
	e.merge(own)
	e.merge(inner)
}

// memberText reads a value as text: a list of one gives its element, and an
// object or a longer list its JSON where the member is free text.
func (e *envelope) memberText(s *scanner, name string, depth int) string {
	start := s.at
	var text string
	switch s.src[s.at] {
	case '"':
		raw := s.quoted()
		if raw == nil { // cut off
			raw = s.src[min(start+1, len(s.src)):]
		}
		text = unquotedStart(raw)
	case '[', '{':
		one := *s
		complete := s.skip()
		if one.src[one.at] == '[' && depth < maxEnvelopeDepth && one.count(2) == 1 {
			one.open()
			return e.memberText(&one, name, depth+1)
		}
		if field := e.member(name); complete && (field == &e.Message || field == &e.Description) {
			text = string(s.src[start:min(s.at, start+maxMember)])
		}
	default:
		if raw := s.raw(); len(raw) <= maxCode && string(raw) != "null" {
			text = string(raw)
		}
	}
	return strings.TrimSpace(text)
}

// unquotedStart is the text of a JSON string, or its beginning where it is
// long or cut off.
func unquotedStart(raw []byte) string {
	raw = raw[:min(len(raw), maxMember)]
	text := unquoted(raw)
	for range len(`\ud83d\ude00`) {
		if text != "" || len(raw) == 0 {
			break
		}
		raw = raw[:len(raw)-1] // in the middle of an escape
		text = unquoted(raw)
	}
	return text
}

// nested reads a document that is a member of another one.
func (e *envelope) nested(raw []byte, depth int) {
	s := scanner{src: raw}
	if len(raw) > 0 && raw[0] == '"' {
		s = scanner{src: bytes.TrimSpace([]byte(s.text()))}
	}
	if len(s.src) > 0 && s.src[0] == '[' {
		s.open()
	}
	if s.at < len(s.src) && s.src[s.at] == '{' && depth < maxEnvelopeDepth {
		e.object(&s, depth+1)
	}
}

// merge takes over what e does not have.
func (e *envelope) merge(other envelope) {
	for _, f := range []struct {
		to   *string
		from string
	}{
		{&e.Code, other.Code}, {&e.Message, other.Message}, {&e.Description, other.Description}, {&e.RequestID, other.RequestID},
		{&e.HostID, other.HostID}, {&e.Recommend, other.Recommend},
	} {
		*f.to = cmp.Or(*f.to, f.from)
	}
	if len(e.Detail) == 0 {
		e.Detail = other.Detail
	}
}

// detailOf reads an AccessDeniedDetail: an object, or its JSON in a string.
func detailOf(raw []byte) map[string]any {
	if len(raw) > maxStartAt {
		return nil
	}
	var detail map[string]any
	if Decode(raw, &detail) != nil || len(detail) == 0 {
		return nil
	}
	return detail
}

// xml reads an XML document. Names count without their namespaces.
func (e *envelope) xml(text []byte) {
	dec := xml.NewDecoder(strings.NewReader(strings.ToValidUTF8(string(text[:min(len(text), maxXML)]), "?")))
	dec.Strict = false
	dec.CharsetReader = asItIs
	var path []string
	for range maxXMLTokens {
		token, err := dec.RawToken()
		if err != nil {
			break
		}
		switch t := token.(type) {
		case xml.StartElement:
			name := memberName(t.Name.Local)
			if len(path) == 0 && (name == "html" || name == "body" || name == "head") || len(path) > 16 {
				return // a page is no document
			}
			path = append(path, t.Name.Local)
		case xml.EndElement:
			if len(path) > 0 {
				path = path[:len(path)-1]
			}
			if len(path) == 0 {
				return
			}
		case xml.CharData:
			e.xmlText(path, strings.TrimSpace(string(t)))
		}
	}
}

func (e *envelope) xmlText(path []string, text string) {
	if len(path) < 2 || text == "" {
		return
	}
	name := path[len(path)-1]
	if redact.SecretName(name) {
		e.addSecret(text)
	}
	if len(path) > 2 && memberName(path[len(path)-2]) == "accessdenieddetail" {
		if e.Detail == nil {
			e.Detail = make(map[string]any)
		}
		if len(e.Detail) < maxDetail {
			e.Detail[name] = text
		}
		return
	}
	if field := e.member(memberName(name)); field != nil && len(path) <= maxEnvelopeDepth+1 {
		*field = cmp.Or(*field, text)
	}
}

// collect finds the secrets that the document itself holds, so that they are
// masked where another member repeats them.
func (e *envelope) collect(text []byte) {
	s := scanner{src: text}
	e.collectValue(&s, "", 0)
}

func (e *envelope) collectValue(s *scanner, name string, depth int) {
	if s.at >= len(s.src) || len(e.secrets) >= maxFoundSecrets {
		return
	}
	switch c := s.src[s.at]; {
	case depth > 16 || c != '"' && c != '{' && c != '[':
		s.skip()
	case c == '"':
		raw := s.quoted()
		if redact.SecretName(name) {
			e.addSecret(strings.TrimSpace(unquotedStart(raw)))
		}
		if raw = bytes.TrimSpace(raw); len(raw) > 0 && raw[0] == '{' {
			e.collectValue(&scanner{src: []byte(unquoted(raw))}, "", depth+1)
		}
	default:
		for more := s.open(); more; more = s.next() {
			if c == '{' {
				name = unquoted(s.key())
			}
			e.collectValue(s, name, depth+1)
		}
	}
}

// addSecret notes a secret, and those in it where it is a document in Base64,
// as an upload credential is.
func (e *envelope) addSecret(text string) {
	if len(text) < leastSecret || len(e.secrets) >= maxFoundSecrets {
		return
	}
	e.secrets = append(e.secrets, text)
	if inner, err := base64.RawStdEncoding.DecodeString(strings.TrimRight(text, "=")); err == nil && len(inner) > 0 && inner[0] == '{' {
		e.collectValue(&scanner{src: inner}, "", 0)
	}
}
