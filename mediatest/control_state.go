package mediatest

import (
	"cmp"
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/alimedia/alimedia-go/internal/redact"
)

const (
	defaultListed = 1000  // entries of a list of the state
	maxListed     = 10000 // that one may ask for
)

// snapshot is the state of a server as the control API shows it. Of each list
// the latest entries are kept, in the order in which they came.
type snapshot struct {
	URL, Region string
	Time        time.Time // by the server's clock
	Ahead       span      // of this machine's clock
	MemoryBytes int64     // of objects and parts
	FileBytes   int64     // of those in the temporary file
	Totals      map[string]int
	Accounts    []accountState
	Medias      []mediaState
	Objects     []objectState
	Uploads     []Upload
	Jobs        []Job
	Requests    []requestState
	Events      []Event
	Faults      []faultState
	Outcomes    []outcomeDocument
}

type accountState struct {
	Id, AccessKeyId, StorageBucket string
	Buckets                        []string
}

type mediaState struct {
	Account string
	Media
}

type objectState struct {
	Bucket, Key, ETag, ContentType string
	CRC64                          string // decimal, as in x-oss-hash-crc64ecma
	Size                           int64
	Modified                       time.Time
}

type requestState struct {
	Number int // from 1, of all requests since the start or the last reset
	Request
}

type faultState struct {
	faultDocument
	Seen int // requests that it matched
}

const hidden = "(hidden)"

// shown is a copy of parameters or headers in which secrets have no value.
func shown[M ~map[string][]string](values M) M {
	clean := M{}
	for name, list := range values {
		if clean[name] = slices.Clone(list); redact.SecretName(name) || isSecretParam(name) || name == "Cookie" {
			clean[name] = []string{hidden}
		}
	}
	return clean
}

// snapshot takes the state, at most limit entries of each list.
func (s *Server) snapshot(limit int) *snapshot {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.settle()
	v := &snapshot{URL: s.URL, Region: s.opts.region, Time: s.now(), Ahead: span(s.ahead), Requests: []requestState{}, Events: []Event{}}
	v.MemoryBytes, v.FileBytes = s.vault.usage()
	v.Accounts, v.Medias = s.accountStates()
	v.Objects = s.objectStates()
	for _, u := range s.uploads {
		if u.open() {
			v.Uploads = append(v.Uploads, u.public())
		}
	}
	slices.SortFunc(v.Uploads, func(a, b Upload) int {
		return cmp.Or(a.Initiated.Compare(b.Initiated), cmp.Compare(a.UploadId, b.UploadId))
	})
	v.Jobs = s.jobs()
	for _, f := range s.faults {
		v.Faults = append(v.Faults, faultState{documentOf(&f.Fault), f.seen})
	}
	for _, o := range s.outcomes {
		v.Outcomes = append(v.Outcomes, o.document())
	}
	v.Totals = map[string]int{
		"Medias": cut(&v.Medias, limit), "Objects": cut(&v.Objects, limit), "Uploads": cut(&v.Uploads, limit), "Jobs": cut(&v.Jobs, limit),
		"Requests": s.gone + len(s.requests), "Events": len(s.events), "Faults": cut(&v.Faults, limit), "Outcomes": cut(&v.Outcomes, limit),
		"Accounts": cut(&v.Accounts, limit),
	}
	for _, e := range latest(s.events, limit) {
		v.Events = append(v.Events, *e)
	}
	recent := latest(s.requests, limit)
	for i, r := range recent {
		v.Requests = append(v.Requests, requestState{s.gone + len(s.requests) - len(recent) + i + 1, r.shown()})
	}
	for i := range v.Medias {
		v.Medias[i].Params = shown(v.Medias[i].Params)
	}
	for i := range v.Jobs {
		for name := range v.Jobs[i].Params {
			if redact.SecretName(name) {
				v.Jobs[i].Params[name] = hidden
			}
		}
	}
	return v
}

func (r *Request) shown() Request {
	c := r.clone()
	c.Params, c.Header = shown(c.Params), shown(c.Header)
	return c
}

// latest are the last entries of a list.
func latest[T any](list []T, limit int) []T { return list[max(len(list)-limit, 0):] }

// cut keeps the last entries of a list and says how many it had.
func cut[T any](list *[]T, limit int) int {
	n := len(*list)
	if *list = latest(*list, limit); *list == nil {
		*list = []T{}
	}
	return n
}

func (s *Server) accountStates() (accounts []accountState, medias []mediaState) {
	var all []*asset
	owner := map[*asset]string{}
	for _, acc := range s.accounts {
		a := accountState{Id: acc.id, AccessKeyId: acc.static().AccessKeyId, StorageBucket: acc.storage}
		for _, name := range slices.Sorted(maps.Keys(s.buckets)) {
			if s.buckets[name].owner == acc {
				a.Buckets = append(a.Buckets, name)
			}
		}
		accounts = append(accounts, a)
		for _, m := range acc.order {
			all, owner[m] = append(all, m), acc.id
		}
	}
	slices.SortFunc(all, func(a, b *asset) int { return cmp.Compare(a.seq, b.seq) })
	for _, a := range all {
		medias = append(medias, mediaState{owner[a], a.public(s.now())})
	}
	return accounts, medias
}

// objectStates lists the objects of all buckets, the latest last.
func (s *Server) objectStates() []objectState {
	var all []objectState
	for name, b := range s.buckets {
		for key, o := range b.objects {
			all = append(all, objectState{
				Bucket: name, Key: key, ETag: o.etag, ContentType: o.header.Get("Content-Type"), CRC64: strconv.FormatUint(o.crc, 10),
				Size: o.size, Modified: o.modified,
			})
		}
	}
	slices.SortFunc(all, func(a, b objectState) int {
		return cmp.Or(a.Modified.Compare(b.Modified), cmp.Compare(a.Bucket, b.Bucket), cmp.Compare(a.Key, b.Key))
	})
	return all
}

// request is a request by its number; false when there is none, or no longer.
func (s *Server) request(number int) (requestState, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := number - 1 - s.gone
	if i < 0 || i >= len(s.requests) || s.requests[i] == nil {
		return requestState{}, false
	}
	return requestState{number, s.requests[i].shown()}, true
}

// getState answers with the state, or with the members that ?only= names.
func (c *control) getState(r *http.Request) (any, error) {
	q, err := queryOf(r, "limit", "only")
	if err != nil {
		return nil, err
	}
	limit := defaultListed
	if text := q.Get("limit"); text != "" {
		if limit, err = strconv.Atoi(text); err != nil || limit < 0 || limit > maxListed {
			return nil, wrong("limit is a number from 0 to %d", maxListed)
		}
	}
	v := c.snapshot(limit)
	only := list(q.Get("only"))
	if len(only) == 0 {
		return v, nil
	}
	text, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	var all, chosen map[string]json.RawMessage
	if err := json.Unmarshal(text, &all); err != nil {
		return nil, err
	}
	chosen = map[string]json.RawMessage{}
	for _, name := range only {
		member, known := all[name]
		if !known {
			return nil, wrong("the state has no %q; it has %v", redact.Bounded(name, 40), slices.Sorted(maps.Keys(all)))
		}
		chosen[name] = member
	}
	return chosen, nil
}

// queryOf reads the query of a request that may have the named parameters.
func queryOf(r *http.Request, names ...string) (url.Values, error) {
	q, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return nil, wrong("the query cannot be read")
	}
	for name := range q {
		if !slices.Contains(names, name) {
			return nil, wrong("there is no parameter %q; there is %v", redact.Bounded(name, 40), names)
		}
	}
	return q, nil
}
