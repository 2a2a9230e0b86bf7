package rpc

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/alibabacloud-go/darabonba-openapi/v2/utils"
)

// algorithm is the signature version asked of the signer.
const algorithm = "ACS3-HMAC-SHA256"

const (
	formType   = "application/x-www-form-urlencoded"
	emptyHash  = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
	dateLayout = "2006-01-02T15:04:05Z"
)

// signedRequest is a request as it leaves. Query, headers and body on the wire
// are the very strings that were signed.
type signedRequest struct {
	method string
	url    url.URL
	signed []signedHeader
	header http.Header
	body   []byte
	hash   string // SHA-256 of the body, hex
}

type signedHeader struct {
	name  string // lower case, as signed
	key   string // canonical, as net/http keeps it
	value string
}

// sign makes the request of one attempt: nonce and date are new each time.
func (a *attempt) sign(now time.Time) signedRequest {
	return a.signWith(now, newNonce())
}

func (a *attempt) signWith(now time.Time, nonce string) signedRequest {
	r := signedRequest{method: http.MethodPost, url: a.base, hash: emptyHash}
	if a.op.Get {
		r.method = http.MethodGet
	}
	date, query := now.UTC().Format(dateLayout), a.params.query
	if a.op.Anonymous {
		// The open operations are served by the older RPC style, which reads
		// its system parameters from the query.
		query = slices.Concat(query, []pair{{"Action", a.op.Action}, {"Format", "json"}, {"SignatureNonce", nonce},
			{"Timestamp", date}, {"Version", a.svc.Version}})
	}
	r.url.RawQuery = encodePairs(query)

	// In the order of their names, which the signature asks for.
	headers := make([]signedHeader, 0, 8)
	if len(a.params.form) > 0 {
		r.body = []byte(encodePairs(a.params.form))
		sum := sha256.Sum256(r.body)
		r.hash = hexText(sum[:])
		headers = append(headers, signedHeader{"content-type", "Content-Type", formType})
	}
	headers = append(headers,
		signedHeader{"host", "", r.url.Host},
		signedHeader{"x-acs-action", "X-Acs-Action", a.op.Action},
		signedHeader{"x-acs-content-sha256", "X-Acs-Content-Sha256", r.hash},
		signedHeader{"x-acs-date", "X-Acs-Date", date})
	if a.keys.SecurityToken != "" {
		headers = append(headers, signedHeader{"x-acs-security-token", "X-Acs-Security-Token", a.keys.SecurityToken})
	}
	r.signed = append(headers,
		signedHeader{"x-acs-signature-nonce", "X-Acs-Signature-Nonce", nonce},
		signedHeader{"x-acs-version", "X-Acs-Version", a.svc.Version})

	r.header = make(http.Header, len(r.signed)+3)
	r.header["Accept"] = acceptJSON
	r.header["User-Agent"] = a.userAgent
	values := make([]string, 0, len(r.signed)+1)
	set := func(key, value string) {
		values = append(values, value)
		r.header[key] = values[len(values)-1 : len(values) : len(values)]
	}
	for _, h := range r.signed {
		if h.key != "" { // net/http takes the host from elsewhere
			set(h.key, h.value)
		}
	}
	if !a.op.Anonymous {
		set("Authorization", r.authorization(a.keys.AccessKeyId, a.keys.AccessKeySecret))
	}
	return r
}

var acceptJSON = []string{"application/json"}

// authorization hashes the canonical request and has it signed.
func (r *signedRequest) authorization(id, secret string) string {
	var space [160]byte
	names := space[:0]
	text := make([]byte, 0, 768+len(r.url.RawQuery))
	text = append(text, r.method...)
	text = append(text, "\n/\n"...)
	text = append(text, r.url.RawQuery...)
	text = append(text, '\n')
	for i, h := range r.signed {
		text = append(text, h.name...)
		text = append(text, ':')
		text = append(text, h.value...)
		text = append(text, '\n')
		if i > 0 {
			names = append(names, ';')
		}
		names = append(names, h.name...)
	}
	text = append(text, '\n')
	text = append(text, names...)
	text = append(text, '\n')
	text = append(text, r.hash...)

	sum := sha256.Sum256(text)
	text = hex.AppendEncode(append(append(text[:0], algorithm...), '\n'), sum[:])
	signature := utils.SignatureMethod(secret, string(text), algorithm)
	text = append(append(append(text[:0], algorithm...), " Credential="...), id...)
	text = append(append(append(text, ",SignedHeaders="...), names...), ",Signature="...)
	return string(hex.AppendEncode(text, signature))
}

func (r *signedRequest) request(ctx context.Context) *http.Request {
	req := (&http.Request{
		Method:     r.method,
		URL:        &r.url,
		Host:       r.url.Host,
		Header:     r.header,
		Proto:      "HTTP/1.1",
		ProtoMajor: 1,
		ProtoMinor: 1,
		Body:       http.NoBody,
	}).WithContext(ctx)
	if len(r.body) > 0 {
		// GetBody lets net/http repeat what provably never arrived, such as a
		// stream of HTTP/2 that the server refused or said not to have read.
		// It sends no other POST twice by itself, as long as there is no
		// Idempotency-Key. Operations by GET are safe to repeat.
		req.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(r.body)), nil }
		req.Body, _ = req.GetBody()
		req.ContentLength = int64(len(r.body))
	}
	return req
}

// hexText is hex.EncodeToString with one allocation for short sums.
func hexText(sum []byte) string {
	var buf [2 * sha256.Size]byte
	return string(hex.AppendEncode(buf[:0], sum))
}

// newNonce returns 128 random bits in hex: also the form of a ClientToken.
func newNonce() string {
	var b [16]byte
	rand.Read(b[:]) // never fails
	return hexText(b[:])
}

// differing names the first line of what we signed that is not in the text the
// service says it signed; empty when all are.
func (r *signedRequest) differing(server string) string {
	lines := []signedHeader{{name: "method", value: r.method}, {name: "query", value: r.url.RawQuery}}
	for _, h := range r.signed {
		lines = append(lines, signedHeader{name: "header " + h.name, value: h.name + ":" + h.value})
	}
	lines = append(lines, signedHeader{name: "body hash", value: r.hash})
	for _, line := range lines {
		if !strings.Contains(server, line.value) {
			return line.name
		}
	}
	return ""
}
