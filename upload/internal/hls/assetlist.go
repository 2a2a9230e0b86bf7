package hls

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// maxJSONDepth is how deep the values of an asset list are nested at most.
const maxJSONDepth = 64

// ParseAssetList parses the JSON document of X-ASSET-LIST. Any error is an
// [*Error] without Playlist.
func ParseAssetList(text []byte) (*Playlist, error) {
	if len(text) > maxAssetListSize {
		return nil, &Error{Err: fmt.Errorf("the asset list is longer than %d bytes", maxAssetListSize)}
	}
	if err := checkAssetList(text); err != nil {
		return nil, &Error{Line: 1, Err: err}
	}
	d := json.NewDecoder(bytes.NewReader(text))
	p := assetListParser{text: text, line: 1, stack: []jsonValue{{}}}
	for {
		token, err := d.Token()
		if err == io.EOF {
			return &Playlist{text: text, json: true, References: p.found.References}, nil
		}
		if err != nil {
			err = errors.New("the asset list is not JSON")
		} else {
			err = p.token(token, int(d.InputOffset()))
		}
		if err != nil {
			at := min(d.InputOffset(), int64(len(text)))
			return nil, &Error{Line: 1 + bytes.Count(text[:at], []byte("\n")), Err: err}
		}
	}
}

// checkAssetList checks what RFC 8216bis requires of an asset list.
func checkAssetList(text []byte) error {
	var list struct {
		ASSETS []struct{ URI string }
	}
	if !utf8.Valid(text) || json.Unmarshal(text, &list) != nil || list.ASSETS == nil {
		return errors.New("the file is not an asset list: it is not a JSON object with ASSETS")
	}
	for _, asset := range list.ASSETS {
		if asset.URI == "" {
			return errors.New("the file is not an asset list: an asset has no URI")
		}
	}
	return nil
}

// assetListParser finds the strings of a JSON document that are URIs.
type assetListParser struct {
	text    []byte
	found   parser
	stack   []jsonValue // that contain each other, the innermost last
	line    int         // at offset counted
	counted int
}

// jsonValue is an object or an array whose end is still to come.
type jsonValue struct {
	object  bool
	inValue bool   // the key has been read
	key     string // of the object, or of the array
}

// token takes the JSON token that ends at offset end.
func (p *assetListParser) token(token json.Token, end int) error {
	top := &p.stack[len(p.stack)-1]
	switch t := token.(type) {
	case json.Delim:
		if t != '{' && t != '[' {
			p.stack = p.stack[:len(p.stack)-1]
			return nil
		}
		top.inValue = false
		if len(p.stack) > maxJSONDepth {
			return errors.New("the asset list is nested too deep")
		}
		// An element of an array counts under the key of the array.
		p.stack = append(p.stack, jsonValue{object: t == '{', key: top.key})
	case string:
		if top.object && !top.inValue {
			top.key, top.inValue = t, true
			return nil
		}
		top.inValue = false
		if holdsURI(top.key, t) {
			return p.add(top.key, t, end)
		}
	default:
		top.inValue = false
	}
	return nil
}

// add takes a URI that ends at offset end.
func (p *assetListParser) add(key, uri string, end int) error {
	start := stringStart(p.text, end)
	p.line += bytes.Count(p.text[p.counted:start], []byte("\n"))
	p.counted = start
	ref := Reference{Role: RoleOther, URI: uri, start: start, end: end, Line: p.line}
	if strings.EqualFold(key, "URI") {
		ref.Role = RoleAsset
	}
	return p.found.add(ref)
}

// stringStart is the offset of the JSON string that ends at end.
func stringStart(text []byte, end int) int {
	for i := end - 2; i >= 0; i-- {
		if text[i] != '"' {
			continue
		}
		backslashes := 0
		for i-1-backslashes >= 0 && text[i-1-backslashes] == '\\' {
			backslashes++
		}
		if backslashes%2 == 0 {
			return i
		}
	}
	return 0
}
