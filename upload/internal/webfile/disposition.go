package webfile

import (
	"cmp"
	"mime"
	"net/url"
	"strconv"
	"strings"
	"unicode/utf8"
)

// dispositionName is the file name in a Content-Disposition field (RFC 6266). It
// is empty if there is none that can be decoded. Many servers omit the type and
// the quotes, and many send raw UTF-8, percent escapes or the encoded words of
// mail. Text in an unknown character set, such as GBK, is ignored: it would be
// garbage.
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

// dispositionFields parses the parameters of the field. It skips what has no
// value, such as the type.
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

// unquote removes quotes and the escapes within. Only quotes and backslashes
// can be escaped: paths of Windows have single backslashes.
func unquote(value string) string {
	if !strings.HasPrefix(value, `"`) {
		return value
	}
	value = strings.TrimSuffix(value[1:], `"`)
	return strings.NewReplacer(`\"`, `"`, `\\`, `\`).Replace(value)
}

// splitContinuation parses the key of a parameter: "filename", "filename*",
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

// decodePlain decodes a value of filename.
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

// decodeExtended decodes a value of filename*: charset'language'escapes (RFC 8187).
func decodeExtended(value string) string {
	charset, rest, ok := strings.Cut(value, "'")
	_, text, ok2 := strings.Cut(rest, "'")
	text, err := url.PathUnescape(text)
	if !ok || !ok2 || err != nil {
		return ""
	}
	return inCharset(charset, text)
}

// inCharset decodes text in a character set. It is empty if the set is unknown.
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
