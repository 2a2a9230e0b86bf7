// Package credentials says who signs a request.
//
// A [Provider] is asked again for every attempt of every call, so rotating
// keys are picked up without a restart. The constructors of this package
// return providers that cache, refresh ahead of expiry and ask their source
// once however many goroutines wait. All of them are safe for concurrent use.
//
// A constructor does no work and returns no error: what is wrong or missing
// is said by the first call of Credentials. Values given in code win over the
// environment, but the environment's switches always hold.
//
// These variables of the environment have a meaning. Blanks around a value do
// not count, and a switch is on when it says true.
//
//	ALIBABA_CLOUD_ACCESS_KEY_ID            [Env]
//	ALIBABA_CLOUD_ACCESS_KEY_SECRET        [Env]
//	ALIBABA_CLOUD_SECURITY_TOKEN           [Env], for temporary keys
//	ALIBABA_CLOUD_ROLE_ARN                 [OIDC]
//	ALIBABA_CLOUD_OIDC_PROVIDER_ARN        [OIDC]
//	ALIBABA_CLOUD_OIDC_TOKEN               [OIDC], the token itself
//	ALIBABA_CLOUD_OIDC_TOKEN_FILE          [OIDC], the file that holds it
//	ALIBABA_CLOUD_ROLE_SESSION_NAME        [AssumeRole] and [OIDC]
//	ALIBABA_CLOUD_STS_ENDPOINT             host of STS, where code gives neither host, region nor network
//	ALIBABA_CLOUD_STS_REGION               region of STS, where code gives none
//	ALIBABA_CLOUD_VPC_ENDPOINT_ENABLED     switch: STS inside the VPC of its region
//	ALIBABA_CLOUD_REGION_ID                region of STS inside a VPC, where nothing else names one
//	ALIBABA_CLOUD_PROFILE                  [Profile], its name
//	ALIBABA_CLOUD_CONFIG_FILE              [Profile], the configuration of the command line
//	ALIBABA_CLOUD_CREDENTIALS_FILE         [Profile], the credentials file
//	ALIBABA_CLOUD_CLI_PROFILE_DISABLED     switch: [Profile] without the configuration of the command line
//	ALIBABA_CLOUD_ECS_METADATA             [ECSRole], name of the role
//	ALIBABA_CLOUD_ECS_METADATA_DISABLED    switch: no [ECSRole]
//	ALIBABA_CLOUD_IMDSV1_DISABLED          switch: [ECSRole] with a session token only
//	ALIBABA_CLOUD_ECS_IMDSV2_ENABLE        switch: the same
//	ALIBABA_CLOUD_CREDENTIALS_URI          [URI]
//
// Requests to STS go to a documented host of the service or to one that you
// name. Each has a time limit, and what comes back is bounded and never quoted
// where it may hold a secret.
//
// [FromSDK] and profiles of the modes CloudSSO and OAuth go through
// github.com/aliyun/credentials-go. The other kinds speak to STS and to the
// metadata service over net/http themselves, since that module takes no
// context, is not safe for concurrent use and quotes files and answers in its
// errors. Requests to STS are signed by the signer of darabonba-openapi.
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
// Implementations must be safe for concurrent use, honor ctx, never return
// zero Credentials with a nil error and keep secrets out of their errors. A
// Provider is asked again after a service has refused its credentials: when it
// hands out others, the request is repeated once.
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
