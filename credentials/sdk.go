package credentials

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/alibabacloud-go/tea/tea"
	sdk "github.com/aliyun/credentials-go/credentials"
	"github.com/aliyun/credentials-go/credentials/providers"

	"github.com/alimedia/alimedia-go/internal/redact"
)

// FromSDK returns a provider that calls a credential of Alibaba's module
// github.com/aliyun/credentials-go at each call of its own.
//
// That module takes no context, and its credentials are not safe for concurrent use.
// FromSDK calls them in one goroutine, one call at a time, and concurrent callers
// share the result. A caller returns when its ctx ends, or after 30 seconds. The
// goroutine ends when the module returns. A panic in the module becomes an error.
//
// The errors of the module may quote files and responses with secrets. They are
// replaced by the error code and the request ID, or by the cause of a failed
// connection.
func FromSDK(credential sdk.Credential) Provider {
	return &sdkProvider{label: "FromSDK", credential: credential}
}

type sdkProvider struct {
	label
	credential sdk.Credential
	flights    flights
}

func (s *sdkProvider) Credentials(ctx context.Context) (Credentials, error) {
	if s.credential == nil {
		return Credentials{}, s.fail(errors.New("the credential is nil"))
	}
	ctx, cancel := context.WithTimeoutCause(ctx, flightLimit,
		fmt.Errorf("credentials-go has not answered within %v: %w", flightLimit, context.DeadlineExceeded))
	defer cancel()
	c, err := s.flights.do(ctx, s.get)
	if err != nil {
		return Credentials{}, s.fail(err)
	}
	return c, nil
}

func (s *sdkProvider) get(context.Context) (c Credentials, err error) {
	defer func() {
		if r := recover(); r != nil {
			c, err = Credentials{}, fmt.Errorf("credentials-go panicked (%T)", r)
		}
	}()
	model, err := s.credential.GetCredential()
	if err != nil {
		return Credentials{}, sdkError(err)
	}
	if model == nil {
		return Credentials{}, errors.New("credentials-go returned neither a credential nor an error")
	}
	c = Credentials{
		AccessKeyId:     tea.StringValue(model.AccessKeyId),
		AccessKeySecret: tea.StringValue(model.AccessKeySecret),
		SecurityToken:   tea.StringValue(model.SecurityToken),
		Source:          "FromSDK",
	}
	if name := tea.StringValue(model.ProviderName); name != "" {
		c.Source = "FromSDK(" + name + ")"
	}
	if err := c.verify(); err != nil {
		return Credentials{}, fmt.Errorf("credentials-go returned a credential of type %.32q that cannot sign: %w", tea.StringValue(model.Type), err)
	}
	return c, nil
}

var (
	sdkCode      = regexp.MustCompile(`"Code":\s*"([A-Za-z][A-Za-z0-9.]{0,63})"`)
	sdkRequestId = regexp.MustCompile(`"RequestId":\s*"([0-9A-Fa-f-]{1,64})"`)
)

// sdkError keeps of err what cannot hold a secret.
func sdkError(err error) error {
	var transport *url.Error
	if errors.As(err, &transport) {
		return &masking{text: "credentials-go: " + redact.Line(redact.Text(transport.Err.Error())), cause: transport.Err}
	}
	text, about := err.Error(), ""
	if m := sdkCode.FindStringSubmatch(text); m != nil {
		about += ", code " + m[1]
	}
	if m := sdkRequestId.FindStringSubmatch(text); m != nil {
		about += ", request id " + m[1]
	}
	return fmt.Errorf("credentials-go has none%s (its message is left out because it may hold secrets; its GetCredential shows it)", about)
}

// cloudSSO makes the provider of a profile that was signed in to CloudSSO by
// the command line.
func cloudSSO(p profile) (Provider, error) {
	if time.Now().Unix() >= p.TokenExpires {
		return nil, fmt.Errorf("profile %.64q: the access token of CloudSSO has expired: sign in again with the command line", p.Name)
	}
	inner, err := providers.NewCloudSSOCredentialsProviderBuilder().WithSignInUrl(p.SignInURL).WithAccountId(p.AccountId).
		WithAccessConfig(p.AccessConfig).WithAccessToken(p.AccessToken).WithAccessTokenExpire(p.TokenExpires).Build()
	if err != nil {
		return nil, fmt.Errorf("profile %.64q: credentials-go does not take its settings of CloudSSO", p.Name)
	}
	return FromSDK(sdk.FromCredentialsProvider("cloud_sso", inner)), nil
}

// oauth makes the provider of a profile that was signed in by OAuth. It reads
// and writes the file itself.
func (b builder) oauth(p profile) (Provider, error) {
	if !strings.EqualFold(p.OAuthSite, "CN") && !strings.EqualFold(p.OAuthSite, "INTL") {
		return nil, fmt.Errorf("profile %.64q: its oauth_site_type is neither CN nor INTL", p.Name)
	}
	inner, err := providers.NewCLIProfileCredentialsProviderBuilder().WithProfileFile(b.path).WithProfileName(p.Name).Build()
	if err != nil {
		return nil, fmt.Errorf("profile %.64q: credentials-go does not take its settings of OAuth", p.Name)
	}
	return FromSDK(sdk.FromCredentialsProvider("oauth", inner)), nil
}
