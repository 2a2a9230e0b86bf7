package ossobject

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"mime"
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/alimedia/alimedia-go/internal/redact"
)

// errorDocument is what is taken over from the body of an error.
type errorDocument struct {
	code, message, requestID, hostID, ec, serverTime string
}

const maxErrorTokens = 2000

// readErrorDocument reads the error document of OSS as XML, whatever the case
// of its names, cut off or with text around it, or as the JSON that gateways
// make of it. A page of HTML and anything else leave it empty.
func readErrorDocument(body []byte) (d errorDocument) {
	body = bytes.TrimSpace(bytes.TrimPrefix(bytes.TrimSpace(body), []byte("\xef\xbb\xbf")))
	if len(body) > 0 && body[0] == '{' {
		d.readJSON(body, 0)
	} else {
		d.readXML(body)
	}
	return d
}

// field is where the value of a name goes, nil for names that do not matter.
func (d *errorDocument) field(name string) *string {
	switch strings.ToLower(name) {
	case "code", "errorcode":
		return &d.code
	case "message", "errormessage":
		return &d.message
	case "requestid", "request_id":
		return &d.requestID
	case "hostid":
		return &d.hostID
	case "ec":
		return &d.ec
	case "servertime":
		return &d.serverTime
	}
	return nil
}

func (d *errorDocument) readXML(body []byte) {
	x := xml.NewDecoder(bytes.NewReader(body))
	x.Strict = false
	x.CharsetReader = func(_ string, r io.Reader) (io.Reader, error) { return r, nil }
	var path []string
	for range maxErrorTokens {
		token, err := x.Token()
		if err != nil {
			return
		}
		switch t := token.(type) {
		case xml.StartElement:
			path = append(path, strings.ToLower(t.Name.Local))
			if path[0] == "html" || len(path) > 8 {
				return
			}
		case xml.EndElement:
			if path = path[:max(0, len(path)-1)]; len(path) == 0 {
				return
			}
		case xml.CharData:
			if n := len(path); n == 2 || n > 2 && path[n-2] == "error" {
				if f := d.field(path[n-1]); f != nil {
					*f = strings.TrimSpace(*f + string(t))
				}
			}
		}
	}
}

func (d *errorDocument) readJSON(body []byte, depth int) {
	var fields map[string]json.RawMessage
	if json.NewDecoder(bytes.NewReader(body)).Decode(&fields) != nil {
		return
	}
	for name, raw := range fields {
		if strings.EqualFold(name, "error") && depth == 0 && bytes.HasPrefix(raw, []byte("{")) {
			d.readJSON(raw, 1)
		} else if f := d.field(name); f != nil && *f == "" {
			*f = jsonText(raw)
		}
	}
}

// jsonText is a string, the first of a list of them, or a number as text.
func jsonText(raw json.RawMessage) string {
	var text string
	var list []string
	switch {
	case json.Unmarshal(raw, &text) == nil:
		return strings.TrimSpace(text)
	case json.Unmarshal(raw, &list) == nil && len(list) > 0:
		return strings.TrimSpace(list[0])
	case len(raw) > 0 && (raw[0] == '-' || '0' <= raw[0] && raw[0] <= '9'):
		return string(raw)
	}
	return ""
}

var pageTitle = regexp.MustCompile(`(?is)<title[^>]{0,100}>([^<]{1,200})`)

// description describes a response without quoting it: what it holds is not known.
func (a *response) description() string {
	kind, _, err := mime.ParseMediaType(a.header.Get("Content-Type"))
	if err != nil {
		kind = "no content type"
	}
	text := fmt.Sprintf("%s, %d bytes", clip(redact.Line(kind), 80), len(a.body))
	if m := pageTitle.FindSubmatch(a.body[:min(len(a.body), 64<<10)]); m != nil {
		text += fmt.Sprintf(", titled %q", a.redact(string(m[1])))
	}
	return text
}

// clip cuts text after at most so many bytes.
func clip(text string, limit int) string {
	if len(text) <= limit {
		return text
	}
	const cut = "..."
	end := max(0, limit-len(cut))
	for end > 0 && !utf8.RuneStart(text[end]) {
		end--
	}
	return text[:end] + cut
}

// redacted is err as it may be shown: a transport quotes what a stranger sends,
// such as a malformed status line. An error that shows nothing it must not is
// returned as it is.
func redacted(err error, secrets []string) error {
	if err == nil {
		return nil
	}
	text := err.Error()
	if shown := redact.Text(text, secrets...); shown != text {
		return &redactedError{shown, err}
	}
	return err
}

// redactedError stands for an error whose text must not be shown. The error is
// found with errors.Is and errors.As, but is not unwrapped.
type redactedError struct {
	text  string
	cause error
}

func (e *redactedError) Error() string        { return e.text }
func (e *redactedError) Is(target error) bool { return errors.Is(e.cause, target) }
func (e *redactedError) As(target any) bool   { return errors.As(e.cause, target) }

// Format shows the text for every verb.
func (e *redactedError) Format(s fmt.State, _ rune) { _, _ = io.WriteString(s, e.text) }
