package credentials

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestGetCallerIdentity_B52_Responses is what STS answers, and what does not count as an
// response.
func TestGetCallerIdentity_B52_Responses(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct{ body, account, fails string }{
		"user":           {`{"AccountId":"1234567890123456","Arn":"acs:ram::1234567890123456:user/u","IdentityType":"RAMUser","UserId":"2","RequestId":"R"}`, "1234567890123456", ""},
		"no Arn":         {`{"AccountId":"1"}`, "1", ""},
		"odd Arn":        {`{"AccountId":"1","Arn":["x"]}`, "1", ""},
		"empty":          {``, "", "JSON"},
		"page":           {`<html>1234567890123456</html>`, "", "JSON"},
		"no account":     {`{}`, "", "AccountId"},
		"null":           {`null`, "", "AccountId"},
		"number":         {`{"AccountId":1234567890123456}`, "", "AccountId"},
		"not a number":   {`{"AccountId":"root"}`, "", "AccountId"},
		"path":           {`{"AccountId":"../1"}`, "", "AccountId"},
		"line":           {`{"AccountId":"1\n"}`, "", "AccountId"},
		"long":           {`{"AccountId":"` + strings.Repeat("1", 33) + `"}`, "", "AccountId"},
		"without an end": {`{"AccountId":"1","x":"` + strings.Repeat("x", 2*maxResponse) + `"}`, "", "longer"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := serve(t, func(w http.ResponseWriter, r *http.Request) {
				if err := verifyACS3(r, testSecret); err != nil {
					status(http.StatusBadRequest, `{"Code":"SignatureDoesNotMatch"}`)(w, r)
					return
				}
				if r.Header.Get("x-acs-action") != "GetCallerIdentity" || r.Header.Get("x-acs-security-token") != "token-0123456789" {
					status(http.StatusBadRequest, `{"Code":"Unexpected"}`)(w, r)
					return
				}
				_, _ = w.Write([]byte(tt.body))
			})
			who, err := GetCallerIdentity(context.Background(), Static(testId, testSecret, "token-0123456789"), CallerIdentityOptions{Endpoint: server.URL, HTTPClient: server.Client()})
			if tt.fails != "" {
				require.ErrorContains(t, err, tt.fails)
				require.NotContains(t, err.Error(), testSecret)
				require.Zero(t, who)
				return
			}
			require.NoError(t, err)
			require.Equal(t, tt.account, who.AccountId)
		})
	}
}

// TestGetCallerIdentity_B52_Clock: a wrong clock is mended once.
func TestGetCallerIdentity_B52_Clock(t *testing.T) {
	t.Parallel()
	asked := 0
	server := serve(t, func(w http.ResponseWriter, r *http.Request) {
		asked++
		sent, err := time.Parse(acsTime, r.Header.Get("x-acs-date"))
		w.Header().Set("Date", time.Now().Add(time.Hour).UTC().Format(http.TimeFormat))
		if err != nil || time.Until(sent) < 50*time.Minute {
			status(http.StatusBadRequest, `{"Code":"InvalidTimeStamp.Expired","Message":"m"}`)(w, r)
			return
		}
		_, _ = w.Write([]byte(`{"AccountId":"1"}`))
	})
	who, err := GetCallerIdentity(context.Background(), Static(testId, testSecret, ""), CallerIdentityOptions{Endpoint: server.URL, HTTPClient: server.Client()})
	require.NoError(t, err)
	require.Equal(t, "1", who.AccountId)
	require.Equal(t, 2, asked)
	_, err = GetCallerIdentity(context.Background(), nil, CallerIdentityOptions{})
	require.ErrorContains(t, err, "nil")
}
