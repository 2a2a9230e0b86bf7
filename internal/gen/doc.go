package main

import (
	"bytes"
	"cmp"
	"fmt"
	"strings"
)

// comment prints text as a comment, wrapped; an empty line starts a new
// paragraph.
func comment(b *bytes.Buffer, text string) {
	if text == "" {
		return
	}
	for i, paragraph := range strings.Split(text, "\n\n") {
		if i > 0 {
			b.WriteString("//\n")
		}
		for line := range strings.SplitSeq(paragraph, "\n") {
			if item, ok := strings.CutPrefix(line, "  - "); ok {
				wrapItem(b, item)
				continue
			}
			wrap(b, line)
		}
	}
}

func wrap(b *bytes.Buffer, text string) { wrapAfter(b, "//", "//", text) }

// wrapItem prints an item of a list.
func wrapItem(b *bytes.Buffer, text string) { wrapAfter(b, "//   -", "//    ", text) }

func wrapAfter(b *bytes.Buffer, first, next, text string) {
	n := 0
	for word := range strings.FieldsSeq(text) {
		switch {
		case n == 0:
			b.WriteString(first)
			n = len(first)
		case n+1+len(word) > width:
			b.WriteString("\n" + next)
			n = len(next)
		}
		b.WriteString(" ")
		b.WriteString(word)
		n += 1 + len(word)
	}
	b.WriteString("\n")
}

// operationDoc is what the operation does, what it needs, and where to read
// more.
func (m *model) operationDoc(op *operation) string {
	lines := []string{op.overlay.Doc}
	var needs []string
	for _, group := range strings.Fields(op.overlay.OneOf) {
		needs = append(needs, "Needs "+strings.ReplaceAll(group, "|", " or ")+".")
	}
	if regions := strings.Fields(op.overlay.Regions); len(regions) > 0 {
		needs = append(needs, "Offered only in "+enumerate(regions, "and")+".")
	}
	if len(needs) > 0 {
		lines = append(lines, strings.Join(needs, " "))
	}
	var more []string
	if op.overlay.Page != nil {
		more = append(more, fmt.Sprintf("[Client.%sIter] walks all pages.", op.action))
	}
	if waits := m.waitsFor(op.action); len(waits) > 0 {
		more = append(more, enumerate(waits, "and")+" "+plural(len(waits), "waits", "wait")+" for the end.")
	}
	if len(more) > 0 {
		lines = append(lines, strings.Join(more, " "))
	}
	ref := m.reference.operation(op.action)
	if ref.Cost != "" {
		lines = append(lines, ref.Cost)
	}
	if ref.Rate > 0 {
		lines = append(lines, fmt.Sprintf("At most %d calls per second for an account, see [DocumentedRates].", ref.Rate))
	}
	if len(ref.Errors) > 0 {
		lines = append(lines, errorList(ref.Errors))
	}
	access := fmt.Sprintf("RAM action: %s:%s.", m.pkg, op.action)
	if op.anonymous() {
		access = "Open to everybody: the request is not signed."
	}
	page := cmp.Or(ref.Page, m.overlay.Reference+strings.ToLower(op.action))
	lines = append(lines, access, "Reference: "+page)
	switch {
	case ref.Deprecated != "":
		lines = append(lines, "Deprecated: "+ref.Deprecated)
	case op.spec.ReplacedBy != "":
		lines = append(lines, fmt.Sprintf("Deprecated: use [Client.%s].", op.spec.ReplacedBy))
	}
	return strings.Join(lines, "\n\n")
}

// errorList is a list in Go's form of doc comments.
func errorList(errors map[string]string) string {
	var b strings.Builder
	b.WriteString("Errors:\n")
	for _, code := range sortedKeys(errors) {
		fmt.Fprintf(&b, "\n  - %s: %s", code, errors[code])
	}
	return b.String()
}

// waitsFor are links to the functions that ask the operation for a job.
func (m *model) waitsFor(action string) []string {
	var links []string
	for _, name := range sortedKeys(m.overlay.Waits) {
		if m.overlay.Waits[name].Ask == action {
			links = append(links, "[Client.Wait"+name+"]")
		}
	}
	return links
}

