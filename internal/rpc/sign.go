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
	"strings"
	"time"

	"github.com/alibabacloud-go/darabonba-openapi/v2/utils"
	"github.com/alibabacloud-go/tea/dara"
)

// algorithm is the signature version asked of the signer.
const algorithm = "ACS3-HMAC-SHA256"

const (
	formType  = "application/x-www-form-urlencoded"
	emptyHash = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
)

// signedRequest is a request as it leaves: the same values went into the
// signature and go onto the wire.
type signedRequest struct {
	method string
	url    url.URL
	header http.Header
	body   []byte
	dara   dara.Request // what was signed
	hash   string       // of the body, hex
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
	query := a.params.query
	if a.op.Anonymous {
		// The open operations are served by the older RPC style, which reads
		// its system parameters from the query.
		query = append(query[:len(query):len(query)],
			pair{"Action", a.op.Action}, pair{"Format", "json"}, pair{"SignatureNonce", nonce},
			pair{"Timestamp", now.UTC().Format(dateLayout)}, pair{"Version", a.svc.Version})
	}
	r.url.RawQuery = encodePairs(query)

	date, path := now.UTC().Format(dateLayout), "/"
	signed := make(map[string]*string, 8)
	r.header = make(http.Header, 12)
	put := func(lower, canonical string, value *string) {
		signed[lower] = value
		r.header[canonical] = []string{*value}
	}
	if len(a.params.form) > 0 {
		r.body = []byte(encodePairs(a.params.form))
		sum := sha256.Sum256(r.body)
		r.hash = hex.EncodeToString(sum[:])
		contentType := formType
		put("content-type", "Content-Type", &contentType)
	}
	signed["host"] = &r.url.Host
	put("x-acs-action", "X-Acs-Action", &a.op.Action)
	put("x-acs-version", "X-Acs-Version", &a.svc.Version)
	put("x-acs-date", "X-Acs-Date", &date)
	put("x-acs-signature-nonce", "X-Acs-Signature-Nonce", &nonce)
	put("x-acs-content-sha256", "X-Acs-Content-Sha256", &r.hash)
	r.header["Accept"] = acceptJSON
	r.header["User-Agent"] = a.userAgent
	if a.op.Anonymous {
		return r
	}
	if a.keys.SecurityToken != "" {
		put("x-acs-security-token", "X-Acs-Security-Token", &a.keys.SecurityToken)
	}
	r.dara = dara.Request{Method: &r.method, Pathname: &path, Headers: signed, Query: make(map[string]*string, len(query))}
	for i := range query {
		r.dara.Query[query[i].key] = &query[i].value
	}
	signer := algorithm
	r.header["Authorization"] = []string{*utils.GetAuthorization(&r.dara, &signer, &r.hash, &a.keys.AccessKeyId, &a.keys.AccessKeySecret)}
	return r
}

var acceptJSON = []string{"application/json"}

const dateLayout = "2006-01-02T15:04:05Z"

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
		req.Body = io.NopCloser(bytes.NewReader(r.body))
		req.ContentLength = int64(len(r.body))
	}
	return req
}

// newNonce returns 128 random bits in hex: also the form of a ClientToken.
func newNonce() string {
	var b [16]byte
	rand.Read(b[:]) // never fails
	return hex.EncodeToString(b[:])
}

// canonicalLines names the parts of what was signed, to tell which of them the
// service saw differently.
func (r *signedRequest) canonicalLines() []namedLine {
	lines := []namedLine{{"method", r.method}, {"query", canonicalQuery(r.dara.Query)}}
	for _, name := range sortedKeys(r.dara.Headers) {
		lines = append(lines, namedLine{"header " + name, name + ":" + strings.TrimSpace(*r.dara.Headers[name])})
	}
	return append(lines, namedLine{"body hash", r.hash})
}

type namedLine struct{ name, text string }

func canonicalQuery(query map[string]*string) string {
	pairs := make([]pair, 0, len(query))
	for _, key := range sortedKeys(query) {
		pairs = append(pairs, pair{key, *query[key]})
	}
	return encodePairs(pairs)
}
