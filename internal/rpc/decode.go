package rpc

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"reflect"
	"strconv"
	"strings"
	"sync"
)

// Decode reads an answer into out. It is strict first; where the service sent
// a number as a string, or the like, a second pass converts.
func Decode(body []byte, out any) error {
	err := json.Unmarshal(body, out)
	var mismatch *json.UnmarshalTypeError
	if errors.As(err, &mismatch) {
		err = decodeLoosely(body, out)
	}
	if err != nil {
		return withoutValue(err)
	}
	tidy(body, out)
	return nil
}

// withoutValue keeps what the service sent out of the error.
func withoutValue(err error) error {
	var syntax *json.SyntaxError
	if errors.As(err, &syntax) {
		return fmt.Errorf("not valid JSON at byte %d", syntax.Offset)
	}
	return err
}

func looksLikeJSON(body []byte) bool {
	body = bytes.TrimSpace(body)
	return len(body) > 0 && (body[0] == '{' || body[0] == '[')
}

func decodeLoosely(body []byte, out any) error {
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.UseNumber()
	var tree any
	if err := dec.Decode(&tree); err != nil {
		return err
	}
	return assign(reflect.ValueOf(out).Elem(), tree, "")
}

var unmarshaler = reflect.TypeFor[json.Unmarshaler]()

// assign puts a decoded JSON value into v, converting between numbers,
// strings and booleans.
func assign(v reflect.Value, node any, path string) error {
	if node == nil {
		return nil
	}
	if v.Kind() == reflect.Pointer {
		v.Set(reflect.New(v.Type().Elem()))
		return assign(v.Elem(), node, path)
	}
	if v.CanAddr() && v.Addr().Type().Implements(unmarshaler) {
		data, err := json.Marshal(node)
		if err != nil {
			return err
		}
		return v.Addr().Interface().(json.Unmarshaler).UnmarshalJSON(data)
	}
	switch v.Kind() {
	case reflect.Interface:
		if v.NumMethod() == 0 {
			v.Set(reflect.ValueOf(plainNumbers(node)))
			return nil
		}
	case reflect.Struct:
		switch object := node.(type) {
		case map[string]any:
			return assignStruct(v, object, path)
		case string: // "" stands for an absent object
			if strings.TrimSpace(object) == "" {
				return nil
			}
		}
	case reflect.Map:
		if object, ok := node.(map[string]any); ok && v.Type().Key().Kind() == reflect.String {
			v.Set(reflect.MakeMapWithSize(v.Type(), len(object)))
			for key, member := range object {
				elem := reflect.New(v.Type().Elem()).Elem()
				if err := assign(elem, member, path+"."+key); err != nil {
					return err
				}
				v.SetMapIndex(reflect.ValueOf(key).Convert(v.Type().Key()), elem)
			}
			return nil
		}
	case reflect.Slice:
		switch list := node.(type) {
		case []any:
			v.Set(reflect.MakeSlice(v.Type(), len(list), len(list)))
			for i, member := range list {
				if err := assign(v.Index(i), member, path+"["+strconv.Itoa(i)+"]"); err != nil {
					return err
				}
			}
			return nil
		case string:
			if strings.TrimSpace(list) == "" {
				return nil
			}
		}
	default:
		if assignScalar(v, node) {
			return nil
		}
	}
	return fmt.Errorf("%s: a JSON %s does not fit %s", strings.TrimPrefix(path, "."), kindName(node), v.Type())
}

func assignStruct(v reflect.Value, object map[string]any, path string) error {
	t := v.Type()
	for i := range t.NumField() {
		sf := t.Field(i)
		if !sf.IsExported() || sf.Tag.Get("json") == "-" {
			continue
		}
		name := jsonName(sf)
		node, ok := object[name]
		if !ok {
			for key, member := range object { // as encoding/json: any case
				if strings.EqualFold(key, name) {
					node, ok = member, true
					break
				}
			}
		}
		if !ok {
			continue
		}
		if err := assign(v.Field(i), node, path+"."+name); err != nil {
			return err
		}
	}
	return nil
}

func assignScalar(v reflect.Value, node any) bool {
	text, ok := scalarNode(node)
	if !ok {
		return false
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString(text)
		return true
	case reflect.Bool:
		switch strings.ToLower(strings.TrimSpace(text)) {
		case "true", "1":
			v.SetBool(true)
			return true
		case "false", "0", "":
			return true
		}
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		n, ok := integer(text)
		if ok && !v.OverflowInt(n) {
			v.SetInt(n)
			return true
		}
	case reflect.Float32, reflect.Float64:
		text = strings.TrimSpace(text)
		if text == "" {
			return true
		}
		n, err := strconv.ParseFloat(text, v.Type().Bits())
		if err == nil {
			v.SetFloat(n)
			return true
		}
	}
	return false
}

