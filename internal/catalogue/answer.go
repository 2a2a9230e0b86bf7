package catalogue

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Object is a JSON object of an answer.
type Object = map[string]any

// Values decides what stands in an answer. The zero value gives what is
// plausible by name and type.
type Values struct {
	// Seed makes the plausible values: the same seed gives the same values.
	Seed string

	// Began and Ended are the plausible times. Zero: some time in March 2024.
	Began, Ended time.Time

	// Known returns the value of a field, in any type that can be written as
	// that of the field. at is the path of the field, with the index of list
	// elements: "MediaInfos.0.MediaId".
	Known func(at string, f *Field) (any, bool)

	// Len returns the number of elements of a list of objects, or -1 for what
	// is plausible.
	Len func(at string, f *Field) int
}

// Object builds an object with the fields, at being its own path.
func (v Values) Object(at string, fields []*Field) Object {
	o := Object{}
	for _, f := range fields {
		if at == "" && f.Name == "RequestId" {
			continue // the gateway's
		}
		o[f.Name] = v.field(join(at, f.Name), f)
	}
	return o
}

func join(at, name string) string {
	if at == "" {
		return name
	}
	return at + "." + name
}

func (v Values) field(at string, f *Field) any {
	if v.Known != nil {
		if known, ok := v.Known(at, f); ok {
			if value, fits := convert(known, f); fits {
				return value
			}
		}
	}
	switch {
	case f.List():
		elem := *f
		elem.Type = f.Elem()
		n := -1
		if v.Len != nil {
			n = v.Len(at, f)
		}
		if n < 0 {
			n = max(1, 2-strings.Count(at, ".")/3)
		}
		list := []any{}
		for i := range n {
			list = append(list, v.field(at+"."+strconv.Itoa(i), &elem))
		}
		return list
	case strings.HasPrefix(f.Type, "map<"):
		return Object{}
	case f.Type == "object":
		return v.Object(at, f.Fields)
	default:
		return v.plausible(at, f)
	}
}

// convert writes a known value in the type of the field.
func convert(value any, f *Field) (any, bool) {
	text, isText := value.(string)
	if !isText {
		if f.Type == "string" {
			switch value := value.(type) {
			case bool, int, int32, int64, float64:
				return fmt.Sprint(value), true
			case json.Number:
				return value.String(), true
			}
			if document, err := json.Marshal(value); err == nil {
				return string(document), true
			}
			return nil, false
		}
		return value, (&Field{Type: f.Type}).fits(generic(value))
	}
	switch f.Type {
	case "string":
		return text, true
	case "any":
		return text, true
	case "int32", "int64":
		n, err := strconv.ParseInt(text, 10, 64)
		return n, err == nil
	case "float32", "float64":
		n, err := strconv.ParseFloat(text, 64)
		return n, err == nil
	case "bool":
		b, err := strconv.ParseBool(text)
		return b, err == nil
	}
	var document any
	if json.Unmarshal([]byte(text), &document) == nil {
		if _, isList := document.([]any); isList && f.Type == "object" {
			return fitValue(document, f, false)
		}
		return document, f.fits(document)
	}
	if f.Type == "array<string>" {
		return strings.Split(text, ","), true
	}
	return nil, false
}

// generic is a value as it looks when it was read from JSON.
func generic(value any) any {
	text, err := json.Marshal(value)
	if err != nil {
		return value
	}
	var v any
	_ = json.Unmarshal(text, &v) // was written above
	return v
}

// shapeItems is how many things a list has in all, over its pages.
const shapeItems = 3

