// Package credentials says who signs a request.
//
// A [Provider] is asked again for every attempt of every call, so rotating
// keys are picked up without a restart. The constructors of this package
// return providers that cache, refresh ahead of expiry and ask their source
// once however many goroutines wait. All of them are safe for concurrent use.
package credentials

import (
	"context"
	"time"
)

// Provider hands out the credentials of the next request.
//
// Implementations must be safe for concurrent use, honour ctx, never return
// zero Credentials with a nil error and keep secrets out of their errors.
type Provider interface {
	Credentials(ctx context.Context) (Credentials, error)
}

// Invalidator is implemented by providers that can drop credentials which the
// service has refused, so that the next call of Credentials asks the source.
type Invalidator interface {
	// Invalidate drops refused if it is still what the provider would hand
	// out; credentials that were replaced meanwhile are kept.
	Invalidate(refused Credentials)
}

// Credentials is one set of keys. String, %+v, slog and JSON show no secret.
type Credentials struct {
	AccessKeyId     string
	AccessKeySecret string
	SecurityToken   string    // empty for long-lived keys
	Expires         time.Time // zero when they do not expire
	Source          string    // which provider they come from, for diagnosis
}
