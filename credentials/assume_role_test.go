package credentials

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"sort"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

const testRole = "acs:ram::123456789012:role/uploader"

// verifyACS3 checks a request's signature by code of its own.
func verifyACS3(r *http.Request, secret string) error {
	fields := map[string]string{}
	scheme, rest, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	for _, field := range strings.Split(rest, ",") {
		k, v, _ := strings.Cut(field, "=")
		fields[k] = v
	}
	sha := func(b []byte) string { sum := sha256.Sum256(b); return hex.EncodeToString(sum[:]) }
	body := []byte{}
	if r.Body != nil {
		var err error
		if body, err = io.ReadAll(r.Body); err != nil {
			return err
		}
	}
	if sha(body) != r.Header.Get("x-acs-content-sha256") {
		return errors.New("hash of the body")
	}
	for name := range r.Header {
		if n := strings.ToLower(name); strings.HasPrefix(n, "x-acs-") && !strings.Contains(";"+fields["SignedHeaders"]+";", ";"+n+";") {
			return fmt.Errorf("%s is not signed", n)
		}
	}
	signed := strings.Split(fields["SignedHeaders"], ";")
	if !sort.StringsAreSorted(signed) {
		return errors.New("signed headers are not sorted")
	}
	var headers strings.Builder
	for _, name := range signed {
		value := r.Header.Get(name)
		if name == "host" {
			value = r.Host
		}
		headers.WriteString(name + ":" + value + "\n")
	}
	query := strings.ReplaceAll(r.URL.Query().Encode(), "+", "%20")
	canonical := strings.Join([]string{r.Method, "/", query, headers.String(), fields["SignedHeaders"], sha(body)}, "\n")
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(scheme + "\n" + sha([]byte(canonical))))
	if scheme != "ACS3-HMAC-SHA256" || fields["Credential"] != testId || fields["Signature"] != hex.EncodeToString(mac.Sum(nil)) {
		return errors.New("signature does not match")
	}
	return nil
}

func TestAssumeRole(t *testing.T) {
	t.Parallel()
	expires := time.Now().Add(time.Hour).Truncate(time.Second).UTC()
	requests := make(chan *http.Request, 2)
	server := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if err := verifyACS3(r, testSecret); err != nil {
			status(http.StatusBadRequest, `{"Code":"SignatureDoesNotMatch","Message":"`+err.Error()+`"}`)(w, r)
			return
		}
		requests <- r
		_, _ = w.Write([]byte(stsJSON("STS.NSassumed0001", expires)))
	})
	const policy = `{"Version":"1","Statement":[{"Effect":"Allow","Action":"vod:*","Resource":"接口 a+b*c~d"}]}`
	for _, token := range []string{"", testToken} {
		c, err := AssumeRole(Static(testId, testSecret, token), AssumeRoleOptions{
			RoleArn: testRole, SessionName: "night-job@1", Policy: policy, ExternalId: "customer 7", Duration: 20 * time.Minute,
			Endpoint: server.URL,
		}).Credentials(t.Context())
		require.NoError(t, err)
		require.Equal(t, Credentials{
			AccessKeyId: "STS.NSassumed0001", AccessKeySecret: testSecret, SecurityToken: testToken, Expires: expires, Source: "AssumeRole(Static)",
		}, c)

		r := <-requests
		require.Equal(t, http.MethodPost, r.Method)
		require.Equal(t, url.Values{
			"RoleArn": {testRole}, "RoleSessionName": {"night-job@1"}, "Policy": {policy}, "ExternalId": {"customer 7"}, "DurationSeconds": {"1200"},
		}, r.URL.Query())
		require.Equal(t, "AssumeRole", r.Header.Get("x-acs-action"))
		require.Equal(t, "2015-04-01", r.Header.Get("x-acs-version"))
		require.Equal(t, token, r.Header.Get("x-acs-security-token"))
	}
}

