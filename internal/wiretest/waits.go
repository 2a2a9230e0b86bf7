package wiretest

import (
	"cmp"
	"context"
	"encoding/json"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/alimedia/alimedia-go"
)

// waiting is what the overlay says of how a job tells its end.
type waiting struct {
	Ask, ID, More         string
	With                  map[string]string
	List, ItemID          string
	Status, Code, Message string
	Good, Bad             string
}

// RunWaits waits for every job that can be waited for, on a scripted service:
// to each of its ends, past a state nobody knows and a job not there yet.
func RunWaits(t *testing.T, service string, open func(alimedia.Config) (any, error)) {
	waits := read[struct{ Waits map[string]*waiting }](t, "../api/"+service+".overlay.json").Waits
	for _, name := range slices.Sorted(maps.Keys(waits)) {
		w := waits[name]
		wait := func(t *testing.T, responses ...reply) (out reflect.Value, wire *script, err error) {
			wire = &script{responses: responses}
			method := reflect.ValueOf(connect(t, open, wire)).MethodByName("Wait" + name)
			require.True(t, method.IsValid(), "no method")
			in := []reflect.Value{reflect.ValueOf(context.Background())}
			for _, param := range append(strings.Fields(w.More), w.ID) {
				in = append(in, reflect.ValueOf("the "+param))
			}
			results := method.Call(in)
			err, _ = results[1].Interface().(error)
			return results[0], wire, err
		}
		notYet := reply{404, `{"Code":"InvalidJob.NotFound"}`}
		for _, state := range strings.Fields(w.Good) {
			t.Run(name+"/"+state, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					start := time.Now()
					out, wire, err := wait(t, notYet, reply{200, `{"RequestId":"r"}`}, w.response(t, "SomethingNew"), w.response(t, state))
					require.NoError(t, err)
					require.False(t, out.IsNil())
					require.Len(t, wire.sent, 4)
					require.Equal(t, 9500*time.Millisecond, time.Since(start), "2 s, 3 s, 4.5 s")
					w.check(t, wire)
				})
			})
		}
		for _, state := range strings.Fields(w.Bad) {
			t.Run(name+"/"+state, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					out, _, err := wait(t, w.response(t, state))
					want := alimedia.JobError{JobId: "the " + w.ID, Status: state}
					if w.Code != "" {
						want.Code = "the code"
					}
					if w.Message != "" {
						want.Message = "the message"
					}
					var failed *alimedia.JobError
					require.ErrorAs(t, err, &failed)
					require.Equal(t, want, *failed)
					require.False(t, out.IsNil(), "the response is kept")
				})
			})
		}
	}
}

// response is a job in a state; in a list another one stands before it.
func (w *waiting) response(t *testing.T, state string) reply {
	t.Helper()
	job := map[string]any{}
	put(job, w.Status, state)
	if w.Code != "" {
		put(job, w.Code, "the code")
	}
	if w.Message != "" {
		put(job, w.Message, "the message")
	}
	if w.List != "" {
		put(job, w.ItemID, "the "+w.ID)
		other := maps.Clone(job)
		other[w.ItemID] = "another"
		other[w.Status] = cmp.Or(strings.Fields(w.Bad)...)
		list := map[string]any{}
		put(list, w.List, []any{other, job})
		job = list
	}
	text, err := json.Marshal(job)
	require.NoError(t, err)
	return reply{200, string(text)}
}

// check looks at what was asked for.
func (w *waiting) check(t *testing.T, wire *script) {
	t.Helper()
	for _, param := range append(strings.Fields(w.More), w.ID) {
		require.Equal(t, "the "+param, wire.sent[0].Get(param))
	}
	for param, value := range w.With {
		require.Equal(t, value, wire.sent[0].Get(param))
	}
}
