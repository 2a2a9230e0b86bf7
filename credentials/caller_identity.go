package credentials

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"time"

	"github.com/alimedia/alimedia-go/internal/redact"
)

// CallerIdentity is the identity that credentials belong to.
type CallerIdentity struct {
	AccountId string // the Alibaba Cloud account, such as "1234567890123456"
	Arn       string // the user or the session of a role; empty when STS does not say
}

// CallerIdentityOptions configures [GetCallerIdentity]. The zero value uses the
// public endpoint of STS.
type CallerIdentityOptions struct {
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

// accountId is how STS writes the ID of an account.
var accountId = regexp.MustCompile(`^[0-9]{1,32}$`)

// GetCallerIdentity asks STS which identity the credentials of source belong to.
// It requires no permission. The response is not cached. An AccessKeyId always
// belongs to the same account.
func GetCallerIdentity(ctx context.Context, source Provider, opts CallerIdentityOptions) (CallerIdentity, error) {
	const name = label("GetCallerIdentity")
	if source == nil {
		return CallerIdentity{}, name.fail(errors.New("the source is nil"))
	}
	q := sts{
		endpoint: opts.Endpoint, region: opts.Region, network: opts.Network,
		caller: newCaller(opts.HTTPClient, httpTimeout, http.ProxyFromEnvironment),
	}
	keys, err := Ask(ctx, source)
	if err != nil {
		return CallerIdentity{}, name.fail(err)
	}
	who, err := q.identify(ctx, keys, 0)
	var refused *Error
	if errors.As(err, &refused) && refused.hasCode("InvalidTimeStamp") && refused.plausible() {
		who, err = q.identify(ctx, keys, time.Until(refused.date))
	}
	if err != nil {
		return CallerIdentity{}, name.fail(err)
	}
	return who, nil
}

// identify calls STS with a clock set forward by skew.
func (s *sts) identify(ctx context.Context, keys Credentials, skew time.Duration) (CallerIdentity, error) {
	target, err := s.url()
	if err != nil {
		return CallerIdentity{}, err
	}
	a, err := s.caller.exchange(ctx, func(ctx context.Context) (*http.Request, error) {
		return signedRequest(ctx, target, "GetCallerIdentity", map[string]string{}, keys, time.Now().Add(skew))
	}, keys.AccessKeySecret, keys.SecurityToken)
	if err != nil {
		return CallerIdentity{}, fmt.Errorf("with keys of %s: %w", keys.Source, err)
	}
	var doc struct{ AccountId, Arn any }
	if err := json.Unmarshal(a.body, &doc); err != nil {
		return CallerIdentity{}, errors.New("the response is not the JSON document it should be")
	}
	id, _ := doc.AccountId.(string)
	if !accountId.MatchString(id) {
		return CallerIdentity{}, errors.New("the response has no AccountId of digits")
	}
	arn, _ := doc.Arn.(string)
	return CallerIdentity{AccountId: id, Arn: redact.Text(arn, keys.AccessKeySecret, keys.SecurityToken)}, nil
}
