package upload

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"net/url"
	"path"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/alimedia/alimedia-go/internal/redact"
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
	return redact.Text(b.String())
}

// Unwrap returns the cause.
func (e *PlaylistError) Unwrap() error { return e.Err }

// ErrOutside: a playlist names a file outside of its folder.
var ErrOutside = errors.New("leads out of the folder")

// Bounds of a playlist: a day in segments of one second has 86,400 of them and
// less than 5 MB.
const (
	maxPlaylist   = 16 << 20 // bytes
	maxAssetList  = 1 << 20  // bytes
	maxReferences = 1 << 18
)

const (
	playlistMark = "#EXTM3U"
	playlistBOM  = "\ufeff"
)

// beginsAsPlaylist reports whether these are the first bytes of a playlist.
func beginsAsPlaylist(head []byte) bool {
	return bytes.HasPrefix(bytes.TrimPrefix(head, []byte(playlistBOM)), []byte(playlistMark))
}

// playlist is an HLS playlist (RFC 8216, and its second edition), read as far
// as an upload has to understand it: which files it names, and where in the
// text. It can be an asset list too, the JSON document of X-ASSET-LIST.
type playlist struct {
	text []byte
	json bool        // an asset list: references are JSON strings
	refs []reference // in the order of the text
}

// reference is a URI in a playlist, or a line that an upload drops.
type reference struct {
	role       role
	uri        string
	start, end int   // of the URI in the text
	line       int   // from 1
	least      int64 // bytes that the file needs for the range that is named
	bare       bool  // an attribute without quotes
}

// role says what a reference is for.
type role int

const (
	segmentFile role = iota
	keyFile          // or a key server
	nested           // another playlist
	assetList        // a JSON document with URIs of assets
	assetFile        // a playlist or a media file
	otherFile        // of an attribute that this code does not know, or data
	liveServer       // a service that answers while the playlist is played
	dropped          // what a live stream says of its future
)

// isDocument reports whether what is named names files itself.
func (r role) isDocument() bool { return r == nested || r == assetList }

// tags are those with a URI among their attributes.
var tags = map[string]role{
	"#EXT-X-MAP":                segmentFile,
	"#EXT-X-PART":               segmentFile,
	"#EXT-X-KEY":                keyFile,
	"#EXT-X-SESSION-KEY":        keyFile,
	"#EXT-X-MEDIA":              nested,
	"#EXT-X-I-FRAME-STREAM-INF": nested,
	"#EXT-X-IMAGE-STREAM-INF":   nested,
	"#EXT-X-SESSION-DATA":       otherFile,
	"#EXT-X-PRELOAD-HINT":       dropped,
	"#EXT-X-RENDITION-REPORT":   dropped,
	"#EXT-X-PREFETCH":           dropped,
}

// uriAttributes are the attributes with a URI that are not called URI.
var uriAttributes = map[string]role{
	"X-ASSET-URI":  assetFile,
	"X-ASSET-LIST": assetList,
	"SERVER-URI":   liveServer,
}

// textAttributes never hold a URI, whatever their value looks like.
var textAttributes = func() map[string]bool {
	all := make(map[string]bool)
	for _, name := range strings.Fields(`
		ASSOC-LANGUAGE AUDIO BYTERANGE CHANNELS CHARACTERISTICS CLASS CLOSED-CAPTIONS CODECS CUE DATA-ID END-DATE GROUP-ID ID IMPORT
		INSTREAM-ID IV KEYFORMAT KEYFORMATVERSIONS KEYID LANGUAGE METHOD NAME PATHWAY-ID QUERYPARAM REQ-VIDEO-LAYOUT
		SCTE35-CMD SCTE35-IN SCTE35-OUT STABLE-RENDITION-ID STABLE-VARIANT-ID START-DATE SUBTITLES SUPPLEMENTAL-CODECS TYPE VIDEO`) {
		all[name] = true
	}
	return all
}()

// plainTags have neither a URI nor attributes with one.
var plainTags = func() map[string]bool {
	all := make(map[string]bool)
	for _, name := range strings.Fields(`
		ALLOW-CACHE BITRATE DISCONTINUITY DISCONTINUITY-SEQUENCE ENDLIST I-FRAMES-ONLY IMAGES-ONLY INDEPENDENT-SEGMENTS MEDIA-SEQUENCE
		PART-INF PLAYLIST-TYPE PROGRAM-DATE-TIME SERVER-CONTROL START TARGETDURATION TILES VERSION`) {
		all["#EXT-X-"+name] = true
	}
	return all
}()

