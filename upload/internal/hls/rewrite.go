package hls

import (
	"bytes"
	"encoding/json"
	"strings"
)

// Rewrite returns the text with every reference replaced by the URI that
// replace returns for it. Dropped references are removed.
func (p *Playlist) Rewrite(replace func(i int, ref Reference) string) []byte {
	var b bytes.Buffer
	b.Grow(len(p.text))
	at := 0
	for i, ref := range p.References {
		b.Write(p.text[at:ref.start])
		if ref.Role != RoleDropped {
			b.WriteString(p.written(ref, replace(i, ref)))
		}
		at = ref.end
	}
	b.Write(p.text[at:])
	return b.Bytes()
}

// written is a URI as it is written in the place of ref.
func (p *Playlist) written(ref Reference, uri string) string {
	switch {
	case p.json && uri == ref.URI:
		return string(p.text[ref.start:ref.end])
	case p.json:
		var b strings.Builder
		e := json.NewEncoder(&b)
		e.SetEscapeHTML(false)
		_ = e.Encode(uri) // encoding a string does not fail
		return strings.TrimSuffix(b.String(), "\n")
	case ref.unquoted && uri != ref.URI && strings.ContainsAny(uri, ", "):
		return `"` + uri + `"`
	}
	return uri
}
