//go:build unix

package main

import (
	"fmt"
	"html"
	"image/color"
	"math"
	"sort"
	"strings"
	"time"

	"github.com/charmbracelet/x/ansi"
	"github.com/charmbracelet/x/vt"

	"github.com/alimedia/alimedia-go/cmd/alimedia/internal/ptytest"
)

// frameEvery is the time between two looks at the screen.
const frameEvery = 100 * time.Millisecond

// film is pictures of a terminal. Its time is that of the frames and not of a
// clock, so that a slow machine makes the same film.
type film struct {
	term   *ptytest.Terminal
	frames []frame
	end    time.Duration
}

type frame struct {
	at   time.Duration
	rows []string // SVG of each line
}

func newFilm(term *ptytest.Terminal) *film { return &film{term: term} }

// roll films for a time.
func (f *film) roll(d time.Duration) {
	time.Sleep(min(d, frameEvery))
	rows := f.picture()
	if len(f.frames) == 0 || strings.Join(rows, "\n") != strings.Join(f.frames[len(f.frames)-1].rows, "\n") {
		f.frames = append(f.frames, frame{f.end, rows})
	}
	f.end += d
}

// picture draws what is on the screen.
func (f *film) picture() (drawn []string) {
	f.term.Look(func(e *vt.Emulator) {
		cursor := e.CursorPosition()
		for y := range rows {
			drawn = append(drawn, drawRow(e, y))
			if y == cursor.Y {
				drawn[y] += fmt.Sprintf(`<rect class="k" x="%.1f" y="-13" width="%.1f" height="17"/>`, float64(cursor.X)*cell, cell)
			}
		}
	})
	return drawn
}

const (
	cell   = 8.4 // width of a column
	line   = 19  // height of a line
	margin = 18
	bar    = 34 // height of the title bar
)

// drawRow draws the runs of equal style of a line.
func drawRow(e *vt.Emulator, y int) string {
	var b strings.Builder
	for x := 0; x < columns; {
		first := e.CellAt(x, y)
		text, start := "", x
		for x < columns {
			c := e.CellAt(x, y)
			if c == nil || first == nil || !c.Style.Equal(&first.Style) {
				break
			}
			if c.Content == "" {
				text += " "
			} else {
				text += c.Content
			}
			x += max(1, c.Width)
			if c.Width > 1 { // a wide character is placed by itself
				break
			}
			if next := e.CellAt(x, y); next != nil && next.Width > 1 {
				break
			}
		}
		if x == start {
			x++
		}
		shown := strings.TrimRight(text, " ")
		if shown == "" || first == nil {
			continue
		}
		lead := len(shown) - len(strings.TrimLeft(shown, " "))
		shown = shown[lead:]
		width := float64(ansi.StringWidth(shown)) * cell
		fmt.Fprintf(&b, `<text x="%.1f" textLength="%.1f"%s>%s</text>`, float64(start+lead)*cell, width, style(first.Style.Fg, first.Style.Attrs), html.EscapeString(shown))
	}
	return b.String()
}

// style are the classes of a run.
func style(fg color.Color, attrs uint8) string {
	var classes []string
	if c, ok := fg.(ansi.BasicColor); ok {
		classes = append(classes, fmt.Sprintf("c%d", int(c)%8))
	}
	if attrs&1 != 0 {
		classes = append(classes, "b")
	}
	if attrs&2 != 0 {
		classes = append(classes, "d")
	}
	if len(classes) == 0 {
		return ""
	}
	return ` class="` + strings.Join(classes, " ") + `"`
}

const head = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%d" height="%d" role="img" aria-label="%s">
<style>
text{font:14px ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono","Noto Sans Mono CJK SC",monospace;fill:#d7dae0;white-space:pre}
.b{font-weight:bold;fill:#fff}.d{opacity:.45}.k{fill:#d7dae0;opacity:.6}
.c1{fill:#f4747c}.c2{fill:#7ad08a}.c3{fill:#e9c46a}.c4{fill:#6cb2f5}.c5{fill:#c792ea}.c6{fill:#5ad0d0}
.f{visibility:hidden;animation-duration:%.2fs;animation-iteration-count:infinite;animation-timing-function:step-end}
.last{visibility:visible}
@media (prefers-reduced-motion:reduce){.f{animation:none!important}}
`

// svg draws all frames. Without animation the last one is visible.
func (f *film) svg() []byte {
	width, height := int(math.Ceil(columns*cell))+2*margin, rows*line+bar+2*margin
	var b strings.Builder
	fmt.Fprintf(&b, head, width, height, width, height, "alimedia uploads three files with progress bars, lists the assets and shows one", f.end.Seconds())
	for i, fr := range f.frames {
		from, to := f.share(fr.at), 100.0
		if i+1 < len(f.frames) {
			to = f.share(f.frames[i+1].at)
		}
		fmt.Fprintf(&b, "@keyframes a%d{0%%{visibility:%s}", i, map[bool]string{true: "visible", false: "hidden"}[i == 0])
		if i > 0 {
			fmt.Fprintf(&b, "%.3f%%{visibility:visible}", from)
		}
		if to < 100 {
			fmt.Fprintf(&b, "%.3f%%{visibility:hidden}", to)
		}
		fmt.Fprintf(&b, "100%%{visibility:%s}}\n", map[bool]string{true: "visible", false: "hidden"}[to == 100])
	}
	b.WriteString("</style>\n<defs>\n")
	ids := f.define(&b)
	fmt.Fprintf(&b, "</defs>\n<rect width=\"%d\" height=\"%d\" rx=\"9\" fill=\"#1b1e26\"/>\n", width, height)
	for i, c := range []string{"#f4747c", "#e9c46a", "#7ad08a"} {
		fmt.Fprintf(&b, "<circle cx=\"%d\" cy=\"20\" r=\"6\" fill=\"%s\"/>\n", margin+6+i*20, c)
	}
	fmt.Fprintf(&b, "<g transform=\"translate(%d %d)\">\n", margin, bar+margin+6)
	for i, fr := range f.frames {
		class := "f"
		if i == len(f.frames)-1 {
			class = "f last"
		}
		fmt.Fprintf(&b, "<g class=\"%s\" style=\"animation-name:a%d\">", class, i)
		for y, row := range fr.rows {
			if row != "" {
				fmt.Fprintf(&b, "<use href=\"#%s\" y=\"%d\"/>", ids[row], y*line)
			}
		}
		b.WriteString("</g>\n")
	}
	b.WriteString("</g>\n</svg>\n")
	return []byte(b.String())
}

func (f *film) share(at time.Duration) float64 { return 100 * at.Seconds() / f.end.Seconds() }

// define draws each different line once.
func (f *film) define(b *strings.Builder) map[string]string {
	ids := map[string]string{}
	var different []string
	for _, fr := range f.frames {
		for _, row := range fr.rows {
			if _, ok := ids[row]; !ok && row != "" {
				ids[row] = ""
				different = append(different, row)
			}
		}
	}
	sort.Strings(different)
	for i, row := range different {
		ids[row] = fmt.Sprintf("r%d", i)
		fmt.Fprintf(b, "<g id=\"r%d\">%s</g>\n", i, row)
	}
	return ids
}
