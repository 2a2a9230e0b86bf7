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
// UnmarshalJSON) and keeps in extra what doc alone would not write again: the
// keys without a field, and those of fields that data states as null or empty.
// So a document that the service returned is sent back whole. A document inside
// a JSON string is unwrapped.
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
	v := reflect.ValueOf(doc).Elem()
	for i := range v.NumField() {
		sf := v.Type().Field(i)
		if sf.Tag.Get("json") == "-" {
			continue
		}
		name := jsonName(sf)
		var stated json.RawMessage
		maps.DeleteFunc(all, func(key string, value json.RawMessage) bool {
			if !strings.EqualFold(key, name) {
				return false
			}
			if stated == nil || key == name {
				stated = value
			}
			return true
		})
		if stated != nil && v.Field(i).IsZero() {
			all[name] = stated
		}
	}
	if len(all) == 0 {
		all = nil
	}
	*extra = all
	return nil
}
