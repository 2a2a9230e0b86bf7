package mediatest

import (
	"cmp"
	"maps"
	"slices"
	"time"
)

// Job is a job of an account: a transcoding, a snapshot, an upload by URL and
// whatever else the services do in the background.
type Job struct {
	JobId     string
	Service   string // "vod" or "ice"
	Operation string // that submitted it
	State     string // in the words of the service
	Code      string // why it fails, see [Outcome]; empty until it has failed
	Message   string
	Params    map[string]string // what it was submitted with
	Created   time.Time
	Due       time.Time // when it ends
	Account   string    // id
}

// Jobs returns the jobs of all accounts, as they were submitted.
func (s *Server) Jobs() []Job {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.settle()
	return s.jobs()
}

// jobs is called with mu held.
func (s *Server) jobs() []Job {
	now, all := s.now(), []Job{}
	for _, acc := range s.accounts {
		var own []*thing
		for _, kind := range acc.made {
			for _, t := range kind {
				if t.family.states != "" {
					own = append(own, t)
				}
			}
		}
		slices.SortFunc(own, func(a, b *thing) int { return cmp.Compare(a.seq, b.seq) })
		for _, t := range own {
			all = append(all, Job{
				JobId: t.id, Service: t.family.service, Operation: t.by, State: t.state(now), Code: t.failed(now, t.code), Message: t.failed(now, t.message),
				Params: maps.Clone(t.values), Created: t.created, Due: t.due, Account: acc.id,
			})
		}
	}
	slices.SortStableFunc(all, func(a, b Job) int { return a.Created.Compare(b.Created) })
	return all
}