func TestAssumeRole_Settings(t *testing.T) {
	t.Parallel()
	source := Static(testId, testSecret, "")
	tests := map[string]struct {
		source Provider
		opts   AssumeRoleOptions
		want   string
	}{
		"no source":        {nil, AssumeRoleOptions{RoleArn: testRole}, "the source is nil"},
		"no role":          {source, AssumeRoleOptions{}, "the RoleArn is empty: set the role to assume"},
		"short session":    {source, AssumeRoleOptions{RoleArn: testRole, SessionName: "a"}, "the SessionName is not 2 to 64"},
		"long session":     {source, AssumeRoleOptions{RoleArn: testRole, SessionName: strings.Repeat("a", 65)}, "the SessionName is not 2 to 64"},
		"odd session":      {source, AssumeRoleOptions{RoleArn: testRole, SessionName: "a b"}, "the SessionName is not 2 to 64"},
		"too short a life": {source, AssumeRoleOptions{RoleArn: testRole, Duration: 899 * time.Second}, "the Duration 14m59s is not between 15m and 12h"},
		"too long a life":  {source, AssumeRoleOptions{RoleArn: testRole, Duration: 12*time.Hour + time.Second}, "the Duration 12h0m1s is not between 15m and 12h"},
		"endpoint":         {source, AssumeRoleOptions{RoleArn: testRole, Endpoint: "ftp://sts"}, "the Endpoint: an endpoint is a host"},
		"endpoint user":    {source, AssumeRoleOptions{RoleArn: testRole, Endpoint: "https://" + testSecret + "@sts"}, "the Endpoint: an endpoint is a host"},
		"region":           {source, AssumeRoleOptions{RoleArn: testRole, Region: "evil.com/"}, `the STS region, or ALIBABA_CLOUD_STS_REGION: a region ID has`},
		"network":          {source, AssumeRoleOptions{RoleArn: testRole, Network: "VPN"}, `the Network "VPN" is neither empty nor "vpc"`},
		"VPC nowhere":      {source, AssumeRoleOptions{RoleArn: testRole, Network: "vpc"}, "the STS endpoint inside a VPC needs a Region"},
		"source fails":     {Static("", "", ""), AssumeRoleOptions{RoleArn: testRole}, "credentials: AssumeRole: Static: the AccessKeyId is empty"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tt.opts.HTTPClient = transport(func(*http.Request) (*http.Response, error) {
				t.Error("a request was sent")
				return nil, errors.New("unexpected")
			}).client()
			_, err := AssumeRole(tt.source, tt.opts).Credentials(t.Context())
			require.ErrorContains(t, err, tt.want)
			requireNoSecret(t, err.Error())
		})
	}
}

