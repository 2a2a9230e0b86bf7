package progress

import (
	"fmt"
	"io"
	"math"
	"strings"
	"sync"
	"time"

	"github.com/vbauerster/cupwriter"
	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"

	"github.com/alimedia/alimedia-go/cmd/alimedia/internal/screen"
	"github.com/alimedia/alimedia-go/upload"
)

// refreshEvery is how often the bars are drawn.
const refreshEvery = 100 * time.Millisecond

// Bars shows a bar for each running upload, one for all of them, and what ended
// above them. w is a terminal. Results go to another writer if it is not nil.
func Bars(results, w io.Writer, term screen.Terminal, items []Item) Display {
	console := cupwriter.New(lineStart{w}, false)
	if fd, ok := w.(interface{ Fd() uintptr }); ok {
		console.SetTermFd(int(fd.Fd()))
	}
	b := &bars{
		batch: newBatch(items, time.Now), results: results, w: w, term: term, shown: map[int]*mpb.Bar{},
		mpb: mpb.New(mpb.WithConsoleWriter(console), mpb.WithRefreshRate(refreshEvery)),
	}
	if len(items) > 1 {
		b.all = b.add(func(width int) string { return totalLine(b.batch.total(), width, b.pen()) }, math.MaxInt)
	}
	return b
}

// lineStart begins each frame at the start of a line: the terminal shows keys
// that are pressed, such as ^C, where the cursor is.
type lineStart struct{ io.Writer }

func (w lineStart) Write(frame []byte) (int, error) {
	n, err := w.Writer.Write(append([]byte("\r"), frame...))
	return max(0, n-1), err
}

type bars struct {
	*batch
	results, w io.Writer
	term       screen.Terminal
	mpb        *mpb.Progress
	all        *mpb.Bar

	barsMu sync.Mutex
	shown  map[int]*mpb.Bar
	out    sync.Mutex
}

// add shows a line that is made anew each time for the width of the terminal.
func (b *bars) add(line func(width int) string, priority int) *mpb.Bar {
	bar, err := b.mpb.Add(0, mpb.BarFillerFunc(func(w io.Writer, at decor.Statistics) error {
		_, err := io.WriteString(w, line(at.AvailableWidth-1)) // the last column may break the line
		return err
	}), mpb.BarPriority(priority), mpb.BarFillerTrim())
	if err != nil {
		return nil // the terminal is gone
	}
	return bar
}

func (b *bars) Start(i int) {
	b.start(i)
	bar := b.add(func(width int) string { return b.fileLine(i, width) }, i)
	b.barsMu.Lock()
	defer b.barsMu.Unlock()
	b.shown[i] = bar
}

func (b *bars) Update(i int, p upload.Progress) { b.update(i, p) }

func (b *bars) Finish(i int, failed bool, line string) {
	b.finish(i, failed)
	b.barsMu.Lock()
	bar := b.shown[i]
	delete(b.shown, i)
	b.barsMu.Unlock()
	if bar != nil {
		bar.Abort(true)
	}
	if b.results != nil && !failed {
		b.out.Lock()
		defer b.out.Unlock()
		_, _ = io.WriteString(b.results, line)
		return
	}
	b.Note(line)
}

func (b *bars) Note(line string) {
	if _, err := io.WriteString(b.mpb, line); err != nil {
		_, _ = io.WriteString(b.w, line)
	}
}

func (b *bars) Close() {
	b.barsMu.Lock()
	for _, bar := range b.shown {
		if bar != nil {
			bar.Abort(true)
		}
	}
	b.barsMu.Unlock()
	if b.all != nil {
		b.all.Abort(true)
	}
	b.mpb.Wait()
}

func (b *bars) pen() pen {
	return pen{func(c screen.Color, text string) string { return b.term.Paint(b.term.Err, c, text) }, b.term.Unicode}
}

func (b *bars) fileLine(i, width int) string {
	b.mu.Lock()
	p, name := b.state[i], b.items[i].Name
	b.mu.Unlock()
	return fileLine(name, p, width, b.pen())
}

