package ingest

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"time"
)

// Worker is what a worker says about itself.
type Worker struct {
	Id       string    `json:"id"`
	Host     string    `json:"host"`
	PID      int       `json:"pid"`
	Began    time.Time `json:"began"`
	Time     time.Time `json:"time"`    // by its clock
	Running  int       `json:"running"` // jobs
	Done     int64     `json:"done"`
	Failed   int64     `json:"failed"` // attempts
	Dead     int64     `json:"dead"`
	Bytes    int64     `json:"bytes"`     // sent, of running and completed uploads
	PerHour  float64   `json:"perHour"`   // jobs done, lately
	PerSec   float64   `json:"perSecond"` // bytes, lately
	Draining bool      `json:"draining,omitempty"`
}

// beat tells the fleet that this worker is alive, and the queue that its jobs are
// worked on, until over is closed. It ends the jobs when the fleet has not heard
// of the worker for so long that others may take them.
func (w *worker) beat(over <-chan struct{}, idle func()) {
	ticker := time.NewTicker(min(w.Fleet.cfg.AckWait/8, 2*time.Second)) // often, for who looks at the status
	defer ticker.Stop()
	for {
		select {
		case <-over:
			return
		case <-ticker.C:
		}
		ctx, cancel := context.WithTimeout(context.Background(), w.Fleet.cfg.AckWait/4)
		if err := w.pulse(ctx); err != nil {
			w.log.Debug("ingest: the queue does not answer", "error", w.clean(err))
		}
		cancel()
		for _, t := range w.tasksNow() {
			if w.fenced() {
				t.cancel(errFenced)
				continue
			}
			_ = t.message().InProgress()
		}
		w.mu.Lock()
		resting := w.cfg.Idle > 0 && len(w.running) == 0 && time.Since(w.lastJob) > w.cfg.Idle
		w.mu.Unlock()
		if resting {
			idle()
		}
	}
}

// pulse renews the entry of this worker, which vanishes after AckWait.
func (w *worker) pulse(ctx context.Context) error {
	at := time.Now()
	text, err := json.Marshal(w.describe(at))
	if err != nil {
		return err
	}
	if _, err := w.workers.Put(ctx, w.id, text); err != nil {
		return err
	}
	stored := time.Now()
	w.mu.Lock()
	w.contact = at
	due := at.Sub(w.observed) >= w.Fleet.cfg.AckWait/8
	if due {
		w.observed = at
	}
	w.mu.Unlock()
	if !due {
		return nil
	}
	return w.rates.observe(ctx, w.id, at, stored)
}

// fenced reports whether other workers may take the jobs of this one soon.
func (w *worker) fenced() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return time.Since(w.contact) > w.Fleet.cfg.AckWait*3/4
}

func (w *worker) tasksNow() (all []*task) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, t := range w.running {
		all = append(all, t)
	}
	return all
}

func (w *worker) describe(at time.Time) Worker {
	host, _ := os.Hostname()
	me := Worker{
		Id: w.id, Host: host, PID: os.Getpid(), Began: w.began.UTC(), Time: at.UTC(),
		Done: w.done.Load(), Failed: w.failed.Load(), Dead: w.died.Load(), Bytes: w.bytes.Load(), Draining: w.stop != nil && w.stopping(),
	}
	tasks := w.tasksNow()
	me.Running = len(tasks)
	for _, t := range tasks {
		me.Bytes += t.sent.Load()
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.history = append(w.history, moment{at, me.Done, me.Bytes})
	for len(w.history) > 2 && at.Sub(w.history[0].at) > time.Minute {
		w.history = w.history[1:]
	}
	if first := w.history[0]; at.Sub(first.at) > 0 {
		seconds := at.Sub(first.at).Seconds()
		me.PerHour, me.PerSec = float64(me.Done-first.done)/seconds*3600, max(0, float64(me.Bytes-first.bytes)/seconds)
	}
	return me
}

// moment is how far a worker was at a time.
type moment struct {
	at          time.Time
	done, bytes int64
}

// leave tells the fleet that this worker is gone.
func (w *worker) leave() {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	if err := w.workers.Purge(ctx, w.id); err != nil {
		w.log.Debug("ingest: worker not signed off", "error", fmt.Sprint(w.clean(err)))
	}
}
