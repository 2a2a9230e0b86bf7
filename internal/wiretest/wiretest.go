// Package wiretest checks every generated operation against the catalogue of
// API facts: what a filled request looks like on the wire, and what becomes of
// a response that has every field.
package wiretest

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"os"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/alimedia/alimedia-go"
	"github.com/alimedia/alimedia-go/credentials"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// Catalogue is what of api/*.json the test needs.
type Catalogue struct {
	Operations map[string]Operation
	Models     map[string]Field
}

// Operation is one action.
type Operation struct {
	HTTP     struct{ Method, Version, AuthType string }
	Params   []Field
	Response Field
}

// Field is a parameter, a field of a document or of a response.
type Field struct {
	Name, Type, In, Enc, Ref string
	JSONText                 bool `json:"jsonText"`
	Fields                   []Field
}

// Run calls each operation of a service on the client that open makes and
// compares both directions with api/<service>.json, and the requests with
// testdata/wire.golden.
func Run(t *testing.T, service string, open func(alimedia.Config) (any, error)) {
	const goldenFile = "testdata/wire.golden"
	catalogue := readCatalogue(t, service)
	wire := new(recorder)
	client := connect(t, open, wire)

	var golden strings.Builder
	for _, action := range slices.Sorted(maps.Keys(catalogue.Operations)) {
		op := catalogue.Operations[action]
		method := reflect.ValueOf(client).MethodByName(action)
		require.True(t, method.IsValid(), "no method for %s", action)
		t.Run(action, func(t *testing.T) {
			wire.response = catalogue.response(t, op, false)
			in := []reflect.Value{reflect.ValueOf(context.Background())}
			if method.Type().NumIn() == 2 {
				in = append(in, filled(method.Type().In(1), action))
			}
			invoke(t, method, in)
			checkRequest(t, catalogue, action, op, wire.seen)
			golden.WriteString(wire.seen.text())
			checkResponse(t, catalogue, op, wire, func() reflect.Value { return invoke(t, method, in) })
		})
	}
	if *update {
		require.NoError(t, os.WriteFile(goldenFile, []byte(golden.String()), 0o644))
	}
	want, err := os.ReadFile(goldenFile)
	require.NoError(t, err)
	if string(want) != golden.String() {
		t.Errorf("the wire form differs from %s: first at\n%s\nIf that is meant, run go test -run Wire -update.", goldenFile, firstDifference(string(want), golden.String()))
	}
}

// readCatalogue reads the facts of a service, with the parameters that the
// overlay sends in the form.
func readCatalogue(t testing.TB, service string) *Catalogue {
	t.Helper()
	catalogue := read[Catalogue](t, "../api/"+service+".json")
	overlay := read[struct {
		Operations map[string]struct {
			Fields map[string]struct{ Form string }
		}
	}](t, "../api/"+service+".overlay.json")
	for action, op := range catalogue.Operations {
		op.Params = slices.DeleteFunc(op.Params, func(p Field) bool { return IsOfGateway(p.Name) })
		catalogue.Operations[action] = op
		for i, p := range op.Params {
			if overlay.Operations[action].Fields[p.Name].Form != "" {
				op.Params[i].In = "body"
			}
		}
	}
	return catalogue
}

// IsOfGateway reports whether the gateway fills in a parameter. Requests do not
// have it.
func IsOfGateway(param string) bool {
	switch param {
	case "OwnerAccount", "OwnerId", "ResourceOwnerAccount", "ResourceOwnerId", "SecurityToken":
		return true
	}
	return false
}

// connect makes a client that sends through wire and lets every request pass.
func connect(t testing.TB, open func(alimedia.Config) (any, error), wire http.RoundTripper) any {
	t.Helper()
	client, err := open(alimedia.Config{
		Region: "cn-shanghai", Credentials: credentials.Static("id", "secret", ""),
		HTTPClient: &http.Client{Transport: wire}, SkipValidation: true,
	})
	require.NoError(t, err)
	return client
}

func read[T any](t testing.TB, name string) *T {
	t.Helper()
	data, err := os.ReadFile(name)
	require.NoError(t, err)
	out := new(T)
	require.NoError(t, json.Unmarshal(data, out))
	return out
}

