package cli

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/alimedia/alimedia-go/cmd/alimedia/internal/operation"
	"github.com/alimedia/alimedia-go/cmd/alimedia/internal/screen"
	"github.com/alimedia/alimedia-go/internal/catalogue"
)

// gatewayParams are filled in by the gateway and of no use to a caller.
var gatewayParams = []string{"OwnerAccount", "OwnerId", "ResourceOwnerAccount", "ResourceOwnerId", "SecurityToken"}

// visible are the parameters of an operation that callers set, those that are
// needed first.
func visible(op *catalogue.Operation) []*catalogue.Field {
	var needed, others []*catalogue.Field
	for _, f := range op.Params {
		switch {
		case slices.Contains(gatewayParams, f.Name):
		case f.Needed():
			needed = append(needed, f)
		default:
			others = append(others, f)
		}
	}
	return append(needed, others...)
}

// summary is the first sentence on an operation, without its name.
func summary(op *catalogue.Operation) string {
	text := strings.TrimPrefix(catalogue.Plain(op.Doc), op.Action+" ")
	text, _, _ = strings.Cut(text, "\n")
	if first, _, cut := strings.Cut(text, ". "); cut {
		text = first
	}
	return strings.TrimSuffix(text, ".")
}

// describe is a parameter in one line.
func describe(f *catalogue.Field) string {
	parts := []string{f.Kind()}
	if f.Needed() {
		parts = append(parts, "required")
	}
	text := strings.Join(parts, ", ")
	if f.Doc != "" {
		text += ": " + catalogue.Plain(f.Doc)
	}
	return text
}

// list prints the operations of a product, or the products.
func (c *call) list(args []string) error {
	if len(args) == 0 {
		return usagef("call needs a product and an operation, such as: alimedia call vod GetVideoInfo VideoId=…\nRun 'alimedia call vod' for the operations of ApsaraVideo VOD, 'alimedia call ice' for those of Intelligent Media Services.")
	}
	product, err := operation.Product(args[0])
	if err != nil {
		return asUsage(err)
	}
	t := &screen.Table{Headings: []string{"OPERATION", "WHAT IT DOES"}, Flexible: []int{1}}
	for _, action := range catalogue.Actions(product) {
		op := catalogue.Find(product, action)
		if c.flags.json {
			if err := c.emit(map[string]any{"product": product, "operation": action, "group": op.Group, "description": summary(op), "reference": op.Link, "replacedBy": op.Successor}); err != nil {
				return err
			}
			continue
		}
		text := summary(op)
		if op.Successor != "" {
			text = "deprecated, use " + op.Successor
		}
		t.Row(action, text)
	}
	if c.flags.json {
		return nil
	}
	return c.table(t)
}

// help prints what an operation takes. It is an error if args name none.
func (c *call) help(args []string) error {
	if len(args) == 1 {
		if _, err := operation.Product(args[0]); err == nil {
			return c.list(args)
		}
	}
	op, err := findOperation(args)
	if err != nil {
		return err
	}
	width := c.term.Width()
	if width <= 0 || width > 100 {
		width = 100
	}
	p := &page{w: c.out, width: width}
	p.text("", catalogue.Plain(op.Doc))
	p.line("")
	p.line("Usage:")
	usage := "alimedia call " + op.Service + " " + op.Action
	for _, f := range visible(op) {
		if f.Needed() {
			usage += " " + f.Name + "=…"
		}
	}
	p.text("  ", usage+" [KEY=VALUE...]")
	c.helpNeeds(p, op)
	if params := visible(op); len(params) > 0 {
		p.line("")
		p.line("Parameters:")
		for _, f := range params {
			helpParameter(p, f)
		}
	}
	p.line("")
	p.line("Response: " + strings.Join(topFields(op), ", "))
	p.line("")
	if op.Anonymous {
		p.line("Open to everybody: the request is not signed.")
	} else {
		p.line("RAM action: " + op.Service + ":" + op.Action)
	}
	p.line("Reference:  " + op.Link)
	return p.err
}

func (c *call) helpNeeds(p *page, op *catalogue.Operation) {
	var notes []string
	for group := range strings.FieldsSeq(op.OneOf) {
		notes = append(notes, "Needs "+strings.ReplaceAll(group, "|", " or ")+".")
	}
	if op.Regions != "" {
		notes = append(notes, "Offered only in "+strings.Join(strings.Fields(op.Regions), ", ")+".")
	}
	if op.Successor != "" {
		notes = append(notes, "Deprecated: use "+op.Successor+".")
	}
	if op.Cost != "" {
		notes = append(notes, op.Cost)
	}
	if operation.Paged(op) {
		notes = append(notes, "--all follows its pages.")
	}
	if len(notes) > 0 {
		p.line("")
		p.text("", strings.Join(notes, " "))
	}
}

func helpParameter(p *page, f *catalogue.Field) {
	head := "  " + f.Name + "  " + f.Kind()
	if f.Needed() {
		head += ", required"
	}
	if catalogue.IsSecret(f.Name) {
		head += ", secret: from @FILE or @-"
	}
	p.line(head)
	var about []string
	if f.Doc != "" {
		about = append(about, catalogue.Plain(f.Doc))
	}
	tokens, all := f.Tokens()
	for _, limit := range f.Limits() {
		about = append(about, strings.ToUpper(limit[:1])+limit[1:]+".")
	}
	if !all && len(tokens) > 0 {
		about = append(about, "Such as "+strings.Join(tokens, ", ")+".")
	}
	if len(about) > 0 {
		p.text("      ", strings.Join(about, " "))
	}
	if members := members(f, "", nil); len(members) > 0 {
		p.text("      ", "Members: "+strings.Join(members, ", ")+".")
	}
}

const maxMembers = 60 // of a document that help names

// members are the members of a document and of those in it.
func members(f *catalogue.Field, prefix string, all []string) []string {
	if f.List() && len(f.Fields) > 0 {
		prefix += "N."
	}
	for _, sub := range f.Fields {
		if len(all) == maxMembers {
			return append(all, "…")
		}
		if len(all) > maxMembers {
			return all
		}
		if len(sub.Fields) == 0 {
			text := prefix + sub.Name
			if sub.Type != "string" {
				text += " (" + sub.Kind() + ")"
			}
			all = append(all, text)
			continue
		}
		if strings.Count(prefix, ".") > 5 {
			continue
		}
		all = members(sub, prefix+sub.Name+".", all)
	}
	return all
}

func topFields(op *catalogue.Operation) []string {
	var all []string
	for _, f := range op.Response {
		all = append(all, f.Name)
	}
	if len(all) == 0 {
		all = append(all, "RequestId")
	}
	return all
}

// page writes wrapped text.
type page struct {
	w     io.Writer
	width int
	err   error
}

func (p *page) line(text string) {
	if p.err == nil {
		_, p.err = fmt.Fprintln(p.w, text)
	}
}

// text writes paragraphs of words, each line behind the indentation.
func (p *page) text(indent, text string) {
	for paragraph := range strings.SplitSeq(text, "\n") {
		line := ""
		for word := range strings.FieldsSeq(paragraph) {
			if line != "" && screen.Width(indent)+screen.Width(line)+1+screen.Width(word) > p.width {
				p.line(indent + line)
				line = ""
			}
			if line != "" {
				line += " "
			}
			line += word
		}
		if line != "" || paragraph == "" {
			p.line(strings.TrimRight(indent+line, " "))
		}
	}
}
