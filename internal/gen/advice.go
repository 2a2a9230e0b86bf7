package main

import (
	"bytes"
	"fmt"
	"go/format"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// adviceOf lists the error codes of the operations of a package, sorted as
// internal/advice looks them up.
func (m *model) adviceOf() []byte {
	var b bytes.Buffer
	for _, op := range m.ops { // sorted by action
		errors := m.reference.operation(op.action).Errors
		codes := sortedKeys(errors)
		slices.SortFunc(codes, func(x, y string) int { return strings.Compare(strings.ToLower(x), strings.ToLower(y)) })
		for _, code := range codes {
			fmt.Fprintf(&b, "{%q, %q, %q, %q},\n", m.pkg, op.action, strings.ToLower(code), errors[code])
		}
	}
	return b.Bytes()
}

// writeAdvice writes the table of internal/advice, or compares it.
func writeAdvice(root string, check bool, tables ...[]byte) error {
	src, err := format.Source(slices.Concat([]byte(header+"package advice\n\nvar operations = [...]entry{\n"), bytes.Join(tables, nil), []byte("}\n")))
	if err != nil {
		return err
	}
	path := filepath.Join(root, "internal", "advice", "zz_operations.go")
	if check {
		if have, err := os.ReadFile(path); err != nil || !bytes.Equal(have, src) {
			return fmt.Errorf("%s is out of date", path)
		}
		return nil
	}
	return os.WriteFile(path, src, 0o644)
}