// integer reads 12, "12", "12.0", 1.2e1, true and the empty string. A fraction
// is cut off, as the services' own clients do.
func integer(text string) (int64, bool) {
	text = strings.TrimSpace(text)
	switch strings.ToLower(text) {
	case "", "false":
		return 0, true
	case "true":
		return 1, true
	}
	if n, err := strconv.ParseInt(text, 10, 64); err == nil {
		return n, true
	}
	f, err := strconv.ParseFloat(text, 64)
	if err != nil || f < -1<<63 || f >= 1<<63 {
		return 0, false
	}
	n, _ := big.NewFloat(f).Int64()
	return n, true
}

func scalarNode(node any) (string, bool) {
	switch n := node.(type) {
	case string:
		return n, true
	case json.Number:
		return n.String(), true
	case bool:
		return strconv.FormatBool(n), true
	}
	return "", false
}

// plainNumbers gives free-form values the types encoding/json would.
func plainNumbers(node any) any {
	switch n := node.(type) {
	case json.Number:
		f, _ := n.Float64()
		return f
	case []any:
		for i := range n {
			n[i] = plainNumbers(n[i])
		}
	case map[string]any:
		for key := range n {
			n[key] = plainNumbers(n[key])
		}
	}
	return node
}

func kindName(node any) string {
	switch node.(type) {
	case map[string]any:
		return "object"
	case []any:
		return "array"
	case string:
		return "string"
	case bool:
		return "boolean"
	}
	return "number"
}

// tidy mends two habits of the services: white space around ids, and list
// elements that hold a whole list as JSON text.
func tidy(body []byte, out any) {
	v := reflect.ValueOf(out)
	if v.Kind() != reflect.Pointer || v.Elem().Kind() != reflect.Struct {
		return
	}
	needs := needsOf(v.Elem().Type())
	needs.trim = needs.trim && hasSpacedString(body)
	if needs.trim || needs.unfold {
		tidyStruct(v.Elem(), needs)
	}
}

// hasSpacedString reports whether a string of body may end or begin with white
// space. It may err on the side of true.
func hasSpacedString(body []byte) bool {
	for _, mark := range []string{`\n"`, `\r"`, `\t"`, ` "`, `"\n`, `"\r`, `"\t`, `" `} {
		if bytes.Contains(body, []byte(mark)) {
			return true
		}
	}
	return false
}

type needs struct{ trim, unfold bool }

var needsKnown sync.Map // reflect.Type -> needs

// needsOf says once per type whether it holds ids or lists to unfold anywhere.
func needsOf(t reflect.Type) needs {
	if n, ok := needsKnown.Load(t); ok {
		return n.(needs)
	}
	n := findNeeds(t, map[reflect.Type]bool{})
	needsKnown.Store(t, n)
	return n
}

func findNeeds(t reflect.Type, seen map[reflect.Type]bool) (n needs) {
	for t.Kind() == reflect.Slice || t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t.Kind() != reflect.Struct || seen[t] {
		return n
	}
	seen[t] = true
	for i := range t.NumField() {
		sf := t.Field(i)
		n.trim = n.trim || isId(sf)
		n.unfold = n.unfold || isUnfolded(sf)
		inner := findNeeds(sf.Type, seen)
		n.trim, n.unfold = n.trim || inner.trim, n.unfold || inner.unfold
	}
	return n
}

func isId(sf reflect.StructField) bool {
	return (strings.HasSuffix(sf.Name, "Id") || strings.HasSuffix(sf.Name, "Ids")) &&
		(sf.Type.Kind() == reflect.String || sf.Type == reflect.TypeFor[[]string]())
}

func isUnfolded(sf reflect.StructField) bool {
	return strings.Contains(sf.Tag.Get("rpc"), "unfold") && sf.Type == reflect.TypeFor[[]string]()
}

func tidyStruct(v reflect.Value, n needs) {
	t := v.Type()
	for i := range t.NumField() {
		sf, f := t.Field(i), v.Field(i)
		if !f.CanSet() {
			continue
		}
		switch {
		case n.unfold && isUnfolded(sf):
			f.Set(reflect.ValueOf(unfold(f.Interface().([]string))))
		case n.trim && isId(sf) && f.Kind() == reflect.String:
			f.SetString(strings.TrimSpace(f.String()))
		case n.trim && isId(sf):
			for j := range f.Len() {
				f.Index(j).SetString(strings.TrimSpace(f.Index(j).String()))
			}
		case f.Kind() == reflect.Struct:
			tidyStruct(f, n)
		case f.Kind() == reflect.Pointer && f.Type().Elem().Kind() == reflect.Struct && !f.IsNil():
			tidyStruct(f.Elem(), n)
		case f.Kind() == reflect.Slice && f.Type().Elem().Kind() == reflect.Struct:
			for j := range f.Len() {
				tidyStruct(f.Index(j), n)
			}
		}
	}
}

// unfold replaces each element that is a JSON array of strings by its members.
func unfold(list []string) []string {
	for i, element := range list {
		if !strings.HasPrefix(strings.TrimSpace(element), "[") {
			continue
		}
		flat := list[:i:i]
		for _, element := range list[i:] {
			var members []string
			if json.Unmarshal([]byte(element), &members) == nil {
				flat = append(flat, members...)
			} else {
				flat = append(flat, element)
			}
		}
		return flat
	}
	return list
}