// Answer makes an answer up: what the request names comes back, a list has
// three items over its pages, everything else is plausible. The same request
// gets the same answer.
func (op *Operation) Answer(params url.Values) Object {
	named := namedBy(params)
	v := Values{Seed: op.Service + "." + op.Action + "?" + params.Encode()}
	first, count, next := op.window(params)
	v.Len = func(at string, f *Field) int {
		if op.Page != nil && stripped(at) == op.Page.Items {
			return count
		}
		for _, sub := range f.Fields {
			if ids := pluralOf(params, sub); len(ids) > 0 {
				return len(ids)
			}
		}
		return -1
	}
	v.Known = func(at string, f *Field) (any, bool) {
		if op.Page != nil {
			switch stripped(at) {
			case op.Page.Next:
				return next, true
			case op.Page.Total:
				return shapeItems, true
			}
		}
		if f.Name == "NextToken" || f.Name == "NextPageToken" || f.Name == "ScrollToken" {
			return "", true
		}
		if strings.HasPrefix(f.Name, "NonExist") || strings.HasPrefix(f.Name, "Forbidden") || strings.HasPrefix(f.Name, "Ignored") || strings.HasPrefix(f.Name, "Failed") {
			if f.List() {
				return []any{}, true
			}
			return "", f.Type == "string"
		}
		if i, ok := lastIndex(at); ok {
			if ids := pluralOf(params, f); i < len(ids) {
				return ids[i], true
			}
		}
		text, has := named[f.Name]
		if !has || text == "" || strings.HasPrefix(f.Type, "array<object") {
			return nil, false
		}
		return text, true
	}
	answer := v.Object("", op.Response)
	// Items of a later page differ from those of an earlier one.
	if first > 0 && count > 0 {
		v.Seed += "#" + strconv.Itoa(first)
		answer = v.Object("", op.Response)
	}
	return answer
}

// window is the part of a list that the request asks for.
func (op *Operation) window(params url.Values) (first, count int, next string) {
	if op.Page == nil {
		return 0, 0, ""
	}
	size := 10
	for _, name := range []string{op.Page.Size, "MaxResults", "PageSize", "MaximumPageSize", "Limit"} {
		if n, err := strconv.Atoi(params.Get(name)); err == nil && n > 0 {
			size = n
			break
		}
	}
	if op.Page.Page != "" {
		if page, err := strconv.Atoi(params.Get(op.Page.Page)); err == nil && page > 1 {
			first = (page - 1) * size
		}
	} else if n, err := strconv.Atoi(strings.TrimPrefix(params.Get(op.Page.Token), "after-")); err == nil && n > 0 {
		first = n
	}
	count = min(size, max(0, shapeItems-first))
	if op.Page.Next != "" && first+count < shapeItems && count > 0 {
		next = "after-" + strconv.Itoa(first+count)
	}
	return first, count, next
}

// namedBy are the values of a request, and those at the top of its documents.
func namedBy(params url.Values) map[string]string {
	named := map[string]string{}
	for _, name := range slices.Sorted(maps.Keys(params)) {
		if text := params.Get(name); strings.HasPrefix(text, "{") {
			var document map[string]any
			if json.Unmarshal([]byte(text), &document) == nil {
				for key, v := range document {
					if text, ok := v.(string); ok {
						named[key] = text
					}
				}
			}
		}
	}
	for name := range params {
		named[name] = params.Get(name)
	}
	return named
}

// pluralOf are the ids that a request names for a field: those in MediaIds for
// MediaId.
func pluralOf(params url.Values, f *Field) []string {
	if !strings.HasSuffix(f.Name, "Id") && !strings.HasSuffix(f.Name, "URL") {
		return nil
	}
	name := f.Name + "s"
	if text := params.Get(name); text != "" {
		var list []any
		if json.Unmarshal([]byte(text), &list) == nil {
			var ids []string
			for _, item := range list {
				ids = append(ids, fmt.Sprint(item))
			}
			return ids
		}
		return strings.Split(text, ",")
	}
	var ids []string
	for i := 1; params.Get(name+"."+strconv.Itoa(i)) != ""; i++ {
		ids = append(ids, params.Get(name+"."+strconv.Itoa(i)))
	}
	return ids
}

// stripped is a path without the indexes of list elements.
func stripped(at string) string {
	parts := slices.DeleteFunc(strings.Split(at, "."), func(part string) bool { return part[0] >= '0' && part[0] <= '9' })
	return strings.Join(parts, ".")
}

// lastIndex is the index of the innermost list element on the way to a field.
func lastIndex(at string) (int, bool) {
	parts := strings.Split(at, ".")
	for i := len(parts) - 2; i > 0; i-- {
		if n, err := strconv.Atoi(parts[i]); err == nil {
			return n, true
		}
	}
	return 0, false
}