func invoke(t *testing.T, method reflect.Value, in []reflect.Value) reflect.Value {
	t.Helper()
	out := method.Call(in)
	if err, _ := out[1].Interface().(error); err != nil {
		require.NoError(t, err)
	}
	return out[0].Elem()
}

func firstDifference(want, got string) string {
	w, g := strings.Split(want, "\n"), strings.Split(got, "\n")
	for i := range w {
		if i >= len(g) || w[i] != g[i] {
			return fmt.Sprintf("line %d\n- %s\n+ %s", i+1, w[i], strings.Join(g[min(i, len(g)):min(i+1, len(g))], ""))
		}
	}
	return "its end"
}

// recorder keeps the last request and answers all alike.
type recorder struct {
	response []byte
	seen     request
}

type request struct {
	method, version, authorization string
	query, form                    url.Values
}

func (r *recorder) RoundTrip(req *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(req.Body)
	if err != nil {
		return nil, err
	}
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return nil, err
	}
	r.seen = request{req.Method, req.Header.Get("x-acs-action") + " " + req.Header.Get("x-acs-version"), req.Header.Get("Authorization"), req.URL.Query(), form}
	return &http.Response{StatusCode: 200, Header: http.Header{}, Body: io.NopCloser(bytes.NewReader(r.response))}, nil
}

// text is the canonical form of a request; what changes from call to call is
// left out.
func (r request) text() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s\n", r.method, r.version)
	writeValues(&b, "", r.query)
	writeValues(&b, "form ", r.form)
	return b.String()
}

func writeValues(b *strings.Builder, position string, values url.Values) {
	for _, key := range slices.Sorted(maps.Keys(values)) {
		value := values.Get(key)
		if key == "SignatureNonce" || key == "Timestamp" {
			value = "*"
		}
		fmt.Fprintf(b, "  %s%s=%s\n", position, key, value)
	}
}

// filled sets every field of a request to a value that tells where it is from.
func filled(t reflect.Type, name string) reflect.Value {
	v := reflect.New(t).Elem()
	switch t.Kind() {
	case reflect.Struct:
		for i := range t.NumField() {
			sf := t.Field(i)
			if sf.IsExported() && sf.Tag.Get("json") != "-" {
				v.Field(i).Set(filled(sf.Type, sf.Name))
			}
		}
	case reflect.Pointer:
		v.Set(reflect.New(t.Elem()))
		v.Elem().Set(filled(t.Elem(), name))
	case reflect.Slice:
		v.Set(reflect.MakeSlice(t, 2, 2))
		for i := range 2 {
			v.Index(i).Set(filled(t.Elem(), name+strconv.Itoa(i+1)))
		}
	case reflect.Map:
		v.Set(reflect.MakeMap(t))
		v.SetMapIndex(reflect.ValueOf("key").Convert(t.Key()), filled(t.Elem(), name))
	case reflect.Interface:
		v.Set(reflect.ValueOf(map[string]any{"any": name}))
	case reflect.String:
		if t == reflect.TypeFor[alimedia.JSON]() {
			v.SetString(`{"raw":"` + name + `"}`)
		} else {
			v.SetString(name + " 值+&")
		}
	case reflect.Bool: // false: the value that must not be lost
	case reflect.Float32, reflect.Float64:
		v.SetFloat(float64(len(name)) + 0.5)
	default:
		v.SetInt(int64(len(name)))
	}
	return v
}

