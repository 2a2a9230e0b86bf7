package upload

import (
	"bytes"
	"cmp"
	"context"
	"encoding/base64"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/aliyun/aliyun-oss-go-sdk/oss"

	"github.com/alimedia/alimedia-go"
	"github.com/alimedia/alimedia-go/credentials"
)

// ossObject is one object of the Object Storage Service. It makes single
// requests through aliyun-oss-go-sdk; every retry is the engine's.
type ossObject struct {
	bucket *oss.Bucket
	key    string
	keys   credentials.Credentials
	clock  *clock
	signer *ossSigner // nil: the SDK makes a signature of version 1
	url    string     // without a query
	path   string     // of the signature: with the bucket, wherever the URL has it
}

// ossOptions is what all objects of an Uploader share.
type ossOptions struct {
	client    *http.Client
	region    string // the signature's; without it there is only version 1
	userAgent string
}

// openOSS returns the object at a, signed for with keys.
func openOSS(a address, keys credentials.Credentials, o ossOptions, c *clock) (store, error) {
	client, err := oss.New(a.Endpoint, keys.AccessKeyId, keys.AccessKeySecret,
		oss.HTTPClient(o.client),
		oss.UserAgent(o.userAgent),
		oss.SecurityToken(keys.SecurityToken),
		oss.EnableCRC(false), // the engine computes it, once
		oss.EnableMD5(false),
		oss.ForcePathStyle(isLoopback(a.host())),
	)
	if err != nil {
		return nil, err
	}
	bucket, err := client.Bucket(a.Bucket)
	if err != nil {
		return nil, err
	}
	object := &ossObject{bucket: bucket, key: a.Key, keys: keys, clock: c}
	if o.region != "" {
		object.signer = &ossSigner{keys: keys, region: o.region}
		object.url, object.path = objectURL(a)
	}
	return object, nil
}

// objectURL is the URL of an object and its path in a signature. The bucket is
// the first label of the host, or of the path where the host is an address.
func objectURL(a address) (address, path string) {
	key := "/" + strings.ReplaceAll(ossEscape(a.Key), "%2F", "/")
	path = "/" + a.Bucket + key
	scheme, host, _ := strings.Cut(a.Endpoint, "://")
	name := host
	if h, _, err := net.SplitHostPort(host); err == nil {
		name = h
	}
	if isLoopback(host) || net.ParseIP(strings.Trim(name, "[]")) != nil {
		return a.Endpoint + path, path
	}
	return scheme + "://" + a.Bucket + "." + host + key, path
}

func (o *ossObject) put(ctx context.Context, b *body) (receipt, error) {
	return o.receipt(o.do(ctx, "PutObject", http.MethodPut, nil, b.reader(), contentType(o.key)))
}

func (o *ossObject) initiate(ctx context.Context) (string, error) {
	const name = "InitiateMultipartUpload"
	a, err := o.do(ctx, name, http.MethodPost, params{"uploads": nil, "encoding-type": "url"}, nil, contentType(o.key))
	if err != nil {
		return "", err
	}
	var doc oss.InitiateMultipartUploadResult
	if err := xml.Unmarshal(a.body, &doc); err != nil || doc.UploadID == "" {
		return "", fmt.Errorf("%s: no upload id in the answer", name)
	}
	return doc.UploadID, nil
}

func (o *ossObject) part(ctx context.Context, uploadID string, number int, b *body) (receipt, error) {
	return o.receipt(o.do(ctx, "UploadPart", http.MethodPut, params{"uploadId": uploadID, "partNumber": strconv.Itoa(number)}, b.reader(), ""))
}

func (o *ossObject) complete(ctx context.Context, uploadID string, parts []part) (receipt, error) {
	var list struct {
		XMLName xml.Name `xml:"CompleteMultipartUpload"`
		Part    []oss.UploadPart
	}
	for _, p := range parts {
		list.Part = append(list.Part, oss.UploadPart{PartNumber: p.number, ETag: p.etag})
	}
	text, err := xml.Marshal(list)
	if err != nil {
		return receipt{}, err
	}
	return o.receipt(o.do(ctx, "CompleteMultipartUpload", http.MethodPost, params{"uploadId": uploadID}, bytes.NewReader(text), ""))
}

func (o *ossObject) abort(ctx context.Context, uploadID string) error {
	_, err := o.do(ctx, "AbortMultipartUpload", http.MethodDelete, params{"uploadId": uploadID}, nil, "")
	return err
}

func (o *ossObject) list(ctx context.Context, uploadID string) ([]part, error) {
	const name = "ListParts"
	var all []part
	for marker := 0; ; {
		a, err := o.do(ctx, name, http.MethodGet, params{
			"uploadId": uploadID, "part-number-marker": strconv.Itoa(marker), "encoding-type": "url",
		}, nil, "")
		if err != nil {
			return nil, err
		}
		var page oss.ListUploadedPartsResult
		if err := xml.Unmarshal(a.body, &page); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		for _, p := range page.UploadedParts {
			all = append(all, part{number: p.PartNumber, etag: p.ETag, size: int64(p.Size)})
		}
		next, _ := strconv.Atoi(page.NextPartNumberMarker)
		if !page.IsTruncated || next <= marker {
			return all, nil
		}
		marker = next
	}
}

func (o *ossObject) head(ctx context.Context) (receipt, error) {
	return o.receipt(o.do(ctx, "HeadObject", http.MethodHead, nil, nil, ""))
}

type params = map[string]any

// answer is one answer of the store, read to its end.
type answer struct {
	operation string
	status    int
	header    http.Header
	body      []byte
}

