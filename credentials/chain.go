package credentials

import (
	"context"
	"errors"
	"sync/atomic"

	"github.com/alimedia/alimedia-go/internal/retry"
)

// chain is Chain and Default.
type chain struct {
	label
	providers []Provider
	chosen    atomic.Pointer[Provider] // the first that ever succeeded
}

// Chain returns a provider that tries the given providers in order and keeps the
// first that succeeds. If that one fails later, the chain returns its error and not
// the credentials of another identity. If none succeeds, the error lists all of them
// with their reasons, and the next call tries all of them again.
//
// The chain implements [Invalidator] for the chosen provider.
func Chain(providers ...Provider) Provider {
	return &chain{label: "Chain", providers: append([]Provider(nil), providers...)}
}

// Default returns the default chain of Alibaba Cloud's tools: [Env], [OIDC],
// [Profile] (the configuration file of the CLI, then the credentials file),
// [ECSRole] and [URI].
func Default() Provider {
	return &chain{label: "Default", providers: []Provider{
		Env(),
		OIDC(OIDCOptions{}),
		Profile("", ProfileOptions{}),
		ECSRole("", ECSOptions{}),
		URI("", URIOptions{}),
	}}
}

func (c *chain) Credentials(ctx context.Context) (Credentials, error) {
	if p := c.chosen.Load(); p != nil {
		return Ask(ctx, *p)
	}
	var reasons []error
	for _, p := range c.providers {
		creds, err := Ask(ctx, p)
		if err == nil {
			c.chosen.CompareAndSwap(nil, &p)
			return creds, nil
		}
		if ctx.Err() != nil {
			return Credentials{}, c.fail(retry.ContextError(ctx))
		}
		if inner, ok := err.(*chainError); ok {
			reasons = append(reasons, inner.reasons...)
		} else {
			reasons = append(reasons, err)
		}
	}
	if reasons == nil {
		return Credentials{}, c.fail(errors.New("the chain has no providers: add at least one"))
	}
	return Credentials{}, &chainError{reasons}
}

// Invalidate implements Invalidator.
func (c *chain) Invalidate(refused Credentials) {
	if p := c.chosen.Load(); p != nil {
		invalidate(*p, refused)
	}
}

func invalidate(p Provider, refused Credentials) {
	if i, ok := p.(Invalidator); ok {
		i.Invalidate(refused)
	}
}

// ask calls a provider that may violate its contract: it may be nil, or return
// neither credentials nor an error.
func ask(ctx context.Context, p Provider) (Credentials, error) {
	if p == nil {
		return Credentials{}, label("nil").fail(errors.New("the provider is nil"))
	}
	c, err := p.Credentials(ctx)
	if err == nil && (c.AccessKeyId == "" || c.AccessKeySecret == "") {
		err = errors.New("it returned neither credentials nor an error")
	}
	if err != nil {
		return Credentials{}, named(p, err)
	}
	return c, nil
}

// named adds the name of the provider to err unless err has it.
func named(p Provider, err error) error {
	switch err.(type) {
	case *failure, *chainError:
		return err
	default:
		return label(nameOf(p)).fail(err)
	}
}