// checkRequest holds the request to the catalogue: verb, signature, and each
// parameter in its position and encoding, no more and no less.
func checkRequest(t *testing.T, c *Catalogue, action string, op Operation, seen request) {
	t.Helper()
	require.Equal(t, op.HTTP.Method, seen.method)
	require.Equal(t, action+" "+op.HTTP.Version, seen.version)
	require.Equal(t, op.HTTP.AuthType == "Anonymous", seen.authorization == "")

	expected := map[string]bool{}
	for _, p := range op.Params {
		require.NotContains(t, seen.text(), "***", "a mask is sent")
		values, position := seen.query, "query"
		if p.In == "body" {
			values, position = seen.form, "form"
		}
		expected[position+" "+p.Name] = true
		var keys []string
		for key := range values {
			if key == p.Name || strings.HasPrefix(key, p.Name+".") {
				keys = append(keys, key)
			}
		}
		require.NotEmpty(t, keys, "%s is not in the %s", p.Name, position)
		switch {
		case p.Enc == "flat":
			require.NotContains(t, keys, p.Name, "%s must be flattened", p.Name)
		case p.Enc == "json":
			var document any
			require.NoError(t, json.Unmarshal([]byte(values.Get(p.Name)), &document), p.Name)
			checkDocument(t, c, p, document, p.Name)
		default:
			require.Equal(t, []string{p.Name}, keys)
		}
	}
	for position, values := range map[string]url.Values{"query": seen.query, "form": seen.form} {
		for key := range values {
			name, _, _ := strings.Cut(key, ".")
			system := op.HTTP.AuthType == "Anonymous" && slices.Contains([]string{"Action", "Format", "SignatureNonce", "Timestamp", "Version"}, name)
			require.True(t, system || expected[position+" "+name], "%s in the %s is not in the catalogue", name, position)
		}
	}
}

// checkDocument compares the keys of a JSON document with the catalogue's.
func checkDocument(t *testing.T, c *Catalogue, f Field, document any, path string) {
	t.Helper()
	switch d := document.(type) {
	case []any:
		require.True(t, strings.HasPrefix(f.Type, "array<"), "%s is a list", path)
		f.Type = strings.TrimSuffix(strings.TrimPrefix(f.Type, "array<"), ">")
		for _, element := range d {
			checkDocument(t, c, f, element, path+"[]")
		}
	case map[string]any:
		fields := c.fields(f)
		if len(fields) == 0 {
			return
		}
		names := make([]string, len(fields))
		for i, inner := range fields {
			names[i] = inner.Name
			checkDocument(t, c, inner, d[inner.Name], path+"."+inner.Name)
		}
		require.ElementsMatch(t, names, slices.Collect(maps.Keys(d)), path)
	case nil:
		t.Errorf("%s is missing", path)
	}
}

func (c *Catalogue) fields(f Field) []Field {
	if f.Ref != "" {
		return c.Models[f.Ref].Fields
	}
	return f.Fields
}

// checkResponse sends a response with every field of the catalogue, as
// documented and with the types the service also sends, and expects to find
// all of it in the result.
func checkResponse(t *testing.T, c *Catalogue, op Operation, wire *recorder, call func() reflect.Value) {
	t.Helper()
	wire.response = c.response(t, op, false)
	result := call()
	requireHolds(t, c.success(op, false), result, "")

	wire.response = c.response(t, op, true)
	require.Equal(t, result.Interface(), call().Interface(), "numbers as strings and strings as numbers")
}

// response is success as the service writes it.
func (c *Catalogue) response(t testing.TB, op Operation, swapped bool) []byte {
	t.Helper()
	text, err := json.Marshal(c.success(op, swapped))
	require.NoError(t, err)
	return text
}

// verdicts are the values of a successful response in the fields that say whether
// the operation succeeded, by name and type.
var verdicts = map[string][2]any{ // as it is documented, and with another type
	"Success string": {"true", true}, "RetCode int32": {0, "0"}, "Retcode int32": {0, "0"},
	"StatusCode int64": {200, "200"}, "HttpStatusCode int32": {200, "200"},
}

// success is a response that has every field and says that all went well.
func (c *Catalogue) success(op Operation, swapped bool) map[string]any {
	response := c.sample(op.Response, swapped).(map[string]any)
	for _, f := range op.Response.Fields {
		if good, ok := verdicts[f.Name+" "+f.Type]; ok {
			response[f.Name] = good[0]
			if swapped {
				response[f.Name] = good[1]
			}
		}
	}
	return response
}

