package upload

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
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
// requests through aliyun-oss-go-sdk, which signs and addresses them; every
// retry is the engine's.
type ossObject struct {
	bucket *oss.Bucket
	key    string
	keys   credentials.Credentials
	clock  *clock
}

// ossOptions is what all objects of an Uploader share.
type ossOptions struct {
	client    *http.Client
	region    string // signs V4; without it V1
	userAgent string
}

// openOSS returns the object at a, signed for with keys.
func openOSS(a address, keys credentials.Credentials, o ossOptions, c *clock) (store, error) {
	options := []oss.ClientOption{
		oss.HTTPClient(o.client),
		oss.UserAgent(o.userAgent),
		oss.SecurityToken(keys.SecurityToken),
		oss.EnableCRC(false), // the engine computes it, once
		oss.EnableMD5(false),
		oss.ForcePathStyle(isLoopback(a.host())),
	}
	if o.region != "" {
		options = append(options, oss.AuthVersion(oss.AuthV4), oss.Region(o.region))
	}
	client, err := oss.New(a.Endpoint, keys.AccessKeyId, keys.AccessKeySecret, options...)
	if err != nil {
		return nil, err
	}
	bucket, err := client.Bucket(a.Bucket)
	if err != nil {
		return nil, err
	}
	return &ossObject{bucket: bucket, key: a.Key, keys: keys, clock: c}, nil
}

func (o *ossObject) put(ctx context.Context, b *body) (receipt, error) {
	return o.receipt(o.do(ctx, "PutObject", http.MethodPut, nil, b.reader(), oss.AddContentType(nil, o.key)...))
}

func (o *ossObject) initiate(ctx context.Context) (string, error) {
	var answer oss.InitiateMultipartUploadResult
	err := o.decode(&answer)(o.do(ctx, "InitiateMultipartUpload", http.MethodPost, params{"uploads": nil}, nil, oss.AddContentType(nil, o.key)...))
	if err == nil && answer.UploadID == "" {
		err = errors.New("the store gave no upload id")
	}
	return answer.UploadID, err
}

func (o *ossObject) part(ctx context.Context, uploadID string, number int, b *body) (receipt, error) {
	return o.receipt(o.do(ctx, "UploadPart", http.MethodPut, params{"uploadId": uploadID, "partNumber": strconv.Itoa(number)}, b.reader()))
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
	return o.receipt(o.do(ctx, "CompleteMultipartUpload", http.MethodPost, params{"uploadId": uploadID}, bytes.NewReader(text)))
}

func (o *ossObject) abort(ctx context.Context, uploadID string) error {
	_, err := o.receipt(o.do(ctx, "AbortMultipartUpload", http.MethodDelete, params{"uploadId": uploadID}, nil))
	return err
}

func (o *ossObject) list(ctx context.Context, uploadID string) ([]part, error) {
	var all []part
	for marker := 0; ; {
		var page oss.ListUploadedPartsResult
		err := o.decode(&page)(o.do(ctx, "ListParts", http.MethodGet, params{"uploadId": uploadID, "part-number-marker": strconv.Itoa(marker)}, nil))
		if err != nil {
			return nil, err
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
	return o.receipt(o.do(ctx, "HeadObject", http.MethodHead, nil, nil))
}

type params = map[string]any

// do makes one request. It goes through Bucket.Do, for the SDK's method of each
// operation drops the status and the headers of answers that are errors.
func (o *ossObject) do(ctx context.Context, operation, method string, query params, data io.Reader, options ...oss.Option) (*oss.Response, error) {
	options = append(options, oss.WithContext(ctx))
	if skew := o.clock.skew(); skew != 0 {
		options = append(options, oss.SetHeader("Date", o.clock.now().UTC().Format(http.TimeFormat)))
	}
	answer, err := o.bucket.Do(method, o.key, query, options, data, nil)
	if err == nil {
		return answer, nil
	}
	return nil, o.refusal(operation, answer, err)
}

// receipt reads the headers of an answer.
func (o *ossObject) receipt(answer *oss.Response, err error) (receipt, error) {
	if err != nil {
		return receipt{}, err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body) // to the end, so that the connection is used again
	if err != nil {
		return receipt{}, err
	}
	r := receipt{etag: answer.Headers.Get("ETag")}
	r.size, _ = strconv.ParseInt(answer.Headers.Get("Content-Length"), 10, 64)
	if crc, err := strconv.ParseUint(answer.Headers.Get("X-Oss-Hash-Crc64ecma"), 10, 64); err == nil {
		r.crc, r.hasCRC = crc, true
	}
	if answer.StatusCode == http.StatusNonAuthoritativeInfo { // CallbackFailed
		answer.Body = io.NopCloser(bytes.NewReader(text))
		r.callback = fmt.Errorf("%w: %w", ErrCallback, o.refusal("CompleteMultipartUpload", answer, err))
	}
	return r, nil
}

// decode returns a function that reads the XML of an answer into v.
func (o *ossObject) decode(v any) func(*oss.Response, error) error {
	return func(answer *oss.Response, err error) error {
		if err != nil {
			return err
		}
		defer answer.Body.Close()
		return xml.NewDecoder(answer.Body).Decode(v)
	}
}

// refusal turns an answer that is an error into an *alimedia.Error. The error
// document echoes the security token and the string to sign: only known
// elements are taken over.
func (o *ossObject) refusal(operation string, answer *oss.Response, err error) error {
	if answer == nil {
		var u *url.Error
		if errors.As(err, &u) {
			err = u.Err // without the URL
		}
		return fmt.Errorf("%s: %w", operation, err)
	}
	defer answer.Body.Close()
	text, _ := io.ReadAll(answer.Body)
	if encoded := answer.Headers.Get("X-Oss-Err"); len(text) == 0 && encoded != "" { // of a HEAD
		text, _ = base64.StdEncoding.DecodeString(encoded)
	}
	var doc struct {
		Code, Message, RequestId, HostId, EC, ServerTime string
	}
	_ = xml.Unmarshal(text, &doc) // a gateway's page leaves it empty
	api := &alimedia.Error{
		Action:     operation,
		Code:       doc.Code,
		Message:    o.redact(doc.Message),
		RequestId:  answer.Headers.Get("X-Oss-Request-Id"),
		HostId:     doc.HostId,
		StatusCode: answer.StatusCode,
	}
	if doc.EC != "" {
		api.Message += " (EC " + doc.EC + ")"
	}
	if api.RequestId == "" {
		api.RequestId = doc.RequestId
	}
	r := &refusal{api: api}
	if seconds, err := strconv.ParseUint(answer.Headers.Get("Retry-After"), 10, 16); err == nil {
		r.retryAfter = time.Duration(seconds) * time.Second
	}
	if t, err := alimedia.ParseTime(doc.ServerTime); err == nil {
		r.serverTime = t
	} else if t, err := http.ParseTime(answer.Headers.Get("Date")); err == nil {
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

// ownHTTPClient is shared, so that all uploads use one pool of connections. It
// keeps to HTTP/1: parts in parallel are to have a connection each.
var ownHTTPClient = sync.OnceValue(func() *http.Client {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.MaxIdleConns = 256
	t.MaxIdleConnsPerHost = 64
	t.IdleConnTimeout = 50 * time.Second
	t.Protocols = new(http.Protocols)
	t.Protocols.SetHTTP1(true)
	return &http.Client{Transport: t}
})

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
