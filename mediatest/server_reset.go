package mediatest

// Reset brings the server back to how it began: without assets, objects, jobs,
// requests, events, faults, outcomes, handlers, users, providers and further accounts, with
// its clock on time. Its URL, its options and the keys and the managed bucket of
// its first account stay. Requests on their way find nothing of what they asked
// for.
func (s *Server) Reset() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, timer := range s.timers {
		timer.Stop()
	}
	for _, b := range s.buckets {
		for _, o := range b.objects {
			s.vault.release(o.pieces)
		}
	}
	for _, u := range s.uploads {
		s.drop(u)
	}
	s.timers, s.events, s.outcomes, s.faults, s.requests = nil, nil, nil, nil, nil
	s.skew, s.ahead, s.gone = 0, 0, 0
	clear(s.queues)
	clear(s.spent)
	clear(s.uploads)
	clear(s.calls)
	clear(s.custom)
	clear(s.buckets)
	clear(s.providers)
	s.instance = newInstance()
	clear(s.keys)
	s.accounts = nil
	s.first.begin()
}
