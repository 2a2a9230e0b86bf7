package cli

import (
	"context"
	"errors"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"
)

var (
	errInterrupted = errors.New("interrupted")
	errTerminated  = errors.New("terminated")
)

// interrupts turns Ctrl-C and SIGTERM into the end of a context, or into what
// a command asks for. The second one ends the process at once.
type interrupts struct {
	mu      sync.Mutex
	count   int
	cause   error
	first   func(cause error) // in place of the end of the context
	last    func()            // before the process ends
	cancel  context.CancelCauseFunc
	spoken  bool
	ended   chan struct{} // closed when the command has ended by itself
	exit    func(int)
	waiting time.Duration
}

func newInterrupts() *interrupts {
	return &interrupts{ended: make(chan struct{}), exit: os.Exit, waiting: closeWithin, cancel: func(error) {}}
}

// listen takes the signals of this process until stop is called.
func (in *interrupts) listen() (stop func()) {
	signals := make(chan os.Signal, 3)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	go func() {
		for {
			select {
			case s := <-signals:
				in.arrived(s)
			case <-in.ended:
				return
			}
		}
	}()
	return func() { signal.Stop(signals); close(in.ended) }
}

// context ends at the first interrupt, unless drain was called.
func (in *interrupts) context(parent context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancelCause(parent)
	in.mu.Lock()
	in.cancel = cancel
	in.mu.Unlock()
	return ctx, func() { cancel(context.Canceled) }
}

// drain makes the first interrupt call f, in a goroutine of its own, in place
// of ending the context. f tells the user. release undoes it.
func (in *interrupts) drain(f func(cause error)) (release func()) {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.first = f
	return func() {
		in.mu.Lock()
		defer in.mu.Unlock()
		in.first = nil
	}
}

func (in *interrupts) arrived(s os.Signal) {
	in.mu.Lock()
	in.count++
	if in.cause == nil {
		in.cause = errInterrupted
		if s == syscall.SIGTERM {
			in.cause = errTerminated
		}
	}
	count, cause, first, cancel, last := in.count, in.cause, in.first, in.cancel, in.last
	in.mu.Unlock()
	switch {
	case count == 1 && first != nil:
		first(cause)
	case count <= 2:
		cancel(cause)
		if count == 2 {
			go in.end(cause, last)
		}
	default:
		in.exit(exitCode(cause))
	}
}

// end gives the command a moment to end by itself, then a moment to save what
// it has, and ends the process.
func (in *interrupts) end(cause error, last func()) {
	select {
	case <-in.ended:
		return
	case <-time.After(in.waiting):
	}
	saved := make(chan struct{})
	go func() {
		defer close(saved)
		if last != nil {
			last()
		}
	}()
	select {
	case <-saved:
	case <-time.After(in.waiting):
	}
	in.exit(exitCode(cause))
}

// told reports whether the user was told of the interrupt by a command.
func (in *interrupts) told() bool {
	in.mu.Lock()
	defer in.mu.Unlock()
	return in.spoken
}

// tell notes that a command has told the user of the interrupt.
func (in *interrupts) tell() {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.spoken = true
}

// interrupted is the cause of the first interrupt, nil without one.
func (in *interrupts) interrupted() error {
	in.mu.Lock()
	defer in.mu.Unlock()
	return in.cause
}
