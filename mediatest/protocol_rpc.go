package mediatest

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base64"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// The older signature of the API: HMAC-SHA1 over all parameters, sent as the
// parameter Signature. SDKs of other languages still use it, and it can be sent
// by a plain GET.

// rpcStringToSign is the text that the signature covers.
func rpcStringToSign(method string, params url.Values) string {
	var parts []string
	for name, values := range params {
		if name != "Signature" {
			parts = append(parts, percentEncode(name)+"="+percentEncode(values[0]))
		}
	}
	slices.Sort(parts)
	return method + "&%2F&" + percentEncode(strings.Join(parts, "&"))
}

func rpcSignature(secret, toSign string) string {
	h := hmac.New(sha1.New, []byte(secret+"&"))
	h.Write([]byte(toSign))
	return base64.StdEncoding.EncodeToString(h.Sum(nil))
}

// isRPCForm reports whether a request carries all of an API call in its form:
// OSS has no such requests.
func isRPCForm(r *http.Request) bool {
	return r.Method == http.MethodPost && r.URL.Path == "/" && r.Header.Get("x-acs-action") == "" && r.Header.Get("Authorization") == "" &&
		strings.HasPrefix(r.Header.Get("Content-Type"), "application/x-www-form-urlencoded")
}

// actionOfForm finds the operation of a call that is all in its form, whose
// body can still be read afterwards.
func actionOfForm(r *http.Request) string {
	head, err := io.ReadAll(io.LimitReader(r.Body, maxAPIBody+1))
	rest := r.Body
	r.Body = struct {
		io.Reader
		io.Closer
	}{io.MultiReader(bytes.NewReader(head), rest), rest}
	if err != nil {
		return ""
	}
	form, err := url.ParseQuery(string(head))
	if err != nil {
		return ""
	}
	return form.Get("Action")
}

// verifyRPC checks the older signature and returns the key that made it. The
// caller holds mu.
func (s *Server) verifyRPC(r *http.Request, params url.Values) (*key, error) {
	for _, name := range []string{"AccessKeyId", "SignatureMethod", "SignatureVersion", "SignatureNonce"} {
		if params.Get(name) == "" {
			return nil, refused(400, "Missing"+name, "%s is mandatory for this action.", name)
		}
	}
	if !strings.EqualFold(params.Get("SignatureMethod"), "HMAC-SHA1") || params.Get("SignatureVersion") != "1.0" {
		return nil, refused(400, "InvalidParameter", "The specified signature method or version is not supported.")
	}
	k := s.keys[params.Get("AccessKeyId")]
	if k == nil {
		return nil, refused(404, "InvalidAccessKeyId.NotFound", "Specified access key is not found.")
	}
	if err := s.checkAPIToken(k, params.Get("SecurityToken")); err != nil {
		return nil, err
	}
	now := s.wall()
	if err := s.checkTimestamp(params.Get("Timestamp"), now); err != nil {
		return nil, err
	}
	toSign := rpcStringToSign(r.Method, params)
	if !hmac.Equal([]byte(rpcSignature(k.AccessKeySecret, toSign)), []byte(params.Get("Signature"))) {
		return nil, refused(400, "SignatureDoesNotMatch", "Specified signature is not matched with our calculation. server string to sign is:%s", toSign)
	}
	if err := s.spendNonce(params.Get("SignatureNonce"), now); err != nil {
		return nil, err
	}
	if k.bucket != "" { // an upload credential
		return nil, refused(403, "NoPermission", "You are not authorized to do this operation.")
	}
	return k, nil
}

// checkTimestamp accepts a request without a Timestamp, although the
// documentation requires one: Alibaba's uploader for browsers sends none when it
// works with STS credentials.
func (s *Server) checkTimestamp(text string, now time.Time) error {
	if text == "" && s.opts.strict {
		return refused(400, "MissingTimestamp", "Timestamp is mandatory for this action.")
	}
	if text == "" {
		return nil
	}
	date, err := time.Parse("2006-01-02T15:04:05Z", text)
	switch {
	case err != nil:
		return refused(400, "InvalidTimeStamp.Format", "Specified time stamp or date value is not well formatted.")
	case date.Sub(now).Abs() > maxSkew:
		return refused(400, "InvalidTimeStamp.Expired", "Specified time stamp or date value is expired.")
	}
	return nil
}