// fileLine is one upload in width columns: its name, a bar, and figures as far
// as there is room.
func fileLine(name string, p upload.Progress, width int, with pen) string {
	figures := []string{percent(p), amount(p.Sent, p.Total), rateText(p.Rate), leftText(p.ETA)}
	if words, ok := stages[p.Stage]; ok {
		figures = []string{percent(p), words, "", ""}
	}
	return line(name, figures, fraction(p.Sent, p.Total), width, with, screen.Green)
}

// stages are the words for all stages but the one in which bytes are sent.
var stages = map[upload.Stage]string{
	"":                   "starting",
	upload.StageOpen:     "starting",
	upload.StageCreate:   "creating",
	upload.StageComplete: "completing",
	upload.StageFinish:   "finishing",
	upload.StageWait:     "processing",
	upload.StageDone:     "done",
}

func totalLine(t total, width int, with pen) string {
	name := fmt.Sprintf("%d/%d files", t.done+t.failed, t.files)
	if t.failed > 0 {
		name += fmt.Sprintf(", %d failed", t.failed)
	}
	bytes, known := t.bytes, t.bytes
	if t.unknown {
		bytes, known = upload.UnknownSize, 0
	}
	figures := []string{percent(upload.Progress{Sent: t.sent, Total: known}), amount(t.sent, bytes), rateText(t.rate), leftText(t.left)}
	return line(name, figures, fraction(t.sent, known), width, with, screen.Blue)
}

// line lays out one line of exactly fitting parts. Figures are left out from
// the end, then the bar, then the name is shortened.
func line(name string, figures []string, part float64, width int, p pen, c screen.Color) string {
	const leastName, leastBar, mostBar = 12, 8, 30
	for n := len(figures); n >= 0; n-- {
		text := layFigures(figures[:n])
		room := width - screen.Width(text)
		want := min(screen.Width(name), leastName)
		if room < want+1 && n > 1 {
			continue
		}
		if room < 1 {
			continue
		}
		barWidth := min(mostBar, room-want-4)
		if barWidth < leastBar {
			barWidth = 0
		}
		nameWidth := room
		if barWidth > 0 {
			nameWidth = room - barWidth - 4
			// A longer name is worth more than a longer bar.
			if wish := screen.Width(name); wish > nameWidth {
				give := min(wish-nameWidth, barWidth-leastBar)
				barWidth, nameWidth = barWidth-give, nameWidth+give
			}
		}
		shown := screen.Pad(screen.FitMiddle(name, nameWidth), nameWidth)
		if barWidth == 0 {
			return shown + text
		}
		return shown + " " + p.bar(part, barWidth, c) + text
	}
	return screen.FitMiddle(name, width)
}

// layFigures gives each figure a column of its own, so that bars are aligned.
func layFigures(figures []string) string {
	widths := []int{4, 13, 9, 6}
	var b strings.Builder
	for i, f := range figures {
		b.WriteString(strings.Repeat(" ", max(1, 1+widths[i]-screen.Width(f))) + f)
	}
	return b.String()
}

// pen draws bars.
type pen struct {
	paint   func(screen.Color, string) string
	unicode bool
}

// bar takes width+2 columns.
func (p pen) bar(part float64, width int, c screen.Color) string {
	if p.unicode {
		full := int(math.Round(part * float64(width+2)))
		return p.paint(c, strings.Repeat("━", full)) + p.paint(screen.Dim, strings.Repeat("─", width+2-full))
	}
	full := int(math.Round(part * float64(width)))
	done, rest := strings.Repeat("=", full), strings.Repeat("-", width-full)
	if full > 0 && full < width {
		done = done[:full-1] + ">"
	}
	return "[" + p.paint(c, done) + p.paint(screen.Dim, rest) + "]"
}

func fraction(sent, total int64) float64 {
	if total <= 0 {
		return 0
	}
	return min(1, max(0, float64(sent)/float64(total)))
}

func percent(p upload.Progress) string {
	if p.Total <= 0 {
		return ""
	}
	return fmt.Sprintf("%d%%", int(p.Percent()))
}

func amount(sent, total int64) string {
	if total <= 0 {
		return screen.Bytes(sent)
	}
	return screen.Bytes(sent) + "/" + screen.Bytes(total)
}
