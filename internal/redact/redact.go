// Package redact prepares foreign text for errors, logs and files: secrets
// are masked in every escaped form, and the text becomes one printable line of
// at most 1 KiB.
package redact

import (
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

const (
	// MaxBytes bounds the text that [Text] and [Line] return.
	MaxBytes = 1 << 10

	maxInput   = 64 << 10 // bytes of foreign text that are looked at
	leastStart = 8        // bytes of a secret that was cut off and is masked all the same
	maxEscapes = 16       // escapes within escapes; four times escaped JSON has 15 in front of a quote
	mask       = "***"
)

// Text masks the secrets in text, and what looks like a secret by its name or
// form, and makes one printable line of at most [MaxBytes] of it.
func Text(text string, secrets ...string) string {
	return Line(Secrets(text, secrets...))
}

// Secrets masks the secrets in text, and what looks like a secret by its name
// or form. The rest of the text stays as it is, up to 64 KiB.
//
// A secret is found in plain, percent-encoded, HTML-, XML- and JSON-escaped
// form and in any mixture of these, also when only its beginning is there.
func Secrets(text string, secrets ...string) string {
	if len(text) > maxInput {
		text = text[:maxInput]
	}
	text = known(text, secrets)
	// Most texts are short and plain, such as an ETag: what each expression
	// cannot do without is looked for first.
	if strings.Contains(text, "-----BEGIN") {
		text = privateKey.ReplaceAllString(text, mask)
	}
	if strings.Contains(text, "://") {
		text = urlUser.ReplaceAllString(text, "$1"+mask+"@")
		text = urlQuery.ReplaceAllString(text, "$1"+mask)
	}
	if strings.ContainsAny(text, ":=>%") {
		text = named.ReplaceAllString(text, "$1"+mask)
	}
	if strings.Contains(text, "ey") || strings.Contains(text, "ew") {
		text = encodedDocument.ReplaceAllString(text, mask)
	}
	return text
}

// Line makes one printable line of at most [MaxBytes] of text.
func Line(text string) string { return Bounded(text, MaxBytes) }

// Bounded makes one printable line of at most limit bytes of text.
func Bounded(text string, limit int) string {
	if len(text) > maxInput {
		text = text[:maxInput]
	}
	text = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case r == utf8.RuneError || !unicode.IsPrint(r):
			return '?'
		}
		return r
	}, text)
	text = strings.Join(strings.Fields(text), " ")
	if len(text) <= limit {
		return text
	}
	const cut = "..."
	end := max(limit-len(cut), 0)
	for end > 0 && !utf8.RuneStart(text[end]) {
		end--
	}
	return text[:end] + cut[:min(len(cut), max(limit, 0))]
}

var (
	privateKey = regexp.MustCompile(`(?s)-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(-----END [A-Z ]*PRIVATE KEY-----|$)`)

	// A URL may carry a user name and a password, and a signature in its query.
	urlUser  = regexp.MustCompile(`([A-Za-z][A-Za-z0-9+.-]*://)[^\s/"'<>?#@]+@`)
	urlQuery = regexp.MustCompile(`((?i:https?|oss|rtmp|srt)://[^\s"'<>?#]*\?)[^\s"'<>]+`)

	// A name that says what follows is secret, with the value after = or :, in
	// plain, JSON, XML or header form.
	named = regexp.MustCompile(`(?i)((?:upload-?_?auth|play-?_?auth|auth-?_?key|play-?_?key|access-?_?key-?_?secret|security-?_?token|x-(?:oss|acs)-security-token|x-oss-signature|signature|private-?_?key|sslpri|passphrase|password|authorization)(?:"|&quot;|\\")?\s*(?:[:=]|%3[ad]|>)\s*(?:"|&quot;|\\"|')?(?:(?:Bearer|Basic|OSS4?|ACS3)[-A-Z0-9]* +)?)[^\s"'<>&;,\\]+`)

	// Base64 of a JSON object: an upload credential or a policy.
	encodedDocument = regexp.MustCompile(`(?:eyJ|ewog|ewoJ|eyA)[A-Za-z0-9+/_%=-]{24,}`)
)

var separators = strings.NewReplacer("_", "", "-", "", ".", "")

// SecretName reports whether the name of a field says that its value is a
// secret.
func SecretName(name string) bool {
	if len(name) > 64 {
		return false
	}
	name = strings.ToLower(separators.Replace(name))
	for _, word := range []string{"secret", "password", "passwd", "passphrase", "privatekey", "sslpri", "plaintext", "uploadauth", "playauth",
		"authkey", "playkey", "encryptkey", "securitytoken", "accesstoken", "authtoken", "authorization"} {
		if strings.Contains(name, word) {
			return true
		}
	}
	switch name {
	case "token", "license", "signature", "auth", "pwd", "apikey", "appkey":
		return true
	}
	return false
}

// known masks secrets that are known by value, the longest first.
func known(text string, secrets []string) string {
	secrets = slices.DeleteFunc(slices.Clone(secrets), func(s string) bool { return s == "" })
	slices.SortFunc(secrets, func(a, b string) int { return len(b) - len(a) })
	secrets = slices.Compact(secrets)
	for _, secret := range secrets {
		var b strings.Builder
		start := 0
		for i := 0; i < len(text); {
			end := match(text, i, secret)
			if end == i {
				i++
				continue
			}
			b.WriteString(text[start:i])
			b.WriteString(mask)
			i, start = end, end
		}
		if start > 0 {
			b.WriteString(text[start:])
			text = b.String()
		}
	}
	return text
}

