package alimedia

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
)

// JSON is a JSON document that the API transfers in a string.
//
// In a response it is the text of the document. Only Decode parses it, so an
// invalid inner document does not fail the call. In a request it is sent
// unchanged.
type JSON string

// Decode unmarshals the document into v. A document that was encoded twice, as
// some accounts store it, is decoded twice. An empty document leaves v unchanged.
func (j JSON) Decode(v any) error {
	text := strings.TrimSpace(string(j))
	if text == "" {
		return nil
	}
	err := json.Unmarshal([]byte(text), v)
	if err == nil || text[0] != '"' {
		return wrapJSON(err)
	}
	var inner string
	if json.Unmarshal([]byte(text), &inner) != nil {
		return wrapJSON(err)
	}
	return wrapJSON(json.Unmarshal([]byte(inner), v))
}

func wrapJSON(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("alimedia: decode JSON document: %w", err)
}

// UnmarshalJSON accepts a JSON string that contains the document, or the document
// itself.
func (j *JSON) UnmarshalJSON(data []byte) error {
	data = bytes.TrimSpace(data)
	switch {
	case len(data) == 0 || bytes.Equal(data, []byte("null")):
		*j = ""
		return nil
	case data[0] == '"':
		var s string
		if err := json.Unmarshal(data, &s); err != nil {
			return err
		}
		*j = JSON(s)
		return nil
	default:
		*j = JSON(data)
		return nil
	}
}

// Ptr returns a pointer to v, for request fields that must distinguish zero from
// unset: AppendTags: alimedia.Ptr(false).
func Ptr[T any](v T) *T { return &v }

var timeLayouts = []string{
	time.RFC3339Nano,
	"2006-01-02T15:04Z07:00",
	"2006-01-02 15:04:05Z07:00",
	"2006-01-02T15:04:05",
	time.DateTime,
	time.DateOnly,
}

// ParseTime parses a time as the services send it: RFC 3339 with or without
// seconds, or "2006-01-02 15:04:05". A time without a time zone is UTC.
func ParseTime(s string) (time.Time, error) {
	s = strings.TrimSpace(s)
	for _, layout := range timeLayouts {
		if t, err := time.Parse(layout, s); err == nil {
			return t, nil
		}
	}
	if s == "" {
		return time.Time{}, errors.New("alimedia: parse time: empty")
	}
	return time.Time{}, fmt.Errorf("alimedia: parse time %.40q: neither RFC 3339 nor 2006-01-02 15:04:05", s)
}
