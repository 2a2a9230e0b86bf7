package upload

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"path"
	"strconv"
	"strings"
	"unicode/utf8"
)

// PlaylistError is what is wrong with a playlist or with a file that it names.
type PlaylistError struct {
	Playlist string // path in the folder of the upload
	Line     int    // from 1; 0 for the playlist as a whole
	URI      string // as it stands there, without its query
	Err      error
}

// Error says what is wrong and where.
func (e *PlaylistError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "playlist %.200q", e.Playlist)
	if e.Line > 0 {
		fmt.Fprintf(&b, " line %d", e.Line)
	}
	if e.URI != "" {
		fmt.Fprintf(&b, ": %.200q", e.URI)
	}
	fmt.Fprintf(&b, ": %v", e.Err)
	return b.String()
}

// Unwrap returns the cause.
func (e *PlaylistError) Unwrap() error { return e.Err }

// ErrOutside: a playlist names a file outside of its folder.
var ErrOutside = errors.New("leads out of the folder")

// Bounds of a playlist: a day in slices of one second has 86,400 of them and
// less than 5 MB.
const (
	maxPlaylist   = 16 << 20 // bytes
	maxReferences = 1 << 20
)

// playlist is an HLS playlist (RFC 8216), read as far as an upload has to
// understand it: which files it names, and where in the text.
type playlist struct {
	text []byte
	refs []reference // in the order of the text
}

// reference is a URI in a playlist, or a line that an upload drops.
type reference struct {
	role       role
	uri        string
	start, end int   // of the URI in the text
	line       int   // from 1
	least      int64 // bytes that the file needs for the range that is named
}

// role says what a reference is for.
type role int

const (
	sliceFile role = iota
	keyFile        // or a key server
	nested         // another playlist
	dropped        // what a live stream says of its future
)

// tags are those with a URI among their attributes.
var tags = map[string]role{
	"#EXT-X-MAP":                sliceFile,
	"#EXT-X-PART":               sliceFile,
	"#EXT-X-SESSION-DATA":       sliceFile,
	"#EXT-X-KEY":                keyFile,
	"#EXT-X-SESSION-KEY":        keyFile,
	"#EXT-X-MEDIA":              nested,
	"#EXT-X-I-FRAME-STREAM-INF": nested,
	"#EXT-X-IMAGE-STREAM-INF":   nested,
	"#EXT-X-PRELOAD-HINT":       dropped,
	"#EXT-X-RENDITION-REPORT":   dropped,
}

// parsePlaylist reads a playlist. Errors are *PlaylistError.
func parsePlaylist(text []byte) (*playlist, error) {
	text = bytes.TrimPrefix(text, []byte("\ufeff"))
	switch {
	case len(text) > maxPlaylist:
		return nil, &PlaylistError{Err: fmt.Errorf("longer than %d bytes", maxPlaylist)}
	case !utf8.Valid(text):
		return nil, &PlaylistError{Err: errors.New("not UTF-8")}
	case len(text) == 0:
		return nil, &PlaylistError{Err: ErrEmpty}
	}
	r := playlistReader{playlist: playlist{text: text}}
	for start, number := 0, 1; start < len(text); number++ {
		end := len(text)
		if i := bytes.IndexByte(text[start:], '\n'); i >= 0 {
			end = start + i + 1
		}
		if err := r.line(number, start, end); err != nil {
			return nil, &PlaylistError{Line: number, Err: err}
		}
		start = end
	}
	return &r.playlist, nil
}

var errNotPlaylist = errors.New("does not begin with #EXTM3U")

// playlistReader is what the lines so far say of those to come.
type playlistReader struct {
	playlist
	stream  bool       // the next URI is that of a playlist
	gap     bool       // the next URI has no file
	defines bool       // there are variables
	next    *byteRange // of the next URI
	last    byteRange  // of the URI before,
	lastURI string     // "" if that had none
}

// byteRange is length bytes of a file. Without an offset, written as -1, they
// follow those of the line before.
type byteRange struct{ offset, length int64 }

func (b byteRange) end() int64 { return b.offset + b.length }

