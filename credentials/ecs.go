package credentials

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"time"
)

const (
	metadataURL     = "http://100.100.100.200"
	metadataTimeout = time.Second
	metadataRoles   = "/latest/meta-data/ram/security-credentials/"

	// metadataTokenLife is in seconds. A token is used for one refresh.
	metadataTokenLife = "300"
)

// ECSOptions configures [ECSRole]. The zero value works on an ECS instance.
type ECSOptions struct {
	// DisableV1 requires a session token (IMDSv2).
	// ALIBABA_CLOUD_IMDSV1_DISABLED=true and
	// ALIBABA_CLOUD_ECS_IMDSV2_ENABLE=true have the same effect.
	DisableV1 bool

	// Timeout is the maximum time for connecting to the metadata service, and again
	// for its response. Zero means one second.
	Timeout time.Duration

	// Endpoint is the metadata service. Empty means http://100.100.100.200.
	Endpoint string

	// HTTPClient sends the requests to the metadata service. It must not use a
	// proxy. Nil means a default client that uses none.
	HTTPClient *http.Client
}

// ECSRole returns a provider of the credentials of the RAM role that is attached to
// an ECS instance, from its metadata service. An empty role means
// ALIBABA_CLOUD_ECS_METADATA, or else the role that the service names.
//
// The provider requests a session token first (IMDSv2). If the service does not
// return one, it continues without. ALIBABA_CLOUD_ECS_METADATA_DISABLED=true
// disables the provider.
func ECSRole(role string, opts ECSOptions) Provider {
	return newCache("ECSRole", newECS(role, opts).fetch)
}

type ecs struct {
	role     string
	opts     ECSOptions
	endpoint string
	caller   caller
}

func newECS(role string, opts ECSOptions) *ecs {
	if opts.Timeout <= 0 {
		opts.Timeout = metadataTimeout
	}
	if opts.Endpoint == "" {
		opts.Endpoint = metadataURL
	}
	return &ecs{
		role:     role,
		opts:     opts,
		endpoint: strings.TrimRight(opts.Endpoint, "/"),
		caller:   newCaller(opts.HTTPClient, opts.Timeout, nil),
	}
}

func (e *ecs) fetch(ctx context.Context) (Credentials, error) {
	if switchedOn("ALIBABA_CLOUD_ECS_METADATA_DISABLED") {
		return Credentials{}, errors.New("switched off by ALIBABA_CLOUD_ECS_METADATA_DISABLED")
	}
	token, err := e.token(ctx)
	if err != nil {
		return Credentials{}, fmt.Errorf("session token of the metadata service (reachable on ECS instances only): %w", err)
	}
	role, err := e.roleName(ctx, token)
	if err != nil {
		return Credentials{}, err
	}
	a, err := e.get(ctx, metadataRoles+role, token)
	if err != nil {
		return Credentials{}, fmt.Errorf("keys of role %s: %w", role, err)
	}
	doc, err := decode(a.body)
	if err != nil {
		return Credentials{}, fmt.Errorf("keys of role %s: %w", role, err)
	}
	if doc.Code != "" && !strings.EqualFold(doc.Code, "Success") {
		return Credentials{}, fmt.Errorf("keys of role %s: %w", role, doc.refusal(http.StatusOK, []string{token}))
	}
	return doc.keys.credentials("ECSRole", a.date)
}

// token requests a session token. It is empty if IMDSv1 is used.
func (e *ecs) token(ctx context.Context) (string, error) {
	a, err := e.caller.exchange(ctx, func(ctx context.Context) (*http.Request, error) {
		req, err := http.NewRequestWithContext(ctx, http.MethodPut, e.endpoint+"/latest/api/token", nil)
		if err != nil {
			return nil, errEndpoint
		}
		req.Header.Set("X-Aliyun-Ecs-Metadata-Token-Ttl-Seconds", metadataTokenLife)
		return req, nil
	})
	token := strings.TrimSpace(string(a.body))
	if err == nil && (token == "" || strings.ContainsFunc(token, notPrintable)) {
		err = errors.New("the response is no token")
	}
	switch {
	case err == nil:
		return token, nil
	case e.opts.DisableV1 || switchedOn("ALIBABA_CLOUD_IMDSV1_DISABLED") || switchedOn("ALIBABA_CLOUD_ECS_IMDSV2_ENABLE"):
		return "", fmt.Errorf("%w (and IMDSv1 is disabled)", err)
	case unreachable(err) || errors.Is(err, errEndpoint) || ctx.Err() != nil:
		return "", err
	default:
		return "", nil
	}
}

var (
	errEndpoint = errors.New("the Endpoint is not a URL")
	rolePattern = regexp.MustCompile(`^[A-Za-z0-9._-]{1,64}$`)
)

func (e *ecs) roleName(ctx context.Context, token string) (string, error) {
	role := e.role
	if role == "" {
		role = getenv("ALIBABA_CLOUD_ECS_METADATA")
	}
	if role == "" {
		a, err := e.get(ctx, metadataRoles, token)
		var refused *Error
		if errors.As(err, &refused) && refused.StatusCode == http.StatusNotFound {
			return "", fmt.Errorf("no RAM role is attached to this instance: attach one, or choose another provider: %w", err)
		}
		if err != nil {
			return "", fmt.Errorf("name of the instance's role: %w", err)
		}
		role, _, _ = strings.Cut(strings.TrimSpace(string(a.body)), "\n")
		role = strings.TrimSpace(role)
	}
	if !rolePattern.MatchString(role) {
		return "", errors.New("the role's name is not one: 1 to 64 letters, digits, '.', '_' and '-' are expected")
	}
	return role, nil
}

func (e *ecs) get(ctx context.Context, path, token string) (response, error) {
	return e.caller.exchange(ctx, func(ctx context.Context) (*http.Request, error) {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, e.endpoint+path, nil)
		if err != nil {
			return nil, errEndpoint
		}
		if token != "" {
			req.Header.Set("X-Aliyun-Ecs-Metadata-Token", token)
		}
		return req, nil
	}, token)
}
