package webupload

import (
	"container/list"
	"math"
	"net/http"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// recent is a map that drops the key that was not used for longest.
type recent[V any] struct {
	entries map[string]*list.Element
	order   list.List // of entry[V], the least recently used first
}

type entry[V any] struct {
	key   string
	value V
}

// use returns the value of a key, which is made where there is none.
func (r *recent[V]) use(key string, make func() V) V {
	if e := r.entries[key]; e != nil {
		r.order.MoveToBack(e)
		return e.Value.(entry[V]).value
	}
	if r.entries == nil {
		r.entries = map[string]*list.Element{}
	}
	for len(r.entries) >= remembered {
		delete(r.entries, r.order.Remove(r.order.Front()).(entry[V]).key)
	}
	value := make()
	r.entries[key] = r.order.PushBack(entry[V]{key, value})
	return value
}

// rates limits the requests of each client and of all.
type rates struct {
	client, all Rate

	mu      sync.Mutex
	clients recent[*rate.Limiter]
	total   *rate.Limiter
}

func newRates(client, all Rate) *rates {
	return &rates{client: client, all: all, total: all.limiter()}
}

func (r Rate) limiter() *rate.Limiter {
	if r.PerSecond < 0 {
		return rate.NewLimiter(rate.Inf, 0)
	}
	return rate.NewLimiter(rate.Limit(r.PerSecond), max(1, r.Burst))
}

// take counts a request, or says after how many seconds the next one may come.
func (r *rates) take(client string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	own := r.clients.use(client, r.client.limiter)
	now := time.Now()
	for _, l := range []*rate.Limiter{own, r.total} {
		if l.TokensAt(now) < 1 && l.Limit() != rate.Inf {
			refusal := refuse(http.StatusTooManyRequests, "TooManyRequests", "Too many requests. Try again later.")
			refusal.retry = int(min(3600, math.Ceil((1-l.TokensAt(now))/float64(l.Limit()))))
			return refusal
		}
	}
	own.AllowN(now, 1)
	r.total.AllowN(now, 1)
	return nil
}
