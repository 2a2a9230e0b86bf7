package upload

import (
	"cmp"
	"errors"
	"mime"
	"net/url"
	"path"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/alimedia/alimedia-go/upload/internal/mediatype"
)

// ErrName: the name of the source is not UTF-8. Nothing was created. [Named]
// gives the source another name.
var ErrName = errors.New("the name of the source is not UTF-8")

const maxName = 255 // bytes

// urlName is the name of a file on a web server. In this order: what the server
// says (Content-Disposition), the path that was asked for, the path that
// answered after redirects, each where it has the extension of a media type;
// the extension that Content-Type stands for; any name.
func urlName(disposition, contentType string, asked, answered *url.URL) string {
	stated := cleanName(dispositionName(disposition))
	paths := []string{cleanName(path.Base(asked.Path)), cleanName(path.Base(answered.Path))}
	if mediatype.Extension(stated) != "" {
		return stated
	}
	for _, name := range paths {
		if mediatype.IsMedia(mediatype.Extension(name)) {
			return name
		}
	}
	any := cmp.Or(stated, paths[0], paths[1], "download")
	ext := mediatype.UsualExtension(contentType)
	if mediatype.IsPlaylist(contentType) {
		ext = "m3u8"
	}
	if ext != "" {
		if mediatype.IsScript(mediatype.Extension(any)) {
			any = strings.TrimSuffix(any, path.Ext(any))
		}
		return cleanName(any + "." + ext)
	}
	for _, name := range paths {
		if mediatype.Extension(name) != "" {
			return name
		}
	}
	return any
}

// cleanName makes a file name of foreign text: without directories, without
// characters that are not seen, and without what a file system reserves. It is
// empty where nothing is left.
func cleanName(name string) string {
	if !utf8.ValidString(name) || strings.ContainsRune(name, unicode.ReplacementChar) {
		return ""
	}
	name = strings.Map(func(c rune) rune {
		switch {
		case unicode.IsControl(c), unicode.Is(unicode.Cf, c) && c != '\u200d', unicode.Is(unicode.Co, c), c == '\u2028', c == '\u2029':
			return -1 // Cf has the marks that reverse the direction of text
		case unicode.IsSpace(c):
			return ' '
		}
		return c
	}, baseName(name))
	name = strings.TrimLeft(strings.TrimRight(name, ". "), ". ")
	stem, _, _ := strings.Cut(name, ".")
	if reservedNames[strings.ToUpper(strings.TrimSpace(stem))] {
		name = "_" + name
	}
	if len(name) > maxName {
		ext := clipBytes(path.Ext(name), 16)
		name = clipBytes(name, maxName-len(ext)) + ext
	}
	return name
}

// reservedNames are devices on Windows, whatever the extension.
var reservedNames = func() map[string]bool {
	all := map[string]bool{"CON": true, "PRN": true, "AUX": true, "NUL": true}
	for i := range 10 {
		all["COM"+strconv.Itoa(i)], all["LPT"+strconv.Itoa(i)] = true, true
	}
	return all
}()

// dispositionName is the file name in a Content-Disposition field (RFC 6266),
// empty where there is none that can be read. Servers leave out the type and
// the quotes, and put in raw UTF-8, percent escapes and the encoded words of
// mail. Text in an encoding that is not known is left out: it would be garbage.
func dispositionName(header string) string {
	var plain, extended string
	parts := make(map[int]string) // of a name in several parameters (RFC 2231)
	var charset string
	for _, p := range dispositionFields(header) {
		key, number, encoded := splitContinuation(p.key)
		if key != "filename" {
			continue
		}
		switch {
		case number < 0 && !encoded:
			plain = cmp.Or(plain, decodePlain(p.value))
		case number < 0:
			extended = cmp.Or(extended, decodeExtended(p.value))
		case len(parts) <= maxName:
			value := p.value
			if encoded {
				if set, _, ok := strings.Cut(value, "'"); ok && number == 0 {
					charset = set
					_, value, _ = strings.Cut(value[len(set)+1:], "'")
				}
				unescaped, err := url.PathUnescape(value)
				if err != nil {
					continue
				}
				value = unescaped
			}
			parts[number] = value
		}
	}
	var joined strings.Builder
	for i := range len(parts) {
		joined.WriteString(parts[i])
	}
	return cmp.Or(extended, inCharset(charset, joined.String()), plain)
}

type dispositionField struct{ key, value string }

// dispositionFields are the parameters of the field. A first one without a
// value is the type.
func dispositionFields(header string) (all []dispositionField) {
	for header != "" && len(all) < 100 {
		end, quote := len(header), false
		for i := 0; i < len(header); i++ {
			switch c := header[i]; {
			case c == '\\' && quote && i+1 < len(header) && (header[i+1] == '"' || header[i+1] == '\\'):
				i++
			case c == '"':
				quote = !quote
			case c == ';' && !quote:
				end = i
			}
			if end < len(header) {
				break
			}
		}
		key, value, ok := strings.Cut(header[:end], "=")
		if ok {
			all = append(all, dispositionField{strings.ToLower(strings.TrimSpace(key)), unquote(strings.TrimSpace(value))})
		}
		header = header[min(end+1, len(header)):]
	}
	return all
}

// unquote removes quotes, if there are any, and what they escape. Only quotes
// and backslashes count as escaped: paths of Windows have single backslashes.
func unquote(value string) string {
	if !strings.HasPrefix(value, `"`) {
		return value
	}
	value = strings.TrimSuffix(value[1:], `"`)
	return strings.NewReplacer(`\"`, `"`, `\\`, `\`).Replace(value)
}

// splitContinuation reads the key of a parameter: "filename", "filename*",
// "filename*0", "filename*0*".
func splitContinuation(key string) (name string, number int, encoded bool) {
	name, rest, ok := strings.Cut(key, "*")
	if !ok || rest == "" {
		return name, -1, ok
	}
	rest, encoded = strings.CutSuffix(rest, "*")
	n, err := strconv.ParseUint(rest, 10, 8)
	if err != nil {
		return "", -1, false
	}
	return name, int(n), encoded
}

// decodePlain reads a value of filename.
func decodePlain(value string) string {
	if strings.HasPrefix(value, "=?") {
		decoded, err := new(mime.WordDecoder).DecodeHeader(value)
		if err != nil {
			return ""
		}
		value = decoded
	}
	if decoded, err := url.PathUnescape(value); err == nil && utf8.ValidString(decoded) {
		value = decoded
	}
	return value
}

// decodeExtended reads a value of filename*: charset'language'escapes (RFC 8187).
func decodeExtended(value string) string {
	charset, rest, ok := strings.Cut(value, "'")
	_, text, ok2 := strings.Cut(rest, "'")
	text, err := url.PathUnescape(text)
	if !ok || !ok2 || err != nil {
		return ""
	}
	return inCharset(charset, text)
}

// inCharset is text in a character set, empty where that is not known.
func inCharset(charset, text string) string {
	switch strings.ToLower(charset) {
	case "", "utf-8", "utf8", "us-ascii", "ascii":
		if utf8.ValidString(text) {
			return text
		}
	case "iso-8859-1", "latin1", "iso_8859-1":
		runes := make([]rune, len(text))
		for i := range len(text) {
			runes[i] = rune(text[i])
		}
		return string(runes)
	}
	return ""
}
