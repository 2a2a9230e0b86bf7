package wiretest

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/alimedia/alimedia-go"
)

// longest is the most bytes that FuzzDocuments reads: each text goes into every
// document type.
const longest = 8 << 10

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
		if len(seed) <= longest { // the others are those of their parts
			f.Add(seed)
		}
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
		if len(data) > longest {
			return
		}
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
	extra := maps.Clone(first.Elem().FieldByName("Extra").Interface().(map[string]json.RawMessage))
	for i := range typ.NumField() {
		if first.Elem().Field(i).IsZero() { // stated as null or empty
			delete(extra, documentKey(typ.Field(i)))
		}
	}
	require.ElementsMatch(t, unknownKeys(typ, data), slices.Collect(maps.Keys(extra)), "%s: keys without a field", typ)
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
		name := documentKey(typ.Field(i))
		maps.DeleteFunc(object, func(key string, _ json.RawMessage) bool { return strings.EqualFold(key, name) })
	}
	return slices.Collect(maps.Keys(object))
}

func documentKey(sf reflect.StructField) string {
	name, _, _ := strings.Cut(sf.Tag.Get("json"), ",")
	return cmp.Or(name, sf.Name)
}

// RoundTrip reads documents into every document type of a service and expects
// each value back as it was: full ones, empty ones, nulls, keys without a field
// and numbers that no float64 holds.
func RoundTrip(t *testing.T, documents ...any) {
	t.Helper()
	for _, doc := range documents {
		typ := reflect.TypeOf(doc)
		for _, kind := range []string{"full", "empty", "null"} {
			sample := documentOf(typ, kind, map[reflect.Type]bool{}).(map[string]any)
			data, err := json.Marshal(sample)
			require.NoError(t, err)
			for _, text := range []string{string(data), strconv.Quote(string(data))} {
				read := reflect.New(typ)
				require.NoError(t, json.Unmarshal([]byte(text), read.Interface()), "%s %s", typ, kind)
				written, err := json.Marshal(read.Interface())
				require.NoError(t, err, "%s %s", typ, kind)
				require.Equal(t, exact(t, data), exact(t, written), "%s %s", typ, kind)
			}
		}
	}
}

// exact decodes a document with all digits of its numbers.
func exact(t *testing.T, data []byte) (value any) {
	t.Helper()
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	require.NoError(t, dec.Decode(&value))
	return value
}

// documentOf makes a value as the service may return it in a field of type t.
func documentOf(t reflect.Type, kind string, above map[reflect.Type]bool) any {
	if kind == "null" && t.Kind() != reflect.Struct {
		return nil
	}
	full := kind == "full"
	pick := func(some, zero any) any {
		if full {
			return some
		}
		return zero
	}
	switch t.Kind() {
	case reflect.Pointer:
		return documentOf(t.Elem(), kind, above)
	case reflect.Slice:
		if !full || above[t.Elem()] {
			return []any{}
		}
		return []any{documentOf(t.Elem(), kind, above), documentOf(t.Elem(), kind, above)}
	case reflect.Map:
		if !full {
			return map[string]any{}
		}
		return map[string]any{"key": documentOf(t.Elem(), kind, above)}
	case reflect.Interface:
		return pick(map[string]any{"Id": json.Number("9007199254740993"), "Share": json.Number("0.1"), "None": nil, "List": []any{}, "Deep": []any{json.Number("-9223372036854775808")}}, map[string]any{})
	case reflect.String:
		if t == reflect.TypeFor[alimedia.Secret]() {
			return "***" // what encoding/json shows of any text
		}
		return pick(`<text & "quotes">`, "")
	case reflect.Bool:
		return full
	case reflect.Float32, reflect.Float64:
		return pick(json.Number("1.5"), json.Number("0"))
	case reflect.Struct:
		above = maps.Clone(above)
		above[t] = true
		object := map[string]any{"Unknown": json.Number("9007199254740993"), "Nothing": nil, "Empty": []any{}}
		for i := range t.NumField() {
			if sf := t.Field(i); sf.Tag.Get("json") != "-" {
				object[documentKey(sf)] = documentOf(sf.Type, kind, above)
			}
		}
		return object
	default:
		return pick(json.Number("9007199254740993"), json.Number("0"))
	}
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
		for _, key := range v.MapKeys() {
			if !ok {
				compact(v.MapIndex(key))
			}
		}
		for key, raw := range extra {
			var plain, escaped bytes.Buffer
			if json.Compact(&plain, raw) == nil {
				json.HTMLEscape(&escaped, plain.Bytes())
				extra[key] = escaped.Bytes()
			}
		}
	}
}