func TestAssumeRole_Host(t *testing.T) {
	tests := map[string]struct {
		opts AssumeRoleOptions
		env  map[string]string
		want string
	}{
		"central":          {want: "https://sts.aliyuncs.com/"},
		"regional":         {opts: AssumeRoleOptions{Region: "cn-shanghai"}, want: "https://sts.cn-shanghai.aliyuncs.com/"},
		"VPC":              {opts: AssumeRoleOptions{Region: "cn-shanghai", Network: "vpc"}, want: "https://sts-vpc.cn-shanghai.aliyuncs.com/"},
		"endpoint":         {opts: AssumeRoleOptions{Endpoint: "sts.example.com:8443", Region: "cn-shanghai"}, want: "https://sts.example.com:8443/"},
		"plain endpoint":   {opts: AssumeRoleOptions{Endpoint: " http://127.0.0.1:80/\n"}, want: "http://127.0.0.1:80/"},
		"region of env":    {env: map[string]string{"ALIBABA_CLOUD_STS_REGION": "cn-beijing"}, want: "https://sts.cn-beijing.aliyuncs.com/"},
		"code before env":  {opts: AssumeRoleOptions{Region: "cn-shanghai"}, env: map[string]string{"ALIBABA_CLOUD_STS_REGION": "cn-beijing"}, want: "https://sts.cn-shanghai.aliyuncs.com/"},
		"VPC of env":       {opts: AssumeRoleOptions{Region: "cn-shanghai"}, env: map[string]string{"ALIBABA_CLOUD_VPC_ENDPOINT_ENABLED": "True"}, want: "https://sts-vpc.cn-shanghai.aliyuncs.com/"},
		"blanks":           {opts: AssumeRoleOptions{Region: " cn-shanghai\n"}, want: "https://sts.cn-shanghai.aliyuncs.com/"},
		"endpoint of env":  {env: map[string]string{envSTSEndpoint: "sts-vpc.cn-hangzhou.aliyuncs.com ", envSTSRegion: "cn-beijing", envVPC: "true"}, want: "https://sts-vpc.cn-hangzhou.aliyuncs.com/"},
		"code first":       {opts: AssumeRoleOptions{Region: "cn-shanghai"}, env: map[string]string{envSTSEndpoint: "elsewhere.example.com"}, want: "https://sts.cn-shanghai.aliyuncs.com/"},
		"VPC of env alone": {env: map[string]string{envVPC: "true", envSTSRegion: "cn-beijing"}, want: "https://sts-vpc.cn-beijing.aliyuncs.com/"},
		"VPC here":         {env: map[string]string{envVPC: "true", envRegion: "cn-shenzhen"}, want: "https://sts-vpc.cn-shenzhen.aliyuncs.com/"},
		"VPC off":          {env: map[string]string{envVPC: "false", envRegion: "cn-shenzhen"}, want: "https://sts.aliyuncs.com/"},
		"VPC only":         {opts: AssumeRoleOptions{Region: "cn-north-2-gov-1", Network: "vpc"}, want: "https://sts-vpc.cn-north-2-gov-1.aliyuncs.com/"},
		"central only":     {opts: AssumeRoleOptions{Region: "cn-hangzhou-finance"}, want: "https://sts.aliyuncs.com/"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			for k, v := range tt.env {
				t.Setenv(k, v)
			}
			var seen string
			tt.opts.RoleArn = testRole
			tt.opts.HTTPClient = transport(func(req *http.Request) (*http.Response, error) {
				seen, _, _ = strings.Cut(req.URL.String(), "?")
				return reply(http.StatusOK, stsJSON("STS.NSassumed0001", time.Now().Add(time.Hour))), nil
			}).client()
			_, err := AssumeRole(Static(testId, testSecret, ""), tt.opts).Credentials(t.Context())
			require.NoError(t, err)
			require.Equal(t, tt.want, seen)
		})
	}
}

