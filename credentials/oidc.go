package credentials

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// OIDCOptions configures [OIDC].
type OIDCOptions struct {
	// RoleArn is the role. Empty means ALIBABA_CLOUD_ROLE_ARN.
	RoleArn string

	// ProviderArn is the identity provider that RAM trusts. Empty means
	// ALIBABA_CLOUD_OIDC_PROVIDER_ARN.
	ProviderArn string

	// TokenFile is the file with the token. It is read at each refresh. Empty means
	// the token in ALIBABA_CLOUD_OIDC_TOKEN, or else the file that
	// ALIBABA_CLOUD_OIDC_TOKEN_FILE names.
	TokenFile string

	// Token, if not nil, returns the token instead of a file, for example from the
	// token service of a CI system. Its errors are passed on, so they must not
	// contain secrets.
	Token func(context.Context) (string, error)

	// SessionName, Policy, Duration, Endpoint, Region, Network and HTTPClient
	// are those of [AssumeRoleOptions].
	SessionName string
	Policy      string
	Duration    time.Duration
	Endpoint    string
	Region      string
	Network     string
	HTTPClient  *http.Client
}

// OIDC returns a provider of temporary credentials of a RAM role that trusts an
// OpenID Connect identity provider, such as RRSA on ACK or a CI system that issues
// tokens. The zero options use the environment for all settings.
func OIDC(opts OIDCOptions) Provider {
	r := &federatedRole{
		provider: opts.ProviderArn,
		file:     opts.TokenFile,
		token:    opts.Token,
		sts: sts{
			roleArn: opts.RoleArn, session: opts.SessionName, policy: opts.Policy, duration: opts.Duration,
			endpoint: opts.Endpoint, region: opts.Region, network: opts.Network,
			caller: newCaller(opts.HTTPClient, httpTimeout, http.ProxyFromEnvironment),
		},
	}
	return newCache("OIDC", r.fetch)
}

type federatedRole struct {
	provider, file string
	token          func(context.Context) (string, error)
	sts            sts
}

func (r *federatedRole) fetch(ctx context.Context) (Credentials, error) {
	target, err := r.sts.url()
	if err != nil {
		return Credentials{}, err
	}
	params, err := r.parameters(ctx)
	if err != nil {
		return Credentials{}, err
	}
	a, err := r.sts.caller.exchange(ctx, func(ctx context.Context) (*http.Request, error) {
		return anonymousRequest(ctx, target, "AssumeRoleWithOIDC", params, time.Now())
	}, params["OIDCToken"])
	if err != nil {
		return Credentials{}, err
	}
	return r.sts.credentials(a, "OIDC", params["OIDCToken"])
}

func (r *federatedRole) parameters(ctx context.Context) (map[string]string, error) {
	params, err := r.sts.parameters()
	if err != nil {
		return nil, err
	}
	var missing []string
	setting := func(given, variable string) string {
		if given == "" {
			given = getenv(variable)
		}
		if given == "" {
			missing = append(missing, variable)
		}
		return given
	}
	params["RoleArn"] = setting(r.sts.roleArn, "ALIBABA_CLOUD_ROLE_ARN")
	params["OIDCProviderArn"] = setting(r.provider, "ALIBABA_CLOUD_OIDC_PROVIDER_ARN")
	token := r.token
	if token == nil && r.file == "" && getenv("ALIBABA_CLOUD_OIDC_TOKEN") != "" {
		token = func(context.Context) (string, error) { return getenv("ALIBABA_CLOUD_OIDC_TOKEN"), nil }
	}
	if token == nil {
		file := setting(r.file, "ALIBABA_CLOUD_OIDC_TOKEN_FILE")
		token = func(context.Context) (string, error) {
			data, err := readFile(file)
			return string(data), err
		}
	}
	if missing != nil {
		return nil, fmt.Errorf("set %s", strings.Join(missing, ", "))
	}
	text, err := token(ctx)
	if err != nil {
		return nil, fmt.Errorf("OIDC token: %w", err)
	}
	text = strings.TrimSpace(text)
	if text == "" {
		return nil, errors.New("the OIDC token is empty")
	}
	params["OIDCToken"] = text
	return params, nil
}
