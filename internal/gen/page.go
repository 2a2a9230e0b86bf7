package main

import (
	"fmt"
	"slices"
	"strings"
)

// page is how an operation pages, in Go: names of fields of the request, and
// expressions over the response "out".
type page struct {
	item  string // type of what is yielded
	items string

	token, next string // pages by token

	page, size string // pages by number
	fill       string // statement that fills the size in
	number     string // type of both
	first      int
	total      string
}

// page resolves the paths of the overlay.
func (m *model) page(op *operation, o *pageOverlay) *page {
	items, list := m.find(op.response, "out", o.Items)
	if list == nil || !strings.HasPrefix(list.typ, "[]") {
		m.fail("%s: page: %q is no list of the response", op.action, o.Items)
		return nil
	}
	p := &page{items: items, item: strings.TrimPrefix(list.typ, "[]")}
	if o.Token != "" {
		m.pageByToken(op, o, p)
	} else {
		m.pageByNumber(op, o, p)
	}
	return p
}

func (m *model) pageByToken(op *operation, o *pageOverlay, p *page) {
	next, f := m.find(op.response, "out", o.Next)
	if f == nil || f.typ != "string" {
		m.fail("%s: page: %q is no string of the response", op.action, o.Next)
	}
	p.token, p.next = byWire(op.request, o.Token).name, next
}

func (m *model) pageByNumber(op *operation, o *pageOverlay, p *page) {
	number := byWire(op.request, o.Page)
	p.page, p.number, p.first, p.total = number.name, number.typ, o.First, "-1"
	if p.number != "int32" && p.number != "int64" {
		m.fail("%s: page: %s is no number", op.action, o.Page)
	}
	p.size = "nil"
	if o.Size != "" {
		size := byWire(op.request, o.Size)
		if size.typ != p.number {
			m.fail("%s: page: %s and %s are not of one type", op.action, o.Page, o.Size)
		}
		p.size = "&in." + size.name
		if o.Fill != 0 {
			p.fill = fmt.Sprintf("in.%[1]s = cmp.Or(in.%[1]s, %[2]d)\n", size.name, o.Fill)
		}
	}
	if o.Total == "" {
		return
	}
	total, f := m.find(op.response, "out", o.Total)
	switch {
	case f != nil && f.typ == "int64":
		p.total = total
	case f != nil && f.typ == "int32":
		p.total = "int64(" + total + ")"
	default:
		m.fail("%s: page: %q is no number of the response", op.action, o.Total)
	}
}

// find follows a dotted path of wire names into the fields of expr.
func (m *model) find(fields []*field, expr, path string) (string, *field) {
	var f *field
	for name := range strings.SplitSeq(path, ".") {
		if f = byWire(fields, name); f == nil {
			return "", nil
		}
		expr += "." + f.name
		switch def := m.types[f.typ]; {
		case f.inline != nil:
			fields = []*field{f.inline}
		case def != nil:
			fields = def.fields
		default:
			fields = nil
		}
	}
	return expr, f
}

func byWire(fields []*field, wire string) *field {
	if i := slices.IndexFunc(fields, func(f *field) bool { return f.wire == wire }); i >= 0 {
		return fields[i]
	}
	return nil
}
