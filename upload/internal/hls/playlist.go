package hls

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

const (
	firstTag      = "#EXTM3U"
	byteOrderMark = "\ufeff"
)

// HeadSize is the number of bytes that [BeginsAsPlaylist] needs.
const HeadSize = len(byteOrderMark) + len(firstTag)

// BeginsAsPlaylist reports whether head is the beginning of a playlist.
func BeginsAsPlaylist(head []byte) bool {
	return bytes.HasPrefix(bytes.TrimPrefix(head, []byte(byteOrderMark)), []byte(firstTag))
}

// Playlist is a parsed playlist, or a parsed asset list: the JSON document of
// X-ASSET-LIST.
type Playlist struct {
	References []Reference // in the order of the text

	text []byte
	json bool // an asset list: references are JSON strings
}

// Reference is a URI in a playlist, or a line that an upload drops.
type Reference struct {
	Role    Role
	URI     string
	Line    int   // from 1
	MinSize int64 // of the file, for its byte range to exist

	start, end int  // of the URI in the text
	unquoted   bool // an attribute value without quotes
}

// Role is what a reference is for.
type Role int

// The roles.
const (
	RoleSegment   Role = iota // a media segment, a partial segment or an initialization section
	RoleKey                   // an encryption key
	RolePlaylist              // a media playlist or a rendition
	RoleAssetList             // a JSON document with URIs of assets
	RoleAsset                 // a playlist or a media file
	RoleOther                 // session data, or an attribute that is not known
	RoleServer                // a service that responds during playback
	RoleDropped               // a hint about the future of a live stream
)

// isDocument reports whether the referenced file references files itself.
func (r Role) isDocument() bool { return r == RolePlaylist || r == RoleAssetList }

// tagRoles are the roles of the URI attribute, by tag.
var tagRoles = map[string]Role{
	"#EXT-X-MAP":                RoleSegment,
	"#EXT-X-PART":               RoleSegment,
	"#EXT-X-KEY":                RoleKey,
	"#EXT-X-SESSION-KEY":        RoleKey,
	"#EXT-X-MEDIA":              RolePlaylist,
	"#EXT-X-I-FRAME-STREAM-INF": RolePlaylist,
	"#EXT-X-IMAGE-STREAM-INF":   RolePlaylist,
	"#EXT-X-SESSION-DATA":       RoleOther,
	"#EXT-X-PRELOAD-HINT":       RoleDropped,
	"#EXT-X-RENDITION-REPORT":   RoleDropped,
	"#EXT-X-PREFETCH":           RoleDropped,
}

// plainTags have no URI.
var plainTags = setOf("#EXT-X-", `
	ALLOW-CACHE BITRATE DISCONTINUITY DISCONTINUITY-SEQUENCE ENDLIST I-FRAMES-ONLY IMAGES-ONLY INDEPENDENT-SEGMENTS MEDIA-SEQUENCE
	PART-INF PLAYLIST-TYPE PROGRAM-DATE-TIME SERVER-CONTROL START TARGETDURATION TILES VERSION`)

// setOf is the set of the words of a text, each with a prefix.
func setOf(prefix, words string) map[string]bool {
	set := make(map[string]bool)
	for _, word := range strings.Fields(words) {
		set[prefix+word] = true
	}
	return set
}

// Parse parses a playlist. Any error is an [*Error] without Playlist.
func Parse(text []byte) (*Playlist, error) {
	text = bytes.TrimPrefix(text, []byte(byteOrderMark))
	switch {
	case len(text) > MaxPlaylistSize:
		return nil, &Error{Err: fmt.Errorf("the playlist is longer than %d bytes", MaxPlaylistSize)}
	case !utf8.Valid(text):
		return nil, &Error{Err: errors.New("the playlist is not UTF-8")}
	case len(text) == 0:
		return nil, &Error{Err: ErrEmpty}
	}
	p := parser{Playlist: Playlist{text: text}, all: string(text)}
	for start, number := 0, 1; start < len(text); number++ {
		end := len(text)
		if i := strings.IndexByte(p.all[start:], '\n'); i >= 0 {
			end = start + i + 1
		}
		if err := p.line(number, start, end); err != nil {
			return nil, &Error{Line: number, Err: err}
		}
		start = end
	}
	return &p.Playlist, nil
}

// parser holds what earlier lines say about the lines that follow.
type parser struct {
	Playlist
	all     string     // the text
	variant bool       // the next URI is a variant stream's playlist
	gap     bool       // the next URI has no file
	defines bool       // there are variables
	next    *byteRange // of the next URI
	last    byteRange  // of the previous URI,
	lastURI string     // which is empty if it had no byte range
}