// sample makes a value of the type a field has. Every string is a number, so
// that swapped can send it as one.
func (c *Catalogue) sample(f Field, swapped bool) any {
	if element, ok := strings.CutPrefix(f.Type, "array<"); ok {
		f.Type = strings.TrimSuffix(element, ">")
		return []any{c.sample(f, swapped), c.sample(f, swapped)}
	}
	if element, ok := strings.CutPrefix(f.Type, "map<string,"); ok {
		f.Type = strings.TrimSuffix(element, ">")
		return map[string]any{"key": c.sample(f, swapped)}
	}
	n := int64(len(f.Name)*1000 + 7)
	switch {
	case f.Type == "object":
		object := map[string]any{}
		for _, inner := range c.fields(f) {
			object[inner.Name] = c.sample(inner, swapped)
		}
		return object
	case f.Type == "any":
		return map[string]any{"any": "value"}
	case f.JSONText:
		return `{"inner":"` + f.Name + `"}`
	case f.Type == "string":
		if swapped {
			return n
		}
		return strconv.FormatInt(n, 10)
	case f.Type == "bool":
		if swapped {
			return "true"
		}
		return true
	case strings.HasPrefix(f.Type, "float"):
		if swapped {
			return strconv.FormatFloat(float64(n)+0.5, 'f', -1, 64)
		}
		return float64(n) + 0.5
	default:
		if swapped {
			return strconv.FormatInt(n, 10)
		}
		return n
	}
}

// requireHolds looks for every value of the sample in the decoded result.
func requireHolds(t *testing.T, sample any, got reflect.Value, path string) {
	t.Helper()
	for got.Kind() == reflect.Pointer {
		got = got.Elem()
	}
	switch want := sample.(type) {
	case map[string]any:
		for name, member := range want {
			switch got.Kind() {
			case reflect.Struct:
				requireHolds(t, member, fieldOf(t, got, name, path), path+"."+name)
			case reflect.Map:
				requireHolds(t, member, got.MapIndex(reflect.ValueOf(name)), path+"."+name)
			case reflect.Slice: // a list that the service wraps
				requireHolds(t, member, got, path)
			case reflect.Interface:
				require.Equal(t, sample, got.Interface(), path)
			default:
				document, ok := got.Interface().(alimedia.JSON)
				require.True(t, ok, "%s is a %s", path, got.Type())
				data, err := json.Marshal(sample)
				require.NoError(t, err)
				require.JSONEq(t, string(data), string(document), path)
				return
			}
		}
	case []any:
		require.Equal(t, reflect.Slice, got.Kind(), path)
		require.Equal(t, len(want), got.Len(), path)
		for i := range want {
			requireHolds(t, want[i], got.Index(i), path+"[]")
		}
	default:
		if isDocument(got.Type()) { // JSON in a string; other text is no document
			if text := fmt.Sprint(want); strings.HasPrefix(text, "{") {
				written, err := json.Marshal(got.Interface())
				require.NoError(t, err)
				require.JSONEq(t, text, string(written), path)
			} else {
				require.True(t, got.IsZero(), path)
			}
			return
		}
		// A type that operations share may have a number where one of them
		// has a string: the decoder converts, the text stays.
		text := fmt.Sprint(got.Interface())
		if got.Kind() == reflect.String { // also where printing hides it
			text = got.String()
		}
		require.Equal(t, fmt.Sprint(want), text, path)
	}
}

// isDocument reports whether a type is a document written by hand.
func isDocument(t reflect.Type) bool {
	if t.Kind() != reflect.Struct {
		return false
	}
	extra, ok := t.FieldByName("Extra")
	return ok && extra.Tag.Get("json") == "-"
}

// fieldOf finds the field of a wire name as encoding/json does, in any case.
func fieldOf(t *testing.T, v reflect.Value, wire, path string) reflect.Value {
	t.Helper()
	for i := range v.NumField() {
		sf := v.Type().Field(i)
		name, _, _ := strings.Cut(sf.Tag.Get("json"), ",")
		if strings.EqualFold(cmp.Or(name, sf.Name), wire) {
			return v.Field(i)
		}
	}
	require.Fail(t, "missing field", "%s has no field for %s", path, wire)
	return reflect.Value{}
}
