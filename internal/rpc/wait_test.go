package rpc

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/alimedia/alimedia-go"
)

type job struct{ Id, Status, Code, Message string }

func (j *job) state() State { return State{j.Status, j.Code, j.Message} }

// jobs answers look by look, with the last one for ever.
type jobs struct {
	looks     int
	responses []any // *job, nil or error
}

func (s *jobs) ask(context.Context) (*job, error) {
	response := s.responses[min(s.looks, len(s.responses)-1)]
	s.looks++
	if err, ok := response.(error); ok {
		return nil, err
	}
	j, _ := response.(*job)
	return j, nil
}

var (
	ends     = Ends{Good: "Success Normal", Bad: "Fail Cancelled"}
	notFound = &alimedia.Error{Code: "InvalidJob.NotFound", StatusCode: http.StatusNotFound}
	busy     = &alimedia.Error{Code: "ServiceUnavailable", StatusCode: http.StatusServiceUnavailable}
	denied   = &alimedia.Error{Code: "Forbidden", StatusCode: http.StatusForbidden}
)

func TestWait(t *testing.T) {
	t.Parallel()
	running, done := &job{Status: "Processing"}, &job{Status: "Success"}
	failed := &job{Status: "Fail", Code: "InvalidFile", Message: "no video"}
	for _, tt := range []struct {
		name      string
		responses []any
		last      *job
		err       error
		looks     int
		took      time.Duration
	}{
		{"done at once", []any{done}, done, nil, 1, 0},
		{"the case of states does not matter", []any{&job{Status: "NORMAL"}}, &job{Status: "NORMAL"}, nil, 1, 0},
		{"unknown states go on", []any{&job{Status: "New"}, &job{}, running, done}, done, nil, 4, 9500 * time.Millisecond},
		{"a bad end", []any{running, failed}, failed, &alimedia.JobError{JobId: "j", Status: "Fail", Code: "InvalidFile", Message: "no video"}, 2, 2 * time.Second},
		{"not there yet", []any{notFound, notFound, done}, done, nil, 3, 5 * time.Second},
		{"never there", []any{notFound}, nil, notFound, 7, 41562500 * time.Microsecond},
		{"gone", []any{running, notFound}, running, notFound, 2, 2 * time.Second},
		{"a failure that passes", []any{busy, running, busy, busy, busy, busy, done}, done, nil, 7, 41562500 * time.Microsecond},
		{"failures that do not", []any{running, busy}, running, busy, 6, 26375 * time.Millisecond},
		{"a refusal", []any{running, denied}, running, denied, 2, 2 * time.Second},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				start := time.Now()
				s := &jobs{responses: tt.responses}
				last, err := Wait(t.Context(), "j", ends, s.ask, (*job).state)
				require.Equal(t, tt.err, err)
				require.Equal(t, tt.last, last)
				require.Equal(t, tt.looks, s.looks)
				require.Equal(t, tt.took, time.Since(start))
			})
		})
	}
}

func TestWait_TheEndOfContextKeepsTheLastState(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		running := &job{Status: "Processing"}
		last, err := Wait(ctx, "j", ends, (&jobs{responses: []any{running}}).ask, (*job).state)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.ErrorContains(t, err, "job j was last in state Processing")
		require.Same(t, running, last)
	})

	// The call itself may be what ctx ends.
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancelCause(t.Context())
		cause := errors.New("enough")
		running, looks := &job{Status: "Processing"}, 0
		last, err := Wait(ctx, "j", ends, func(ctx context.Context) (*job, error) {
			if looks++; looks == 1 {
				return running, nil
			}
			cancel(cause)
			return nil, context.Cause(ctx)
		}, (*job).state)
		require.ErrorIs(t, err, cause)
		require.ErrorContains(t, err, "job j was last in state Processing")
		require.Same(t, running, last)
	})

	_, err := Wait(t.Context(), "", ends, func(context.Context) (*job, error) {
		t.Error("asked for nothing")
		return nil, nil
	}, (*job).state)
	require.ErrorContains(t, err, "id to wait for is empty")
}

func TestWaitListed(t *testing.T) {
	t.Parallel()
	type list struct{ Jobs []job }
	find := func(l *list) *job { return Find(l.Jobs, "j", func(j *job) string { return j.Id }) }
	run := func(t *testing.T, responses ...*list) (last *job, looks int, err error) {
		last, err = WaitListed(t.Context(), "j", ends, func(context.Context) (*list, error) {
			looks++
			return responses[min(looks, len(responses))-1], nil
		}, find, (*job).state)
		return last, looks, err
	}
	other := job{Id: "other", Status: "Fail"}
	synctest.Test(t, func(t *testing.T) {
		last, looks, err := run(t, &list{}, &list{Jobs: []job{other}},
			&list{Jobs: []job{other, {Id: "j", Status: "Processing"}}}, &list{Jobs: []job{other, {Id: "j", Status: "Normal"}}})
		require.NoError(t, err)
		require.Equal(t, &job{Id: "j", Status: "Normal"}, last)
		require.Equal(t, 4, looks)
	})
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		last, _, err := run(t, &list{Jobs: []job{other}})
		require.EqualError(t, err, "alimedia: job j was not found")
		require.Nil(t, last)
		require.GreaterOrEqual(t, time.Since(start), newJobGrace)
	})
	synctest.Test(t, func(t *testing.T) {
		last, looks, err := run(t, &list{Jobs: []job{{Id: "j", Status: "Processing"}}}, &list{})
		require.EqualError(t, err, "alimedia: job j was not found")
		require.Equal(t, "Processing", last.Status)
		require.Equal(t, 2, looks)
	})
}
