// Package batch runs calls for the items of a sequence of any length, some at
// once, in groups, with bounded memory. It knows neither the services nor the
// calls.
package batch

import (
	"context"
	"iter"
	"slices"
	"time"
)

// Item is an item of the sequence.
type Item[In any] struct {
	Index int // in the sequence, from 0
	In    In
}

// Plan says how items are grouped and how many groups are worked on at once.
type Plan[In any] struct {
	Workers int
	Size    int             // the most items of a group
	Place   func(In) string // items of different places are never in one group
}

const (
	// linger is how long an incomplete group waits for more items while there is a
	// free worker.
	linger = time.Second
	// maxWaiting bounds the items of incomplete groups.
	maxWaiting = 1000
	// grace is how long a sequence that blocks is waited for after the end.
	grace = time.Second
)

// Run calls work for groups of the items and yields what it emits, when it is
// emitted. Nothing starts before the loop. A group keeps its worker until the
// loop has received all that the group emits.
//
// If the loop is left, the context of work ends, and Run waits for work. If ctx
// ends, work still gets the items that were read, and one more item if there is
// one, so that an interrupted run does not look complete.
func Run[In, Out any](ctx context.Context, items iter.Seq[In], p Plan[In], work func(ctx context.Context, group []Item[In], emit func(Out))) iter.Seq[Out] {
	return func(yield func(Out) bool) {
		ctx, cancel := context.WithCancel(ctx)
		r := &run[In, Out]{ctx: ctx, plan: p, work: work, groups: map[string][]Item[In]{}, queue: make(chan Item[In]), out: make(chan Out), ended: make(chan struct{}, p.Workers)}
		left, pulled := make(chan struct{}), make(chan struct{})
		go func() {
			defer close(pulled)
			r.pull(items, left)
		}()
		defer func() {
			cancel()
			close(left)
			r.drain()
			select {
			case <-pulled:
			case <-time.After(grace):
			}
		}()
		r.loop(yield)
	}
}

type run[In, Out any] struct {
	ctx    context.Context
	plan   Plan[In]
	work   func(context.Context, []Item[In], func(Out))
	queue  chan Item[In] // closed at the end of the sequence
	out    chan Out
	ended  chan struct{} // one for each group that is done
	active int           // groups that are worked on

	groups  map[string][]Item[In] // incomplete ones
	order   []string              // places of groups, oldest first
	waiting int                   // items in groups
	ready   [][]Item[In]          // groups without a worker
	last    bool                  // the sequence has ended
}

func (r *run[In, Out]) loop(yield func(Out) bool) {
	ends, late := r.ctx.Done(), (<-chan time.Time)(nil)
	idle := time.NewTimer(linger)
	defer idle.Stop()
	for {
		r.start()
		if r.last && r.active == 0 && len(r.ready) == 0 {
			return
		}
		queue := r.queue
		if r.last || len(r.ready) > 0 {
			queue = nil
		}
		select {
		case item, ok := <-queue:
			if !ok {
				r.last = true
				r.flush()
				continue
			}
			if r.waiting == 0 {
				idle.Reset(linger)
			}
			r.add(item)
		case o := <-r.out:
			if !yield(o) {
				return
			}
		case <-r.ended:
			r.active--
		case <-idle.C:
			if r.active < r.plan.Workers {
				r.flush()
			} else {
				idle.Reset(linger)
			}
		case <-ends: // a sequence that blocks is not waited for
			ends, late = nil, time.After(grace)
			r.flush()
		case <-late:
			r.last = true
			r.flush()
		}
	}
}

// add puts an item into its group.
func (r *run[In, Out]) add(item Item[In]) {
	place := ""
	if r.plan.Place != nil {
		place = r.plan.Place(item.In)
	}
	group, known := r.groups[place]
	if !known {
		r.order = append(r.order, place)
	}
	r.groups[place] = append(group, item)
	r.waiting++
	switch {
	case len(group)+1 >= r.plan.Size:
		r.release(place)
	case r.waiting >= maxWaiting:
		r.release(r.order[0])
	}
}

// release makes a group ready, complete or not.
func (r *run[In, Out]) release(place string) {
	r.ready = append(r.ready, r.groups[place])
	r.waiting -= len(r.groups[place])
	delete(r.groups, place)
	i := slices.Index(r.order, place)
	r.order = slices.Delete(r.order, i, i+1)
}

func (r *run[In, Out]) flush() {
	for len(r.order) > 0 {
		r.release(r.order[0])
	}
}

// start gives ready groups to free workers.
func (r *run[In, Out]) start() {
	for len(r.ready) > 0 && r.active < r.plan.Workers {
		group := r.ready[0]
		r.ready = r.ready[1:]
		r.active++
		go func() {
			defer func() { r.ended <- struct{}{} }()
			r.work(r.ctx, group, func(o Out) { r.out <- o })
		}()
	}
}

// drain waits for the groups that are worked on.
func (r *run[In, Out]) drain() {
	for r.active > 0 {
		select {
		case <-r.out:
		case <-r.ended:
			r.active--
		}
	}
}

// pull sends the items to the queue until the context ends, and then one more.
func (r *run[In, Out]) pull(items iter.Seq[In], left <-chan struct{}) {
	defer close(r.queue)
	index := 0
	for in := range items {
		over := r.ctx.Err() != nil
		select {
		case r.queue <- Item[In]{index, in}:
		case <-left:
			return
		}
		if over {
			return
		}
		index++
	}
}
