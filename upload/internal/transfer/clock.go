package transfer

import (
	"sync"
	"sync/atomic"
	"time"
)

// Clock is the time of one host, which may differ from the local time. The zero
// value is the local time. A Clock is safe for concurrent use.
type Clock struct {
	offset atomic.Int64
	known  atomic.Bool
}

// Now is the time of the host.
func (c *Clock) Now() time.Time { return time.Now().Add(c.Offset()) }

// Offset is how far the host's time is ahead of the local time.
func (c *Clock) Offset() time.Duration { return time.Duration(c.offset.Load()) }

// Known reports whether the host has told its time.
func (c *Clock) Known() bool { return c.known.Load() }

// Set takes the time that the host tells. It reports whether the time is
// plausible; otherwise the clock does not change.
func (c *Clock) Set(server time.Time) bool {
	if !Plausible(server) {
		return false
	}
	c.offset.Store(int64(time.Until(server)))
	c.known.Store(true)
	return true
}

// correct takes the time of a host that refused a request for its time. Unless
// it is the first correction, it has to make a difference.
func (c *Clock) correct(server time.Time, first bool) bool {
	if !first && server.Sub(c.Now()).Abs() < time.Minute {
		return false
	}
	return c.Set(server)
}

// reset drops a correction that did not help.
func (c *Clock) reset() { c.offset.Store(0) }

// Plausible reports whether a host's time is believed: with a larger difference
// no TLS certificate would be valid.
func Plausible(server time.Time) bool {
	return !server.IsZero() && time.Until(server).Abs() < 400*24*time.Hour
}

// Clocks holds the clock of each host. It is safe for concurrent use.
type Clocks struct{ hosts sync.Map }

// Of returns the clock of a host.
func (c *Clocks) Of(host string) *Clock {
	if known, ok := c.hosts.Load(host); ok {
		return known.(*Clock)
	}
	known, _ := c.hosts.LoadOrStore(host, new(Clock))
	return known.(*Clock)
}
