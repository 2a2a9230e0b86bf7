package rpc

import (
	"bytes"
	"encoding/json"
	"errors"
	"maps"
	"reflect"
	"strings"

	"github.com/alimedia/alimedia-go"
)

// MarshalDocument writes a hand-written document type: raw as it is when set,
// else the fields of doc (a struct without MarshalJSON) and the keys of extra
// that doc does not have.
func MarshalDocument(doc any, raw alimedia.JSON, extra map[string]json.RawMessage) ([]byte, error) {
	if raw != "" {
		if !json.Valid([]byte(raw)) {
			return nil, errors.New("the Raw document is not JSON")
		}
		return []byte(raw), nil
	}
	data, err := marshal(doc)
	if err != nil || len(extra) == 0 {
		return data, err
	}
	var known map[string]json.RawMessage
	if err := json.Unmarshal(data, &known); err != nil {
		return nil, err
	}
	all := maps.Clone(extra)
	maps.Copy(all, known)
	return marshal(all)
}

// UnmarshalDocument reads data into doc (a pointer to a struct without
// UnmarshalJSON) and keeps the keys doc does not know in extra. A document
// inside a JSON string is unwrapped.
func UnmarshalDocument(data []byte, doc any, extra *map[string]json.RawMessage) error {
	data = bytes.TrimSpace(data)
	if len(data) > 0 && data[0] == '"' {
		var inner string
		if err := json.Unmarshal(data, &inner); err != nil {
			return err
		}
		if inner == "" {
			return nil
		}
		data = []byte(inner)
	}
	if err := Decode(data, doc); err != nil {
		return err
	}
	var all map[string]json.RawMessage
	if err := json.Unmarshal(data, &all); err != nil {
		return err
	}
	t := reflect.TypeOf(doc).Elem()
	for i := range t.NumField() {
		if t.Field(i).Tag.Get("json") == "-" {
			continue
		}
		name := jsonName(t.Field(i))
		maps.DeleteFunc(all, func(key string, _ json.RawMessage) bool { return strings.EqualFold(key, name) })
	}
	if len(all) == 0 {
		all = nil
	}
	*extra = all
	return nil
}
