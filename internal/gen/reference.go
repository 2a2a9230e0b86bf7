package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// reference is what the API reference says beyond the overlay: the meaning of
// what comes back, error codes, billing. One file for each group of operations,
// and meanings.json for fields that mean the same everywhere. api/README.md
// describes the format.
type reference struct {
	// operations holds notes by action.
	operations map[string]*operationReference

	// fields holds the meaning of single fields, by "Type.Field" or
	// "ActionResponse.Field". The fields of a wrapper object, which has no type
	// of its own, have one name more.
	fields map[string]string

	// meanings holds those of all fields with a name, by "Name" or by
	// "Name:kind", where kind is number, text, time, list, bool or object. An
	// empty meaning says that the name tells it all.
	meanings map[string]string

	groups map[string]string // of each action
	used   map[string]bool   // keys of fields that were met
}

// operationReference is what a page of the reference says of an operation.
type operationReference struct {
	Errors     map[string]string `json:"errors"`     // code -> what it means and what to do
	Cost       string            `json:"cost"`       // what the call costs
	Rate       int               `json:"rate"`       // calls per second that the service documents for an account
	Deprecated string            `json:"deprecated"` // "Use [Client.X]."
	Page       string            `json:"page"`       // its page in English, known to exist
}

// referenceFile is the form of the file of a group.
type referenceFile struct {
	Operations map[string]*operationReference `json:"operations"`
	Fields     map[string]string              `json:"fields"`
}

// readReference reads dir, which has a file for each group, and the meanings in
// dir's parent.
func readReference(dir string, o *overlay) (*reference, error) {
	r := &reference{
		operations: make(map[string]*operationReference),
		fields:     make(map[string]string),
		groups:     make(map[string]string),
		used:       make(map[string]bool),
	}
	for group, actions := range o.Groups {
		for _, action := range actions {
			r.groups[action] = group
		}
	}
	if err := readStrict(filepath.Join(filepath.Dir(dir), "meanings.json"), &r.meanings); err != nil {
		return nil, err
	}
	paths, err := filepath.Glob(filepath.Join(dir, "*.json"))
	if err != nil {
		return nil, err
	}
	var errs []error
	for _, path := range paths {
		group := strings.TrimSuffix(filepath.Base(path), ".json")
		if o.Groups[group] == nil {
			errs = append(errs, fmt.Errorf("%s: there is no group %s", path, group))
			continue
		}
		var file referenceFile
		if err := readStrict(path, &file); err != nil {
			errs = append(errs, err)
			continue
		}
		for _, action := range sortedKeys(file.Operations) {
			if r.groups[action] != group {
				errs = append(errs, fmt.Errorf("%s: the operation %s is not in the group", path, action))
			}
			r.operations[action] = file.Operations[action]
		}
		for _, key := range sortedKeys(file.Fields) {
			if r.fields[key] != "" {
				errs = append(errs, fmt.Errorf("%s: %s has a meaning in another file too", path, key))
			}
			r.fields[key] = file.Fields[key]
		}
	}
	return r, errors.Join(errs...)
}

func readStrict(path string, into any) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	if err := dec.Decode(into); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}

// operation never returns nil.
func (r *reference) operation(action string) *operationReference {
	if op := r.operations[action]; op != nil {
		return op
	}
	return new(operationReference)
}

// meaning is what a field of the type parent means, empty where nobody says.
func (r *reference) meaning(parent string, f *field) string {
	key := parent + "." + f.wire
	if text := r.fields[key]; text != "" {
		r.used[key] = true
		return text
	}
	if text, found := r.meanings[f.wire+":"+f.kind()]; found {
		return text
	}
	return r.meanings[f.wire]
}

var timeName = regexp.MustCompile(`(Time|Date|Timestamp|TimeStamp|GmtCreate|GmtModified|CreatedAt|UpdatedAt|UtcTime|UTC)$|^(Gmt)`)

// kind groups the types of fields by what has to be said about them.
func (f *field) kind() string {
	typ := f.typ
	switch {
	case f.inline != nil:
		return "object"
	case strings.HasPrefix(typ, "[]") || strings.HasPrefix(typ, "map["):
		return "list"
	case typ == "bool":
		return "bool"
	case strings.HasPrefix(typ, "int") || strings.HasPrefix(typ, "float"):
		return "number"
	case typ == "string" && timeName.MatchString(f.wire):
		return "time"
	case typ == "string":
		return "text"
	}
	return "object"
}

