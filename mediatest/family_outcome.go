package mediatest

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// Outcome decides how jobs end that are submitted from now on.
type Outcome struct {
	// Operation is the operation that submits the job, such as
	// "SubmitTranscodeJobs". Empty: every one.
	Operation string

	// Contains is a text in one of the parameters of the job, such as an id. Empty: any.
	Contains string

	// Duration is how long the job takes. Zero means that of [Processing].
	Duration time.Duration

	// Code and Message say why the job fails. With an empty Code it succeeds.
	Code, Message string

	// Times is how many jobs end like this. Zero means all.
	Times int
}

type outcome struct {
	Outcome
	left int
}

// Outcome sets how jobs end. The latest that fits a job counts.
func (s *Server) Outcome(o Outcome) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.outcomes = append(s.outcomes, &outcome{Outcome: o, left: o.Times})
}

// outcomeOf finds the outcome of a job that begins.
func (s *Server) outcomeOf(t *thing) Outcome {
	for i := len(s.outcomes) - 1; i >= 0; i-- {
		o := s.outcomes[i]
		if o.Operation != "" && o.Operation != t.by || o.Contains != "" && !t.mentions(o.Contains) || o.Times > 0 && o.left == 0 {
			continue
		}
		o.left--
		return o.Outcome
	}
	return Outcome{}
}

// launch begins the work of a job.
func (s *Server) launch(t *thing) {
	o := s.outcomeOf(t)
	t.code, t.message = o.Code, o.Message
	d := o.Duration
	if d == 0 {
		d = s.opts.delay
		t.polls = s.opts.polls
	}
	t.due = t.created.Add(d)
	s.at(t.due)
}

// ends is when a job ends; of a resource, when it was last changed.
func (t *thing) ends() time.Time {
	if t.due.IsZero() {
		return t.changed
	}
	return t.due
}

// look counts a poll.
func (t *thing) look() {
	if t.polls > 0 {
		t.polls--
	}
}

// pending reports whether the thing is a job that has not ended.
func (t *thing) pending(now time.Time) bool {
	return t.family.states != "" && !t.canceled && (now.Before(t.due) || t.polls > 0 || t.working)
}

// state is the word of the service for where the job is.
func (t *thing) state(now time.Time) string {
	states := strings.Fields(t.family.states)
	switch {
	case t.canceled && len(states) > 4:
		return states[4]
	case t.canceled:
		return states[3]
	case t.pending(now) && now.Equal(t.created):
		return states[0]
	case t.pending(now):
		return states[1]
	case t.code != "":
		return states[3]
	}
	return states[2]
}

// failed is the reason of a failure, once it has happened.
func (t *thing) failed(now time.Time, reason string) string {
	if t.pending(now) || t.code == "" {
		return ""
	}
	return reason
}

// succeeded reports whether a job has ended well.
func (t *thing) succeeded(now time.Time) bool {
	return !t.pending(now) && !t.canceled && t.code == ""
}

// settle does what jobs do when they end. It is called before each operation.
func (s *Server) settle() {
	now := s.now()
	for _, acc := range s.accounts {
		var ended []*thing
		for _, kind := range acc.made {
			for _, t := range kind {
				if t.family.states != "" && !t.settled && !t.pending(now) {
					ended = append(ended, t)
				}
			}
		}
		slices.SortFunc(ended, func(a, b *thing) int { return cmp.Compare(a.seq, b.seq) })
		for _, t := range ended {
			t.settled = true
			if t.family.done != nil && t.succeeded(now) {
				t.family.done(s, acc, t)
			}
			s.ended(acc, t)
		}
	}
}
