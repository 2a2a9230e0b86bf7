package main

import (
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// widest is the number of columns of the longest line.
func widest(screen string) int {
	most := 0
	for _, line := range strings.Split(screen, "\n") {
		most = max(most, len([]rune(line)))
	}
	return most
}

var (
	bar     = regexp.MustCompile(`(?m)^(\S+) +(?:━*─*|\[=*>?-*\]) +\d+% `)
	uploads = regexp.MustCompile(`(?m)^uploaded (\S+) +(\S+ \S+) +[0-9a-f]{32}$`)
)

func TestUploadShowsBarsAndTotal(t *testing.T) {
	t.Parallel()
	u := newUser(t)
	u.file("a.mp4", 4<<20)
	u.file("b.mp4", 8<<20)
	u.file("c.mp4", 8<<20)
	s := u.terminal(80, 24, "upload", "--limit-rate", "6MB", "a.mp4", "b.mp4", "c.mp4")
	middle := s.seeThat(func(screen string) bool {
		return len(bar.FindAllString(screen, -1)) == 3 && strings.Contains(screen, "/3 files") && strings.Contains(screen, "B/s")
	}, "three bars, the total and a rate")
	require.LessOrEqual(t, widest(middle), 80)
	require.Contains(t, middle, "/8.4 MB")

	end := s.ends(0)
	require.Len(t, uploads.FindAllString(end, -1), 3)
	require.Contains(t, end, "3 uploaded; 21 MB in ")
	require.NotContains(t, end, "━", "no bar is left")
	require.Equal(t, 1, strings.Count(end, "demo: simulated on this machine"))
}

func TestUploadOnNarrowTerminal(t *testing.T) {
	t.Parallel()
	u := newUser(t)
	u.file("a-rather-long-name-of-a-movie-that-does-not-fit-here.mp4", 6<<20)
	u.file("b.mp4", 6<<20)
	s := u.terminal(40, 15, "upload", "--limit-rate", "4MB", "b.mp4", "a-rather-long-name-of-a-movie-that-does-not-fit-here.mp4")
	half := regexp.MustCompile(`(?m)^a-rather-.*….*\.mp4 .*[1-9]\d%`)
	middle := s.seeThat(func(screen string) bool { return half.MatchString(screen) && strings.Contains(screen, "0/2 files") }, "a shortened name and its percentage")
	require.LessOrEqual(t, widest(middle), 40)
	for _, line := range strings.Split(middle, "\n") {
		if strings.Contains(line, "%") {
			require.LessOrEqual(t, len([]rune(line)), 39, "a full line could break: %q", line)
		}
	}
	end := s.ends(0)
	require.Regexp(t, `(?m)^uploaded a-rather\S*…\S*\.mp4  6\.3 MB\n  [0-9a-f]{32}$`, end, "the id is whole")
}

func TestUploadAfterResize(t *testing.T) {
	t.Parallel()
	u := newUser(t)
	u.file("movie.mp4", 12<<20)
	s := u.terminal(100, 24, "upload", "--limit-rate", "4MB", "movie.mp4")
	s.seeThat(func(screen string) bool { return bar.MatchString(screen) }, "a bar")
	require.NoError(t, s.Resize(50, 24))
	narrow := regexp.MustCompile(`(?m)^movie\.mp4.*%.*MB/s$`)
	screen := s.seeThat(func(screen string) bool { return widest(last(screen)) < 50 && narrow.MatchString(screen) }, "a line for 50 columns")
	require.LessOrEqual(t, widest(last(screen)), 49)
	s.ends(0)
}

func last(screen string) string { return screen[strings.LastIndex(screen, "\n")+1:] }

func TestUploadWithoutColor(t *testing.T) {
	t.Parallel()
	u := newUser(t, "NO_COLOR=1")
	u.file("movie.mp4", 3<<20)
	s := u.terminal(80, 24, "upload", "--limit-rate", "2MB", "movie.mp4")
	s.seeThat(func(screen string) bool { return bar.MatchString(screen) }, "a bar")
	s.ends(0)
	require.NotRegexp(t, `\x1b\[[0-9;]*m`, s.Raw(), "no color")

	u.env = u.env[:len(u.env)-1]
	s = u.terminal(80, 24, "upload", "movie.mp4")
	s.ends(0)
	require.Contains(t, s.Raw(), "\x1b[32muploaded before\x1b[0m", "the test would see a color")
}

func TestUploadOnDumbTerminal(t *testing.T) {
	t.Parallel()
	u := newUser(t, "TERM=dumb")
	u.file("movie.mp4", 2<<20)
	u.file("b.mp4", 100)
	s := u.terminal(80, 24, "upload", "movie.mp4", "b.mp4")
	end := s.ends(0)
	require.Contains(t, end, "movie.mp4: uploading (2.1 MB)")
	require.Regexp(t, `(?m)^uploaded movie\.mp4 +2\.1 MB +[0-9a-f]{32}$`, end)
	require.NotContains(t, s.Raw(), "\x1b", "no control sequence")
}

func TestUploadWithoutTerminal(t *testing.T) {
	t.Parallel()
	u := newUser(t)
	u.file("movie.mp4", 2<<20)
	out, errs, code := u.run("upload", "movie.mp4", "missing.mp4")
	require.Equal(t, 3, code)
	require.Regexp(t, `^uploaded movie\.mp4  2\.1 MB  [0-9a-f]{32}\n$`, out)
	require.Contains(t, errs, "movie.mp4: uploading (2.1 MB)\n")
	require.Contains(t, errs, "alimedia: missing.mp4: no such file or directory\n")
	require.Contains(t, errs, "alimedia: 1 uploaded, 1 failed; 2.1 MB in ")
	require.NotContains(t, out+errs, "\x1b")

	out, errs, code = u.run("upload", "--quiet", "movie.mp4")
	require.Equal(t, 0, code)
	require.Regexp(t, `^[0-9a-f]{32}\tmovie\.mp4\n$`, out)
	require.Empty(t, errs)
}

func TestHostileNamesDoNotReachTheTerminal(t *testing.T) {
	t.Parallel()
	u := newUser(t)
	names := []string{
		"\x1b[2Jclear\x1b]0;title\x07.mp4",
		"line\nbreak\tand\rreturn.mp4",
		"right\u202eto-left.mp4",
		"c1\u009b31mred.mp4",
		"電影" + strings.Repeat("長", 30) + ".mp4",
		"-r.mp4",
	}
	args := []string{"upload", "--limit-rate", "8MB", "--"}
	for _, name := range names {
		u.file(name, 2<<20)
		args = append(args, name)
	}
	s := u.terminal(80, 30, args...)
	middle := s.seeThat(func(screen string) bool {
		return strings.Contains(screen, "電影長") && strings.Contains(screen, "%")
	}, "a wide name")
	_ = middle
	end := s.ends(0)
	for _, shown := range []string{`\x1b[2Jclear`, `line\nbreak\tand\rreturn.mp4`, `right\u202eto-left.mp4`, `c1\u009b31mred.mp4`} {
		require.Contains(t, end, shown)
	}
	raw := s.Raw()
	require.NotContains(t, raw, "\x1b[2J")
	require.NotContains(t, raw, "\x07")
	require.NotContains(t, raw, "\u202e")
	require.NotContains(t, raw, "\u009b")
	require.Contains(t, end, "6 uploaded")

	out, errs, code := u.run("upload", "--", "\x1b[31mmissing.mp4", names[0])
	require.Equal(t, 3, code)
	require.NotContains(t, out+errs, "\x1b")
}
