package mediatest

import (
	"crypto/hmac"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// A presigned URL carries the signature in its query.

const maxPresigned = 7 * 24 * time.Hour

// verifyPresignedV1 checks OSSAccessKeyId, Expires and Signature of the query.
// The caller holds mu.
func (s *Server) verifyPresignedV1(x *exchange) (*key, error) {
	id, expires := x.query.Get("OSSAccessKeyId"), x.query.Get("Expires")
	k, err := s.ossKeyOf(id, x.query.Get("security-token"))
	if err != nil {
		return nil, err
	}
	seconds, err := strconv.ParseInt(expires, 10, 64)
	if err != nil {
		return nil, refused(400, "InvalidArgument", "The Expires parameter is not valid.")
	}
	if s.now().After(time.Unix(seconds, 0)) {
		return nil, refused(403, "AccessDenied", "Request has expired.")
	}
	dated := x.r.Clone(x.r.Context())
	dated.Header.Set("Date", expires)
	dated.Header.Del("x-oss-date")
	toSign := ossV1StringToSign(dated, x.query, x.bucket, x.key)
	if !hmac.Equal([]byte(ossV1Signature(k.AccessKeySecret, toSign)), []byte(x.query.Get("Signature"))) {
		return nil, ossMismatch(id, x.query.Get("Signature"), toSign)
	}
	return k, nil
}

// verifyPresignedV4 checks the x-oss- parameters of the query. The caller holds
// mu.
func (s *Server) verifyPresignedV4(x *exchange) (*key, error) {
	q := x.query
	scope := strings.Split(q.Get("x-oss-credential"), "/")
	if q.Get("x-oss-signature-version") != ossV4Scheme || len(scope) != 5 || scope[3] != "oss" || scope[4] != "aliyun_v4_request" {
		return nil, refused(400, "InvalidArgument", "The x-oss-credential parameter is not valid.")
	}
	id, day, region := scope[0], scope[1], scope[2]
	k, err := s.ossKeyOf(id, q.Get("x-oss-security-token"))
	if err != nil {
		return nil, err
	}
	date, err := time.Parse(ossV4Date, q.Get("x-oss-date"))
	seconds, errExpires := strconv.Atoi(q.Get("x-oss-expires"))
	life := time.Duration(seconds) * time.Second
	if err != nil || errExpires != nil || life <= 0 || life > maxPresigned || day != date.UTC().Format("20060102") {
		return nil, refused(400, "InvalidArgument", "The x-oss-date or the x-oss-expires parameter is not valid.")
	}
	if now := s.now(); now.After(date.Add(life)) {
		return nil, refused(403, "AccessDenied", "Request has expired.")
	}
	if want := s.signingRegion(x.bucket); region != want {
		return nil, refused(400, "InvalidArgument", "Invalid signing region in Authorization header. The region is %s.", want)
	}
	var additional []string
	if text := q.Get("x-oss-additional-headers"); text != "" {
		additional = strings.Split(text, ";")
	}
	covered := x.r.Clone(x.r.Context())
	covered.URL.RawQuery = without(x.r.URL.RawQuery, "x-oss-signature")
	covered.Header.Set("x-oss-content-sha256", "UNSIGNED-PAYLOAD")
	canonical := ossV4Request(covered, x.bucket, x.key, additional)
	if x.r.Header.Get("x-oss-content-sha256") == "" { // stands in the last line only
		canonical = strings.Replace(canonical, "x-oss-content-sha256:UNSIGNED-PAYLOAD\n", "", 1)
	}
	toSign := ossV4StringToSign(q.Get("x-oss-date"), strings.Join(scope[1:], "/"), canonical)
	if !hmac.Equal([]byte(ossV4Signature(k.AccessKeySecret, day, region, toSign)), []byte(q.Get("x-oss-signature"))) {
		f := ossMismatch(id, q.Get("x-oss-signature"), toSign)
		f.extra = append(f.extra, [2]string{"CanonicalRequest", canonical})
		return nil, f
	}
	return k, nil
}

// without takes a parameter out of a raw query.
func without(raw, name string) string {
	var kept []string
	for part := range strings.SplitSeq(raw, "&") {
		if n, _, _ := strings.Cut(part, "="); n != name {
			kept = append(kept, part)
		}
	}
	return strings.Join(kept, "&")
}

// presigned reports whether the signature of a request stands in its query.
func presigned(r *http.Request, q url.Values) bool {
	return r.Header.Get("Authorization") == "" && (q.Has("OSSAccessKeyId") || q.Has("x-oss-signature-version"))
}