// What the meaning of a field must tell. Words stand for themselves or their
// plural.
var (
	tellsUnit = regexp.MustCompile(`(?i)\b(microseconds?|milliseconds?|seconds?|minutes?|hours?|days?|bytes?|[kmgt]i?b|[kmg]?bits?|[kmg]?bit/s|[kmg]?bps|pixels?|percent|percentage|frames?|k?hz|db|lufs|decibels?|degrees?|numbers?|counts?|how many|ids?|index|version|scores?|probability|confidence|ratio|factor|share|from -?[0-9.]+ to|between -?[0-9.]+ and|code|port|order|priority|position|tokens?|characters?|words?|price|cny|level|status|one of|such as|zero|always|[0-9]+:)\b`)
	tellsForm = regexp.MustCompile(`(?i)\b(utc|iso 8601|yyyy|unix|seconds|milliseconds|hh:mm|of day|timecode|no time zone)\b`)
	tellsSet  = regexp.MustCompile(`(?i)\b(one of|such as|always|either|true|free text|you chose|as in the request|as set|mime|content type|file extension|codec|0|1|2|empty)\b|: |"|\([A-Z]`)
	stateName = regexp.MustCompile(`(Status|State|Type)$`)
	unitName  = regexp.MustCompile(`^(Duration|Bitrate|BitRate|Size|FileSize|Width|Height|Fps|FPS|Rotate|Bandwidth|SampleRate|Samplerate|Timeout|TTL|StartTime|EndTime|Traf.*|Bps)$`)
)

// gap says what the meaning of a field lacks, empty for nothing.
func (f *field) gap() string {
	switch kind := f.kind(); {
	case kind == "number" && timeName.MatchString(f.wire) && !tellsForm.MatchString(f.doc):
		return "the format of a time"
	case kind == "number" && !tellsUnit.MatchString(f.doc):
		return "a unit, or what the number counts"
	case kind == "time" && !tellsForm.MatchString(f.doc):
		return "the format of a time"
	case kind == "text" && unitName.MatchString(f.wire) && !tellsUnit.MatchString(f.doc) && !tellsForm.MatchString(f.doc):
		return "a unit"
	case kind == "text" && stateName.MatchString(f.wire) && !tellsSet.MatchString(f.doc):
		return "the values"
	}
	return ""
}

// maxMeaning is the length of the longest meaning in bytes. More belongs into
// the documentation of the operation.
const maxMeaning = 300

var sentence = regexp.MustCompile(`^[A-Z0-9"][^\n]*\.$`)

// styleOf says what is wrong with the form of a meaning, empty for nothing. An
// empty meaning is one that the name tells.
func styleOf(text string) string {
	switch {
	case text == "":
		return ""
	case !sentence.MatchString(text):
		return "is no sentence: it begins with a capital letter, a digit or a quoted value, and ends with a period"
	case len(text) > maxMeaning:
		return fmt.Sprintf("is longer than %d bytes", maxMeaning)
	}
	return ""
}

// isEvident reports whether the name of a field tells it all.
func (r *reference) isEvident(f *field) bool {
	text, found := r.meanings[f.wire+":"+f.kind()]
	if !found {
		text, found = r.meanings[f.wire]
	}
	return found && text == ""
}

// responseField is a field of a response and where it is.
type responseField struct {
	key   string // as in reference.fields
	group string // whose file has its meaning
	field *field
}

// responseFields lists the fields of all responses and of the types in them.
func (m *model) responseFields() []responseField {
	var all []responseField
	var add func(group, parent string, fields []*field)
	add = func(group, parent string, fields []*field) {
		for _, f := range fields {
			key := parent + "." + f.wire
			all = append(all, responseField{key, group, f})
			if f.inline != nil && f.inline.gap() != "" {
				add(group, key, []*field{f.inline})
			}
		}
	}
	for _, op := range m.ops {
		add(op.group, op.action+"Response", op.response)
	}
	for _, name := range sortedKeys(m.types) {
		def := m.types[name]
		if !def.inResponse {
			continue
		}
		add(m.reference.groups[sortedKeys(def.ops)[0]], def.base, def.fields)
	}
	return all
}

// checkReference looks for names that do not exist and, in complete groups, for
// fields whose meaning lacks what it must tell.
func (m *model) checkReference() {
	for _, key := range sortedKeys(m.reference.fields) {
		if !m.reference.used[key] {
			m.fail("reference: there is no field %s without a meaning in the overlay", key)
		}
	}
	for _, texts := range []map[string]string{m.reference.fields, m.reference.meanings} {
		for _, key := range sortedKeys(texts) {
			if fault := styleOf(texts[key]); fault != "" {
				m.fail("reference: the meaning of %s %s", key, fault)
			}
		}
	}
	documented := func(parent string, fields []*field) {
		for _, f := range fields {
			if f.doc != "" && !sentence.MatchString(f.doc) {
				m.fail("the doc of %s.%s is no sentence", parent, f.wire)
			}
		}
	}
	for _, op := range m.ops {
		documented(op.action+"Request", op.request)
		documented(op.action+"Response", op.response)
	}
	for _, name := range sortedKeys(m.types) {
		documented(name, m.types[name].fields)
	}
	for _, f := range m.responseFields() {
		if !slices.Contains(m.overlay.Explained, f.group) {
			continue
		}
		if gap := f.field.gap(); gap != "" {
			m.fail("reference/%s: the meaning of %s (%s) lacks %s", f.group, f.key, f.field.plainType(), gap)
		}
	}
}