// No host is made up, and none is taken from text that is none.
func TestChain_B59_HostsOfSTSComeFromATableOrTheUser(t *testing.T) {
	tests := map[string]struct {
		opts AssumeRoleOptions
		env  map[string]string
		want string
	}{
		"unknown region":        {opts: AssumeRoleOptions{Region: "cn-shangai"}, want: `no host of STS is known for region "cn-shangai" (VPC: false): set the Endpoint, or ALIBABA_CLOUD_STS_ENDPOINT`},
		"unknown region of env": {env: map[string]string{envSTSRegion: "mars-1"}, want: `no host of STS is known for region "mars-1"`},
		"no VPC there":          {opts: AssumeRoleOptions{Region: "cn-hangzhou-finance", Network: "vpc"}, want: `(VPC: true): set the Endpoint`},
		"nothing public there":  {opts: AssumeRoleOptions{Region: "cn-north-2-gov-1"}, want: `(VPC: false): set the Endpoint`},
		"VPC without a region":  {env: map[string]string{envVPC: "true"}, want: "needs a Region: set it, or ALIBABA_CLOUD_STS_REGION"},
		"a host in the region":  {opts: AssumeRoleOptions{Region: "evil.com/x"}, want: "a region ID has lower-case letters"},
		"of env":                {env: map[string]string{envSTSRegion: "x@evil.com"}, want: "a region ID has lower-case letters"},
		"a path":                {opts: AssumeRoleOptions{Endpoint: "https://sts.example.com/x"}, want: "the Endpoint: an endpoint is a host"},
		"a password":            {opts: AssumeRoleOptions{Endpoint: "https://u:" + testSecret + "@sts.example.com"}, want: "the Endpoint: an endpoint is a host"},
		"endpoint of env":       {env: map[string]string{envSTSEndpoint: "ftp://sts.example.com"}, want: "ALIBABA_CLOUD_STS_ENDPOINT: an endpoint is a host"},
		"network":               {opts: AssumeRoleOptions{Network: "vpn"}, want: `the Network "vpn"`},
	}
	client := transport(func(req *http.Request) (*http.Response, error) {
		t.Errorf("a request went to %s", req.URL.Host)
		return nil, errors.New("unexpected")
	}).client()
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			for k, v := range tt.env {
				t.Setenv(k, v)
			}
			tt.opts.RoleArn, tt.opts.HTTPClient = testRole, client
			for _, p := range []Provider{
				AssumeRole(Static(testId, testSecret, ""), tt.opts),
				OIDC(OIDCOptions{RoleArn: testRole, ProviderArn: testIdP, Endpoint: tt.opts.Endpoint, Region: tt.opts.Region, Network: tt.opts.Network,
					HTTPClient: client, Token: func(context.Context) (string, error) { return testOIDC, nil }}),
			} {
				_, err := p.Credentials(t.Context())
				require.ErrorContains(t, err, tt.want)
				requireNoSecret(t, err.Error())
			}
			_, err := GetCallerIdentity(t.Context(), Static(testId, testSecret, ""), CallerIdentityOptions{
				Endpoint: tt.opts.Endpoint, Region: tt.opts.Region, Network: tt.opts.Network, HTTPClient: client})
			require.ErrorContains(t, err, tt.want)
		})
	}
}

