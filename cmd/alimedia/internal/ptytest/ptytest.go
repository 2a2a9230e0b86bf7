//go:build unix

// Package ptytest runs a program in a pseudo-terminal and reads its screen.
package ptytest

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"time"

	"github.com/charmbracelet/x/vt"
	"github.com/creack/pty"
	"golang.org/x/sys/unix"
)

// Options are how a program is run.
type Options struct {
	Columns, Rows int // 0: 80 by 24
	Env           []string
	Dir           string

	// Stdout is nil for the terminal.
	Stdout io.Writer
}

// Terminal is a terminal with a program in it.
type Terminal struct {
	cmd *exec.Cmd
	pty *os.File

	mu      sync.Mutex
	screen  *vt.Emulator
	raw     []byte
	changed chan struct{} // closed at the next output, and then replaced
	over    chan struct{}
	err     error
}

// Start runs the program name.
func Start(o Options, name string, args ...string) (*Terminal, error) {
	if o.Columns == 0 {
		o.Columns, o.Rows = 80, 24
	}
	t := &Terminal{cmd: exec.Command(name, args...), screen: vt.NewEmulator(o.Columns, o.Rows), changed: make(chan struct{}), over: make(chan struct{})}
	t.cmd.Env, t.cmd.Dir, t.cmd.Stdout = o.Env, o.Dir, o.Stdout
	var err error
	t.pty, err = pty.StartWithSize(t.cmd, &pty.Winsize{Cols: uint16(o.Columns), Rows: uint16(o.Rows)})
	if err != nil {
		return nil, err
	}
	go func() { _, _ = io.Copy(io.Discard, t.screen) }() // what the terminal answers
	go t.read()
	return t, nil
}

func (t *Terminal) read() {
	defer close(t.over)
	buf := make([]byte, 32<<10)
	for {
		n, err := t.pty.Read(buf)
		t.mu.Lock()
		t.raw = append(t.raw, buf[:n]...)
		_, _ = t.screen.Write(buf[:n])
		close(t.changed)
		t.changed = make(chan struct{})
		t.mu.Unlock()
		if err != nil { // EIO: the program has closed the terminal
			break
		}
	}
	t.err = t.cmd.Wait()
	t.pty.Close()
}

// Send types text.
func (t *Terminal) Send(text string) { _, _ = t.pty.WriteString(text) }

// Interrupt presses Ctrl-C.
func (t *Terminal) Interrupt() { t.Send("\x03") }

// Resize changes the size of the terminal, which tells the program.
func (t *Terminal) Resize(columns, rows int) error {
	t.mu.Lock()
	t.screen.Resize(columns, rows)
	t.mu.Unlock()
	return pty.Setsize(t.pty, &pty.Winsize{Cols: uint16(columns), Rows: uint16(rows)})
}

// Screen is the text on the screen, without blanks at the ends of lines and
// without empty lines at the end.
func (t *Terminal) Screen() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.text()
}

func (t *Terminal) text() string {
	lines := strings.Split(t.screen.String(), "\n")
	for i, line := range lines {
		lines[i] = strings.TrimRight(line, " \r")
	}
	return strings.TrimRight(strings.Join(lines, "\n"), "\n")
}

// Raw is everything that the program wrote.
func (t *Terminal) Raw() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return string(t.raw)
}

// Look calls f with the emulator, for more than its text.
func (t *Terminal) Look(f func(*vt.Emulator)) {
	t.mu.Lock()
	defer t.mu.Unlock()
	f(t.screen)
}

// WaitFor waits until the screen is as ok says.
func (t *Terminal) WaitFor(limit time.Duration, ok func(screen string) bool) error {
	timer := time.NewTimer(limit)
	defer timer.Stop()
	for {
		t.mu.Lock()
		text, changed := t.text(), t.changed
		t.mu.Unlock()
		if ok(text) {
			return nil
		}
		select {
		case <-changed:
		case <-t.over:
			if text := t.Screen(); !ok(text) {
				return fmt.Errorf("the program ended, and the screen is\n%s", text)
			}
			return nil
		case <-timer.C:
			return fmt.Errorf("after %v the screen is\n%s", limit, text)
		}
	}
}

// Wait waits for the end of the program and returns its exit code.
func (t *Terminal) Wait(limit time.Duration) (int, error) {
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case <-t.over:
	case <-timer.C:
		return -1, fmt.Errorf("still running after %v, and the screen is\n%s", limit, t.Screen())
	}
	var exit *exec.ExitError
	if t.err != nil && !errors.As(t.err, &exit) {
		return -1, t.err
	}
	return t.cmd.ProcessState.ExitCode(), nil
}

// Kill ends the program.
func (t *Terminal) Kill() {
	_ = t.cmd.Process.Kill()
	<-t.over
}

// Idle reports whether the program that was started, such as a shell, is the
// one that reads the terminal.
func (t *Terminal) Idle() (idle bool) {
	conn, err := t.pty.SyscallConn()
	if err != nil {
		return false
	}
	err = conn.Control(func(fd uintptr) {
		group, err := unix.IoctlGetInt(int(fd), unix.TIOCGPGRP)
		idle = err == nil && group == t.cmd.Process.Pid
	})
	return err == nil && idle
}
