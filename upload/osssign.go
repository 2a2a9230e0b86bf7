package upload

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/alimedia/alimedia-go/credentials"
)

// ossSigner makes signatures of version 4 for one credential. aliyun-oss-go-sdk
// derives the key of the day anew for each request, which is half of what it
// allocates for a part; a test holds both to the same signatures.
type ossSigner struct {
	keys   credentials.Credentials
	region string
	today  atomic.Pointer[dayKey]
}

type dayKey struct {
	day string
	key []byte
}

const (
	ossScheme    = "OSS4-HMAC-SHA256"
	ossRequestV4 = "aliyun_v4_request"
	ossDate      = "20060102T150405Z"
	// The whole object is checked by its CRC-64: a hash of the payload in the
	// signature would have it read twice.
	ossUnsigned = "UNSIGNED-PAYLOAD"
)

// headers is what makes a request one of the credential's owner, further
// included. path and query are escaped, and go into the URL as they are.
func (s *ossSigner) headers(method, path, query, contentType string, further map[string]string, now time.Time) map[string]string {
	date := now.UTC().Format(ossDate)
	day := date[:8]
	headers := map[string]string{"X-Oss-Content-Sha256": ossUnsigned, "X-Oss-Date": date}
	maps.Copy(headers, further)
	if contentType != "" {
		headers["Content-Type"] = contentType
	}
	if s.keys.SecurityToken != "" {
		headers["X-Oss-Security-Token"] = s.keys.SecurityToken
	}
	signed := make([]string, 0, 8)
	for name, value := range headers {
		if name = strings.ToLower(name); name == "content-type" || strings.HasPrefix(name, "x-oss-") {
			signed = append(signed, name+":"+value+"\n")
		}
	}
	slices.Sort(signed)
	var b strings.Builder
	b.Grow(512 + len(s.keys.SecurityToken))
	b.WriteString(method + "\n" + path + "\n" + query + "\n")
	for _, line := range signed {
		b.WriteString(line)
	}
	b.WriteString("\n\n" + ossUnsigned) // no additional headers
	request := sha256.Sum256([]byte(b.String()))
	scope := day + "/" + s.region + "/oss/" + ossRequestV4
	signature := mac(s.key(day), ossScheme+"\n"+date+"\n"+scope+"\n"+hex.EncodeToString(request[:]))
	headers["Authorization"] = ossScheme + " Credential=" + s.keys.AccessKeyId + "/" + scope + ",Signature=" + hex.EncodeToString(signature)
	return headers
}

// key is the key of a day. Who finds another day's there makes it anew.
func (s *ossSigner) key(day string) []byte {
	if k := s.today.Load(); k != nil && k.day == day {
		return k.key
	}
	key := []byte("aliyun_v4" + s.keys.AccessKeySecret)
	for _, text := range []string{day, s.region, "oss", ossRequestV4} {
		key = mac(key, text)
	}
	s.today.Store(&dayKey{day, key})
	return key
}

func mac(key []byte, text string) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(text))
	return h.Sum(nil)
}

// ossEscape escapes all but unreserved characters, as the signature wants it.
func ossEscape(s string) string { return strings.ReplaceAll(url.QueryEscape(s), "+", "%20") }

// ossQuery is a query in the order of its names. A parameter without a value
// stands without a sign of equality.
func ossQuery(query params) string {
	if len(query) == 0 {
		return ""
	}
	pairs := make([]string, 0, len(query))
	for name, value := range query {
		pair := ossEscape(name)
		if value, ok := value.(string); ok && value != "" {
			pair += "=" + ossEscape(value)
		}
		pairs = append(pairs, pair)
	}
	slices.Sort(pairs)
	return strings.Join(pairs, "&")
}
