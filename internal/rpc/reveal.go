package rpc

import (
	"errors"
	"reflect"
	"sync"

	"github.com/alimedia/alimedia-go"
	"github.com/alimedia/alimedia-go/internal/reveal"
)

// maxDepth ends the walk through values that contain themselves; encoding/json
// refuses those later.
const maxDepth = 1000

var (
	secretType = reflect.TypeFor[alimedia.Secret]()
	errMasked  = errors.New("the secret is the mask ***: it went through JSON, XML or gob, which hide the text; keep what Reveal returns")
)

// unmasked reports an error for a secret that lost its text in an encoding.
func unmasked(v reflect.Value) error {
	if v.Type() == secretType && v.String() == alimedia.Secret("x").String() {
		return errMasked
	}
	return nil
}

// revealing returns v for the way to the service: itself where it holds no
// secret, else a copy whose secrets are marked. The caller's value stays.
func revealing(v reflect.Value) (reflect.Value, error) {
	var w revealer
	out, _ := w.walk(v, 0)
	return out, w.err
}

type revealer struct{ err error }

// walk returns v or a marked copy, and whether it is a copy.
func (w *revealer) walk(v reflect.Value, depth int) (reflect.Value, bool) {
	if !v.IsValid() || depth > maxDepth || !mayHoldSecret(v.Type()) {
		return v, false
	}
	switch v.Kind() {
	case reflect.String:
		if err := unmasked(v); err != nil {
			w.err = err
		}
		return reflect.ValueOf(alimedia.Secret(reveal.Mark(v.String()))), v.Len() > 0
	case reflect.Pointer:
		if inner, copied := w.walk(v.Elem(), depth+1); copied {
			out := reflect.New(v.Type().Elem())
			out.Elem().Set(inner)
			return out.Convert(v.Type()), true
		}
	case reflect.Interface:
		if inner, copied := w.walk(v.Elem(), depth+1); copied {
			return inner, true
		}
	case reflect.Struct:
		return w.members(v, v.NumField(), func(of reflect.Value, i int) reflect.Value { return of.Field(i) }, depth)
	case reflect.Slice, reflect.Array:
		return w.members(v, v.Len(), reflect.Value.Index, depth)
	case reflect.Map:
		return w.entries(v, depth)
	}
	return v, false
}

// members walks the fields of a struct or the elements of a list.
func (w *revealer) members(v reflect.Value, n int, at func(of reflect.Value, i int) reflect.Value, depth int) (reflect.Value, bool) {
	out, copied := v, false
	for i := range n {
		member := at(v, i)
		if !member.CanInterface() { // unexported: no encoder reads it either
			continue
		}
		inner, changed := w.walk(member, depth+1)
		if !changed {
			continue
		}
		if !copied {
			out, copied = reflect.New(v.Type()).Elem(), true
			if v.Kind() == reflect.Slice {
				out.Set(reflect.MakeSlice(v.Type(), n, n))
				reflect.Copy(out, v)
			} else {
				out.Set(v)
			}
		}
		at(out, i).Set(inner)
	}
	return out, copied
}

func (w *revealer) entries(v reflect.Value, depth int) (reflect.Value, bool) {
	out, copied := v, false
	for entry := v.MapRange(); entry.Next(); {
		inner, changed := w.walk(entry.Value(), depth+1)
		if !changed {
			continue
		}
		if !copied {
			out, copied = reflect.MakeMapWithSize(v.Type(), v.Len()), true
			for all := v.MapRange(); all.Next(); {
				out.SetMapIndex(all.Key(), all.Value())
			}
		}
		out.SetMapIndex(entry.Key(), inner)
	}
	return out, copied
}

var holdersKnown sync.Map // reflect.Type -> bool

// mayHoldSecret says once per type whether a secret can be in its values. An
// interface may hold anything.
func mayHoldSecret(t reflect.Type) bool {
	if known, ok := holdersKnown.Load(t); ok {
		return known.(bool)
	}
	holds := findSecret(t, map[reflect.Type]bool{})
	holdersKnown.Store(t, holds)
	return holds
}

func findSecret(t reflect.Type, seen map[reflect.Type]bool) bool {
	if t == secretType || t.Kind() == reflect.Interface {
		return true
	}
	if seen[t] {
		return false
	}
	seen[t] = true
	switch t.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Array, reflect.Map:
		return findSecret(t.Elem(), seen)
	case reflect.Struct:
		for i := range t.NumField() {
			if t.Field(i).IsExported() && findSecret(t.Field(i).Type, seen) {
				return true
			}
		}
	}
	return false
}
