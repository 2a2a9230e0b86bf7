package mediatest

import (
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base64"
	"encoding/hex"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

const (
	ossV4Scheme = "OSS4-HMAC-SHA256"
	ossV4Date   = "20060102T150405Z"
	ossTime     = "2006-01-02T15:04:05.000Z"
)

// errOSSThrottled is the answer to too many requests.
var errOSSThrottled = failure{status: 503, code: "QpsLimitExceeded", message: "Please reduce your request rate."}

// ossTokenExpired echoes the token, as the real service does.
func ossTokenExpired(token string) failure {
	return failure{
		status:  403,
		code:    "SecurityTokenExpired",
		message: "The security token you provided has expired.",
		ec:      "0002-00000007",
		extra:   [][2]string{{"SecurityToken", token}},
	}
}

// subresources are the query parameters that an OSS V1 signature covers, as
// far as uploads and downloads use them.
var subresources = []string{
	"acl", "append", "bucketInfo", "callback", "callback-var", "continuation-token", "delete", "encryption", "location", "objectMeta",
	"partNumber", "position", "restore", "security-token", "sequential", "symlink", "tagging", "uploadId", "uploads",
	"versionId", "versions", "withHashContext", "x-oss-enable-md5", "x-oss-enable-sha1", "x-oss-enable-sha256",
	"x-oss-process", "x-oss-request-payer", "x-oss-traffic-limit",
	"response-cache-control", "response-content-disposition", "response-content-encoding", "response-content-language",
	"response-content-type", "response-expires",
}

// ossV1StringToSign is the text an OSS V1 signature covers.
func ossV1StringToSign(r *http.Request, query url.Values, bucket, key string) string {
	var b strings.Builder
	b.WriteString(r.Method + "\n" + r.Header.Get("Content-MD5") + "\n" + r.Header.Get("Content-Type") + "\n" + ossV1Date(r) + "\n")
	for _, name := range ossHeaders(r, nil) {
		b.WriteString(name + ":" + headerValue(r, name) + "\n")
	}
	b.WriteByte('/')
	if bucket != "" {
		b.WriteString(bucket + "/" + key)
	}
	sep := "?"
	for _, name := range slices.Sorted(slices.Values(subresources)) {
		values, present := query[name]
		if !present {
			continue
		}
		b.WriteString(sep + name)
		if values[0] != "" {
			b.WriteString("=" + values[0])
		}
		sep = "&"
	}
	return b.String()
}

// ossV1Date is the date that an OSS V1 signature covers. Browsers cannot set
// Date, so that their clients send x-oss-date.
func ossV1Date(r *http.Request) string {
	if date := r.Header.Get("x-oss-date"); date != "" {
		return date
	}
	return r.Header.Get("Date")
}

// ossV4Request is the canonical request of an OSS V4 signature.
func ossV4Request(r *http.Request, bucket, key string, additional []string) string {
	var b strings.Builder
	b.WriteString(r.Method + "\n/")
	if bucket != "" {
		b.WriteString(escapeKey(bucket) + "/" + escapeKey(key))
	}
	b.WriteString("\n" + canonicalQuery(r.URL.RawQuery, false) + "\n")
	covered := append([]string{"content-type", "content-md5"}, additional...)
	for _, name := range ossHeaders(r, covered) {
		b.WriteString(name + ":" + headerValue(r, name) + "\n")
	}
	b.WriteString("\n" + strings.Join(additional, ";") + "\n" + r.Header.Get("x-oss-content-sha256"))
	return b.String()
}

// ossHeaders lists the x-oss- headers and those of more that are present,
// sorted.
func ossHeaders(r *http.Request, more []string) []string {
	var names []string
	for name := range r.Header {
		name = strings.ToLower(name)
		if strings.HasPrefix(name, "x-oss-") || slices.Contains(more, name) {
			names = append(names, name)
		}
	}
	if slices.Contains(more, "host") {
		names = append(names, "host")
	}
	slices.Sort(names)
	return slices.Compact(names)
}

func ossV4StringToSign(date, scope, canonical string) string {
	return ossV4Scheme + "\n" + date + "\n" + scope + "\n" + hexSHA256([]byte(canonical))
}

func ossV4Signature(secret, day, region, toSign string) string {
	k := hmacSHA256([]byte("aliyun_v4"+secret), day)
	k = hmacSHA256(k, region)
	k = hmacSHA256(k, "oss")
	k = hmacSHA256(k, "aliyun_v4_request")
	return hex.EncodeToString(hmacSHA256(k, toSign))
}

func ossV1Signature(secret, toSign string) string {
	h := hmac.New(sha1.New, []byte(secret))
	h.Write([]byte(toSign))
	return base64.StdEncoding.EncodeToString(h.Sum(nil))
}

// authenticate finds the key that signed an OSS request. The caller holds mu.
func (s *Server) authenticate(x *exchange) (*key, error) {
	scheme, rest, _ := strings.Cut(x.r.Header.Get("Authorization"), " ")
	switch {
	case presigned(x.r, x.query) && x.query.Has("x-oss-signature-version"):
		return s.verifyPresignedV4(x)
	case presigned(x.r, x.query):
		return s.verifyPresignedV1(x)
	}
	switch scheme {
	case "":
		return nil, errBucketACL
	case "OSS":
		return s.verifyV1(x, rest)
	case ossV4Scheme:
		return s.verifyV4(x, rest)
	}
	return nil, refused(400, "InvalidArgument", "Authorization header is invalid.")
}

func (s *Server) verifyV1(x *exchange, rest string) (*key, error) {
	id, signature, ok := strings.Cut(rest, ":")
	if !ok {
		return nil, refused(400, "InvalidArgument", "Authorization header is invalid.")
	}
	k, err := s.ossKey(x, id)
	if err != nil {
		return nil, err
	}
	date, err := http.ParseTime(ossV1Date(x.r))
	if err != nil {
		return nil, refused(403, "AccessDenied", "OSS authentication requires a valid Date.")
	}
	if err := s.checkSkew(date); err != nil {
		return nil, err
	}
	toSign := ossV1StringToSign(x.r, x.query, x.bucket, x.key)
	if !hmac.Equal([]byte(ossV1Signature(k.AccessKeySecret, toSign)), []byte(signature)) {
		return nil, ossMismatch(id, signature, toSign)
	}
	return k, nil
}

func (s *Server) verifyV4(x *exchange, rest string) (*key, error) {
	auth, ok := parseAuthorization(rest, "AdditionalHeaders")
	scope := strings.Split(auth.credential, "/")
	if !ok || len(scope) != 5 || scope[3] != "oss" || scope[4] != "aliyun_v4_request" {
		return nil, refused(400, "InvalidArgument", "Authorization header is invalid.")
	}
	id, day, region := scope[0], scope[1], scope[2]
	k, err := s.ossKey(x, id)
	if err != nil {
		return nil, err
	}
	if x.r.Header.Get("x-oss-content-sha256") == "" {
		return nil, refused(400, "InvalidArgument", "The x-oss-content-sha256 header is missing.")
	}
	text := x.r.Header.Get("x-oss-date")
	date, err := time.Parse(ossV4Date, text)
	if text == "" {
		text = x.r.Header.Get("Date")
		date, err = http.ParseTime(text)
	}
	if err != nil {
		return nil, refused(403, "AccessDenied", "OSS authentication requires a valid Date.")
	}
	if err := s.checkSkew(date); err != nil {
		return nil, err
	}
	if want := s.signingRegion(x.bucket); region != want {
		return nil, refused(400, "InvalidArgument", "Invalid signing region in Authorization header. The region is %s.", want)
	}
	if day != date.UTC().Format("20060102") {
		return nil, refused(400, "InvalidArgument", "Invalid signing date in Authorization header.")
	}
	canonical := ossV4Request(x.r, x.bucket, x.key, auth.headers)
	toSign := ossV4StringToSign(text, strings.Join(scope[1:], "/"), canonical)
	if !hmac.Equal([]byte(ossV4Signature(k.AccessKeySecret, day, region, toSign)), []byte(auth.signature)) {
		f := ossMismatch(id, auth.signature, toSign)
		f.extra = append(f.extra, [2]string{"CanonicalRequest", canonical})
		return nil, f
	}
	return k, nil
}

func (s *Server) signingRegion(bucket string) string {
	if b := s.buckets[bucket]; b != nil {
		return b.region
	}
	return s.opts.region
}

func ossMismatch(id, signature, toSign string) failure {
	return failure{
		status:  403,
		code:    "SignatureDoesNotMatch",
		message: "The request signature we calculated does not match the signature you provided. Check your key and signing method.",
		extra:   [][2]string{{"OSSAccessKeyId", id}, {"SignatureProvided", signature}, {"StringToSign", toSign}},
	}
}

// ossKey finds the key and checks that its security token is there and alive.
func (s *Server) ossKey(x *exchange, id string) (*key, error) {
	return s.ossKeyOf(id, x.r.Header.Get("x-oss-security-token"))
}

func (s *Server) ossKeyOf(id, token string) (*key, error) {
	k := s.keys[id]
	switch {
	case k == nil, token == "" && k.SecurityToken != "":
		return nil, failure{
			status:  403,
			code:    "InvalidAccessKeyId",
			message: "The OSS Access Key Id you provided does not exist in our records.",
			ec:      "0002-00000002",
			extra:   [][2]string{{"OSSAccessKeyId", id}},
		}
	case token != k.SecurityToken:
		return nil, failure{status: 403, code: "InvalidSecurityToken", message: "The security token you provided is invalid.", ec: "0002-00000006"}
	case k.expired(s.now()):
		return nil, ossTokenExpired(token)
	}
	return k, nil
}

// checkSkew refuses a request signed by a clock too far from the server's.
func (s *Server) checkSkew(date time.Time) error {
	now := s.wall()
	if date.Sub(now).Abs() <= maxSkew {
		return nil
	}
	return failure{
		status:  403,
		code:    "RequestTimeTooSkewed",
		message: "The difference between the request time and the current time is too large.",
		extra: [][2]string{
			{"MaxAllowedSkewMilliseconds", "900000"},
			{"RequestTime", date.UTC().Format(ossTime)},
			{"ServerTime", now.Format(ossTime)},
		},
	}
}
