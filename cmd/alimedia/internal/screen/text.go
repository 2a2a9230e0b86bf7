package screen

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/mattn/go-runewidth"
)

// Clean makes text printable on one line: control characters, characters that
// change the direction of text or are invisible, and invalid UTF-8 are written
// as escapes.
func Clean(text string) string {
	if strings.IndexFunc(text, hidden) < 0 && utf8.ValidString(text) {
		return text
	}
	var b strings.Builder
	for i := 0; i < len(text); {
		r, size := utf8.DecodeRuneInString(text[i:])
		switch {
		case r == utf8.RuneError && size == 1:
			fmt.Fprintf(&b, `\x%02x`, text[i])
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\t':
			b.WriteString(`\t`)
		case r == '\r':
			b.WriteString(`\r`)
		case hidden(r) && r < 0x80:
			fmt.Fprintf(&b, `\x%02x`, r)
		case hidden(r):
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			b.WriteRune(r)
		}
		i += size
	}
	return b.String()
}

// CleanLines is Clean for text of several lines, whose line breaks stay.
func CleanLines(text string) string {
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		lines[i] = Clean(strings.TrimSuffix(line, "\r"))
	}
	return strings.Join(lines, "\n")
}

// hidden reports what a terminal may obey or not show. The joiners U+200C and
// U+200D stay: scripts and emoji need them.
func hidden(r rune) bool {
	if r == '\u200c' || r == '\u200d' {
		return false
	}
	return unicode.IsControl(r) || unicode.In(r, unicode.Cf, unicode.Zl, unicode.Zp, unicode.Co)
}

// Width is how many columns text takes; wide characters take two.
func Width(text string) int { return runewidth.StringWidth(text) }

// Fit shortens text to at most width columns. What is left out of the end is
// shown as an ellipsis.
func Fit(text string, width int) string {
	if width <= 0 {
		return ""
	}
	return runewidth.Truncate(text, width, "…")
}

// FitMiddle shortens text to at most width columns and keeps its end, where
// the extension of a file is.
func FitMiddle(text string, width int) string {
	if Width(text) <= width {
		return text
	}
	if width < 8 {
		return Fit(text, width)
	}
	tail := runewidth.TruncateLeft(text, Width(text)-(width-1)/3, "")
	return runewidth.Truncate(text, width-1-Width(tail), "") + "…" + tail
}

// Pad adds blanks up to width columns.
func Pad(text string, width int) string {
	if n := width - Width(text); n > 0 {
		return text + strings.Repeat(" ", n)
	}
	return text
}

// Bytes is a size for people: decimal units, as file managers show them.
func Bytes(n int64) string {
	switch {
	case n < 0:
		return "?"
	case n < 1000:
		return fmt.Sprintf("%d B", n)
	}
	value, unit := float64(n), 0
	for value >= 999.5 && unit < 6 {
		value, unit = value/1000, unit+1
	}
	if value < 9.95 {
		return fmt.Sprintf("%.1f %cB", value, " kMGTPE"[unit])
	}
	return fmt.Sprintf("%.0f %cB", value, " kMGTPE"[unit])
}

// Wrap breaks text at blanks into lines of at most width columns; 0 means no
// limit.
func Wrap(text string, width int) (lines []string) {
	if width <= 0 {
		return []string{text}
	}
	line := ""
	for _, word := range strings.Fields(text) {
		if line != "" && Width(line)+1+Width(word) > width {
			lines, line = append(lines, line), ""
		}
		if line != "" {
			line += " "
		}
		line += word
	}
	return append(lines, line)
}
