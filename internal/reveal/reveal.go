// Package reveal marks the secrets that are on their way to the service.
//
// alimedia.Secret shows *** to every encoder. A request needs the text in the
// JSON documents of its parameters, which encoding/json writes, possibly
// through MarshalJSON methods of the caller's types. So internal/rpc marshals a
// copy whose secrets carry a mark, a marked secret marshals its text, and the
// mark is cut out of the result.
package reveal

import (
	"bytes"
	"crypto/rand"
	"strings"
)

// mark is different in every process: no text from outside can begin with it.
var (
	mark      = "reveal-" + rand.Text() + "-"
	markBytes = []byte(mark)
)

// Mark returns text with the mark.
func Mark(text string) string { return mark + text }

// Cut returns text without the mark, and whether it had one.
func Cut(text string) (string, bool) { return strings.CutPrefix(text, mark) }

// Clean cuts all marks out of a document. It returns a document without marks as
// it is.
func Clean(document []byte) []byte {
	if !bytes.Contains(document, markBytes) {
		return document
	}
	return bytes.ReplaceAll(document, markBytes, nil)
}