func TestAssumeRole_Refusals(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		status   int
		body     string
		attempts int
		want     string
	}{
		"denied": {
			403, `{"RequestId":"R-1","Code":"NoPermission","Message":"You are not authorized to do this action.","HostId":"sts"}`, 1,
			"refused with code NoPermission (HTTP 403): You are not authorized to do this action. [request id R-1]",
		},
		"echo of the request": {
			400, `{"Code":"SignatureDoesNotMatch","Message":"server string: x-acs-security-token:` + testToken + ` or ` + url.QueryEscape(testToken) + ` key ` + testSecret + `"}`, 1,
			"refused with code SignatureDoesNotMatch (HTTP 400): server string: x-acs-security-token:*** or *** key ***",
		},
		"busy":                    {503, `{"Code":"ServiceUnavailable","RequestId":"R-2"}`, 3, "refused with code ServiceUnavailable (HTTP 503) [request id R-2]"},
		"throttled":               {400, `{"Code":"Throttling.User"}`, 3, "refused with code Throttling.User (HTTP 400)"},
		"web page":                {502, "<html>" + testSecret + "</html>", 3, "refused (HTTP 502)"},
		"huge error":              {400, `{"Code":"X` + strings.Repeat("x", 500) + `","Message":"` + strings.Repeat("m\\n", 2000) + `"}`, 1, "..."},
		"no keys":                 {200, `{"RequestId":"R-3"}`, 1, "unusable response: the AccessKeyId is empty"},
		"no JSON":                 {200, testSecret, 1, "the response is not the JSON document it should be"},
		"wrong type":              {200, `{"Credentials":{"AccessKeySecret":["` + testSecret + `"]}}`, 1, "unusable response: the AccessKeyId is empty"},
		"a list":                  {200, `["` + testSecret + `"]`, 1, "the response is not the JSON document it should be"},
		"secret of another type":  {400, `{"Code":"X","Message":"about ` + testSecret + `","Credentials":{"AccessKeySecret":["` + testSecret + `"]}}`, 1, "refused with code X (HTTP 400): about ***"},
		"message of another type": {400, `{"Code":"Throttling.User","Message":["` + testSecret + `"],"RequestId":7}`, 3, "refused with code Throttling.User (HTTP 400) [request id 7]"},
		"text after it":           {400, `{"Code":"NoPermission","RequestId":"R-4"} ` + testSecret, 1, "refused with code NoPermission (HTTP 400) [request id R-4]"},
		"byte order mark":         {400, "\xef\xbb\xbf" + `{"code":"NoPermission","requestid":"R-5"}`, 1, "refused with code NoPermission (HTTP 400) [request id R-5]"},
		"XML":                     {400, `<?xml version="1.0"?><Error><RequestId>R-6</RequestId><Code>NoPermission</Code><Message>no</Message></Error>`, 1, "refused with code NoPermission (HTTP 400): no [request id R-6]"},
		"refused in a 200":        {200, `{"Code":"NoPermission","Message":"no","RequestId":"R-7"}`, 1, "refused with code NoPermission (HTTP 200): no [request id R-7]"},
		"page in a 200":           {200, "<html>" + testToken + "</html>", 1, "the response is not the JSON document it should be"},
		"unicode escapes":         {400, `{"Code":"X","Message":"key ` + strings.ReplaceAll(testSecret, "-", `\\u002d`) + `"}`, 1, "refused with code X (HTTP 400): key ***"},
		"HTML escapes":            {400, `{"Code":"X","Message":"token ` + strings.ReplaceAll(testToken, "=", `&#61;`) + `"}`, 1, "refused with code X (HTTP 400): token ***"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				attempts, nonces := 0, map[string]bool{}
				client := transport(func(req *http.Request) (*http.Response, error) {
					attempts++
					nonces[req.Header.Get("x-acs-signature-nonce")] = true
					return reply(tt.status, tt.body), nil
				}).client()
				_, err := AssumeRole(Static(testId, testSecret, testToken), AssumeRoleOptions{RoleArn: testRole, HTTPClient: client}).Credentials(t.Context())
				require.ErrorContains(t, err, tt.want)
				require.Less(t, len(err.Error()), 600)
				requireNoSecret(t, err.Error())
				require.NotContains(t, err.Error(), "\n")
				require.Equal(t, tt.attempts, attempts)
				require.Len(t, nonces, attempts, "a nonce was used twice")
				if tt.status != http.StatusOK {
					var refused *Error
					require.ErrorAs(t, err, &refused)
					require.Equal(t, tt.status, refused.StatusCode)
				}
			})
		})
	}
}

func TestAssumeRole_RefusedKeysOfTheSource(t *testing.T) {
	t.Parallel()
	for _, code := range []string{"InvalidSecurityToken.Expired", "InvalidAccessKeyId.NotFound"} {
		t.Run(code, func(t *testing.T) {
			t.Parallel()
			var asked atomic.Int64
			inner := Cached(source(counted(&asked, func(context.Context) (Credentials, error) { return issue(asked.Load(), time.Hour), nil })))
			requests := 0
			client := transport(func(req *http.Request) (*http.Response, error) {
				requests++
				if strings.Contains(req.Header.Get("Authorization"), "Credential=LTAI-issued-1,") {
					return reply(http.StatusBadRequest, `{"Code":"`+code+`"}`), nil
				}
				return reply(http.StatusOK, stsJSON("STS.NSassumed0001", time.Now().Add(time.Hour))), nil
			}).client()
			c, err := AssumeRole(inner, AssumeRoleOptions{RoleArn: testRole, HTTPClient: client}).Credentials(t.Context())
			require.NoError(t, err)
			require.Equal(t, "STS.NSassumed0001", c.AccessKeyId)
			require.Equal(t, 2, requests)

			// Where the source has no others, one request is all.
			requests = 0
			same := Cached(Static("LTAI-issued-1", testSecret, ""))
			_, err = AssumeRole(same, AssumeRoleOptions{RoleArn: testRole, HTTPClient: client}).Credentials(t.Context())
			require.ErrorContains(t, err, code)
			require.Equal(t, 1, requests)
		})
	}
}

