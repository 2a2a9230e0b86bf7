package main

import (
	"encoding/json"
	"os/exec"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/alimedia/alimedia-go/cmd/alimedia/internal/screen"
)

// lines are the objects that --json printed.
func lines(t *testing.T, out string) (objects []map[string]any) {
	t.Helper()
	for _, line := range strings.Split(strings.TrimSpace(out), "\n") {
		var o map[string]any
		require.NoError(t, json.Unmarshal([]byte(line), &o), "line %q", line)
		objects = append(objects, o)
	}
	return objects
}

// assets counts the assets of the demo.
func (u *user) assets() int {
	u.t.Helper()
	out, errs, code := u.run("call", "vod", "SearchMedia", "SearchType=video", "Fields=Title,Status", "PageNo=1", "PageSize=50", "--json")
	require.Equal(u.t, 0, code, errs)
	var answer struct{ Total int }
	require.NoError(u.t, json.Unmarshal([]byte(out), &answer), out)
	return answer.Total
}

func TestFirstInterruptDrains(t *testing.T) {
	t.Parallel()
	u := newUser(t)
	for _, name := range []string{"a.mp4", "b.mp4", "c.mp4"} {
		u.file(name, 6<<20)
	}
	args := []string{"upload", "--limit-rate", "4MB", "--concurrency", "1", "a.mp4", "b.mp4", "c.mp4"}
	s := u.terminal(80, 24, args...)
	s.seeThat(func(screen string) bool { return bar.MatchString(screen) }, "a bar")
	s.Interrupt()
	s.see("\nStopping: waiting for 1 running upload to finish; 2 will not start. Ctrl-C again\nends at once; the same command resumes.\n")
	end := s.ends(130)
	require.Regexp(t, `(?m)^uploaded a\.mp4 `, end, "the running upload has finished")
	require.NotContains(t, end, "uploaded b.mp4")
	require.Contains(t, end, "1 uploaded, 2 not started; 6.3 MB in ")
	require.Contains(t, end, "run the same command again to resume")

	s = u.terminal(80, 24, append(args, "--limit-rate", "100MB")...)
	end = s.ends(0)
	require.Regexp(t, `(?m)^uploaded before a\.mp4 `, end)
	require.Contains(t, end, "2 uploaded, 1 uploaded before")
	require.Equal(t, 3, u.assets())
}

func TestSecondInterruptEndsAtOnceAndTheNextCommandResumes(t *testing.T) {
	t.Parallel()
	u := newUser(t)
	u.file("movie.mp4", 24<<20)
	s := u.terminal(80, 24, "upload", "--limit-rate", "6MB", "movie.mp4")
	third := regexp.MustCompile(`(?m)^movie\.mp4 .* (3\d|[4-8]\d)% `)
	s.seeThat(func(screen string) bool { return third.MatchString(screen) }, "a third sent")
	s.Interrupt()
	s.see("\nStopping: waiting for 1 running upload to finish.")
	s.Interrupt()
	end := s.ends(130)
	stored := regexp.MustCompile(`movie\.mp4: interrupted, (\S+ MB) stored`).FindStringSubmatch(end)
	require.Len(t, stored, 2, end)
	require.Contains(t, end, "1 interrupted")
	require.NotContains(t, end, "━", "no bar is left")

	out, errs, code := u.run("upload", "--json", "--progress", "json", "movie.mp4")
	require.Equal(t, 0, code, errs)
	events := lines(t, out)
	var resumed float64
	for _, e := range events[:len(events)-1] {
		require.Equal(t, "progress", e["event"])
		if n, ok := e["resumed"].(float64); ok {
			resumed = n
		}
	}
	require.Equal(t, stored[1], screen.Bytes(int64(resumed)), "what the first command has stored is not sent again")
	result := events[len(events)-1]
	require.Equal(t, "uploaded", result["event"])
	require.Equal(t, float64(24<<20), result["size"])
	require.Equal(t, 1, u.assets(), "one asset in both commands")
}

func TestTerminatedDrains(t *testing.T) {
	t.Parallel()
	u := newUser(t)
	u.file("a.mp4", 4<<20)
	u.file("b.mp4", 4<<20)
	cmd := exec.Command(binary, "upload", "--limit-rate", "4MB", "--concurrency", "1", "--json", "--progress", "json", "a.mp4", "b.mp4")
	cmd.Dir, cmd.Env = u.dir, u.env
	pipe, err := cmd.StdoutPipe()
	require.NoError(t, err)
	var errs strings.Builder
	cmd.Stderr = &errs
	require.NoError(t, cmd.Start())
	decoder := json.NewDecoder(pipe)
	var last map[string]any
	for told := false; ; {
		var e map[string]any
		if decoder.Decode(&e) != nil {
			break
		}
		if last = e; e["stage"] == "send" && !told {
			told = true
			require.NoError(t, cmd.Process.Signal(syscall.SIGTERM))
		}
	}
	_ = cmd.Wait()
	require.Equal(t, 143, cmd.ProcessState.ExitCode(), errs.String())
	require.Equal(t, "uploaded", last["event"])
	require.Equal(t, "a.mp4", last["name"])
	require.Contains(t, errs.String(), "1 uploaded, 1 not started")
}

func TestKilledDemoBeginsTheUploadAnew(t *testing.T) {
	t.Parallel()
	u := newUser(t)
	u.file("movie.mp4", 12<<20)
	u.file("before.mp4", 100)
	_, errs, code := u.run("upload", "before.mp4")
	require.Equal(t, 0, code, errs)
	s := u.terminal(80, 24, "upload", "--limit-rate", "4MB", "movie.mp4")
	some := regexp.MustCompile(`(?m)^movie\.mp4 .* ([3-8]\d)% `)
	s.seeThat(func(screen string) bool { return some.MatchString(screen) }, "a part sent")
	s.Kill()
	out, errs, code := u.run("upload", "movie.mp4")
	require.Equal(t, 0, code, errs)
	require.Regexp(t, `^uploaded movie\.mp4  13 MB  [0-9a-f]{32}\n$`, out)
}

func TestTimeoutEndsUploads(t *testing.T) {
	t.Parallel()
	u := newUser(t)
	u.file("movie.mp4", 40<<20)
	out, errs, code := u.run("upload", "--timeout", "1500ms", "--limit-rate", "4MB", "movie.mp4")
	require.Equal(t, 7, code, errs)
	require.Empty(t, out)
	require.Contains(t, errs, "the time of --timeout is over")
}
