// Package credentials provides the credentials that sign requests.
//
// The clients call a [Provider] before every attempt of every call, so rotated keys
// take effect without a restart. The providers of this package cache credentials,
// refresh them before they expire, and call their source once for all goroutines
// that wait. They are safe for concurrent use.
//
// The constructors do no work and return no errors. The first call of Credentials
// reports invalid and missing settings. Values in code override the environment,
// but the switches of the environment always apply.
//
// The following environment variables are used. Spaces around a value are ignored.
// A switch is on if its value is true, 1, yes or on.
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
// Requests to STS go to a documented host of the service or to a host that you set.
// Each request has a time limit, and the size of a response is limited. Errors do
// not quote responses that may contain secrets.
//
// [FromSDK] and profiles of the modes CloudSSO and OAuth use
// github.com/aliyun/credentials-go. The other providers call STS and the metadata
// service with net/http, because that module takes no context, is not safe for
// concurrent use, and quotes files and responses in its errors. The signer of
// darabonba-openapi signs the requests to STS.
package credentials

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
)

// Provider provides the credentials of the next request.
//
// Implementations must be safe for concurrent use, honor ctx, never return zero
// Credentials with a nil error, and keep secrets out of their errors. After a
// service has rejected its credentials, a Provider is called again. If it returns
// other credentials, the request is repeated once.
type Provider interface {
	Credentials(ctx context.Context) (Credentials, error)
}

// Invalidator is implemented by providers that can drop credentials that a service
// has rejected, so that the next call of Credentials calls the source.
type Invalidator interface {
	// Invalidate drops refused if the provider would return it again. Credentials
	// that have replaced it are kept.
	Invalidate(refused Credentials)
}

// Credentials is an AccessKey pair and, for temporary credentials, a security token.
// String, %+v, slog and JSON show no secret.
//
// Package fmt does not call methods of unexported fields, nor any for %p. Do not
// print a struct that has Credentials by value in an unexported field.
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

// verify rejects credentials that cannot sign a request or be sent in a header.
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
			return fmt.Errorf("the %s contains a space, a control character or a non-ASCII character", f.name)
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

// nameOf is the name of p in errors.
func nameOf(p Provider) string {
	if s, ok := p.(fmt.Stringer); ok {
		return s.String()
	}
	return fmt.Sprintf("%T", p)
}
