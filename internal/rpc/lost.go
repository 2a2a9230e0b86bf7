package rpc

import (
	"context"
	"net/http"
	"time"
)

// Lost says of a call that an attempt before the last one may have had an
// effect. So what the service calls old may be the work of this call.
type Lost struct {
	Was bool
	// Ahead is how far the clock of the service is ahead of this machine's.
	Ahead time.Duration
}

type lostKey struct{}

// WithLost returns a context for one call that tells lost.
func WithLost(ctx context.Context, lost *Lost) context.Context {
	return context.WithValue(ctx, lostKey{}, lost)
}

// tell sets what the caller wants to know about lost attempts.
func (s *schedule) tell(ctx context.Context, a *attempt) {
	lost, asked := ctx.Value(lostKey{}).(*Lost)
	if !asked {
		return
	}
	lost.Was = lost.Was || s.lost
	if date, err := http.ParseTime(a.header.Get("Date")); err == nil {
		if lost.Ahead = time.Until(date); lost.Ahead.Abs() < 2*time.Second { // Date has whole seconds
			lost.Ahead = 0
		}
	}
}