var errNotPlaylist = errors.New("the playlist does not begin with #EXTM3U")

// line parses one line, which is all[start:end].
func (p *parser) line(number, start, end int) error {
	line := p.all[start:end]
	text := strings.Trim(line, " \t\r\n")
	name, list, _ := strings.Cut(text, ":")
	at := start + strings.Index(line, text)
	switch {
	case number == 1:
		if text != firstTag && !strings.HasPrefix(text, firstTag+" ") {
			return errNotPlaylist
		}
		return p.info(text)
	case text == "":
	case text[0] != '#':
		return p.uri(Reference{URI: text, start: at, end: at + len(text), Line: number})
	case plainTags[name]:
	case name == "#EXT-X-GAP":
		p.gap = true
	case name == "#EXT-X-SKIP":
		return errors.New("the playlist is a delta update (EXT-X-SKIP), not a complete playlist")
	case name == "#EXT-X-DEFINE":
		p.defines = true
		for a := range attributes(list) {
			if a.name == "QUERYPARAM" {
				return errors.New("a variable comes from the query of the playlist's URL, and the stored playlist has no query")
			}
		}
	case name == "#EXT-X-BYTERANGE":
		next, err := parseByteRange(list)
		p.next = &next
		return err
	case name == "#EXTINF":
		return p.info(list)
	case !strings.HasPrefix(name, "#EXT"): // a comment
	case tagRoles[name] == RoleDropped:
		return p.add(Reference{Role: RoleDropped, start: start, end: end, Line: number})
	default:
		p.variant = p.variant || name == "#EXT-X-STREAM-INF"
		return p.tag(name, list, at+len(name)+1, number)
	}
	return nil
}

// uri takes a line that is a URI.
func (p *parser) uri(ref Reference) error {
	last, lastURI := p.last, p.lastURI
	gap, next := p.gap, p.next
	if p.variant {
		ref.Role = RolePlaylist
	}
	p.lastURI, p.gap, p.variant, p.next = "", false, false, nil
	if next != nil {
		if next.offset < 0 {
			if lastURI != ref.URI {
				return errors.New("a byte range without an offset does not follow a byte range of the same file")
			}
			next.offset = last.end()
		}
		if next.end() > maxFileSize {
			return errByteRange
		}
		p.last, p.lastURI, ref.MinSize = *next, ref.URI, next.end()
	}
	if gap {
		return nil
	}
	return p.add(ref)
}

// tag takes the attributes of a tag, which begin at offset at.
func (p *parser) tag(name, list string, at, line int) error {
	minSize, skip, err := checkAttributes(name, list)
	if err != nil || skip {
		return err
	}
	role, known := tagRoles[name]
	for a := range attributes(list) {
		ref := Reference{URI: a.value, start: at + a.at, end: at + a.at + len(a.value), Line: line, unquoted: !a.quoted}
		switch special, ok := attributeRoles[a.name]; {
		case a.value == "" || a.err != nil:
			continue
		case a.name == "URI" && known:
			ref.Role, ref.MinSize = role, minSize
		case ok:
			ref.Role = special
		case holdsURI(a.name, a.value):
			ref.Role = RoleOther
		default:
			continue
		}
		if err := p.add(ref); err != nil {
			return err
		}
	}
	return nil
}

// info takes the text after #EXTINF. The title is free text; some playlists
// have attributes before it.
func (p *parser) info(list string) error {
	for {
		before, rest, ok := strings.Cut(list, `="`)
		if !ok || strings.Contains(before, ",") {
			return nil
		}
		value, rest, ok := strings.Cut(rest, `"`)
		if !ok {
			return nil
		}
		if holdsURI(before[strings.LastIndexAny(before, " \t")+1:], value) {
			return errors.New("an unknown attribute references a file")
		}
		list = rest
	}
}

func (p *parser) add(ref Reference) error {
	if len(p.References) == maxReferences {
		return fmt.Errorf("the playlist has more than %d references", maxReferences)
	}
	if p.defines && strings.Contains(ref.URI, "{$") {
		return errors.New("a URI contains a variable (EXT-X-DEFINE); write the URI without variables")
	}
	if IsPlaylistName(uriPath(ref.URI)) && ref.Role != RoleServer && ref.Role != RoleKey {
		ref.Role = RolePlaylist
	}
	p.References = append(p.References, ref)
	return nil
}
