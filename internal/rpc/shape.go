package rpc

import (
	"encoding"
	"encoding/json"
	"reflect"
	"strings"
	"sync"
)

// shape is what the decoder knows of a type. It is made once.
type shape struct {
	kind shapeKind
	typ  reflect.Type
	size int64
	elem *shape // of a pointer, list or map

	// Of a struct.
	fields []responseField
	exact  map[string]*responseField
	folded map[string]*responseField
	only   *responseField // the list, of a struct with nothing else
}

type shapeKind uint8

const (
	otherShape shapeKind = iota // encoding/json reads it
	anyShape
	jsonShape // alimedia.JSON
	stringShape
	boolShape
	intShape
	uintShape
	floatShape
	structShape
	listShape
	mapShape
	pointerShape
)

// scalar reports whether a string, number or boolean fits.
func (s *shape) scalar() bool {
	return s.kind >= anyShape && s.kind <= floatShape || s.kind == pointerShape && s.elem.scalar()
}

// responseField is a field of a response.
type responseField struct {
	name   string // in JSON
	number int    // in its struct
	index  []int
	shape  *shape

	trim   bool // an ID: white space around it is dropped
	unfold bool // elements that are JSON lists are replaced by their members
	commas bool // IDs or tags: text with commas and a list are the same
	free   bool // free text: any JSON may be kept in it
}

var noField responseField

func (f *responseField) of(v reflect.Value) reflect.Value {
	if len(f.index) == 1 {
		return v.Field(f.index[0])
	}
	for i, n := range f.index {
		if i > 0 && v.Kind() == reflect.Pointer {
			if v.IsNil() {
				v.Set(reflect.New(v.Type().Elem()))
			}
			v = v.Elem()
		}
		v = v.Field(n)
	}
	return v
}

// find returns the field for a key as it stands in JSON, and whether the name
// is exact.
func (s *shape) find(key []byte) (f *responseField, exact bool) {
	if f, ok := s.exact[string(key)]; ok {
		return f, true
	}
	if len(s.fields) == 0 {
		return nil, false
	}
	name := unquoted(key)
	if f, ok := s.exact[name]; ok {
		return f, true
	}
	return s.folded[strings.ToLower(name)], false
}

var shapes sync.Map // reflect.Type -> *shape

func shapeOf(t reflect.Type) *shape {
	if s, ok := shapes.Load(t); ok {
		return s.(*shape)
	}
	made := map[reflect.Type]*shape{}
	s := makeShape(t, made)
	for t, s := range made {
		shapes.Store(t, s)
	}
	return s
}

func makeShape(t reflect.Type, made map[reflect.Type]*shape) *shape {
	if s, ok := made[t]; ok { // also one that is being made: types may be recursive
		return s
	}
	s := &shape{typ: t, size: int64(t.Size()), kind: kindOf(t)}
	made[t] = s
	switch s.kind {
	case pointerShape, listShape, mapShape:
		s.elem = makeShape(t.Elem(), made)
	case structShape:
		s.addFields(made)
	}
	return s
}

func kindOf(t reflect.Type) shapeKind {
	pointer := reflect.PointerTo(t)
	switch {
	case t == jsonType:
		return jsonShape
	case t.Kind() == reflect.Pointer:
		return pointerShape
	case pointer.Implements(reflect.TypeFor[json.Unmarshaler]()), pointer.Implements(reflect.TypeFor[encoding.TextUnmarshaler]()):
		return otherShape
	}
	switch t.Kind() {
	case reflect.Interface:
		if t.NumMethod() == 0 {
			return anyShape
		}
	case reflect.String:
		return stringShape
	case reflect.Bool:
		return boolShape
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return intShape
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return uintShape
	case reflect.Float32, reflect.Float64:
		return floatShape
	case reflect.Struct:
		return structShape
	case reflect.Slice:
		if t.Elem().Kind() != reflect.Uint8 { // bytes are Base64
			return listShape
		}
	case reflect.Map:
		if t.Key().Kind() == reflect.String && !reflect.PointerTo(t.Key()).Implements(reflect.TypeFor[encoding.TextUnmarshaler]()) {
			return mapShape
		}
	}
	return otherShape
}

// addFields lists the fields with those of embedded structs, an outer one
// before an inner one of the same name.
func (s *shape) addFields(made map[reflect.Type]*shape) {
	type embedded struct {
		t     reflect.Type
		index []int
	}
	names, seen := map[string]bool{}, map[reflect.Type]bool{}
	for level := []embedded{{t: s.typ}}; len(level) > 0; {
		var next []embedded
		for _, e := range level {
			if seen[e.t] {
				continue
			}
			seen[e.t] = true
			for i := range e.t.NumField() {
				sf := e.t.Field(i)
				index := append(append([]int(nil), e.index...), i)
				tag := sf.Tag.Get("json")
				if tag == "-" {
					continue
				}
				name, _, _ := strings.Cut(tag, ",")
				if inner := structBelow(sf.Type); sf.Anonymous && name == "" && inner != nil && (sf.IsExported() || sf.Type.Kind() == reflect.Struct) {
					next = append(next, embedded{inner, index})
					continue
				}
				if name = jsonName(sf); !sf.IsExported() || names[name] {
					continue
				}
				names[name] = true
				s.fields = append(s.fields, responseField{name: name, number: len(s.fields), index: index, shape: makeShape(sf.Type, made),
					trim: isID(sf), unfold: strings.Contains(sf.Tag.Get("rpc"), "unfold"), commas: hasCommas(sf.Name), free: isFreeText(sf)})
			}
		}
		level = next
	}
	s.exact, s.folded = make(map[string]*responseField, len(s.fields)), make(map[string]*responseField, len(s.fields))
	for i := range s.fields {
		f := &s.fields[i]
		s.exact[f.name] = f
		if lower := strings.ToLower(f.name); s.folded[lower] == nil {
			s.folded[lower] = f
		}
	}
	if len(s.fields) == 1 && s.fields[0].shape.kind == listShape {
		s.only = &s.fields[0]
	}
}

// structBelow returns t, or what it points to, when that is a struct.
func structBelow(t reflect.Type) reflect.Type {
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t.Kind() != reflect.Struct {
		return nil
	}
	return t
}

func isID(sf reflect.StructField) bool {
	return strings.HasSuffix(sf.Name, "Id") || strings.HasSuffix(sf.Name, "Ids")
}

func hasCommas(name string) bool {
	return strings.HasSuffix(name, "Ids") || strings.HasSuffix(name, "Tags")
}

// isFreeText reports whether a field holds text that nothing else depends on,
// by the names that such fields have.
func isFreeText(sf reflect.StructField) bool {
	if sf.Type != reflect.TypeFor[string]() {
		return false
	}
	for _, end := range []string{"Data", "Config", "Params", "Parameters", "Json", "JSON", "Result", "Results", "Detail", "Details",
		"Extend", "Description", "Message", "Content", "Text", "Expression", "Timeline", "Output", "Settings"} {
		if strings.HasSuffix(sf.Name, end) {
			return true
		}
	}
	return false
}