func TestAssumeRole_WrongClock(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		requests := 0
		client := transport(func(req *http.Request) (*http.Response, error) {
			requests++
			server := time.Now().Add(-2 * time.Hour)
			date, err := time.Parse(acsTime, req.Header.Get("x-acs-date"))
			require.NoError(t, err)
			resp := reply(http.StatusBadRequest, `{"Code":"InvalidTimeStamp.Expired"}`)
			if date.Sub(server).Abs() < 15*time.Minute {
				resp = reply(http.StatusOK, stsJSON("STS.NSassumed0001", server.Add(time.Hour)))
			}
			resp.Header.Set("Date", server.UTC().Format(http.TimeFormat))
			return resp, nil
		}).client()
		c, err := AssumeRole(Static(testId, testSecret, ""), AssumeRoleOptions{RoleArn: testRole, HTTPClient: client}).Credentials(t.Context())
		require.NoError(t, err)
		require.Equal(t, 2, requests)
		require.WithinDuration(t, time.Now().Add(time.Hour), c.Expires, 2*time.Second, "it would count as expired")
	})
}

func TestAssumeRole_RefreshesThroughAnOutage(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		var requests atomic.Int64
		client := transport(func(*http.Request) (*http.Response, error) {
			n := requests.Add(1)
			if at := time.Since(start); at > 50*time.Minute && at < 58*time.Minute {
				return nil, errors.New("connection reset")
			}
			return reply(http.StatusOK, stsJSON(fmt.Sprintf("STS.NSassumed%04d", n), time.Now().Add(time.Hour))), nil
		}).client()
		p := AssumeRole(Static(testId, testSecret, ""), AssumeRoleOptions{RoleArn: testRole, HTTPClient: client})
		for time.Since(start) < 2*time.Hour {
			c, err := p.Credentials(t.Context())
			require.NoError(t, err)
			require.Greater(t, time.Until(c.Expires), margin)
			time.Sleep(time.Second)
		}
		require.LessOrEqual(t, requests.Load(), int64(30))
	})
}

func TestAssumeRole_HonoursContext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		client := transport(func(req *http.Request) (*http.Response, error) {
			<-req.Context().Done()
			return nil, context.Cause(req.Context())
		}).client()
		p := AssumeRole(Static(testId, testSecret, ""), AssumeRoleOptions{RoleArn: testRole, HTTPClient: client})
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		start := time.Now()
		_, err := p.Credentials(ctx)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.Equal(t, time.Second, time.Since(start))

		// Without an end of its own a call ends by the timeout of STS.
		_, err = p.Credentials(t.Context())
		require.ErrorContains(t, err, "sts.aliyuncs.com: no response within 10s")
		require.NotErrorIs(t, err, context.DeadlineExceeded, "the caller has no deadline")
		require.Equal(t, 11*time.Second, time.Since(start))
	})
}

func TestSTS_AVPCSwitchInOtherWordsIsHeard(t *testing.T) {
	for value, host := range map[string]string{
		"true": "sts-vpc.cn-shanghai.aliyuncs.com", "1": "sts-vpc.cn-shanghai.aliyuncs.com", " Yes ": "sts-vpc.cn-shanghai.aliyuncs.com",
		"ON": "sts-vpc.cn-shanghai.aliyuncs.com", "0": "sts.aliyuncs.com", "false": "sts.aliyuncs.com", "": "sts.aliyuncs.com",
	} {
		t.Setenv(envSTSEndpoint, "")
		t.Setenv(envSTSRegion, "")
		t.Setenv(envRegion, "cn-shanghai")
		t.Setenv(envVPC, value)
		u, err := (&sts{}).url()
		require.NoError(t, err)
		require.Equal(t, host, u.Host, "%q", value)
	}
}
