package main

import (
	"fmt"
	"io"
	"strings"
)

// printStats counts what the documentation of a package has.
func (m *model) printStats(w io.Writer) {
	var fields, meanings, numbers, units, times, formats, states, values int
	count := func(all, with *int, f *field) {
		*all++
		if f.gap() == "" {
			*with++
		}
	}
	for _, f := range m.responseFields() {
		fields++
		if f.field.doc != "" || m.reference.isEvident(f.field) {
			meanings++
		}
		switch kind := f.field.kind(); {
		case timeName.MatchString(f.field.wire) && (kind == "time" || kind == "number"):
			count(&times, &formats, f.field)
		case kind == "number" || kind == "text" && unitName.MatchString(f.field.wire):
			count(&numbers, &units, f.field)
		case kind == "text" && stateName.MatchString(f.field.wire):
			count(&states, &values, f.field)
		}
	}
	var errors, withErrors, english, deprecated, anyParams int
	for _, op := range m.ops {
		ref := m.reference.operation(op.action)
		errors += len(ref.Errors)
		if len(ref.Errors) > 0 {
			withErrors++
		}
		if ref.Page != "" {
			english++
		}
		if ref.Deprecated != "" || op.spec.ReplacedBy != "" {
			deprecated++
		}
		for _, f := range op.request {
			if f.typ == "any" {
				anyParams++
			}
		}
	}
	fmt.Fprintf(w, "%s: %d operations\n", m.pkg, len(m.ops))
	for _, line := range []struct {
		what      string
		have, all int
	}{
		{"fields of responses with a meaning, or evident", meanings, fields},
		{"numbers with a unit or what they count", units, numbers},
		{"times with their format", formats, times},
		{"states and types with their values", values, states},
		{"operations with error codes", withErrors, len(m.ops)},
		{"operations with a link to a page in English", english, len(m.ops)},
	} {
		fmt.Fprintf(w, "  %-45s %5d of %d\n", line.what, line.have, line.all)
	}
	fmt.Fprintf(w, "  %-45s %5d\n  %-45s %5d\n  %-45s %5d\n", "error codes", errors, "deprecated operations", deprecated, "parameters of type any", anyParams)
}

// printMissing lists the fields of responses that lack a meaning, or a part of it,
// in a group or, for "all", in all groups.
func (m *model) printMissing(w io.Writer, group string) {
	for _, f := range m.responseFields() {
		if group != "all" && f.group != group {
			continue
		}
		gap := f.field.gap()
		if gap == "" && (f.field.doc != "" || m.reference.isEvident(f.field)) {
			continue
		}
		enum := ""
		if len(f.field.enum) > 0 {
			enum = " {" + strings.Join(f.field.enum, ", ") + "}"
		}
		if gap != "" {
			gap = "  NEEDS " + gap
		}
		fmt.Fprintf(w, "%s/%s: %s %s%s%s\n", m.pkg, f.group, f.key, f.field.plainType(), enum, gap)
	}
}
