package rpc

import (
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// plausible bounds how far the clock of a service may be from ours: a
	// wrong time zone makes half a day. A Date farther off is not believed.
	plausible = 24 * time.Hour

	// sameTime is how close two clocks are taken for one. A service accepts
	// requests that are a quarter of an hour off.
	sameTime = time.Minute
)

// clock keeps how far the clock of one host is ahead of ours, as far as
// refusals have told.
type clock struct{ nanoseconds atomic.Int64 }

func (c *clock) ahead() time.Duration { return time.Duration(c.nanoseconds.Load()) }

// forget goes back to the clock of this machine.
func (c *clock) forget() { c.nanoseconds.Store(0) }

// learn takes over the Date of a response that refused the time of a request,
// which was signedAt by a clock set forward by used. It reports whether another
// attempt is signed with another time. A Date that is not plausible, or that
// the refused request had anyway, is no help; then the clock of this machine is
// tried, if it was not.
func (c *clock) learn(date string, signedAt time.Time, used time.Duration) bool {
	server, err := http.ParseTime(date)
	ahead := time.Until(server)
	if err != nil || ahead.Abs() > plausible || server.Sub(signedAt).Abs() < sameTime {
		c.forget()
		return used != 0
	}
	c.nanoseconds.Store(int64(ahead))
	return true
}

// clocks has one clock for each host that a client and those derived from it
// talk to.
type clocks struct {
	mu    sync.Mutex
	hosts map[string]*clock
}

func (c *clocks) of(host string) *clock {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.hosts == nil {
		c.hosts = map[string]*clock{}
	}
	if c.hosts[host] == nil {
		c.hosts[host] = new(clock)
	}
	return c.hosts[host]
}
