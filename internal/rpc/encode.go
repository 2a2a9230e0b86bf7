package rpc

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/alimedia/alimedia-go"
	"github.com/alimedia/alimedia-go/internal/reveal"
)

// Params is a request in wire form: what is the same in every attempt.
type Params struct {
	query []pair
	form  []pair
	class Class
	in    any // the request itself; its secrets are masked in errors
}

type pair struct{ key, value string }

func (p *Params) add(form bool, key, value string) {
	if form {
		p.form = append(p.form, pair{key, value})
	} else {
		p.query = append(p.query, pair{key, value})
	}
}

// Encode turns a request into parameters. Structs follow the rpc tags, maps
// are taken key by key.
func Encode(in any) (*Params, error) {
	p := &Params{in: in}
	v := reflect.ValueOf(in)
	for v.Kind() == reflect.Pointer || v.Kind() == reflect.Interface {
		v = v.Elem()
	}
	switch v.Kind() {
	case reflect.Invalid:
		return p, nil
	case reflect.Map:
		if err := encodeMap(p, false, "", v); err != nil {
			return nil, err
		}
	case reflect.Struct:
		plan, err := planOf(v.Type())
		if err != nil {
			return nil, err
		}
		p.query = make([]pair, 0, len(plan))
		for i := range plan {
			f := &plan[i]
			if err := f.encode(p, v.Field(f.index)); err != nil {
				return nil, fmt.Errorf("encode %s: %w", f.wire, err)
			}
		}
	default:
		return nil, fmt.Errorf("parameters are a %s: need a struct or a map", v.Type())
	}
	// The signature asks for the order of names; sending it saves a second form.
	slices.SortFunc(p.query, func(a, b pair) int { return strings.Compare(a.key, b.key) })
	return p, nil
}

// field is how one struct field travels.
type field struct {
	index int
	wire  string
	form  bool
	style style
	token bool // a ClientToken: filled when empty
}

type style uint8

const (
	plain    style = iota // scalar, or flattened: Name.1, Name.Key
	document              // one JSON document
	commaed               // elements joined by commas
	escaped               // elements percent-encoded, then joined by commas
)

var plans sync.Map // reflect.Type -> []field or error

// planOf reads the tags of a request type once.
func planOf(t reflect.Type) ([]field, error) {
	if known, ok := plans.Load(t); ok {
		if err, bad := known.(error); bad {
			return nil, err
		}
		return known.([]field), nil
	}
	plan, err := makePlan(t)
	if err != nil {
		plans.Store(t, err)
		return nil, err
	}
	plans.Store(t, plan)
	return plan, nil
}

func makePlan(t reflect.Type) ([]field, error) {
	var plan []field
	for i := range t.NumField() {
		sf := t.Field(i)
		if !sf.IsExported() {
			continue
		}
		tag := sf.Tag.Get("rpc")
		if tag == "-" {
			continue
		}
		name, options, _ := strings.Cut(tag, ",")
		f := field{index: i, wire: name, token: sf.Name == "ClientToken" && sf.Type.Kind() == reflect.String}
		if f.wire == "" {
			f.wire = sf.Name
		}
		for option := range strings.SplitSeq(options, ",") {
			switch option {
			case "":
			case "form":
				f.form = true
			case "json":
				f.style = document
			case "comma":
				f.style = commaed
			case "escape":
				f.style = escaped
			default:
				return nil, fmt.Errorf("%s.%s: rpc tag has unknown option %q", t, sf.Name, option)
			}
		}
		plan = append(plan, f)
	}
	return plan, nil
}

func (f *field) encode(p *Params, v reflect.Value) error {
	if v.IsZero() {
		if f.token {
			p.add(f.form, f.wire, newNonce())
		}
		return nil
	}
	switch f.style {
	case document:
		text, err := documentText(v)
		if err != nil || text == "" {
			return err
		}
		p.add(f.form, f.wire, text)
		return nil
	case commaed, escaped:
		return f.encodeCommaed(p, v)
	default:
		return encodePlain(p, f.form, f.wire, v)
	}
}

func (f *field) encodeCommaed(p *Params, v reflect.Value) error {
	if v.Kind() != reflect.Slice {
		return encodePlain(p, f.form, f.wire, v)
	}
	items := make([]string, v.Len())
	for i := range items {
		text, err := scalarText(v.Index(i))
		if err != nil {
			return err
		}
		if f.style == escaped {
			text = escape(text)
		}
		if strings.Contains(text, ",") {
			return fmt.Errorf("element %d holds a comma, which separates the elements", i)
		}
		items[i] = text
	}
	if len(items) > 0 {
		p.add(f.form, f.wire, strings.Join(items, ","))
	}
	return nil
}

