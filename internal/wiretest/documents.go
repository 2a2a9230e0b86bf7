package wiretest

import (
	"bytes"
	"encoding/json"
	"errors"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// FuzzDocuments reads texts into every document type of a service, given as
// zero values. What was read must survive being written and read again, with
// the keys that have no field.
func FuzzDocuments(f *testing.F, service string, documents ...any) {
	var names []string
	for _, doc := range documents {
		names = append(names, reflect.TypeOf(doc).Name())
	}
	listed := read[struct{ Documents []string }](f, "../api/"+service+".overlay.json").Documents
	require.ElementsMatch(f, listed, names, "documents of the overlay, and those under test")

	for _, doc := range documents {
		seed, err := json.Marshal(filled(reflect.TypeOf(doc), "Seed").Interface())
		require.NoError(f, err)
		f.Add(seed)
	}
	for _, seed := range []string{
		`{}`, `null`, `""`, `{"New":[1],"title":"a","Title":"b"}`, `"{\"Title\":\"quoted\",\"New\":{}}"`,
		`{"Title":7,"CateId":"12","Video":{"Width":"640","Remove":"true"},"StartTime":"1.5"}`,
		`{"MessageCallback":"{\"CallbackURL\":\"http://a\"}","Extend":{"k":[null,1e2]}}`,
		`{"VideoTracks":[{"VideoTrackClips":[{"MediaId":"a"}],"New":1},null],"AudioTracks":""}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, doc := range documents {
			survives(t, reflect.TypeOf(doc), data)
		}
	})
}

func survives(t *testing.T, typ reflect.Type, data []byte) {
	first := reflect.New(typ)
	if json.Unmarshal(data, first.Interface()) != nil {
		return
	}
	written, err := json.Marshal(first.Interface())
	var unsupported *json.UnsupportedValueError
	if errors.As(err, &unsupported) { // NaN, read from a string
		return
	}
	require.NoError(t, err)
	second := reflect.New(typ)
	require.NoError(t, json.Unmarshal(written, second.Interface()), "%s: %s", typ, written)
	again, err := json.Marshal(second.Interface())
	require.NoError(t, err)
	require.Equal(t, string(written), string(again), typ)

	compact(first.Elem())
	compact(second.Elem())
	require.Equal(t, first.Interface(), second.Interface(), "%s: %s", typ, written)
	kept := maps.Keys(first.Elem().FieldByName("Extra").Interface().(map[string]json.RawMessage))
	require.ElementsMatch(t, unknownKeys(typ, data), slices.Collect(kept), "%s: keys without a field", typ)
}

// unknownKeys are the keys of data that the document has no field for.
func unknownKeys(typ reflect.Type, data []byte) []string {
	var quoted string
	if json.Unmarshal(data, &quoted) == nil {
		data = []byte(quoted)
	}
	var object map[string]json.RawMessage
	if json.Unmarshal(data, &object) != nil {
		return nil
	}
	for i := range typ.NumField() {
		sf := typ.Field(i)
		name, _, _ := strings.Cut(sf.Tag.Get("json"), ",")
		if name == "" {
			name = sf.Name
		}
		maps.DeleteFunc(object, func(key string, _ json.RawMessage) bool { return strings.EqualFold(key, name) })
	}
	return slices.Collect(maps.Keys(object))
}

// compact takes the white space out of everything raw: it may change.
func compact(v reflect.Value) {
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			compact(v.Field(i))
		}
	case reflect.Slice:
		for i := range v.Len() {
			compact(v.Index(i))
		}
	case reflect.Map:
		extra, ok := v.Interface().(map[string]json.RawMessage)
		for key, raw := range extra {
			var plain, escaped bytes.Buffer
			if ok && json.Compact(&plain, raw) == nil {
				json.HTMLEscape(&escaped, plain.Bytes())
				extra[key] = escaped.Bytes()
			}
		}
	}
}
