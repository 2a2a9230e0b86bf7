package main

import (
	"regexp"
	"slices"
	"strings"
)

// createVerb begins the name of an operation that makes something and responses
// with its id.
var createVerb = regexp.MustCompile(`^(BatchCreate|Create|Register|Submit|Add|Upload|Refresh|Copy|Clone|Generate|Start|Insert|Produce|Preload|Import)[A-Z]`)

// idName is the name of a field that says what was made.
var idName = regexp.MustCompile(`(Id|Ids|ID|IDs)$`)

// uploadFields prove a response that has no id of its own. Beside an id they are
// no part of the proof: a response without them has made something all the same,
// and its id must not be lost.
var uploadFields = []string{"UploadAddress", "UploadAuth"}

const none = "none: "

// proofOf says what a successful response of an operation always has: what the
// overlay states, else what the names of the response's fields tell of an
// operation that makes something. Where they tell it in more than one way, the
// overlay must decide.
func (m *model) proofOf(op *operation) string {
	stated := op.overlay.Proof
	if why, ok := strings.CutPrefix(stated, none); ok {
		if why == "" {
			m.fail("operations.%s: proof: none without a reason", op.action)
		}
		return ""
	}
	if stated != "" {
		return m.statedProof(op, stated)
	}
	if op.class == "Read" || !createVerb.MatchString(op.action) {
		return ""
	}
	var groups []string
	ids := idsOf(op.response)
	var things []string // objects and lists that were made
	for _, f := range op.response {
		if slices.Contains(uploadFields, f.name) {
			groups = append(groups, f.name)
		}
		if def := m.types[strings.TrimPrefix(f.typ, "[]")]; def != nil {
			things = append(things, f.name)
			for _, id := range idsOf(def.fields) {
				if len(idsOf(op.response)) == 0 {
					ids = append(ids, f.name+"."+id)
				}
			}
		} else if f.inline != nil {
			things = append(things, f.name)
			if idName.MatchString(f.inline.name) && len(idsOf(op.response)) == 0 {
				ids = append(ids, f.name+"."+f.inline.name)
			}
		}
	}
	switch {
	case len(ids) == 1:
		groups = ids
	case len(ids) > 1 || len(things) > 1 && len(ids) == 0:
		m.fail("operations.%s: proof: which of %s has every successful response?", op.action, strings.Join(append(ids, things...), ", "))
	case len(things) == 1:
		groups = append(things, groups...)
	}
	return strings.Join(groups, " ")
}

// idsOf are the names of the fields that are ids of something made.
func idsOf(fields []*field) []string {
	var ids []string
	for _, f := range fields {
		if f.name != "RequestId" && f.inline == nil && idName.MatchString(f.name) && isScalar(strings.TrimPrefix(f.typ, "[]")) {
			ids = append(ids, f.name)
		}
	}
	return ids
}

func isScalar(typ string) bool { return typ == "string" || strings.HasPrefix(typ, "int") }

// statedProof checks the paths of the overlay, which are wire names, and turns
// them into Go names.
func (m *model) statedProof(op *operation, stated string) string {
	var groups []string
	for group := range strings.FieldsSeq(stated) {
		var paths []string
		for path := range strings.SplitSeq(group, "|") {
			expr, f := m.findInLists(op.response, path)
			if f == nil || f.typ == "bool" {
				m.fail("operations.%s: proof: %q is no field that can be empty", op.action, path)
			}
			paths = append(paths, expr)
		}
		groups = append(groups, strings.Join(paths, "|"))
	}
	return strings.Join(groups, " ")
}

// findInLists follows a path of wire names through objects and lists.
func (m *model) findInLists(fields []*field, path string) (string, *field) {
	var names []string
	var f *field
	for wire := range strings.SplitSeq(path, ".") {
		if f = byWire(fields, wire); f == nil {
			return "", nil
		}
		names = append(names, f.name)
		fields = nil
		if f.inline != nil {
			fields = []*field{f.inline}
		} else if def := m.types[strings.TrimPrefix(f.typ, "[]")]; def != nil {
			fields = def.fields
		}
	}
	return strings.Join(names, "."), f
}

// verdictFields say in a response of status 200 whether the operation succeeded.
var verdictFields = map[string]string{
	"Success": "false", "Result": "false", "RetCode": "not 0", "Retcode": "not 0", "StatusCode": "an HTTP status of an error", "HttpStatusCode": "an HTTP status of an error",
}

// verdicts are the fields of a response that may be its verdict.
func (op *operation) verdicts() []string {
	var found []string
	for _, f := range op.response {
		if verdictFields[f.wire] != "" && (f.wire != "Result" || f.typ == "bool") && isVerdictType(f.typ) {
			found = append(found, f.wire)
		}
	}
	return found
}

func isVerdictType(typ string) bool { return typ == "bool" || isScalar(typ) }

func (op *operation) hasVerdict() bool {
	return op.overlay.Verdict != "" && !strings.HasPrefix(op.overlay.Verdict, none)
}

// checkVerdict holds the overlay to the response: a field that may be a verdict is
// one, or the overlay says why not.
func (m *model) checkVerdict(op *operation) {
	found, stated := op.verdicts(), op.overlay.Verdict
	switch {
	case stated == "" && len(found) > 0:
		m.fail("operations.%s: verdict: does %s say whether it succeeded?", op.action, strings.Join(found, " or "))
	case stated == none:
		m.fail("operations.%s: verdict: none without a reason", op.action)
	case op.hasVerdict() && !slices.Contains(found, stated):
		m.fail("operations.%s: verdict: %q is no such field", op.action, stated)
	}
}
