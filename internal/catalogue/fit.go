package catalogue

import (
	"bytes"
	"encoding/json"
	"strings"
)

// Fit writes an answer as the operation documents it. A field that the operation
// does not have is left out, and a value is written in the documented type. With
// fill a field that is missing is empty: "", 0, false or []; an object is not
// added. So one description of a thing, with all the names that it has anywhere,
// serves all the operations that show it.
func (op *Operation) Fit(answer any, fill bool) (Object, error) {
	text, err := json.Marshal(answer)
	if err != nil {
		return nil, err
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	var o map[string]any
	if err := d.Decode(&o); err != nil {
		return nil, err
	}
	fitted := fitObject(o, op.Response, fill)
	if id, has := o["RequestId"]; has {
		fitted["RequestId"] = id
	}
	if fill {
		for _, f := range op.Response {
			if v := fitted[f.Name]; v == "" && (f.Name == "Code" || f.Name == "Success") {
				fitted[f.Name] = Values{}.plausible(f.Name, f)
			}
		}
	}
	return fitted, nil
}

func fitObject(o map[string]any, fields []*Field, fill bool) Object {
	fitted := Object{}
	for _, f := range fields {
		if f.Name == "RequestId" {
			continue // the gateway's
		}
		if v := member(o, f.Name); v != nil {
			if value, fits := fitValue(v, f, fill); fits {
				fitted[f.Name] = value
				continue
			}
		}
		if fill && f.Type != "object" {
			fitted[f.Name] = f.Empty()
		}
	}
	return fitted
}

// member finds a value by its name, or else without regard to case: a document
// of a request often spells it in another way than the answer.
func member(o map[string]any, name string) any {
	if v := o[name]; v != nil {
		return v
	}
	for other, v := range o {
		if strings.EqualFold(other, name) && v != nil {
			return v
		}
	}
	return nil
}

func fitValue(v any, f *Field, fill bool) (any, bool) {
	switch v := v.(type) {
	case map[string]any:
		if f.Type == "object" {
			if len(f.Fields) == 0 {
				return v, true
			}
			return fitObject(v, f.Fields, fill), true
		}
	case []any:
		if f.Type == "object" && len(f.Fields) == 1 && f.Fields[0].List() { // as in "PlayInfoList": {"PlayInfo": [...]}
			value, fits := fitValue(v, f.Fields[0], fill)
			return Object{f.Fields[0].Name: value}, fits
		}
		if f.List() {
			elem := *f
			elem.Type = f.Elem()
			items := []any{}
			for _, item := range v {
				if value, fits := fitValue(item, &elem, fill); fits {
					items = append(items, value)
				}
			}
			return items, true
		}
	}
	return convert(v, f)
}

// Empty is how the services write that there is nothing.
func (f *Field) Empty() any {
	switch {
	case f.List():
		return []any{}
	case f.Type == "string":
		return ""
	case f.Type == "bool":
		return false
	case f.Type == "object" || f.Type == "any" || strings.HasPrefix(f.Type, "map<"):
		return Object{}
	}
	return 0
}
