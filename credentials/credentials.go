// Package credentials says who signs a request.
//
// A [Provider] is asked again for every attempt of every call, so rotating
// keys are picked up without a restart. The constructors of this package
// return providers that cache, refresh ahead of expiry and ask their source
// once however many goroutines wait. All of them are safe for concurrent use.
//
// A constructor does no work and returns no error: what is wrong or missing
// is said by the first call of Credentials. Values given in code win over the
// environment, but the environment's switches always hold
// (ALIBABA_CLOUD_CLI_PROFILE_DISABLED, ALIBABA_CLOUD_ECS_METADATA_DISABLED,
// ALIBABA_CLOUD_IMDSV1_DISABLED).
//
// Of github.com/aliyun/credentials-go only [FromSDK] makes use, to keep
// existing set-ups going. The other kinds speak to STS and to the metadata
// service over net/http themselves, since that module takes no context, is not
// safe for concurrent use and quotes files and answers in its errors. Requests
// to STS are signed by the signer of darabonba-openapi.
package credentials

import (
	"context"
	"errors"
	"fmt"
	"strings"
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
//
// Package fmt calls no methods of unexported fields, and none for %p: do not
// print a struct that keeps Credentials by value in such a field.
type Credentials struct {
	AccessKeyId     string
	AccessKeySecret string
	SecurityToken   string    // empty for long-lived keys
	Expires         time.Time // zero when they do not expire
	Source          string    // which provider they come from, for diagnosis
}

// sameKeys reports whether both sign alike.
func (c Credentials) sameKeys(other Credentials) bool {
	return c.AccessKeyId == other.AccessKeyId &&
		c.AccessKeySecret == other.AccessKeySecret &&
		c.SecurityToken == other.SecurityToken
}

// verify refuses what cannot sign a request or travel in a header.
func (c Credentials) verify() error {
	switch {
	case c.AccessKeyId == "":
		return errors.New("the AccessKeyId is empty")
	case c.AccessKeySecret == "":
		return errors.New("the AccessKeySecret is empty")
	}
	for _, f := range []struct{ name, value string }{
		{"AccessKeyId", c.AccessKeyId},
		{"AccessKeySecret", c.AccessKeySecret},
		{"SecurityToken", c.SecurityToken},
	} {
		if strings.ContainsFunc(f.value, notPrintable) {
			return fmt.Errorf("the %s has a blank, a control or a non-ASCII character in it", f.name)
		}
	}
	return nil
}

func notPrintable(r rune) bool { return r <= ' ' || r > '~' }

// label is the name of a provider. Embedded, it keeps every verb of package
// fmt from printing the provider's fields.
type label string

func (l label) String() string { return string(l) }

// Format writes the name, whatever the verb.
func (l label) Format(s fmt.State, _ rune) { _, _ = s.Write([]byte(l)) }

// nameOf is how errors call p.
func nameOf(p Provider) string {
	if s, ok := p.(fmt.Stringer); ok {
		return s.String()
	}
	return fmt.Sprintf("%T", p)
}
