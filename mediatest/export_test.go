package mediatest

import "strings"

// Family is a family as tests see it.
type Family struct {
	Service, Kind, ID, Key                 string
	Create, Get, List, Update, Delete, Set []string
	Job                                    bool
}

// Families lists the families of both services.
func Families() []Family {
	var all []Family
	for _, table := range [][]*family{iceFamilies, vodFamilies} {
		for _, f := range table {
			if f.create == "" {
				continue // made by code of its own
			}
			out := Family{
				Service: f.service, Kind: f.kind, ID: f.id, Key: f.key, Job: f.states != "",
				Create: strings.Fields(f.create), Get: strings.Fields(f.get), List: strings.Fields(f.list),
				Update: strings.Fields(f.update), Delete: strings.Fields(f.delete),
			}
			for action := range f.set {
				out.Set = append(out.Set, action)
			}
			all = append(all, out)
		}
	}
	return all
}

// IDs are those of what the first account has of a kind, by creation.
func (s *Server) IDs(service, kind string) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var ids []string
	for _, t := range s.first.Load().sorted(&family{service: service, kind: kind}) {
		ids = append(ids, t.id)
	}
	return ids
}

// Held is how many bytes of objects and parts the server keeps.
func (s *Server) Held() int64 {
	memory, file := s.vault.usage()
	return memory + file
}