func (r *playlistReader) line(number, start, end int) error {
	line := string(r.text[start:end])
	text := strings.Trim(line, " \t\r\n")
	name, list, _ := strings.Cut(text, ":")
	at := start + strings.Index(line, text)
	switch {
	case number == 1:
		if text != "#EXTM3U" && !strings.HasPrefix(text, "#EXTM3U ") {
			return errNotPlaylist
		}
	case text == "":
	case text[0] != '#':
		return r.uri(reference{uri: text, start: at, end: at + len(text), line: number})
	case name == "#EXT-X-STREAM-INF":
		r.stream = true
	case name == "#EXT-X-GAP":
		r.gap = true
	case name == "#EXT-X-DEFINE":
		r.defines = true
	case name == "#EXT-X-BYTERANGE":
		next, err := parseByteRange(list)
		r.next = &next
		return err
	default:
		role, ok := tags[name]
		if !ok {
			return nil
		}
		if role == dropped {
			return r.add(reference{role: dropped, start: start, end: end, line: number})
		}
		return r.tag(role, list, at+len(name)+1, number)
	}
	return nil
}

// uri takes a line that is a URI.
func (r *playlistReader) uri(ref reference) error {
	last, lastURI := r.last, r.lastURI
	gap, next := r.gap, r.next
	if r.stream {
		ref.role = nested
	}
	r.lastURI, r.gap, r.stream, r.next = "", false, false, nil
	if next != nil {
		if next.offset < 0 {
			if lastURI != ref.uri {
				return errors.New("a byte range without an offset follows no other of the same file")
			}
			next.offset = last.end()
		}
		if next.end() > maxObject {
			return errRange
		}
		r.last, r.lastURI, ref.least = *next, ref.uri, next.end()
	}
	if gap {
		return nil
	}
	return r.add(ref)
}

// tag takes the attributes of a tag, which begin at offset at.
func (r *playlistReader) tag(role role, list string, at, number int) error {
	all, err := parseAttributes(list)
	if err != nil {
		return err
	}
	var least int64
	for _, a := range all {
		if a.name == "BYTERANGE" {
			span, err := parseByteRange(a.value)
			if err != nil {
				return err
			}
			span.offset = max(span.offset, 0)
			least = span.end()
		}
	}
	for _, a := range all {
		if a.name != "URI" || a.value == "" {
			continue
		}
		ref := reference{role: role, uri: a.value, start: at + a.at, line: number, least: least}
		ref.end = ref.start + len(ref.uri)
		if err := r.add(ref); err != nil {
			return err
		}
	}
	return nil
}

func (r *playlistReader) add(ref reference) error {
	if len(r.refs) == maxReferences {
		return fmt.Errorf("more than %d files", maxReferences)
	}
	if r.defines && strings.Contains(ref.uri, "{$") {
		return errors.New("a URI with variables (#EXT-X-DEFINE): write it out")
	}
	if isPlaylistName(pathOf(ref.uri)) {
		ref.role = nested
	}
	r.refs = append(r.refs, ref)
	return nil
}

var errRange = errors.New("not a byte range")

// parseByteRange reads "length@offset" or "length".
func parseByteRange(text string) (byteRange, error) {
	span := byteRange{offset: -1}
	length, offset, placed := strings.Cut(strings.TrimSpace(text), "@")
	number := func(text string) int64 {
		n, err := strconv.ParseUint(text, 10, 63)
		if err != nil || n > maxObject {
			return -1
		}
		return int64(n)
	}
	span.length = number(length)
	if placed {
		span.offset = number(offset)
	}
	if span.length < 0 || placed && span.offset < 0 {
		return byteRange{}, errRange
	}
	return span, nil
}

type attribute struct {
	name, value string
	at          int // where value begins, its quote excluded
}

// parseAttributes reads NAME=VALUE,NAME="VALUE".
func parseAttributes(list string) ([]attribute, error) {
	var all []attribute
	for at := 0; at < len(list); {
		equals := strings.IndexByte(list[at:], '=')
		if equals < 0 {
			if strings.Trim(list[at:], " \t,") == "" {
				break
			}
			return nil, errors.New("an attribute without a value")
		}
		a := attribute{name: strings.Trim(list[at:at+equals], " \t,"), at: at + equals + 1}
		rest := list[a.at:]
		if strings.HasPrefix(rest, `"`) {
			a.at++
			end := strings.IndexByte(rest[1:], '"')
			if end < 0 {
				return nil, errors.New("a quote that does not end")
			}
			a.value = rest[1 : 1+end]
			at = a.at + end + 1
		} else {
			value, _, _ := strings.Cut(rest, ",")
			at = a.at + len(value)
			a.value = strings.TrimRight(value, " \t")
		}
		all = append(all, a)
	}
	return all, nil
}

