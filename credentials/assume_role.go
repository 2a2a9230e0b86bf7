package credentials

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"
)

// AssumeRoleOptions says which role [AssumeRole] takes on, and where.
type AssumeRoleOptions struct {
	// RoleArn is the role, such as "acs:ram::123456789012:role/uploader".
	// It is required.
	RoleArn string

	// SessionName appears in the audit log: 2 to 64 letters, digits and
	// . @ - _. Empty means ALIBABA_CLOUD_ROLE_SESSION_NAME or "alimedia-go".
	SessionName string

	// Policy is a RAM policy document that narrows what the keys may do, at
	// most 2,048 characters.
	Policy string

	// ExternalId is what the role's trust policy may ask for.
	ExternalId string

	// Duration is how long the keys live: 15 minutes to what the role
	// allows, 12 hours at most. Zero means the service's default, an hour.
	Duration time.Duration

	// Endpoint is where STS is: a host or a URL. Requests go over HTTPS unless
	// it says http://. Empty means the documented host of the Region; where
	// Region and Network are empty too, ALIBABA_CLOUD_STS_ENDPOINT, and without
	// that the Region of the environment.
	Endpoint string

	// Region selects the regional STS. Empty means ALIBABA_CLOUD_STS_REGION
	// or, without that, sts.aliyuncs.com. A region whose host is not known is
	// an error that says so; then give the Endpoint.
	Region string

	// Network is empty for the public endpoint, or "vpc" for the one inside a
	// VPC of the Region, which ALIBABA_CLOUD_VPC_ENDPOINT_ENABLED=true asks for
	// as well. It needs a Region, ALIBABA_CLOUD_STS_REGION or
	// ALIBABA_CLOUD_REGION_ID.
	Network string

	// HTTPClient reaches STS. Nil means a client of our own with the
	// environment's proxy and five seconds to connect and for the answer.
	HTTPClient *http.Client
}

// AssumeRole returns a provider of temporary keys of a RAM role, which the
// keys of source allow to assume. Source is asked at each renewal.
func AssumeRole(source Provider, opts AssumeRoleOptions) Provider {
	r := &assumedRole{
		source:     source,
		externalId: opts.ExternalId,
		sts: sts{
			roleArn: opts.RoleArn, session: opts.SessionName, policy: opts.Policy, duration: opts.Duration,
			endpoint: opts.Endpoint, region: opts.Region, network: opts.Network,
			caller: newCaller(opts.HTTPClient, httpTimeout, http.ProxyFromEnvironment),
		},
	}
	return newCache("AssumeRole", r.fetch)
}

type assumedRole struct {
	source     Provider
	externalId string
	sts        sts
}

func (r *assumedRole) fetch(ctx context.Context) (Credentials, error) {
	switch {
	case r.source == nil:
		return Credentials{}, errors.New("the source is nil: give the provider whose keys assume the role")
	case r.sts.roleArn == "":
		return Credentials{}, errors.New("the RoleArn is empty: give the role to assume")
	}
	source, err := Ask(ctx, r.source)
	if err != nil {
		return Credentials{}, err
	}
	c, err := r.assume(ctx, source, 0)
	var refused *Error
	if !errors.As(err, &refused) {
		return c, err
	}
	// Two refusals can be mended, once: a wrong clock and outdated keys.
	switch {
	case refused.hasCode("InvalidTimeStamp") && refused.plausible():
		return r.assume(ctx, source, time.Until(refused.date))
	case refused.hasCode("InvalidSecurityToken"), refused.hasCode("InvalidAccessKeyId"):
		if renewed, other, err := Renew(ctx, r.source, source); err == nil && other {
			return r.assume(ctx, renewed, 0)
		}
	}
	return Credentials{}, err
}

// assume asks STS with the keys of source and a clock set forward by skew.
func (r *assumedRole) assume(ctx context.Context, source Credentials, skew time.Duration) (Credentials, error) {
	target, err := r.sts.url()
	if err != nil {
		return Credentials{}, err
	}
	params, err := r.sts.parameters()
	if err != nil {
		return Credentials{}, err
	}
	if r.externalId != "" {
		params["ExternalId"] = r.externalId
	}
	a, err := r.sts.caller.exchange(ctx, func(ctx context.Context) (*http.Request, error) {
		return signedRequest(ctx, target, "AssumeRole", params, source, time.Now().Add(skew))
	}, source.AccessKeySecret, source.SecurityToken)
	if err != nil {
		return Credentials{}, fmt.Errorf("with keys of %s: %w", source.Source, err)
	}
	return r.sts.credentials(a, "AssumeRole("+source.Source+")", source.AccessKeySecret, source.SecurityToken)
}
