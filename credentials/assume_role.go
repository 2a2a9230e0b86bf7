package credentials

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"
)

// AssumeRoleOptions configures [AssumeRole].
type AssumeRoleOptions struct {
	// RoleArn is the role, such as "acs:ram::123456789012:role/uploader".
	// It is required.
	RoleArn string

	// SessionName appears in the audit log: 2 to 64 letters, digits and
	// . @ - _. Empty means ALIBABA_CLOUD_ROLE_SESSION_NAME or "alimedia-go".
	SessionName string

	// Policy is a RAM policy document that restricts the permissions of the
	// credentials, at most 2,048 characters.
	Policy string

	// ExternalId is the external ID that the trust policy of the role may require.
	ExternalId string

	// Duration is the lifetime of the credentials: 15 minutes to the maximum
	// session duration of the role, which is at most 12 hours. Zero means the
	// default of the service, one hour.
	Duration time.Duration

	// Endpoint is the host of STS, or a URL of it. Requests use HTTPS unless the
	// URL begins with http://. Empty means the documented host of the Region. If
	// Region and Network are empty as well, ALIBABA_CLOUD_STS_ENDPOINT is used,
	// or else the region of the environment.
	Endpoint string

	// Region selects the regional endpoint of STS. Empty means
	// ALIBABA_CLOUD_STS_REGION, or else sts.aliyuncs.com. A region without a
	// known endpoint is an error. Set Endpoint for it.
	Region string

	// Network is empty for the public endpoint, or "vpc" for the endpoint inside a
	// VPC of the Region. ALIBABA_CLOUD_VPC_ENDPOINT_ENABLED=true has the same
	// effect as "vpc". It requires Region, ALIBABA_CLOUD_STS_REGION or
	// ALIBABA_CLOUD_REGION_ID.
	Network string

	// HTTPClient sends the requests to STS. Nil means a default client that uses
	// the proxy of the environment and waits five seconds for the connection, and
	// five for the response.
	HTTPClient *http.Client
}

// AssumeRole returns a provider of temporary credentials of a RAM role. The
// credentials of source must be permitted to assume the role. The provider calls
// source at each refresh.
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
		return Credentials{}, errors.New("the source is nil: set the provider whose credentials assume the role")
	case r.sts.roleArn == "":
		return Credentials{}, errors.New("the RoleArn is empty: set the role to assume")
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
	// A wrong clock and outdated credentials are corrected once each.
	switch {
	case refused.hasCode("InvalidTimeStamp") && refused.plausible():
		return r.assume(ctx, source, time.Until(refused.date))
	case refused.hasCode("InvalidSecurityToken"), refused.hasCode("InvalidAccessKeyId"):
		if refreshed, other, err := Refresh(ctx, r.source, source); err == nil && other {
			return r.assume(ctx, refreshed, 0)
		}
	}
	return Credentials{}, err
}

// assume calls STS with the credentials of source and a clock set forward by skew.
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
