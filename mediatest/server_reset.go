package mediatest

// Reset brings the server back to how it began: without assets, objects, jobs,
// requests, events, faults, outcomes, handlers, users, providers and further accounts, with
// its clock on time. Its URL, its options and the keys and the managed bucket of
// its first account stay. Requests on their way find nothing of what they asked
// for.
func (s *Server) Reset() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.empty()
	s.skew, s.ahead, s.gone = 0, 0, 0
	s.faults, s.requests = nil, nil
	clear(s.custom)
	s.instance = s.newInstance()
	s.first.Load().begin()
}

// empty takes away what Save saves. The caller holds mu.
func (s *Server) empty() {
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
	for _, acc := range s.accounts {
		for _, kind := range acc.made {
			for _, t := range kind {
				s.dropFile(t)
			}
		}
	}
	s.timers, s.events, s.outcomes = nil, nil, nil
	clear(s.queues)
	s.wakeQueues()
	clear(s.spent)
	clear(s.uploads)
	clear(s.calls)
	clear(s.buckets)
	clear(s.providers)
	clear(s.keys)
	s.accounts = nil
}
