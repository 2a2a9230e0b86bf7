package ossobject

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"hash"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/alimedia/alimedia-go/credentials"
)

// signer makes signatures of version 4 for one credential. It keeps the key of
// the day, which aliyun-oss-go-sdk derives for each request, and is safe for
// concurrent use. A test holds both to the same signatures.
type signer struct {
	credentials credentials.Credentials
	region      string

	mu   sync.Mutex
	day  string
	hmac hash.Hash // with the key of day
	sum  [sha256.Size]byte
}

const (
	signatureScheme = "OSS4-HMAC-SHA256"
	requestV4       = "aliyun_v4_request"
	dateFormat      = "20060102T150405Z"
	// The CRC-64 proves the whole object: a hash of the payload in the
	// signature would have to read it twice.
	unsignedPayload = "UNSIGNED-PAYLOAD"
)

// sign returns the headers of a request, those of further included. path and
// query are escaped, as they are in the URL.
func (s *signer) sign(method, path, query, contentType string, further map[string]string, now time.Time) map[string]string {
	date := now.UTC().Format(dateFormat)
	headers := make(map[string]string, len(further)+5)
	for name, value := range further {
		headers[name] = value
	}
	headers["X-Oss-Content-Sha256"], headers["X-Oss-Date"] = unsignedPayload, date
	if contentType != "" {
		headers["Content-Type"] = contentType
	}
	if s.credentials.SecurityToken != "" {
		headers["X-Oss-Security-Token"] = s.credentials.SecurityToken
	}
	headers["Authorization"] = s.authorization(canonical(method, path, query, headers), date)
	return headers
}

// canonical is the request as it is signed.
func canonical(method, path, query string, headers map[string]string) []byte {
	type line struct{ name, value string }
	signed := make([]line, 0, 12)
	size := len(method) + len(path) + len(query) + 64
	for name, value := range headers {
		if name == "Content-Type" || len(name) > 6 && strings.EqualFold(name[:6], "x-oss-") {
			signed = append(signed, line{name, value})
			size += len(name) + len(value) + 2
		}
	}
	slices.SortFunc(signed, func(a, b line) int { return compareFold(a.name, b.name) })
	b := make([]byte, 0, size)
	b = append(append(append(append(append(append(b, method...), '\n'), path...), '\n'), query...), '\n')
	for _, l := range signed {
		b = appendLower(b, l.name)
		b = append(append(append(b, ':'), l.value...), '\n')
	}
	return append(append(b, "\n\n"...), unsignedPayload...) // no additional headers
}

// appendLower appends an ASCII name in lower case.
func appendLower(b []byte, name string) []byte {
	for i := range len(name) {
		b = append(b, lower(name[i]))
	}
	return b
}

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c + ('a' - 'A')
	}
	return c
}

// compareFold compares two ASCII names in lower case.
func compareFold(a, b string) int {
	for i := range min(len(a), len(b)) {
		if x, y := lower(a[i]), lower(b[i]); x != y {
			return int(x) - int(y)
		}
	}
	return len(a) - len(b)
}

// authorization signs the hash of a request.
func (s *signer) authorization(request []byte, date string) string {
	digest := sha256.Sum256(request)
	var buf [512]byte
	text := append(append(append(buf[:0], signatureScheme...), '\n'), date...)
	text = append(s.appendScope(append(text, '\n'), date), '\n')
	text = hex.AppendEncode(text, digest[:])
	s.mu.Lock()
	defer s.mu.Unlock()
	if day := date[:8]; s.hmac == nil || s.day != day {
		s.day, s.hmac = day, hmac.New(sha256.New, s.key(day))
	}
	s.hmac.Reset()
	s.hmac.Write(text)
	signature := s.hmac.Sum(s.sum[:0])
	header := append(append(append(buf[:0], signatureScheme...), " Credential="...), s.credentials.AccessKeyId...)
	header = s.appendScope(append(header, '/'), date)
	header = append(header, ",Signature="...)
	return string(hex.AppendEncode(header, signature))
}

// appendScope appends what a signature of this date is valid for.
func (s *signer) appendScope(b []byte, date string) []byte {
	b = append(append(b, date[:8]...), '/')
	b = append(append(b, s.region...), "/oss/"...)
	return append(b, requestV4...)
}

// key derives the key of a day.
func (s *signer) key(day string) []byte {
	key := []byte("aliyun_v4" + s.credentials.AccessKeySecret)
	for _, text := range []string{day, s.region, "oss", requestV4} {
		h := hmac.New(sha256.New, key)
		h.Write([]byte(text))
		key = h.Sum(nil)
	}
	return key
}

// escape escapes all but unreserved characters, as the signature requires.
func escape(s string) string { return strings.ReplaceAll(url.QueryEscape(s), "+", "%20") }

// parameter is one of a query.
type parameter struct{ name, value string }

// query writes parameters, which are sorted by name. One without a value has no
// equals sign.
func query(parameters []parameter) string {
	var b strings.Builder
	b.Grow(64)
	for i, p := range parameters {
		if i > 0 {
			b.WriteByte('&')
		}
		b.WriteString(escape(p.name))
		if p.value != "" {
			b.WriteByte('=')
			b.WriteString(escape(p.value))
		}
	}
	return b.String()
}
