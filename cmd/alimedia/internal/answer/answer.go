// Package answer prepares what a service returned for printing: secrets are
// masked, a query selects from it, and nothing in it can control a terminal.
package answer

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/jmespath/go-jmespath"

	"github.com/alimedia/alimedia-go/internal/catalogue"
)

const mask = "***"

// Mask returns v, as encoding/json decodes it, with the text of secrets masked,
// also in strings that hold a JSON document.
func Mask(v any) any { return masked(v, 0) }

// maxNested bounds documents within strings of documents.
const maxNested = 8

func masked(v any, nested int) any {
	switch v := v.(type) {
	case map[string]any:
		out := make(map[string]any, len(v))
		for name, value := range v {
			if catalogue.IsSecret(name) {
				out[name] = hide(value)
			} else {
				out[name] = masked(value, nested)
			}
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, value := range v {
			out[i] = masked(value, nested)
		}
		return out
	case string:
		return maskedText(v, nested)
	}
	return v
}

// hide masks whatever text a secret field has.
func hide(v any) any {
	switch v := v.(type) {
	case nil, bool:
		return v
	case string:
		if v == "" {
			return v
		}
	}
	return mask
}

// maskedText masks the secrets of a document in a string. A text that has none
// stays byte for byte as it is.
func maskedText(text string, nested int) string {
	start := strings.TrimSpace(text)
	if nested >= maxNested || start == "" || start[0] != '{' && start[0] != '[' {
		return text
	}
	document, err := Decode([]byte(text))
	if err != nil {
		return text
	}
	before, _ := plain(document)
	after, err := plain(masked(document, nested+1))
	if err != nil || bytes.Equal(before, after) {
		return text
	}
	return string(after)
}

// Decode reads JSON with the digits of its numbers.
func Decode(text []byte) (any, error) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return nil, err
	}
	if d.More() {
		return nil, fmt.Errorf("more than one JSON value")
	}
	return v, nil
}

func plain(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	err := enc.Encode(v)
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), err
}

// Query selects from answers.
type Query struct{ path *jmespath.JMESPath }

// Compile reads a JMESPath expression. The empty one selects everything.
func Compile(expression string) (Query, error) {
	if expression == "" {
		return Query{}, nil
	}
	path, err := jmespath.Compile(expression)
	if err != nil {
		if syntax, ok := err.(jmespath.SyntaxError); ok {
			return Query{}, fmt.Errorf("--query: %s\n%s", strings.TrimPrefix(syntax.Error(), "SyntaxError: "), syntax.HighlightLocation())
		}
		return Query{}, fmt.Errorf("--query: %w", err)
	}
	return Query{path}, nil
}

// Of is what the query selects from v, nil for nothing.
func (q Query) Of(v any) (any, error) {
	if q.path == nil {
		return v, nil
	}
	found, err := q.path.Search(comparable(v))
	if err != nil {
		return nil, fmt.Errorf("--query: %w", err)
	}
	return found, nil
}

// comparable makes numbers float64, which JMESPath compares, where no digit is
// lost.
func comparable(v any) any {
	switch v := v.(type) {
	case map[string]any:
		out := make(map[string]any, len(v))
		for name, value := range v {
			out[name] = comparable(value)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, value := range v {
			out[i] = comparable(value)
		}
		return out
	case json.Number:
		f, err := v.Float64()
		if err != nil || strconv.FormatFloat(f, 'f', -1, 64) != v.String() {
			return v
		}
		return f
	}
	return v
}

// JSON writes v as JSON, indented or on one line. Characters that a terminal
// may obey or hide are escaped, which JSON allows.
func JSON(v any, indent bool) ([]byte, error) {
	text, err := plain(v)
	if err != nil {
		return nil, err
	}
	if indent {
		var b bytes.Buffer
		if err := json.Indent(&b, text, "", "  "); err != nil {
			return nil, err
		}
		text = b.Bytes()
	}
	return append(escape(text), '\n'), nil
}

// escape works on JSON, where such characters stand in strings only.
func escape(text []byte) []byte {
	if !bytes.ContainsFunc(text, special) {
		return text
	}
	out := make([]byte, 0, len(text)+64)
	for len(text) > 0 {
		r, size := utf8.DecodeRune(text)
		switch {
		case !special(r):
			out = append(out, text[:size]...)
		case r > 0xffff:
			r -= 0x10000
			out = fmt.Appendf(out, `\u%04x\u%04x`, 0xd800+r>>10, 0xdc00+r&0x3ff)
		default:
			out = fmt.Appendf(out, `\u%04x`, r)
		}
		text = text[size:]
	}
	return out
}

// special are the characters that JSON leaves alone and a terminal does not.
func special(r rune) bool {
	switch r {
	case '\n', '\u200c', '\u200d': // of the indentation; joiners of scripts and emoji
		return false
	}
	return unicode.IsControl(r) || unicode.In(r, unicode.Cf, unicode.Zl, unicode.Zp, unicode.Co)
}

// Text writes what a query selected for scripts: a string or a number as it is,
// a list of them one a line, everything else as JSON. clean makes text
// harmless.
func Text(v any, clean func(string) string) ([]byte, error) {
	switch v := v.(type) {
	case nil:
		return nil, nil
	case string:
		return []byte(clean(v) + "\n"), nil
	case []any:
		var all []byte
		for _, item := range v {
			var line []byte
			var err error
			if text, ok := item.(string); ok {
				line = []byte(clean(text) + "\n")
			} else {
				line, err = JSON(item, false)
			}
			if err != nil {
				return nil, err
			}
			all = append(all, line...)
		}
		return all, nil
	}
	return JSON(v, false)
}
