package main

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
)

// waiter is a function that waits for the end of a job, in Go.
type waiter struct {
	name   string
	w      *waitOverlay
	ask    *operation
	params []string // parameters of the function, the id last
	fields []string // what the request is filled with: "JobId: jobId"

	list, itemID        string // where the job stands in a list
	response            string // type of what is returned
	status, code, words string // expressions over the response
}

// addWaits resolves the paths of the overlay.
func (m *model) addWaits() {
	for _, name := range sortedKeys(m.overlay.Waits) {
		w := m.overlay.Waits[name]
		i := slices.IndexFunc(m.ops, func(op *operation) bool { return op.action == w.Ask })
		if i < 0 {
			m.fail("waits.%s: unknown operation %s", name, w.Ask)
			continue
		}
		if waiter, err := m.waiter(name, w, m.ops[i]); err != nil {
			m.fail("waits.%s: %w", name, err)
		} else {
			m.waits = append(m.waits, waiter)
		}
	}
}

func (m *model) waiter(name string, w *waitOverlay, ask *operation) (*waiter, error) {
	out := &waiter{name: name, w: w, ask: ask, response: ask.action + "Response"}
	if w.Good == "" || w.Bad == "" || w.Source == "" {
		return nil, fmt.Errorf("needs good, bad and source")
	}
	for _, wire := range append(strings.Fields(w.More), w.ID) {
		f := byWire(ask.request, wire)
		if f == nil {
			return nil, fmt.Errorf("no parameter %q", wire)
		}
		param, value := lowerFirst(f.name), lowerFirst(f.name)
		switch {
		case f.typ == "[]string":
			param = strings.TrimSuffix(param, "s")
			value = "[]string{" + param + "}"
		case f.typ != "string":
			return nil, fmt.Errorf("%s is no string", wire)
		}
		out.params = append(out.params, param)
		out.fields = append(out.fields, f.name+": "+value)
	}
	for _, wire := range sortedKeys(w.With) {
		f := byWire(ask.request, wire)
		if f == nil || f.typ != "string" {
			return nil, fmt.Errorf("no parameter %q", wire)
		}
		out.fields = append(out.fields, fmt.Sprintf("%s: %q", f.name, w.With[wire]))
	}

	fields := ask.response
	if w.List != "" {
		expr, f := m.find(fields, "out", w.List)
		if f == nil || m.types[strings.TrimPrefix(f.typ, "[]")] == nil || !strings.HasPrefix(f.typ, "[]") {
			return nil, fmt.Errorf("%q is no list of objects", w.List)
		}
		out.list, out.response = expr, strings.TrimPrefix(f.typ, "[]")
		fields = m.types[out.response].fields
		if out.itemID = m.text(fields, w.ItemID); out.itemID == "" {
			return nil, fmt.Errorf("%q is no string", w.ItemID)
		}
	}
	for _, path := range []struct {
		wire string
		expr *string
	}{{w.Status, &out.status}, {w.Code, &out.code}, {w.Message, &out.words}} {
		*path.expr = m.text(fields, path.wire)
		if *path.expr == "" && (path.wire != "" || path.expr == &out.status) {
			return nil, fmt.Errorf("%q is no string", path.wire)
		}
	}
	return out, nil
}

// text is the expression of a string of the response, empty for any other thing.
func (m *model) text(fields []*field, path string) string {
	expr, f := m.find(fields, "job", path)
	if f == nil || f.typ != "string" {
		return ""
	}
	return expr
}

// printWaits prints all waiters.
func (m *model) printWaits() []byte {
	var b bytes.Buffer
	for _, w := range m.waits {
		b.WriteString("\n")
		comment(&b, w.comment())
		fmt.Fprintf(&b, "func (c *Client) Wait%s(ctx context.Context, %s string) (*%s, error) {\n", w.name, strings.Join(w.params, ", "), w.response)
		function := "Wait"
		if w.list != "" {
			function = "WaitListed"
		}
		fmt.Fprintf(&b, "return rpc.%s(ctx, %s, rpc.Ends{Good: %q, Bad: %q},\n", function, w.params[len(w.params)-1], w.w.Good, w.w.Bad)
		fmt.Fprintf(&b, "func(ctx context.Context) (*%[1]sResponse, error) {\nreturn c.%[1]s(ctx, %[1]sRequest{%[2]s})\n},\n", w.ask.action, strings.Join(w.fields, ", "))
		if w.list != "" {
			fmt.Fprintf(&b, "func(out *%sResponse) *%s {\nreturn rpc.Find(%s, %s, func(job *%s) string { return %s })\n},\n",
				w.ask.action, w.response, w.list, w.params[len(w.params)-1], w.response, w.itemID)
		}
		fmt.Fprintf(&b, "func(job *%s) rpc.State { return rpc.State{%s} })\n}\n", w.response, w.state())
	}
	return b.Bytes()
}

// state is the literal of what the response says.
func (w *waiter) state() string {
	parts := []string{"Status: " + w.status}
	if w.code != "" {
		parts = append(parts, "Code: "+w.code)
	}
	if w.words != "" {
		parts = append(parts, "Message: "+w.words)
	}
	return strings.Join(parts, ", ")
}

func (w *waiter) comment() string {
	text := fmt.Sprintf("Wait%s asks [Client.%s] until it reports %s, the good end, or %s, which is an [alimedia.JobError]. The last response is returned in any case, also when ctx ends.",
		w.name, w.ask.action, enumerate(strings.Fields(w.w.Good), "or"), enumerate(strings.Fields(w.w.Bad), "or"))
	if w.w.Doc != "" {
		text += "\n\n" + w.w.Doc
	}
	return text
}

// lowerFirst makes the name of a parameter of that of a field: JobId is jobId,
// URL is url.
func lowerFirst(name string) string {
	words := splitWords(name)
	words[0] = strings.ToLower(words[0])
	return strings.Join(words, "")
}
