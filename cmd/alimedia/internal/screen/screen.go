// Package screen knows the terminal: what it is, how wide text is on it, and
// how to write foreign text so that it cannot control it.
package screen

import (
	"io"
	"os"
	"strconv"
	"strings"

	"golang.org/x/term"
)

// Stream is one of the standard streams.
type Stream struct {
	TTY  bool
	file *os.File
}

// Of says what w or r is. Only an *os.File can be a terminal.
func Of(stream any) Stream {
	f, ok := stream.(*os.File)
	if !ok || f == nil {
		return Stream{}
	}
	return Stream{TTY: term.IsTerminal(int(f.Fd())), file: f}
}

// Width is the number of columns now: 0 when there is no terminal, 80 when the
// terminal does not say.
func (s Stream) Width() int {
	if !s.TTY {
		return 0
	}
	if w, _, err := term.GetSize(int(s.file.Fd())); err == nil && w > 0 {
		return w
	}
	return 80
}

// Terminal is what the streams and the environment say.
type Terminal struct {
	In, Out, Err Stream

	Dumb    bool // no cursor movement: TERM is dumb or empty
	NoColor bool // NO_COLOR is set, or the terminal is dumb
	Unicode bool // lines and blocks can be drawn, one column wide
	columns int  // of the environment, for tables in pipes
}

// Detect looks at the streams and the environment.
func Detect(in io.Reader, out, err io.Writer, env func(string) string) Terminal {
	t := Terminal{In: Of(in), Out: Of(out), Err: Of(err)}
	t.Dumb = env("TERM") == "dumb" || env("TERM") == ""
	t.NoColor = env("NO_COLOR") != "" || t.Dumb
	for _, name := range []string{"LC_ALL", "LC_CTYPE", "LANG"} {
		if locale := strings.ToUpper(env(name)); locale != "" {
			t.Unicode = (strings.Contains(locale, "UTF-8") || strings.Contains(locale, "UTF8")) && Width("━─") == 2
			break
		}
	}
	if n, e := strconv.Atoi(env("COLUMNS")); e == nil && n > 0 && n < 1<<16 {
		t.columns = n
	}
	return t
}

// Width is the number of columns of standard output: 0 means no limit.
func (t Terminal) Width() int {
	if w := t.Out.Width(); w > 0 {
		return w
	}
	return t.columns
}

// Bars reports whether standard error can show progress bars.
func (t Terminal) Bars() bool { return t.Err.TTY && !t.Dumb }

// Color are the colors of the terminal's own palette, by what they mean.
type Color string

const (
	Red    Color = "31"
	Green  Color = "32"
	Yellow Color = "33"
	Blue   Color = "34"
	Dim    Color = "2"
	Bold   Color = "1"
)

// Paint colors text on a stream that takes colors.
func (t Terminal) Paint(s Stream, c Color, text string) string {
	if t.NoColor || !s.TTY || text == "" {
		return text
	}
	return "\x1b[" + string(c) + "m" + text + "\x1b[0m"
}
