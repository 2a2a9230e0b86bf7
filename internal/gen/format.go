package main

import (
	"bytes"
	"fmt"
	"regexp"
)

var usedName = regexp.MustCompile(`[A-Za-z_][A-Za-z0-9_.]*`)

// holders are the types that hold a secret, themselves or in a type of their
// fields, sorted.
func (m *model) holders() []string {
	fields := make(map[string][]string) // types of the fields, by type
	for name, types := range m.secrets.byHand {
		fields[name] = types
	}
	add := func(name string, list []*field) {
		for _, f := range list {
			for f.inline != nil {
				f = f.inline
			}
			fields[name] = append(fields[name], f.typ)
		}
	}
	for _, op := range m.ops {
		add(op.action+"Request", op.request)
		add(op.action+"Response", op.response)
	}
	for name, def := range m.types {
		add(name, def.fields)
	}
	holds := map[string]bool{"alimedia.Secret": true}
	for before := 0; before < len(holds); {
		before = len(holds)
		for name, types := range fields {
			for _, typ := range types {
				for _, used := range usedName.FindAllString(typ, -1) {
					if holds[used] {
						holds[name] = true
					}
				}
			}
		}
	}
	delete(holds, "alimedia.Secret")
	return sortedKeys(holds)
}

// formatMethods prints a Format method for each type. Without one, package fmt
// shows the secrets behind a pointer that is printed with a verb for text: it
// complains of the verb and calls no methods while it does so.
func formatMethods(types []string) []byte {
	var b bytes.Buffer
	for _, name := range types {
		fmt.Fprintf(&b, `
// Format hides secrets from every verb.
func (v %[1]s) Format(f fmt.State, verb rune) {
	type plain %[1]s
	fmt.Fprintf(f, fmt.FormatString(f, verb), plain(v))
}
`, name)
	}
	return b.Bytes()
}
