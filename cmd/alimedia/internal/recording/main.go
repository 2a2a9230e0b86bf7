//go:build unix

// Recording makes docs/demo.svg: it types commands into a shell in a
// pseudo-terminal, photographs the screen, and draws the pictures as an animated
// SVG. Run it from the folder cmd/alimedia:
//
//	go run ./internal/recording ../../docs/demo.svg
package main

import (
	"bytes"
	"fmt"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"time"

	"github.com/alimedia/alimedia-go/cmd/alimedia/internal/ptytest"
)

const (
	columns, rows = 88, 31
	prompt        = "$ "
	patience      = 60 * time.Second
)

func main() {
	log.SetFlags(0)
	if len(os.Args) != 2 {
		log.Fatal("usage: recording FILE.svg")
	}
	svg, err := record()
	if err == nil {
		err = os.WriteFile(os.Args[1], svg, 0o644)
	}
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%s: %d kB\n", os.Args[1], len(svg)/1000)
}

func record() ([]byte, error) {
	dir, err := os.MkdirTemp("", "recording")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	if out, err := exec.Command("go", "build", "-o", filepath.Join(dir, "bin", "alimedia"), ".").CombinedOutput(); err != nil {
		return nil, fmt.Errorf("go build: %w\n%s", err, out)
	}
	home := filepath.Join(dir, "home")
	files := filepath.Join(home, "footage")
	if err := os.MkdirAll(files, 0o755); err != nil {
		return nil, err
	}
	for name, size := range map[string]int{"launch.mp4": 24e6, "interview.mov": 40e6, "trailer.mp4": 16e6} {
		if err := os.WriteFile(filepath.Join(files, name), bytes.Repeat([]byte(name), size/len(name)), 0o644); err != nil {
			return nil, err
		}
	}
	term, err := ptytest.Start(ptytest.Options{Columns: columns, Rows: rows, Dir: files, Env: []string{
		"HOME=" + home, "PATH=" + filepath.Join(dir, "bin") + ":/usr/bin:/bin", "PS1=" + prompt, "TERM=xterm-256color", "LANG=C.UTF-8",
		"XDG_STATE_HOME=" + filepath.Join(home, ".local", "state"),
	}}, "sh")
	if err != nil {
		return nil, err
	}
	defer term.Kill()
	film := newFilm(term)
	script := &script{term: term, film: film}
	script.play()
	return film.svg(), script.err
}

// script types into the terminal and waits for what comes.
type script struct {
	term *ptytest.Terminal
	film *film
	err  error
}

func (s *script) play() {
	s.ready()
	s.enter("export ALIMEDIA_DEMO=1   # no account needed", 900)
	s.enter("alimedia upload *.mp4 *.mov --limit-rate 18M --wait", 1600)
	s.enter("alimedia ls", 1800)
	id := regexp.MustCompile(`[0-9a-f]{32}`).FindString(s.term.Screen())
	s.enter("alimedia info "+id, 4000)
}

// enter types a command, waits for its end, and rests.
func (s *script) enter(command string, rest int) {
	if s.err != nil {
		return
	}
	for _, r := range command {
		s.term.Send(string(r))
		s.film.roll(30 * time.Millisecond)
	}
	s.film.roll(300 * time.Millisecond)
	s.term.Send("\n")
	s.ready()
	s.film.roll(time.Duration(rest) * time.Millisecond)
}

// ready films until the shell waits for a command.
func (s *script) ready() {
	if s.err != nil {
		return
	}
	waiting := regexp.MustCompile(`(?:^|\n)` + regexp.QuoteMeta(prompt) + `?$`)
	for end := time.Now().Add(patience); time.Now().Before(end); {
		s.film.roll(frameEvery)
		if waiting.MatchString(s.term.Screen()) && s.term.Idle() {
			return
		}
	}
	s.err = fmt.Errorf("no prompt:\n%s", s.term.Screen())
}
