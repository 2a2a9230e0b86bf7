package credentials

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/alibabacloud-go/darabonba-openapi/v2/utils"
	"github.com/alibabacloud-go/tea/dara"
)

const (
	stsVersion     = "2015-04-01"
	defaultSession = "alimedia-go"
	networkVPC     = "vpc"

	signatureAlgorithm = "ACS3-HMAC-SHA256"
	emptySHA256        = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
	acsTime            = "2006-01-02T15:04:05Z"
)

var sessionName = regexp.MustCompile(`^[A-Za-z0-9.@_-]{2,64}$`)

// sts is where to assume which role; AssumeRole and OIDC share it.
type sts struct {
	roleArn, session, policy  string
	duration                  time.Duration
	endpoint, region, network string
	caller                    caller
}

// parameters checks the role's settings and names them as the wire does.
func (s *sts) parameters() (map[string]string, error) {
	session := s.session
	if session == "" {
		session = getenv("ALIBABA_CLOUD_ROLE_SESSION_NAME")
	}
	if session == "" {
		session = defaultSession
	}
	switch {
	case !sessionName.MatchString(session):
		return nil, errors.New("the SessionName is not 2 to 64 letters, digits and . @ - _")
	case s.duration != 0 && (s.duration < 15*time.Minute || s.duration > 12*time.Hour):
		return nil, fmt.Errorf("the Duration %v is not between 15m and 12h", s.duration)
	}
	p := map[string]string{"RoleArn": s.roleArn, "RoleSessionName": session}
	if s.duration != 0 {
		p["DurationSeconds"] = strconv.Itoa(int(s.duration / time.Second))
	}
	if s.policy != "" {
		p["Policy"] = s.policy
	}
	return p, nil
}

// credentials reads the response of either operation.
func (s *sts) credentials(a response, source string, secrets ...string) (Credentials, error) {
	doc, err := decode(a.body)
	if err != nil {
		return Credentials{}, err
	}
	if doc.Code != "" && doc.Credentials == (keys{}) {
		return Credentials{}, doc.refusal(http.StatusOK, secrets)
	}
	return doc.Credentials.credentials(source, a.date)
}

// signedRequest makes an STS request signed by c, with the parameters in the
// query. The nonce makes it good for one attempt.
func signedRequest(ctx context.Context, target *url.URL, action string, params map[string]string, c Credentials, now time.Time) (*http.Request, error) {
	headers := map[string]string{
		"host":                  target.Host,
		"x-acs-action":          action,
		"x-acs-version":         stsVersion,
		"x-acs-date":            now.UTC().Format(acsTime),
		"x-acs-signature-nonce": rand.Text(),
		"x-acs-content-sha256":  emptySHA256,
	}
	if c.SecurityToken != "" {
		headers["x-acs-security-token"] = c.SecurityToken
	}
	toSign := &dara.Request{
		Method:   dara.String(http.MethodPost),
		Pathname: dara.String("/"),
		Query:    pointers(params),
		Headers:  pointers(headers),
	}
	signature := utils.GetAuthorization(toSign, dara.String(signatureAlgorithm), dara.String(emptySHA256),
		dara.String(c.AccessKeyId), dara.String(c.AccessKeySecret))

	u := *target
	u.RawQuery = encode(params)
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, u.String(), nil)
	if err != nil {
		return nil, err
	}
	delete(headers, "host")
	for name, value := range headers {
		req.Header.Set(name, value)
	}
	req.Header.Set("Authorization", *signature)
	return req, nil
}

// anonymousRequest makes an unsigned STS request. The parameters, a token
// among them, travel in the body and not in the URL.
func anonymousRequest(ctx context.Context, target *url.URL, action string, params map[string]string, now time.Time) (*http.Request, error) {
	u := *target
	u.RawQuery = encode(map[string]string{
		"Action":         action,
		"Version":        stsVersion,
		"Format":         "JSON",
		"Timestamp":      now.UTC().Format(acsTime),
		"SignatureNonce": rand.Text(),
	})
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, u.String(), strings.NewReader(encode(params)))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return req, nil
}

func pointers(m map[string]string) map[string]*string {
	out := make(map[string]*string, len(m))
	for k, v := range m {
		out[k] = &v
	}
	return out
}

// encode sorts and encodes parameters as the signature does.
func encode(params map[string]string) string {
	values := make(url.Values, len(params))
	for k, v := range params {
		values.Set(k, v)
	}
	return rfc3986.Replace(values.Encode())
}

func escape(s string) string { return rfc3986.Replace(url.QueryEscape(s)) }

// rfc3986 mends the three characters that url.QueryEscape encodes otherwise.
var rfc3986 = strings.NewReplacer("+", "%20", "*", "%2A", "%7E", "~")
