package progress

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/alimedia/alimedia-go/cmd/alimedia/internal/screen"
	"github.com/alimedia/alimedia-go/upload"
)

func plain(_ screen.Color, text string) string { return text }

func TestLinesFitEveryWidth(t *testing.T) {
	t.Parallel()
	states := []upload.Progress{
		{},
		{Stage: upload.StageSend, Sent: 42e6, Total: 100e6, Rate: 12.3e6, ETA: 70 * time.Second},
		{Stage: upload.StageSend, Sent: 42e15, Total: 100e15, Rate: 12.3e9, ETA: 90 * time.Hour},
		{Stage: upload.StageSend, Sent: 42e6, Total: upload.UnknownSize, Rate: 1e6},
		{Stage: upload.StageComplete, Sent: 100e6, Total: 100e6},
	}
	for _, unicode := range []bool{true, false} {
		for width := 1; width <= 200; width++ {
			for _, p := range states {
				for _, name := range []string{"a.mp4", "a-very-long-name-of-a-movie-that-nobody-will-ever-watch.mp4", "電影電影電影電影電影電影電影.mp4"} {
					text := fileLine(name, p, width, pen{plain, unicode})
					require.LessOrEqual(t, screen.Width(text), width, "%d: %q", width, text)
				}
			}
			text := totalLine(total{files: 1000, done: 12, failed: 3, sent: 42e9, bytes: 90e9, rate: 1e9, left: time.Minute}, width, pen{plain, unicode})
			require.LessOrEqual(t, screen.Width(text), width, "%d: %q", width, text)
		}
	}
	require.Equal(t, "a.mp4                        [============>-----------------]  42%  42 MB/100 MB   12 MB/s  1m10s",
		fileLine("a.mp4", states[1], 98, pen{paint: plain}))
	require.Regexp(t, `^a\.mp4 +42%$`, fileLine("a.mp4", states[1], 14, pen{paint: plain}), "on a narrow terminal the percentage stays")
}

func TestBarsAreAligned(t *testing.T) {
	t.Parallel()
	start := func(text string) int { return strings.IndexAny(text, "━─") - strings.Count(text, "x") }
	a := fileLine("a.mp4", upload.Progress{Stage: upload.StageSend, Sent: 1, Total: 100, Rate: 1e6}, 80, pen{plain, true})
	b := fileLine("b.mp4", upload.Progress{Stage: upload.StageWait, Sent: 100, Total: 100}, 80, pen{plain, true})
	c := totalLine(total{files: 2, sent: 5, bytes: 200}, 80, pen{plain, true})
	require.Equal(t, start(a), start(b))
	require.Equal(t, start(a), start(c))
}

func TestTotal(t *testing.T) {
	t.Parallel()
	now := time.Unix(1000, 0)
	b := newBatch([]Item{{"a", 100}, {"b", 300}, {"c", upload.UnknownSize}}, func() time.Time { return now })
	for i := range 3 {
		b.start(i)
	}
	b.total()
	b.update(0, upload.Progress{Sent: 50, Total: 100, Resumed: 40})
	now = now.Add(time.Second)
	got := b.total()
	require.True(t, got.unknown)
	require.Equal(t, int64(50), got.sent)
	require.Equal(t, 10.0, got.rate, "what an earlier run has sent was not sent now")
	require.Zero(t, got.left)

	b.update(2, upload.Progress{Sent: 10, Total: 100})
	b.finish(0, false)
	b.finish(1, true)
	got = b.total()
	require.Equal(t, total{files: 3, done: 1, failed: 1, sent: 110, bytes: 200, rate: 10, left: 9 * time.Second}, got, "a failed file is not waited for")
}

func TestLinesReport(t *testing.T) {
	t.Parallel()
	var results, notes strings.Builder
	l := Lines(&results, &notes, []Item{{"a.mp4", 100e6}, {"b.mp4", -1}}).(*lines)
	l.Start(0)
	l.Start(1)
	l.Update(0, upload.Progress{Stage: upload.StageSend, Sent: 42e6, Total: 100e6, Rate: 5e6, ETA: 12 * time.Second})
	l.Update(1, upload.Progress{Stage: upload.StageWait})
	require.Equal(t, "a.mp4: 42%  42 MB/100 MB  5.0 MB/s  12s\nb.mp4: processing\n0/2 files: 42 MB\n", l.report())
	l.Finish(0, false, "good\n")
	l.Finish(1, true, "bad\n")
	l.Close()
	require.Equal(t, "good\n", results.String())
	require.Equal(t, "a.mp4: uploading (100 MB)\nb.mp4: uploading\nbad\n", notes.String())
}

func TestLeft(t *testing.T) {
	t.Parallel()
	for d, want := range map[time.Duration]string{0: "", time.Second: "1s", 61 * time.Second: "1m1s", 3*time.Hour + 5*time.Minute: "3h5m", 200 * time.Hour: ">4d"} {
		require.Equal(t, want, leftText(d))
		require.LessOrEqual(t, len(leftText(d)), 6)
	}
	require.Regexp(t, regexp.MustCompile(`^\S+$`), leftText(99*time.Hour))
}
