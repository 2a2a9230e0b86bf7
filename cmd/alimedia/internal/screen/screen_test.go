package screen

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestClean(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"movie.mp4":            "movie.mp4",
		"電影 émile":             "電影 émile",
		"\x1b[2J":              `\x1b[2J`,
		"a\nb\tc\rd":           `a\nb\tc\rd`,
		"\x00\x7f":             `\x00\x7f`,
		"\u009b31m":            `\u009b31m`,
		"\u202egpj.exe":        `\u202egpj.exe`,
		"\u2066x\u2069":        `\u2066x\u2069`,
		"\u2028":               `\u2028`,
		"\ufeff":               `\ufeff`,
		"bad\xff\xfe":          `bad\xff\xfe`,
		"\U000e0041":           `\ue0041`,
		"👩\u200d👧":             "👩\u200d👧",
		strings.Repeat("x", 9): "xxxxxxxxx",
	} {
		require.Equal(t, want, Clean(text), "%q", text)
	}
	require.Equal(t, "a\nb\\x1b", CleanLines("a\r\nb\x1b"))
}

func FuzzClean(f *testing.F) {
	f.Add("\x1b]0;x\x07\u202e\xff")
	f.Fuzz(func(t *testing.T, text string) {
		clean := Clean(text)
		require.Negative(t, strings.IndexFunc(clean, hidden))
		require.Equal(t, clean, Clean(clean))
	})
}

func TestFit(t *testing.T) {
	t.Parallel()
	require.Equal(t, "abc", Fit("abc", 3))
	require.Equal(t, "ab…", Fit("abcd", 3))
	require.Empty(t, Fit("abc", 0))
	for width := 1; width < 40; width++ {
		for _, text := range []string{"a-long-name-of-a-movie.mp4", "電影電影電影電影電影電影.mp4", "x.mp4", "👩\u200d👧👩\u200d👧👩\u200d👧👩\u200d👧👩\u200d👧.mp4"} {
			short := FitMiddle(text, width)
			require.LessOrEqual(t, Width(short), width, "%q", short)
			if Width(text) <= width {
				require.Equal(t, text, short)
			} else if width >= 15 {
				require.True(t, strings.HasSuffix(short, ".mp4"), "%q keeps the extension", short)
			}
		}
	}
	require.Equal(t, 4, Width("電影"))
	require.Equal(t, "電影 ", Pad("電影", 5))
}

func TestWrap(t *testing.T) {
	t.Parallel()
	require.Equal(t, []string{"one two", "three"}, Wrap("one two three", 8))
	require.Equal(t, []string{"one two three"}, Wrap("one two three", 0))
	require.Equal(t, []string{"a", "much-too-long", "b"}, Wrap("a much-too-long b", 4))
}

func TestBytes(t *testing.T) {
	t.Parallel()
	for n, want := range map[int64]string{-1: "?", 0: "0 B", 999: "999 B", 1000: "1.0 kB", 9949: "9.9 kB", 9950: "10 kB", 999499: "999 kB", 999500: "1.0 MB", 1 << 40: "1.1 TB"} {
		require.Equal(t, want, Bytes(n))
	}
}

func table() *Table {
	t := &Table{Headings: []string{"ID", "TITLE", "SIZE"}, Flexible: []int{1}, Optional: []int{2}}
	t.Row(strings.Repeat("f", 32), "A title of a movie that is long", "1.0 MB")
	t.Row(strings.Repeat("0", 32), "電影\x1b[31m", "2 B")
	return t
}

func written(t *testing.T, width int) string {
	var b strings.Builder
	require.NoError(t, table().Write(&b, width, func(s string) string { return s }))
	return b.String()
}

func TestTableFitsEveryWidth(t *testing.T) {
	t.Parallel()
	for width := 20; width <= 120; width++ {
		text := written(t, width)
		require.NotContains(t, text, "\x1b")
		require.Contains(t, text, strings.Repeat("f", 32), "an id is never shortened")
		for _, line := range strings.Split(text, "\n") {
			if !strings.Contains(line, "fff") && !strings.Contains(line, "000") {
				require.LessOrEqual(t, Width(line), max(width, 32), "width %d: %q", width, line)
			}
		}
	}
	require.Contains(t, written(t, 0), "  A title of a movie that is long  1.0 MB\n", "no limit in a pipe")
	require.Contains(t, written(t, 63), "SIZE", "the title is shortened first")
	require.NotContains(t, written(t, 58), "SIZE", "then a column is left out")
	require.Contains(t, written(t, 45), "TITLE\n")
	require.Contains(t, written(t, 36), "TITLE: ", "and then there are blocks")
}

func TestDetect(t *testing.T) {
	t.Parallel()
	env := func(pairs ...string) func(string) string {
		return func(name string) string {
			for i := 0; i < len(pairs); i += 2 {
				if pairs[i] == name {
					return pairs[i+1]
				}
			}
			return ""
		}
	}
	term := Detect(strings.NewReader(""), &strings.Builder{}, &strings.Builder{}, env("TERM", "xterm", "COLUMNS", "70", "LANG", "C.UTF-8"))
	require.False(t, term.Out.TTY)
	require.Equal(t, 70, term.Width())
	require.False(t, term.Bars())
	require.False(t, term.Dumb)
	require.Equal(t, "x", term.Paint(term.Out, Red, "x"), "no color in a pipe")
	for _, values := range [][]string{{"TERM", "dumb"}, {}, {"TERM", "xterm", "NO_COLOR", "1"}} {
		require.True(t, Detect(nil, nil, nil, env(values...)).NoColor, values)
	}
	require.False(t, Detect(nil, nil, nil, env("LC_ALL", "C", "LANG", "C.UTF-8")).Unicode, "LC_ALL counts more than LANG")
}