// do makes one request. The SDK's method of each operation would drop the
// status and the headers of answers that are errors.
func (o *ossObject) do(ctx context.Context, operation, method string, query params, data io.Reader, contentType string) (*answer, error) {
	resp, err := o.exchange(ctx, method, query, data, contentType)
	if resp == nil {
		var u *url.Error
		if errors.As(err, &u) {
			err = u.Err // without the URL
		}
		return nil, fmt.Errorf("%s: %w", operation, err)
	}
	defer resp.Body.Close()
	text, readErr := io.ReadAll(resp.Body) // to the end, so that the connection is used again
	a := &answer{operation, resp.StatusCode, resp.Headers, text}
	switch {
	case err != nil:
		return nil, o.refusal(a)
	case readErr != nil:
		return nil, fmt.Errorf("%s: read the answer: %w", operation, readErr)
	}
	return a, nil
}

func (o *ossObject) exchange(ctx context.Context, method string, query params, data io.Reader, contentType string) (*oss.Response, error) {
	if o.signer == nil {
		options := []oss.Option{oss.WithContext(ctx)}
		if contentType != "" {
			options = append(options, oss.ContentType(contentType))
		}
		if o.clock.skew() != 0 {
			options = append(options, oss.SetHeader("Date", o.clock.now().UTC().Format(http.TimeFormat)))
		}
		return o.bucket.Do(method, o.key, query, options, data, nil)
	}
	text := ossQuery(query)
	headers := o.signer.headers(method, o.path, text, contentType, o.clock.now())
	address := o.url
	if text != "" {
		address += "?" + text
	}
	return o.bucket.Client.Conn.DoURLWithContext(ctx, oss.HTTPMethod(method), address, headers, data, 0, nil)
}

// receipt reads what the headers of an answer say of the object.
func (o *ossObject) receipt(a *answer, err error) (receipt, error) {
	if err != nil {
		return receipt{}, err
	}
	r := receipt{etag: a.header.Get("ETag")}
	r.size, _ = strconv.ParseInt(a.header.Get("Content-Length"), 10, 64)
	if crc, err := strconv.ParseUint(a.header.Get("X-Oss-Hash-Crc64ecma"), 10, 64); err == nil {
		r.crc, r.hasCRC = crc, true
	}
	if a.status == http.StatusNonAuthoritativeInfo { // CallbackFailed
		r.callback = fmt.Errorf("%w: %w", ErrCallback, o.refusal(a))
	}
	return r, nil
}

// refusal turns an answer that is an error into an *alimedia.Error. The error
// document echoes the security token and the string to sign: only known
// elements are taken over.
func (o *ossObject) refusal(a *answer) error {
	if encoded := a.header.Get("X-Oss-Err"); len(a.body) == 0 && encoded != "" { // of a HEAD
		a.body, _ = base64.StdEncoding.DecodeString(encoded)
	}
	var doc struct {
		Code, Message, RequestId, HostId, EC, ServerTime string
	}
	_ = xml.Unmarshal(a.body, &doc) // a gateway's page leaves it empty
	if doc.EC != "" {
		doc.Message += " (EC " + doc.EC + ")"
	}
	r := &refusal{api: &alimedia.Error{
		Action:     a.operation,
		Code:       o.redact(doc.Code),
		Message:    o.redact(doc.Message),
		RequestId:  o.redact(cmp.Or(a.header.Get("X-Oss-Request-Id"), doc.RequestId)),
		HostId:     o.redact(doc.HostId),
		StatusCode: a.status,
	}}
	after := a.header.Get("Retry-After")
	if seconds, err := strconv.ParseUint(after, 10, 16); err == nil {
		r.retryAfter = time.Duration(seconds) * time.Second
	} else if t, err := http.ParseTime(after); err == nil {
		r.retryAfter = t.Sub(o.clock.now())
	}
	if t, err := alimedia.ParseTime(doc.ServerTime); err == nil {
		r.serverTime = t
	} else if t, err := http.ParseTime(a.header.Get("Date")); err == nil {
		r.serverTime = t
	}
	return r
}

// redact removes what must not be read and bounds the rest.
func (o *ossObject) redact(message string) string {
	for _, secret := range []string{o.keys.SecurityToken, o.keys.AccessKeySecret} {
		if secret != "" {
			message = strings.ReplaceAll(message, secret, "***")
		}
	}
	if len(message) > 512 {
		message = strings.ToValidUTF8(message[:512], "") + "..."
	}
	return message
}

// reader hides everything but Read: net/http is to send exactly this many
// bytes, and finds no other way to the memory.
func (b *body) reader() io.Reader { return &io.LimitedReader{R: b, N: b.data.Size()} }

// ossClient returns a client like base whose requests, meant for one host, are
// not redirected to another, and whose answers are bounded.
func ossClient(base *http.Client) *http.Client {
	if base == nil {
		base = ownHTTPClient()
	}
	client := *base
	client.Jar = nil
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	client.Transport = boundedTransport{base.Transport}
	return &client
}

// ownHTTPClient is shared, so that all uploads use one pool of connections.
var ownHTTPClient = sync.OnceValue(func() *http.Client { return &http.Client{Transport: newTransport(nil)} })

// maxAnswer bounds the body of one answer of the store: a page of 1,000 parts
// has less than 400 kB.
const maxAnswer = 4 << 20

type boundedTransport struct{ http.RoundTripper }

// RoundTrip implements http.RoundTripper.
func (t boundedTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	base := t.RoundTripper
	if base == nil {
		base = http.DefaultTransport
	}
	answer, err := base.RoundTrip(r)
	if err == nil {
		answer.Body = boundedBody{io.LimitReader(answer.Body, maxAnswer), answer.Body}
	}
	return answer, err
}

type boundedBody struct {
	io.Reader
	io.Closer
}
