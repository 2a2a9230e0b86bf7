package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/alimedia/alimedia-go/cmd/alimedia/internal/ptytest"
)

// binary is the command, built.
var binary string

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "alimedia-test")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	binary = filepath.Join(dir, "alimedia")
	if out, err := exec.Command("go", "build", "-o", binary, ".").CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "go build: %v\n%s", err, out)
		os.Exit(1)
	}
	code := m.Run()
	os.RemoveAll(dir)
	os.Exit(code)
}

// patience is how long a test waits for what must come.
const patience = 60 * time.Second

// user is someone with a home, a folder of files and the demo.
type user struct {
	t   *testing.T
	dir string
	env []string

	flags []string // in front of the arguments of every command
}

func newUser(t *testing.T, env ...string) *user {
	t.Helper()
	u := &user{t: t, dir: t.TempDir()}
	home := t.TempDir()
	u.env = append([]string{
		"HOME=" + home, "XDG_STATE_HOME=" + filepath.Join(home, "state"), "PATH=" + os.Getenv("PATH"), "LANG=C.UTF-8",
		"TERM=xterm-256color", "ALIMEDIA_DEMO=1",
	}, env...)
	return u
}

// file writes a file of so many bytes.
func (u *user) file(name string, size int) string {
	u.t.Helper()
	path := filepath.Join(u.dir, name)
	require.NoError(u.t, os.MkdirAll(filepath.Dir(path), 0o755))
	content := bytes.Repeat([]byte(name+"."), size/(len(name)+1)+1)[:size]
	require.NoError(u.t, os.WriteFile(path, content, 0o644))
	return path
}

// run runs the command without a terminal.
func (u *user) run(args ...string) (stdout, stderr string, code int) {
	u.t.Helper()
	return u.runWith("", args...)
}

func (u *user) runWith(stdin string, args ...string) (stdout, stderr string, code int) {
	u.t.Helper()
	cmd := exec.Command(binary, append(slices.Clone(u.flags), args...)...)
	cmd.Dir, cmd.Env = u.dir, u.env
	var out, err bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(stdin), &out, &err
	_ = cmd.Run()
	return out.String(), err.String(), cmd.ProcessState.ExitCode()
}

// terminal runs the command in a pseudo-terminal.
func (u *user) terminal(columns, rows int, args ...string) *session {
	u.t.Helper()
	t, err := ptytest.Start(ptytest.Options{Columns: columns, Rows: rows, Env: u.env, Dir: u.dir}, binary, args...)
	require.NoError(u.t, err)
	u.t.Cleanup(t.Kill)
	return &session{Terminal: t, t: u.t}
}

// session is a terminal in a test.
type session struct {
	*ptytest.Terminal
	t *testing.T
}

// see waits until all the texts are on the screen.
func (s *session) see(texts ...string) string {
	s.t.Helper()
	return s.seeThat(func(screen string) bool {
		for _, text := range texts {
			if !strings.Contains(screen, text) {
				return false
			}
		}
		return true
	}, texts...)
}

func (s *session) seeThat(ok func(screen string) bool, what ...string) (screen string) {
	s.t.Helper()
	err := s.WaitFor(patience, func(text string) bool { screen = text; return ok(text) })
	require.NoError(s.t, err, "waiting for %q", what)
	return screen
}

// ends waits for the end and wants the exit code.
func (s *session) ends(code int) string {
	s.t.Helper()
	got, err := s.Wait(patience)
	require.NoError(s.t, err)
	require.Equal(s.t, code, got, "exit code; the screen is\n%s", s.Screen())
	return s.Screen()
}
