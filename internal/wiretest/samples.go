package wiretest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

// Sample is a document of the public reference.
type Sample struct {
	Name string
	Doc  any // zero value of the type that holds it
	Text string
	// Untyped are the keys of the sample that have no field and stay in Extra.
	Untyped []string
}

// Samples reads each document, writes it again and expects it back. The services
// take a number or a bool as text as well, and so do samples; these may change.
// Every key but those named must have a field.
func Samples(t *testing.T, samples []Sample) {
	t.Helper()
	for _, s := range samples {
		t.Run(s.Name, func(t *testing.T) {
			t.Parallel()
			read := reflect.New(reflect.TypeOf(s.Doc))
			require.NoError(t, json.Unmarshal([]byte(s.Text), read.Interface()))
			written, err := json.Marshal(read.Interface())
			require.NoError(t, err)
			require.Equal(t, plain(t, []byte(s.Text)), plain(t, written))

			var untyped []string
			extras(read.Elem(), func(key string, value json.RawMessage) {
				if _, stated := reflect.TypeOf(s.Doc).FieldByName(key); !stated && !zero(value) {
					untyped = append(untyped, key)
				}
			})
			slices.Sort(untyped)
			require.Equal(t, s.Untyped, slices.Compact(untyped), "keys without a field")
		})
	}
}

// zero reports whether a value in Extra is there because a field can't tell it
// from nothing.
func zero(value json.RawMessage) bool {
	return slices.Contains([]string{`0`, `0.0`, `false`, `""`, `"0"`, `null`, `{}`, `[]`, `"false"`}, string(value))
}

func extras(v reflect.Value, visit func(string, json.RawMessage)) {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			extras(v.Elem(), visit)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if extra, ok := v.Field(i).Interface().(map[string]json.RawMessage); ok {
				for key, value := range extra {
					visit(key, value)
				}
				continue
			}
			extras(v.Field(i), visit)
		}
	case reflect.Map:
		for _, key := range v.MapKeys() {
			extras(v.MapIndex(key), visit)
		}
	case reflect.Slice:
		for i := range v.Len() {
			extras(v.Index(i), visit)
		}
	}
}

// plain decodes a document with all scalars as text.
func plain(t *testing.T, data []byte) any {
	t.Helper()
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	var value any
	require.NoError(t, dec.Decode(&value))
	return texts(value)
}

func texts(value any) any {
	switch v := value.(type) {
	case map[string]any:
		for key, inner := range v {
			v[key] = texts(inner)
		}
		return v
	case []any:
		for i, inner := range v {
			v[i] = texts(inner)
		}
		return v
	case json.Number:
		if f, err := v.Float64(); err == nil {
			return fmt.Sprint(f)
		}
		return v.String()
	case nil:
		return nil
	default:
		return fmt.Sprint(v)
	}
}