// parsePlaylist reads a playlist. Errors are *PlaylistError.
func parsePlaylist(text []byte) (*playlist, error) {
	text = bytes.TrimPrefix(text, []byte(playlistBOM))
	switch {
	case len(text) > maxPlaylist:
		return nil, &PlaylistError{Err: fmt.Errorf("longer than %d bytes", maxPlaylist)}
	case !utf8.Valid(text):
		return nil, &PlaylistError{Err: errors.New("not UTF-8")}
	case len(text) == 0:
		return nil, &PlaylistError{Err: ErrEmpty}
	}
	r := playlistReader{playlist: playlist{text: text}, all: string(text)}
	for start, number := 0, 1; start < len(text); number++ {
		end := len(text)
		if i := strings.IndexByte(r.all[start:], '\n'); i >= 0 {
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
	all     string     // the text
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
	line := r.all[start:end]
	text := strings.Trim(line, " \t\r\n")
	name, list, _ := strings.Cut(text, ":")
	at := start + strings.Index(line, text)
	switch {
	case number == 1:
		if text != playlistMark && !strings.HasPrefix(text, playlistMark+" ") {
			return errNotPlaylist
		}
		return r.info(text)
	case text == "":
	case text[0] != '#':
		return r.uri(reference{uri: text, start: at, end: at + len(text), line: number})
	case plainTags[name]:
	case name == "#EXT-X-GAP":
		r.gap = true
	case name == "#EXT-X-SKIP":
		return errors.New("a delta update (EXT-X-SKIP) is not the whole playlist")
	case name == "#EXT-X-DEFINE":
		r.defines = true
		for a := range attributes(list) {
			if a.name == "QUERYPARAM" {
				return errors.New("a variable from the query of the playlist's URL: the stored playlist has none")
			}
		}
	case name == "#EXT-X-BYTERANGE":
		next, err := parseByteRange(list)
		r.next = &next
		return err
	case name == "#EXTINF":
		return r.info(list)
	case !strings.HasPrefix(name, "#EXT"): // a comment
	case tags[name] == dropped:
		return r.add(reference{role: dropped, start: start, end: end, line: number})
	default:
		r.stream = r.stream || name == "#EXT-X-STREAM-INF"
		return r.tag(name, list, at+len(name)+1, number)
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
func (r *playlistReader) tag(name, list string, at, number int) error {
	known, ok := tags[name]
	var least int64
	for a := range attributes(list) {
		switch {
		case a.err != nil && ok:
			return a.err
		case a.err != nil: // not a list of attributes
			if holdsURI("", strings.Trim(a.value, " \t\",")) {
				return errors.New("a tag that is not known names a file")
			}
		case a.name == "BYTERANGE" && ok:
			span, err := parseByteRange(a.value)
			if err != nil {
				return err
			}
			span.offset = max(span.offset, 0)
			least = span.end()
		case a.name == "GAP" && a.value == "YES" && name == "#EXT-X-PART":
			return nil // it has no file
		case a.name == "METHOD" && a.value == "NONE" && known == keyFile:
			return nil
		}
	}
	for a := range attributes(list) {
		ref := reference{uri: a.value, start: at + a.at, end: at + a.at + len(a.value), line: number, bare: !a.quoted}
		switch role, special := uriAttributes[a.name]; {
		case a.value == "" || a.err != nil:
			continue
		case a.name == "URI" && ok:
			ref.role, ref.least = known, least
		case special:
			ref.role = role
		case holdsURI(a.name, a.value):
			ref.role = otherFile
		default:
			continue
		}
		if err := r.add(ref); err != nil {
			return err
		}
	}
	return nil
}

// info takes what follows #EXTINF. The title is text; some lists put
// attributes before it.
func (r *playlistReader) info(list string) error {
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
			return errors.New("an attribute that is not known names a file")
		}
		list = rest
	}
}

// holdsURI reports whether the value of an attribute is one, by its name or by
// what it looks like.
func holdsURI(name, value string) bool {
	name = strings.ToUpper(name)
	if textAttributes[name] {
		return false
	}
	for _, end := range []string{"URI", "URL"} {
		if name == end || strings.HasSuffix(name, "-"+end) || strings.HasSuffix(name, "_"+end) {
			return true
		}
	}
	host, _, slash := strings.Cut(strings.TrimPrefix(value, "//"), "/")
	switch {
	case schemeOf(value) == "//" && slash && strings.Contains(host, ".") && !strings.ContainsAny(host, " +="),
		strings.HasPrefix(value, "./"), strings.HasPrefix(value, "../"),
		schemeOf(value) != "" && strings.HasPrefix(value[len(schemeOf(value)):], "://"),
		schemeOf(value) == "file":
		return true
	case name == "VALUE":
		return false // text for people
	}
	path := pathOf(value)
	return isPlaylistName(path) || isSegmentName(path) || strings.HasSuffix(strings.ToLower(path), ".json")
}

func (r *playlistReader) add(ref reference) error {
	if len(r.refs) == maxReferences {
		return fmt.Errorf("more than %d files", maxReferences)
	}
	if r.defines && strings.Contains(ref.uri, "{$") {
		return errors.New("a URI with variables (#EXT-X-DEFINE): write it out")
	}
	if isPlaylistName(pathOf(ref.uri)) && ref.role != liveServer && ref.role != keyFile {
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
	quoted      bool
	at          int   // where value begins, its quote excluded
	err         error // it is none
}

// attributes reads NAME=VALUE,NAME="VALUE", one after the other: a line of
// many costs no memory. It ends after an error.
func attributes(list string) iter.Seq[attribute] {
	return func(yield func(attribute) bool) {
		for at := 0; at < len(list); {
			equals := strings.IndexByte(list[at:], '=')
			if equals < 0 {
				if strings.Trim(list[at:], " \t,") != "" {
					yield(attribute{value: list[at:], err: errors.New("an attribute without a value")})
				}
				return
			}
			name := list[at : at+equals]
			a := attribute{name: strings.Trim(name[strings.LastIndexByte(name, ',')+1:], " \t"), at: at + equals + 1}
			rest := list[a.at:]
			if a.quoted = strings.HasPrefix(rest, `"`); a.quoted {
				a.at++
				end := strings.IndexByte(rest[1:], '"')
				if end < 0 {
					yield(attribute{value: rest, err: errors.New("a quote that does not end")})
					return
				}
				a.value = rest[1 : 1+end]
				at = a.at + end + 1
			} else {
				value, _, _ := strings.Cut(rest, ",")
				at = a.at + len(value)
				a.value = strings.TrimRight(value, " \t")
			}
			if !yield(a) {
				return
			}
		}
	}
}

// parseAssetList reads the JSON document of X-ASSET-LIST. Errors are
// *PlaylistError.
func parseAssetList(text []byte) (*playlist, error) {
	p := &playlist{text: text, json: true}
	r := playlistReader{}
	fail := func(at int64, err error) (*playlist, error) {
		at = min(at, int64(len(text)))
		return nil, &PlaylistError{Line: 1 + bytes.Count(text[:at], []byte("\n")), Err: err}
	}
	if len(text) > maxAssetList {
		return nil, &PlaylistError{Err: fmt.Errorf("longer than %d bytes", maxAssetList)}
	}
	var list struct {
		ASSETS []struct{ URI string }
	}
	if !utf8.Valid(text) || json.Unmarshal(text, &list) != nil || list.ASSETS == nil {
		return fail(0, errors.New("not an asset list: no JSON object with ASSETS"))
	}
	for _, asset := range list.ASSETS {
		if asset.URI == "" {
			return fail(0, errors.New("not an asset list: an asset without a URI"))
		}
	}
	d := json.NewDecoder(bytes.NewReader(text))
	line, counted := 1, 0
	type level struct {
		object, value bool
		key           string
	}
	stack := []level{{}}
	for {
		token, err := d.Token()
		if err == io.EOF {
			break
		}
		if err != nil {
			return fail(d.InputOffset(), errors.New("not JSON"))
		}
		top := &stack[len(stack)-1]
		switch t := token.(type) {
		case json.Delim:
			if t == '{' || t == '[' {
				// An element of a list counts under the key of the list.
				top.value = false
				if len(stack) > 64 {
					return fail(d.InputOffset(), errors.New("too deep"))
				}
				stack = append(stack, level{object: t == '{', key: top.key})
			} else {
				stack = stack[:len(stack)-1]
			}
			continue
		case string:
			if top.object && !top.value {
				top.key, top.value = t, true
				continue
			}
			top.value = false
			if !holdsURI(top.key, t) {
				continue
			}
			end := int(d.InputOffset())
			start := stringStart(text, end)
			line += bytes.Count(text[counted:start], []byte("\n"))
			counted = start
			ref := reference{role: otherFile, uri: t, start: start, end: end, line: line}
			if strings.EqualFold(top.key, "URI") {
				ref.role = assetFile
			}
			if err := r.add(ref); err != nil {
				return fail(int64(end), err)
			}
		default:
			top.value = false
		}
	}
	p.refs = r.refs
	return p, nil
}

// stringStart is where the JSON string begins that ends at end.
func stringStart(text []byte, end int) int {
	for i := end - 2; i >= 0; i-- {
		if text[i] != '"' {
			continue
		}
		slashes := 0
		for i-1-slashes >= 0 && text[i-1-slashes] == '\\' {
			slashes++
		}
		if slashes%2 == 0 {
			return i
		}
	}
	return 0
}

// rewrite returns the text with each reference replaced by what name says.
func (p *playlist) rewrite(name func(i int, ref reference) string) []byte {
	var b bytes.Buffer
	b.Grow(len(p.text))
	at := 0
	for i, ref := range p.refs {
		b.Write(p.text[at:ref.start])
		if ref.role != dropped {
			b.WriteString(p.written(ref, name(i, ref)))
		}
		at = ref.end
	}
	b.Write(p.text[at:])
	return b.Bytes()
}

// written is a reference as it stands in the text.
func (p *playlist) written(ref reference, to string) string {
	switch {
	case p.json && to == ref.uri:
		return string(p.text[ref.start:ref.end])
	case p.json:
		var b strings.Builder
		e := json.NewEncoder(&b)
		e.SetEscapeHTML(false)
		_ = e.Encode(to) // a string can be encoded
		return strings.TrimSuffix(b.String(), "\n")
	case ref.bare && to != ref.uri && strings.ContainsAny(to, ", "):
		return `"` + to + `"`
	}
	return to
}

// relative is a relative reference whose first segment does not look like a
// scheme (RFC 3986 4.2).
func relative(uri string) string {
	first, _, _ := strings.Cut(uri, "/")
	if strings.Contains(first, ":") {
		return "./" + uri
	}
	return uri
}

// isPlaylistName goes by the extension.
func isPlaylistName(name string) bool {
	ext := strings.ToLower(path.Ext(name))
	return ext == ".m3u8" || ext == ".m3u"
}

// isSegmentName reports whether a file can be a segment by its extension.
func isSegmentName(name string) bool {
	return segmentExtensions[strings.TrimPrefix(strings.ToLower(path.Ext(name)), ".")]
}

var segmentExtensions = func() map[string]bool {
	all := make(map[string]bool)
	for _, ext := range strings.Fields(`
		ts m2ts mts m2t mp4 m4s m4v m4a m4f mp4v mp4a cmfv cmfa cmft cmfm mov webm weba mkv mka
		aac adts ac3 ac4 eac3 ec3 mp2 mp3 mpa flac opus ogg oga wav
		vtt webvtt ttml imsc dfxp srt
		jpg jpeg png webp gif avif heic jxl`) {
		all[ext] = true
	}
	return all
}()

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

const maxSegmentName = 128 // bytes

// segmentName is a file name that means the same whether it is read as a URI or
// as a name.
func segmentName(name string) string {
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
	case len(safe) > maxSegmentName:
		ext = ext[:min(len(ext), 16)]
		safe = append(safe[:maxSegmentName-len(ext)], ext...)
	}
	return string(safe)
}

// segmentNames gives out names, each once.
type segmentNames struct {
	used map[string]bool
	last map[string]int // number given to a name that came again
}

// give returns name, or name with the first number that makes it new.
func (s *segmentNames) give(name string) string {
	if s.used == nil {
		s.used, s.last = map[string]bool{}, map[string]int{}
	}
	name = segmentName(name)
	free := name
	ext := path.Ext(name)
	for s.used[free] {
		s.last[name] = max(2, s.last[name]+1)
		free = name[:len(name)-len(ext)] + "-" + strconv.Itoa(s.last[name]) + ext
	}
	s.used[free] = true
	return free
}
