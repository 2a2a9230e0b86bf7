package main

import (
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strings"
	"unicode"
)

// suggest proposes a name for every object that has none: the field's own
// name in the singular, longer where that is taken or says nothing.
func suggest(pkg string, s *spec, o *overlay) ([]byte, error) {
	proposed := make(map[string]string)
	types := maps.Clone(o.Types)
	if types == nil {
		types = make(map[string]string)
	}
	for {
		trial := *o
		trial.Types = types
		m, _ := build(pkg, s, &trial, new(reference), func() (map[string][]byte, error) { return nil, errors.New("not read") })
		if len(m.missing) == 0 {
			break
		}
		shapes := m.shapesByName()
		taken := func(name, shape string) bool {
			other, ok := shapes[name]
			return ok && other != shape || slices.Contains(o.Documents, name) || s.Models[name] != nil
		}
		for _, x := range m.missing {
			if types[x.key] != "" {
				continue
			}
			shape := s.shape(x.field)
			for _, name := range candidates(x.key, s) {
				if !taken(name, shape) {
					types[x.key], proposed[x.key], shapes[name] = name, name, shape
					break
				}
			}
		}
	}
	return json.MarshalIndent(proposed, "  ", "  ")
}

func (m *model) shapesByName() map[string]string {
	shapes := make(map[string]string)
	for name, def := range m.types {
		shapes[name] = def.spec
	}
	return shapes
}

// shape describes an object down to its leaves.
func (s *spec) shape(f *fieldSpec) string {
	var parts []string
	for _, sub := range s.fieldsOf(f) {
		part := sub.Name + " " + sub.Type
		if elemType(sub.Type) == "object" {
			part += "{" + s.shape(sub) + "}"
		}
		parts = append(parts, part)
	}
	slices.Sort(parts)
	return strings.Join(parts, ";")
}

// generic words say nothing without what they belong to.
var generic = []string{
	"Config", "Content", "Data", "Detail", "Error", "Extend", "Input", "Item", "Job", "Output", "Params",
	"Result", "Setting", "Status", "Template", "Usage", "Value", "Time", "Category", "Dimension", "Instance",
	"DataModule", "TemplateConfig", "ScheduleConfig", "OverwriteParams", "Info", "Project", "Material", "Asset",
}

// candidates are the names to try for an object, the shortest first.
func candidates(key string, s *spec) []string {
	parent, field, _ := strings.Cut(key, ".")
	if i := strings.LastIndexByte(field, '.'); i >= 0 {
		field = field[i+1:]
	}
	base := singular(field)
	context := strings.TrimSuffix(strings.TrimSuffix(parent, "Request"), "Response")
	if s.Operations[context] != nil {
		context = singular(strings.Join(splitWords(context)[1:], ""))
	}
	var names []string
	if !slices.Contains(generic, base) {
		names = append(names, base)
	}
	if strings.HasSuffix(context, base) {
		names = append(names, context)
	}
	names = append(names, context+base, context+base+"Item", parent+base)
	return names
}

func singular(name string) string {
	switch {
	case strings.HasSuffix(name, "InfoList"), strings.HasSuffix(name, "List"):
		return strings.TrimSuffix(name, "List")
	case strings.HasSuffix(name, "ies"):
		return strings.TrimSuffix(name, "ies") + "y"
	case strings.HasSuffix(name, "ss"), strings.HasSuffix(name, "us"), strings.HasSuffix(name, "Params"), strings.HasSuffix(name, "is"):
		return name
	default:
		return strings.TrimSuffix(name, "s")
	}
}

// splitWords splits an action's name, acronyms in one piece: "SubmitDNAJob"
// is "Submit", "DNA", "Job".
func splitWords(name string) []string {
	var words []string
	start := 0
	for i := 1; i < len(name); i++ {
		upper := unicode.IsUpper(rune(name[i]))
		afterLower := !unicode.IsUpper(rune(name[i-1]))
		beforeLower := i+1 < len(name) && unicode.IsLower(rune(name[i+1]))
		if upper && (afterLower || beforeLower) {
			words = append(words, name[start:i])
			start = i
		}
	}
	return append(words, name[start:])
}