// rewrite returns the text with each reference replaced by what name says.
func (p *playlist) rewrite(name func(i int, ref reference) string) []byte {
	var b bytes.Buffer
	b.Grow(len(p.text))
	at := 0
	for i, ref := range p.refs {
		b.Write(p.text[at:ref.start])
		if ref.role != dropped {
			b.WriteString(name(i, ref))
		}
		at = ref.end
	}
	b.Write(p.text[at:])
	return b.Bytes()
}

// isPlaylistName goes by the extension.
func isPlaylistName(name string) bool {
	ext := strings.ToLower(path.Ext(name))
	return ext == ".m3u8" || ext == ".m3u"
}

// schemeOf is the scheme of a URI in lower case, "//" where only a host is
// named, and "" for a path.
func schemeOf(uri string) string {
	if strings.HasPrefix(uri, "//") {
		return "//"
	}
	for i, c := range []byte(uri) {
		switch {
		case 'a' <= c|0x20 && c|0x20 <= 'z':
		case i > 0 && ('0' <= c && c <= '9' || c == '+' || c == '-' || c == '.'):
		case i > 0 && c == ':':
			return strings.ToLower(uri[:i])
		default:
			return ""
		}
	}
	return ""
}

// pathOf is a URI without query and fragment.
func pathOf(uri string) string {
	if i := strings.IndexAny(uri, "?#"); i >= 0 {
		return uri[:i]
	}
	return uri
}

// localPaths are the files that a URI without a scheme may mean, seen from dir:
// first as a URI is read, then for playlists that name files without the
// escaping of URIs. Each is a clean path below the folder of the upload.
func localPaths(dir, uri string) ([]string, error) {
	var all []string
	add := func(name string) error {
		if name == "" {
			return nil
		}
		if strings.HasPrefix(name, "/") || strings.HasPrefix(name, `\`) {
			return ErrOutside
		}
		// A backslash separates on some systems only, but climbs on those.
		if up := path.Join(dir, strings.ReplaceAll(name, `\`, "/")); up == ".." || strings.HasPrefix(up, "../") {
			return ErrOutside
		}
		if name = path.Join(dir, name); !fs.ValidPath(name) || strings.ContainsRune(name, 0) {
			return fs.ErrInvalid
		}
		for _, known := range all {
			if known == name {
				return nil
			}
		}
		all = append(all, name)
		return nil
	}
	names := []string{pathOf(uri), pathOf(uri), uri}
	if decoded, err := url.PathUnescape(names[0]); err == nil {
		names[0] = decoded
	}
	if strings.ContainsAny(uri[len(names[1]):], `/\`) { // no file is called so
		names = names[:2]
	}
	for _, name := range names {
		if err := add(name); err != nil {
			return nil, err
		}
	}
	if all == nil {
		return nil, fs.ErrInvalid
	}
	return all, nil
}

// shown is a URI as errors and logs may have it: without query, fragment and
// user.
func shown(uri string) string {
	if schemeOf(uri) == "" && !strings.Contains(uri, "://") {
		return pathOf(uri)
	}
	u, err := url.Parse(uri)
	if err != nil {
		return "..."
	}
	return shownURL(u)
}

func shownURL(u *url.URL) string {
	bare := url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path, RawPath: u.RawPath}
	return clipBytes(bare.String(), 300)
}

const maxSliceName = 128 // bytes

// sliceName is a file name that means the same whether it is read as a URI or
// as a name.
func sliceName(name string) string {
	safe := []byte(strings.Map(func(c rune) rune {
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '.', c == '-', c == '_':
			return c
		}
		return '_'
	}, name))
	ext := path.Ext(string(safe))
	switch {
	case len(bytes.Trim(safe, ".")) == 0:
		return "_"
	case len(safe) > maxSliceName:
		ext = ext[:min(len(ext), 16)]
		safe = append(safe[:maxSliceName-len(ext)], ext...)
	}
	return string(safe)
}

// sliceNames gives out names, each once.
type sliceNames struct {
	used map[string]bool
	last map[string]int // number given to a name that came again
}

// give returns name, or name with the first number that makes it new.
func (s *sliceNames) give(name string) string {
	if s.used == nil {
		s.used, s.last = map[string]bool{}, map[string]int{}
	}
	name = sliceName(name)
	free := name
	ext := path.Ext(name)
	for s.used[free] {
		s.last[name] = max(2, s.last[name]+1)
		free = name[:len(name)-len(ext)] + "-" + strconv.Itoa(s.last[name]) + ext
	}
	s.used[free] = true
	return free
}
