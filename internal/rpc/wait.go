package rpc

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/alimedia/alimedia-go"
	"github.com/alimedia/alimedia-go/internal/redact"
)

const (
	waitInterval = 2 * time.Second  // between the first two looks at a job
	newJobGrace  = 30 * time.Second // how long a job just made may not be found
	waitFailures = 5                // responses in a row that are missing for reasons that pass
)

// State is what a response says of a job.
type State struct{ Status, Code, Message string }

// Ends are the states a job ends in, blank separated. Their case does not
// matter. Any other state goes on.
type Ends struct{ Good, Bad string }

// Wait asks for a job until it has ended. A bad end is an
// *alimedia.JobError. The last response is returned in any case.
func Wait[P any](ctx context.Context, id string, ends Ends, ask func(context.Context) (P, error), state func(P) State) (last P, err error) {
	err = wait(ctx, id, ends, func(ctx context.Context) (*State, error) {
		out, err := ask(ctx)
		if err != nil {
			return nil, err
		}
		last = out
		s := state(out)
		return &s, nil
	})
	return last, err
}

// WaitListed does the same for a job that is found in a list: find takes it
// out of a response, nil when it is not there.
func WaitListed[P, Item any](ctx context.Context, id string, ends Ends, ask func(context.Context) (P, error), find func(P) *Item, state func(*Item) State) (last *Item, err error) {
	err = wait(ctx, id, ends, func(ctx context.Context) (*State, error) {
		out, err := ask(ctx)
		if err != nil {
			return nil, err
		}
		item := find(out)
		if item == nil {
			return nil, nil
		}
		last = item
		s := state(item)
		return &s, nil
	})
	return last, err
}

// Find returns the item of a list that has the id.
func Find[Item any](list []Item, id string, of func(*Item) string) *Item {
	for i := range list {
		if of(&list[i]) == id {
			return &list[i]
		}
	}
	return nil
}

// wait looks at a job again and again. A look returns no state where the job
// was not found.
func wait(ctx context.Context, id string, ends Ends, look func(context.Context) (*State, error)) error {
	if id == "" {
		return errors.New("alimedia: the id to wait for is empty")
	}
	var last *State
	failures, start := 0, time.Now()
	_, err := alimedia.Poll(ctx, waitInterval, func(ctx context.Context) (struct{}, bool, error) {
		state, err := look(ctx)
		missing := err == nil && state == nil || alimedia.IsNotFound(err)
		switch {
		case missing && last == nil && time.Since(start) < newJobGrace:
			return struct{}{}, false, nil
		case err == nil && missing:
			return struct{}{}, false, fmt.Errorf("alimedia: job %s was not found", id)
		case err != nil:
			failures++
			if passes(err) && failures < waitFailures {
				return struct{}{}, false, nil
			}
			return struct{}{}, false, err
		}
		failures, last = 0, state
		if oneOf(state.Status, ends.Bad) {
			return struct{}{}, false, &alimedia.JobError{JobId: id, Status: redact.Text(state.Status), Code: redact.Text(state.Code), Message: redact.Text(state.Message)}
		}
		return struct{}{}, oneOf(state.Status, ends.Good), nil
	})
	if err != nil && ctx.Err() != nil && last != nil {
		return fmt.Errorf("%w; job %s was last in state %s", err, id, redact.Bounded(last.Status, 64))
	}
	return err
}

// passes reports whether a failure is worth another look later.
func passes(err error) bool {
	var e *alimedia.Error
	return errors.As(err, &e) && e.Retryable()
}

func oneOf(state, states string) bool {
	return slices.ContainsFunc(strings.Fields(states), func(s string) bool { return strings.EqualFold(s, state) })
}
