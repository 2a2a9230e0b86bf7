package mediatest

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

const (
	acs3Scheme = "ACS3-HMAC-SHA256"
	maxSkew    = 15 * time.Minute
)

// authorization is a parsed Authorization header of ACS3 or OSS V4.
type authorization struct {
	credential string
	headers    []string // SignedHeaders or AdditionalHeaders
	signature  string
}

// parseAuthorization reads "Name=value" pairs, separated by commas.
func parseAuthorization(pairs, headersName string) (a authorization, ok bool) {
	for pair := range strings.SplitSeq(pairs, ",") {
		name, value, found := strings.Cut(strings.TrimSpace(pair), "=")
		switch {
		case !found:
			return a, false
		case name == "Credential":
			a.credential = value
		case name == "Signature":
			a.signature = value
		case name == headersName:
			a.headers = strings.Split(value, ";")
		}
	}
	return a, a.credential != "" && a.signature != ""
}

// acs3Request is the text an ACS3 signature covers.
func acs3Request(r *http.Request, signed []string, payload string) string {
	var b strings.Builder
	path := r.URL.EscapedPath()
	if path == "" {
		path = "/"
	}
	b.WriteString(r.Method + "\n" + path + "\n" + canonicalQuery(r.URL.RawQuery, true) + "\n")
	names := slices.Clone(signed)
	slices.Sort(names)
	for _, name := range names {
		b.WriteString(name + ":" + headerValue(r, name) + "\n")
	}
	b.WriteString("\n" + strings.Join(names, ";") + "\n" + payload)
	return b.String()
}

// acs3StringToSign condenses the canonical request.
func acs3StringToSign(canonical string) string {
	return acs3Scheme + "\n" + hexSHA256([]byte(canonical))
}

func headerValue(r *http.Request, name string) string {
	if name == "host" {
		return r.Host
	}
	values := slices.Clone(r.Header.Values(name))
	for i, v := range values {
		values[i] = strings.TrimSpace(v)
	}
	return strings.Join(values, ",")
}

// canonicalQuery decodes the query as sent and writes it sorted by encoded
// name, each part percent-encoded. A parameter without value is "name=" when
// keepEqual is set, else "name".
func canonicalQuery(raw string, keepEqual bool) string {
	if raw == "" {
		return ""
	}
	type pair struct{ name, value string }
	var pairs []pair
	for part := range strings.SplitSeq(raw, "&") {
		if part == "" {
			continue
		}
		name, value, _ := strings.Cut(part, "=")
		pairs = append(pairs, pair{percentEncode(queryUnescape(name)), percentEncode(queryUnescape(value))})
	}
	slices.SortStableFunc(pairs, func(a, b pair) int {
		if c := strings.Compare(a.name, b.name); c != 0 {
			return c
		}
		return strings.Compare(a.value, b.value)
	})
	var b strings.Builder
	for i, p := range pairs {
		if i > 0 {
			b.WriteByte('&')
		}
		b.WriteString(p.name)
		if keepEqual || p.value != "" {
			b.WriteString("=" + p.value)
		}
	}
	return b.String()
}

func queryUnescape(s string) string {
	if u, err := url.QueryUnescape(s); err == nil {
		return u
	}
	return s
}

// percentEncode follows RFC 3986: only A-Z a-z 0-9 - _ . ~ stay.
func percentEncode(s string) string {
	const digits = "0123456789ABCDEF"
	var b strings.Builder
	for i := range len(s) {
		c := s[i]
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', strings.IndexByte("-_.~", c) >= 0:
			b.WriteByte(c)
		default:
			b.Write([]byte{'%', digits[c>>4], digits[c&15]})
		}
	}
	return b.String()
}

func hexSHA256(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

func hmacSHA256(key []byte, text string) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(text))
	return h.Sum(nil)
}

// verifyACS3 checks the signature of an API call whose body is at hand and
// returns the key that signed it. The caller holds mu.
func (s *Server) verifyACS3(r *http.Request, body []byte) (*key, error) {
	header := r.Header.Get("Authorization")
	if header == "" {
		return nil, refused(400, "MissingAuthorization", "Authorization is mandatory for this action.")
	}
	scheme, pairs, _ := strings.Cut(header, " ")
	auth, ok := parseAuthorization(pairs, "SignedHeaders")
	if scheme != acs3Scheme || !ok || len(auth.headers) == 0 {
		return nil, refused(400, "IncompleteSignature", "The request signature does not conform to Aliyun standards.")
	}
	k := s.keys[auth.credential]
	if k == nil {
		return nil, refused(404, "InvalidAccessKeyId.NotFound", "Specified access key is not found.")
	}
	if err := s.checkAPIToken(k, r.Header.Get("x-acs-security-token")); err != nil {
		return nil, err
	}
	if missing := unsignedHeaders(r, auth.headers); len(missing) > 0 {
		return nil, refused(400, "IncompleteSignature", "The request signature does not cover the headers %s.", strings.Join(missing, ", "))
	}
	now := s.wall()
	date, err := time.Parse("2006-01-02T15:04:05Z", r.Header.Get("x-acs-date"))
	switch {
	case err != nil:
		return nil, refused(400, "InvalidTimeStamp.Format", "Specified time stamp or date value is not well formatted.")
	case date.Sub(now).Abs() > maxSkew:
		return nil, refused(400, "InvalidTimeStamp.Expired", "Specified time stamp or date value is expired.")
	}
	payload := hexSHA256(body)
	canonical := acs3Request(r, auth.headers, payload)
	toSign := acs3StringToSign(canonical)
	want := hex.EncodeToString(hmacSHA256([]byte(k.AccessKeySecret), toSign))
	if r.Header.Get("x-acs-content-sha256") != payload || !hmac.Equal([]byte(want), []byte(auth.signature)) {
		return nil, refused(400, "SignatureDoesNotMatch",
			"Specified signature is not matched with our calculation. server string to sign is: %s server canonical request is: %s", toSign, canonical)
	}
	if err := s.spendNonce(r.Header.Get("x-acs-signature-nonce"), now); err != nil {
		return nil, err
	}
	if k.bucket != "" { // an upload credential
		return nil, refused(403, "NoPermission", "You are not authorized to do this operation.")
	}
	return k, nil
}

// unsignedHeaders lists what a signature must cover and does not.
func unsignedHeaders(r *http.Request, signed []string) (missing []string) {
	need := []string{"host"}
	for name := range r.Header {
		name = strings.ToLower(name)
		if name == "content-type" || strings.HasPrefix(name, "x-acs-") {
			need = append(need, name)
		}
	}
	for _, name := range []string{"x-acs-content-sha256", "x-acs-date", "x-acs-signature-nonce", "x-acs-version"} {
		if r.Header.Get(name) == "" {
			need = append(need, name)
		}
	}
	for _, name := range need {
		if !slices.Contains(signed, name) || name != "host" && r.Header.Get(name) == "" {
			missing = append(missing, name)
		}
	}
	slices.Sort(missing)
	return missing
}

// spendNonce refuses a nonce seen before. Nonces are forgotten when no valid
// date can go with them any more.
func (s *Server) spendNonce(nonce string, now time.Time) error {
	if _, used := s.nonces[nonce]; used {
		return refused(400, "SignatureNonceUsed", "Specified signature nonce was used already.")
	}
	s.nonces[nonce] = now
	if now.Sub(s.swept) > time.Minute {
		s.swept = now
		for n, t := range s.nonces {
			if now.Sub(t) > 2*maxSkew {
				delete(s.nonces, n)
			}
		}
	}
	return nil
}