func plural(n int, one, many string) string {
	if n == 1 {
		return one
	}
	return many
}

// comment of a type: its sentence, or where it is met.
func (def *typeDef) comment() string {
	if def.doc != "" {
		return def.doc
	}
	if len(def.ops) == 1 {
		parent, name, _ := strings.Cut(def.parent, ".")
		if def.listed {
			return fmt.Sprintf("%s is one of the %s of [%s].", def.name, name, parent)
		}
		return fmt.Sprintf("%s is the %s of [%s].", def.name, name, parent)
	}
	sides := "responses"
	switch {
	case def.inRequest && def.inResponse:
		sides = "requests and responses"
	case def.inRequest:
		sides = "requests"
	}
	names := make([]string, 0, 3)
	for _, action := range sortedKeys(def.ops) {
		names = append(names, "[Client."+action+"]")
	}
	if n := len(names) - 2; n > 1 {
		names = append(names[:2], fmt.Sprintf("%d more operations", n))
	}
	return fmt.Sprintf("%s is used in %s of %s.", def.name, sides, enumerate(names, "and"))
}

// comment of a field: its sentence and what its rules say. Fields of
// responses have none unless the overlay gives one.
func (f *field) comment(inRequest bool) string {
	var parts []string
	if f.doc != "" {
		parts = append(parts, f.doc)
	}
	if inRequest {
		if f.alwaysSent() {
			parts = append(parts, "Sent even when it is zero.")
		}
		for rule := range strings.SplitSeq(f.rules(), ",") {
			if s := ruleSentence(rule); s != "" {
				parts = append(parts, s)
			}
		}
		if f.doc == "" && len(f.enum) > 0 && !strings.Contains(f.check, "in=") && !strings.Contains(f.check, "fold=") {
			parts = append(parts, "Such as "+enumerate(f.enum, "or")+".")
		}
	}
	text := strings.Join(parts, " ")
	if f.deprecated && inRequest {
		text = strings.TrimPrefix(text+"\n\nDeprecated: the service has a successor of this field.", "\n\n")
	}
	return text
}

// ruleSentence tells a pre-flight rule.
func ruleSentence(rule string) string {
	name, value, _ := strings.Cut(rule, "=")
	switch name {
	case "required":
		return "Required."
	case "bytes":
		return "At most " + value + " bytes."
	case "runes":
		return "At most " + value + " characters."
	case "items":
		return "At most " + value + " items."
	case "tags":
		count, size, _ := strings.Cut(value, "x")
		unit := "bytes"
		if strings.HasSuffix(size, "R") {
			unit = "characters"
		}
		return fmt.Sprintf("At most %s, separated by commas, of %s %s each.", count, strings.TrimRight(size, "BR"), unit)
	case "pattern":
		return patternSentences[value]
	case "in":
		return "One of " + enumerate(strings.Split(value, "|"), "or") + "."
	case "fold":
		return "One of " + enumerate(strings.Split(value, "|"), "or") + ", in any case."
	case "min":
		return "At least " + value + "."
	case "max":
		return "At most " + value + "."
	case "ext":
		return "With a file extension."
	case "url":
		return urlSentences[value]
	default:
		return ""
	}
}

var patternSentences = map[string]string{
	"referenceId": "6 to 64 letters, digits, hyphens and underscores.",
	"sessionId":   "At most 50 letters, digits, hyphens and underscores.",
	"clientToken": "32 letters and digits; filled in when empty.",
}

var urlSentences = map[string]string{
	"oss":   "The URL of an OSS object: https://bucket.oss-region.aliyuncs.com/key or oss://bucket/key.",
	"media": "The URL of an OSS object, https://bucket.oss-region.aliyuncs.com/key or oss://bucket/key, or vod://id.",
	"http":  "An http or https URL.",
}

func enumerate(words []string, last string) string {
	if len(words) == 1 {
		return words[0]
	}
	n := len(words) - 1
	return strings.Join(words[:n], ", ") + " " + last + " " + words[n]
}