// match returns where the secret that begins at text[i] ends, i when there is
// none. The beginning of a secret counts when it is long enough.
func match(text string, i int, secret string) int {
	return max(matchAs(text, i, secret, unit), matchAs(text, i, secret, plainFirst))
}

func matchAs(text string, i int, secret string, unit func(string, byte, int) int) int {
	at, n := i, 0
	for n < len(secret) {
		width := unit(text[at:], secret[n], 0)
		if width == 0 {
			break
		}
		at, n = at+width, n+1
	}
	if n == len(secret) || n >= leastStart {
		return at
	}
	return i
}

// plainFirst is unit for a secret that itself looks escaped.
func plainFirst(text string, c byte, depth int) int {
	if text != "" && text[0] == c {
		return 1
	}
	return unit(text, c, depth)
}

// unit returns how many bytes of text are c, escaped or not; 0 for none.
func unit(text string, c byte, depth int) int {
	if text == "" {
		return 0
	}
	if width := escaped(text, c, depth); width > 0 {
		return width
	}
	if text[0] == c {
		return 1
	}
	return 0
}

// escaped returns how many bytes of text are an escape of c. The byte that an
// escape stands for may begin another escape: all of them are tried.
func escaped(text string, c byte, depth int) int {
	if text[0] == '+' && c == ' ' {
		return 1
	}
	b, width := escape(text)
	switch {
	case width > 0:
		if depth < maxEscapes && (b == '%' || b == '\\' || b == '&') {
			inner, widths := unescaped(text)
			if w := escaped(inner, c, depth+1); w > 0 {
				return widths[w-1]
			}
		}
		if b == c || b == '+' && c == ' ' && text[0] == '%' {
			return width
		}
	case text[0] == '\\' && len(text) > 1: // before the character itself, which may be escaped
		if depth < maxEscapes {
			if w := escaped(text[1:], c, depth+1); w > 0 {
				return 1 + w
			}
		}
		if text[1] == c {
			return 2
		}
	}
	return 0
}

// unescaped returns the beginning of text with the escapes taken off that are of
// the form of the first, and where in text each byte of it ends.
func unescaped(text string) (inner string, ends []int) {
	const longest = 32 // more than any escape
	decoded := make([]byte, 0, longest)
	ends = make([]int, 0, longest)
	for at := 0; at < len(text) && len(decoded) < longest; {
		b, width := text[at], 1
		if b == text[0] {
			if plain, n := escape(text[at:]); n > 0 {
				b, width = plain, n
			}
		}
		at += width
		decoded, ends = append(decoded, b), append(ends, at)
	}
	return string(decoded), ends
}

// escape returns the byte that the escape at the beginning of text stands for,
// and the length of the escape; 0 for none.
func escape(text string) (b byte, width int) {
	ok := false
	switch text[0] {
	case '%':
		b, ok = hexByte(text[1:], 2)
		width = 3
	case '\\':
		if strings.HasPrefix(text, `\u00`) {
			b, ok = hexByte(text[4:], 2)
			width = 6
		} else if strings.HasPrefix(text, `\x`) {
			b, ok = hexByte(text[2:], 2)
			width = 4
		}
	case '&':
		if end := strings.IndexByte(text[:min(len(text), 12)], ';'); end > 0 {
			b, ok = entity(text[1:end])
			width = end + 1
		}
	}
	if !ok {
		return 0, 0
	}
	return b, width
}

func entity(name string) (byte, bool) {
	switch name {
	case "amp":
		return '&', true
	case "lt":
		return '<', true
	case "gt":
		return '>', true
	case "quot":
		return '"', true
	case "apos":
		return '\'', true
	case "plus":
		return '+', true
	case "equals":
		return '=', true
	case "sol":
		return '/', true
	}
	digits, ok := strings.CutPrefix(name, "#")
	if !ok {
		return 0, false
	}
	base := 10
	if strings.HasPrefix(digits, "x") || strings.HasPrefix(digits, "X") {
		base, digits = 16, digits[1:]
	}
	if digits == "" {
		return 0, false
	}
	n := 0
	for _, d := range []byte(digits) {
		v := digit(d)
		if v < 0 || v >= base {
			return 0, false
		}
		if n = n*base + v; n > 255 {
			return 0, false
		}
	}
	return byte(n), true
}

func hexByte(text string, digits int) (byte, bool) {
	if len(text) < digits {
		return 0, false
	}
	n := 0
	for _, d := range []byte(text[:digits]) {
		v := digit(d)
		if v < 0 {
			return 0, false
		}
		n = n*16 + v
	}
	return byte(n), true
}

func digit(c byte) int {
	switch {
	case '0' <= c && c <= '9':
		return int(c - '0')
	case 'a' <= c && c <= 'f':
		return int(c-'a') + 10
	case 'A' <= c && c <= 'F':
		return int(c-'A') + 10
	}
	return -1
}
