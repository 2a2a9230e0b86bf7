package mediatest

import "time"

// Clock is the time by which a server does its work: jobs end, credentials
// expire and assets are ready by it. It goes like the clock of this machine and
// can be moved ahead. Signatures are judged by the machine's own clock, see
// [Server.SetClockSkew] for that.
type Clock struct{ srv *Server }

// Clock is the server's clock.
func (s *Server) Clock() Clock { return Clock{s} }

// Now is the server's time.
func (c Clock) Now() time.Time {
	c.srv.mu.Lock()
	defer c.srv.mu.Unlock()
	return c.srv.now()
}

// Advance moves the clock ahead. What falls due in that time is done when it
// returns; the callbacks of it are on their way.
func (c Clock) Advance(d time.Duration) {
	s := c.srv
	if d < 0 {
		s.misuse("Clock.Advance(%v): time goes forward", d)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.advance(d)
}

// advance is called with mu held.
func (s *Server) advance(d time.Duration) {
	s.ahead += d
	s.settle()
	s.wakeQueues()
}

// wall is the time by which signatures are judged. The caller holds mu.
func (s *Server) wall() time.Time { return time.Now().Add(s.skew).UTC() }

// now is the server's time. The caller holds mu.
func (s *Server) now() time.Time { return s.wall().Add(s.ahead) }

// at settles what is due at a time. The caller holds mu.
func (s *Server) at(due time.Time) {
	if d := due.Sub(s.now()); d > 0 && !s.closed {
		s.timers = append(s.timers, time.AfterFunc(d, func() {
			s.mu.Lock()
			defer s.mu.Unlock()
			if !s.closed {
				s.settle()
			}
		}))
	}
}
