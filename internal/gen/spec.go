package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
)

// spec is the catalogue of one service: what the API is, free of our
// decisions. api/README.md describes the format.
type spec struct {
	Service    string
	Version    string
	Endpoints  endpoints
	Operations map[string]*operationSpec
	Models     map[string]*fieldSpec
}

type endpoints struct {
	Product string
	Regions map[string]string
}

type operationSpec struct {
	HTTP struct {
		Method   string
		Pathname string
		Style    string
		AuthType string
	}
	Params     []*fieldSpec
	Response   *fieldSpec
	ReplacedBy string
}

// fieldSpec is a parameter, a field of a document or a field of a response.
type fieldSpec struct {
	Name       string
	Go         string
	Type       string
	Ref        string
	Fields     []*fieldSpec
	In         string
	Enc        string
	Enum       []string
	Required   bool
	Deprecated bool
	JSONText   bool
}

// readSpec reads and checks a catalogue.
func readSpec(path string) (*spec, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	s := new(spec)
	if err := json.Unmarshal(data, s); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if err := s.validate(); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return s, nil
}

func (s *spec) validate() error {
	var errs []error
	for _, action := range sortedKeys(s.Operations) {
		op := s.Operations[action]
		if op.HTTP.Pathname != "/" || op.HTTP.Style != "RPC" {
			errs = append(errs, fmt.Errorf("%s: not an RPC operation", action))
		}
		if op.Response == nil || op.Response.Type != "object" {
			errs = append(errs, fmt.Errorf("%s: response is not an object", action))
			continue
		}
		for _, p := range op.Params {
			if p.In != "query" && p.In != "body" {
				errs = append(errs, fmt.Errorf("%s.%s: position %q", action, p.Name, p.In))
			}
			errs = append(errs, s.validateField(action, p))
		}
		errs = append(errs, s.validateField(action, op.Response))
	}
	return errors.Join(errs...)
}

func (s *spec) validateField(path string, f *fieldSpec) error {
	path += "." + f.Name
	elem := elemType(f.Type)
	switch elem {
	case "string", "int32", "int64", "bool", "float32", "float64", "any":
		return nil
	case "object":
		if f.Ref != "" && s.Models[f.Ref] == nil {
			return fmt.Errorf("%s: unknown model %q", path, f.Ref)
		}
		var errs []error
		for _, sub := range s.fieldsOf(f) {
			errs = append(errs, s.validateField(path, sub))
		}
		return errors.Join(errs...)
	default:
		return fmt.Errorf("%s: unknown type %q", path, f.Type)
	}
}

// fieldsOf returns the fields of an object, wherever they are described.
func (s *spec) fieldsOf(f *fieldSpec) []*fieldSpec {
	if f.Ref != "" {
		return s.Models[f.Ref].Fields
	}
	return f.Fields
}

// goName is the Go name of a field: the wire's own wherever Go can spell it.
func (f *fieldSpec) goName() string {
	switch {
	case f.Go == "" || strings.TrimSuffix(f.Go, "_") == f.Name:
		return f.Name
	default:
		return f.Go
	}
}

// isWrapper reports whether the field is an object with a single field in it,
// as in {"Snapshots": {"Snapshot": []}}.
func (s *spec) isWrapper(f *fieldSpec) bool {
	return f.Type == "object" && len(s.fieldsOf(f)) == 1
}

// splitType takes one array or map off a type: "array<string>" is "[]" and
// "string".
func splitType(t string) (container, elem string) {
	if inner, ok := strings.CutPrefix(t, "array<"); ok {
		return "[]", strings.TrimSuffix(inner, ">")
	}
	if inner, ok := strings.CutPrefix(t, "map<string,"); ok {
		return "map[string]", strings.TrimSuffix(inner, ">")
	}
	return "", t
}

// elemType is the innermost type of arrays and maps.
func elemType(t string) string {
	for {
		container, elem := splitType(t)
		if container == "" {
			return t
		}
		t = elem
	}
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