// encodePlain adds a scalar, or the members of a list, struct or map under
// numbered and dotted names.
func encodePlain(p *Params, form bool, key string, v reflect.Value) error {
	for v.Kind() == reflect.Pointer || v.Kind() == reflect.Interface {
		if v.IsNil() {
			return nil
		}
		v = v.Elem()
	}
	switch v.Kind() {
	case reflect.Slice, reflect.Array:
		if raw, ok := v.Interface().(json.RawMessage); ok {
			p.add(form, key, string(raw))
			return nil
		}
		for i := range v.Len() {
			if err := encodePlain(p, form, key+"."+strconv.Itoa(i+1), v.Index(i)); err != nil {
				return err
			}
		}
		return nil
	case reflect.Map:
		return encodeMap(p, form, key+".", v)
	case reflect.Struct:
		for i := range v.NumField() {
			sf := v.Type().Field(i)
			if !sf.IsExported() || v.Field(i).IsZero() {
				continue
			}
			if err := encodePlain(p, form, key+"."+jsonName(sf), v.Field(i)); err != nil {
				return err
			}
		}
		return nil
	default:
		text, err := scalarText(v)
		if err != nil {
			return err
		}
		p.add(form, key, text)
		return nil
	}
}

func encodeMap(p *Params, form bool, prefix string, v reflect.Value) error {
	if v.Type().Key().Kind() != reflect.String {
		return fmt.Errorf("a map with %s keys has no wire form", v.Type().Key())
	}
	keys := v.MapKeys()
	slices.SortFunc(keys, func(a, b reflect.Value) int { return strings.Compare(a.String(), b.String()) })
	for _, k := range keys {
		// The signer takes names as they are: one that needs escaping would
		// make a signature the service can't match.
		if k.String() == "" || escape(k.String()) != k.String() {
			return errors.New("a parameter name is empty or holds characters other than letters, digits and -_.~")
		}
		if err := encodePlain(p, form, prefix+k.String(), v.MapIndex(k)); err != nil {
			return fmt.Errorf("%s%s: %w", prefix, k.String(), err)
		}
	}
	return nil
}

func scalarText(v reflect.Value) (string, error) {
	switch v.Kind() {
	case reflect.String:
		return v.String(), unmasked(v)
	case reflect.Bool:
		return strconv.FormatBool(v.Bool()), nil
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return strconv.FormatInt(v.Int(), 10), nil
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return strconv.FormatUint(v.Uint(), 10), nil
	case reflect.Float32:
		return strconv.FormatFloat(v.Float(), 'f', -1, 32), nil
	case reflect.Float64:
		return strconv.FormatFloat(v.Float(), 'f', -1, 64), nil
	case reflect.Pointer, reflect.Interface:
		if !v.IsNil() {
			return scalarText(v.Elem())
		}
	}
	return "", fmt.Errorf("a %s has no plain wire form", v.Kind())
}

// documentText is the JSON document of a parameter: text that is JSON already
// goes as it is, everything else is marshalled, with the text of its secrets.
func documentText(v reflect.Value) (string, error) {
	v, err := revealing(v)
	if err != nil {
		return "", err
	}
	var data []byte
	switch doc := v.Interface().(type) {
	case json.RawMessage:
		data = doc
	case alimedia.JSON:
		data = []byte(doc)
	case string:
		data = []byte(doc)
	case json.Marshaler: // called directly: json.Marshal would rewrite its white space
		if data, err = doc.MarshalJSON(); err != nil {
			return "", err
		}
		data = reveal.Clean(data)
	default:
		data, err = marshal(doc)
		return string(reveal.Clean(data)), err
	}
	if len(data) > 0 && !json.Valid(data) {
		return "", errors.New("the text is not a JSON document")
	}
	return string(data), nil
}

// marshal is json.Marshal without the escapes meant for HTML pages.
func marshal(v any) ([]byte, error) {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(buf.Bytes(), []byte("\n")), nil
}

func jsonName(sf reflect.StructField) string {
	if name, _, _ := strings.Cut(sf.Tag.Get("json"), ","); name != "" {
		return name
	}
	return sf.Name
}

// isTrue reports whether the bool field or key name of a request is true.
func isTrue(in any, name string) bool {
	v := reflect.Indirect(reflect.ValueOf(in))
	if v.Kind() != reflect.Struct {
		return false
	}
	f := reflect.Indirect(v.FieldByName(name))
	return f.Kind() == reflect.Bool && f.Bool()
}

// encodePairs writes name=value joined by &, escaped as the signature demands.
func encodePairs(pairs []pair) string {
	n := 0
	for _, p := range pairs {
		n += len(p.key) + len(p.value) + len(p.value)/4 + 2
	}
	b := make([]byte, 0, n)
	for i, p := range pairs {
		if i > 0 {
			b = append(b, '&')
		}
		b = appendEscaped(b, p.key)
		b = append(b, '=')
		b = appendEscaped(b, p.value)
	}
	return string(b)
}

func escape(s string) string { return string(appendEscaped(nil, s)) }

// appendEscaped is RFC 3986: all but letters, digits and -_.~ as %XX.
func appendEscaped(b []byte, s string) []byte {
	const hex = "0123456789ABCDEF"
	for i := range len(s) {
		switch c := s[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '-', c == '_', c == '.', c == '~':
			b = append(b, c)
		default:
			b = append(b, '%', hex[c>>4], hex[c&15])
		}
	}
	return b
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
