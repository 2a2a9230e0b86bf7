package hls

import (
	"errors"
	"iter"
	"strconv"
	"strings"
)

// attributeRoles are the roles of the attributes that hold a URI under another
// name than URI.
var attributeRoles = map[string]Role{
	"X-ASSET-URI":  RoleAsset,
	"X-ASSET-LIST": RoleAssetList,
	"SERVER-URI":   RoleServer,
}

// textAttributes never hold a URI, even if their value looks like one.
var textAttributes = setOf("", `
	ASSOC-LANGUAGE AUDIO BYTERANGE CHANNELS CHARACTERISTICS CLASS CLOSED-CAPTIONS CODECS CUE DATA-ID END-DATE GROUP-ID ID IMPORT
	INSTREAM-ID IV KEYFORMAT KEYFORMATVERSIONS KEYID LANGUAGE METHOD NAME PATHWAY-ID QUERYPARAM REQ-VIDEO-LAYOUT
	SCTE35-CMD SCTE35-IN SCTE35-OUT STABLE-RENDITION-ID STABLE-VARIANT-ID START-DATE SUBTITLES SUPPLEMENTAL-CODECS TYPE VIDEO`)

// checkAttributes checks the attributes of a tag. It returns the size that its
// file needs for its byte range, and whether the tag has no file at all.
func checkAttributes(tag, list string) (minSize int64, skip bool, err error) {
	role, known := tagRoles[tag]
	for a := range attributes(list) {
		switch {
		case a.err != nil && known:
			return 0, false, a.err
		case a.err != nil: // not an attribute list
			if holdsURI("", strings.Trim(a.value, " \t\",")) {
				return 0, false, errors.New("an unknown tag references a file")
			}
		case !known && strings.ContainsAny(a.name, "/.?#%"): // a text with an equals sign
			if holdsURI("", a.name+"="+a.value) {
				return 0, false, errors.New("an unknown tag references a file")
			}
		case a.name == "BYTERANGE" && known:
			r, err := parseByteRange(a.value)
			if err != nil {
				return 0, false, err
			}
			r.offset = max(r.offset, 0)
			minSize = r.end()
		case a.name == "GAP" && a.value == "YES" && tag == "#EXT-X-PART",
			a.name == "METHOD" && a.value == "NONE" && known && role == RoleKey:
			return 0, true, nil
		}
	}
	return minSize, false, nil
}

// holdsURI reports whether the value of an attribute is a URI, by the name of
// the attribute or by its value.
func holdsURI(name, value string) bool {
	name = strings.ToUpper(name)
	if textAttributes[name] {
		return false
	}
	for _, end := range []string{"URI", "URL", "HREF", "SRC"} {
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
	path := uriPath(value)
	return IsPlaylistName(path) || isSegmentName(path) || strings.HasSuffix(strings.ToLower(path), ".json")
}

// byteRange is length bytes of a file. Offset -1 means that the range follows
// the previous one.
type byteRange struct{ offset, length int64 }

func (b byteRange) end() int64 { return b.offset + b.length }

var errByteRange = errors.New("the byte range is not valid")

// parseByteRange parses "length@offset" or "length".
func parseByteRange(text string) (byteRange, error) {
	r := byteRange{offset: -1}
	length, offset, placed := strings.Cut(strings.TrimSpace(text), "@")
	number := func(text string) int64 {
		n, err := strconv.ParseUint(text, 10, 63)
		if err != nil || n > uint64(maxFileSize) {
			return -1
		}
		return int64(n)
	}
	r.length = number(length)
	if placed {
		r.offset = number(offset)
	}
	if r.length < 0 || placed && r.offset < 0 {
		return byteRange{}, errByteRange
	}
	return r, nil
}

type attribute struct {
	name, value string
	quoted      bool
	at          int   // offset of value, without its quote
	err         error // not an attribute
}

// attributes iterates over NAME=VALUE,NAME="VALUE" without allocating memory
// for the list. It ends after an error.
func attributes(list string) iter.Seq[attribute] {
	return func(yield func(attribute) bool) {
		for at := 0; at < len(list); {
			equals := strings.IndexByte(list[at:], '=')
			if equals < 0 {
				if strings.Trim(list[at:], " \t,") != "" {
					yield(attribute{value: list[at:], err: errors.New("an attribute has no value")})
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
					yield(attribute{value: rest, err: errors.New("a quoted attribute value does not end")})
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
