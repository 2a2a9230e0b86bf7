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
	"maps"
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
	"github.com/alimedia/alimedia-go/internal/redact"
	"github.com/alimedia/alimedia-go/internal/retry"
)

// ossObject is one object of the Object Storage Service. It makes single
// requests through aliyun-oss-go-sdk; every retry is the engine's.
//
// A method succeeds only when the answer has what only OSS puts into it: see
// [answer.proof]. An answer with a status of success and without that proof is
// ErrUnproven, which the engine repeats.
type ossObject struct {
	ossOptions
	bucket *oss.Bucket
	name   string // of the bucket
	key    string
	keys   credentials.Credentials
	clock  *clock
	signer *ossSigner // nil: the SDK makes a signature of version 1
	url    string     // without a query
	path   string     // of the signature: with the bucket, wherever the URL has it
}

// ossOptions is what all requests for an object share.
type ossOptions struct {
	client      *http.Client
	region      string // the signature's; without it there is only version 1
	userAgent   string
	contentType string
	settings    objectSettings
	withoutCRC  bool // Config.AllowMissingCRC
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
	object := &ossObject{ossOptions: o, bucket: bucket, name: a.Bucket, key: a.Key, keys: keys, clock: c}
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

// ossRequest is one request for the object, or for its bucket.
type ossRequest struct {
	operation   string
	method      string
	query       params
	body        io.Reader
	contentType string
	headers     map[string]string // further ones
	ofBucket    bool
}

type params = map[string]any

func (o *ossObject) put(ctx context.Context, b *body) (receipt, error) {
	a, err := o.do(ctx, ossRequest{
		operation: "PutObject", method: http.MethodPut, body: b.reader(),
		contentType: o.contentType, headers: o.settings.ofPut(),
	})
	if err != nil {
		return receipt{}, err
	}
	return o.stored(a, true)
}

func (o *ossObject) initiate(ctx context.Context) (string, error) {
	a, err := o.do(ctx, ossRequest{
		operation: "InitiateMultipartUpload", method: http.MethodPost, query: params{"uploads": nil, "encoding-type": "url"},
		contentType: o.contentType, headers: o.settings.ofInitiate(),
	})
	if err != nil {
		return "", err
	}
	var doc struct {
		XMLName                             xml.Name `xml:"InitiateMultipartUploadResult"`
		EncodingType, Bucket, Key, UploadId string
	}
	if err := a.proof(&doc); err != nil {
		return "", err
	}
	switch {
	case !isUploadID(doc.UploadId) || a.clean(doc.UploadId) == "":
		return "", a.unproven("no upload ID")
	case !o.isOurs(doc.EncodingType, doc.Bucket, doc.Key):
		return "", a.unproven("another object")
	}
	return doc.UploadId, nil
}

// isUploadID accepts what can be sent back and shown.
func isUploadID(id string) bool {
	for _, c := range []byte(id) {
		if c <= ' ' || c > '~' {
			return false
		}
	}
	return id != "" && len(id) <= 256
}

// isOurs reports whether a document names this object. An element that is
// missing names nothing else.
func (o *ossObject) isOurs(encoding, bucket, key string) bool {
	if strings.EqualFold(encoding, "url") {
		if plain, err := url.QueryUnescape(key); err == nil {
			key = plain
		}
	}
	// XML cannot express every character of a key.
	expressible := !strings.ContainsFunc(o.key, func(r rune) bool { return r < ' ' || r == 0xFFFE || r == 0xFFFF })
	return (bucket == "" || bucket == o.name) && (key == "" || key == o.key || !expressible)
}

func (o *ossObject) part(ctx context.Context, uploadID string, number int, b *body) (receipt, error) {
	a, err := o.do(ctx, ossRequest{
		operation: "UploadPart", method: http.MethodPut, body: b.reader(),
		query: params{"uploadId": uploadID, "partNumber": strconv.Itoa(number)},
	})
	if err != nil {
		return receipt{}, err
	}
	return o.stored(a, false)
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
	a, err := o.do(ctx, ossRequest{
		operation: "CompleteMultipartUpload", method: http.MethodPost, query: params{"uploadId": uploadID},
		body: bytes.NewReader(text), headers: o.settings.ofComplete(),
	})
	if err != nil {
		return receipt{}, err
	}
	if a.status == http.StatusNonAuthoritativeInfo {
		return o.stored(a, true)
	}
	var doc struct {
		XMLName                         xml.Name `xml:"CompleteMultipartUploadResult"`
		EncodingType, Bucket, Key, ETag string
	}
	if err := a.proof(&doc); err != nil {
		return receipt{}, err
	}
	if !o.isOurs(doc.EncodingType, doc.Bucket, doc.Key) {
		return receipt{}, a.unproven("another object")
	}
	r := a.receipt()
	r.etag = cmp.Or(r.etag, a.clean(cleanTag(doc.ETag)))
	switch {
	case r.etag == "":
		return receipt{}, a.unproven("no ETag")
	case doc.ETag != "" && !sameTag(doc.ETag, r.etag):
		return receipt{}, a.unproven("two different ETags")
	}
	return r, nil // HeadObject has the CRC where this answer lacks it
}

func (o *ossObject) abort(ctx context.Context, uploadID string) error {
	a, err := o.do(ctx, ossRequest{operation: "AbortMultipartUpload", method: http.MethodDelete, query: params{"uploadId": uploadID}})
	if err == nil && a.status != http.StatusNoContent {
		return a.unproven("the status of an abort is 204")
	}
	return err
}

// list returns the parts after the number given, and the number to ask with
// for the next page; 0 at the end.
func (o *ossObject) list(ctx context.Context, uploadID string, after int) ([]part, int, error) {
	a, err := o.do(ctx, ossRequest{operation: "ListParts", method: http.MethodGet, query: params{
		"uploadId": uploadID, "part-number-marker": strconv.Itoa(after), "max-parts": "1000", "encoding-type": "url",
	}})
	if err != nil {
		return nil, 0, err
	}
	var page struct {
		XMLName              xml.Name `xml:"ListPartsResult"`
		UploadId             string
		NextPartNumberMarker string
		IsTruncated          bool
		Part                 boundedList[oss.UploadedPart]
	}
	if err := a.proof(&page); err != nil {
		return nil, 0, err
	}
	if page.UploadId != uploadID {
		return nil, 0, a.unproven("another upload ID")
	}
	var parts []part
	last := after
	for _, p := range page.Part {
		if p.PartNumber <= last || p.PartNumber > maxParts {
			return nil, 0, a.unproven("part numbers that do not rise from the last page's to 10,000")
		}
		last = p.PartNumber
		parts = append(parts, part{number: p.PartNumber, etag: p.ETag, size: int64(p.Size)})
	}
	if !page.IsTruncated {
		return parts, 0, nil
	}
	// The numbers of the parts are what a list cannot lie about for ever.
	if last == after {
		return nil, 0, a.unproven("a page without a part that says there are more")
	}
	return parts, last, nil
}

// boundedList is a list of at most 10,000 elements: their memory is many times
// that of their text.
type boundedList[T any] []T

// UnmarshalXML implements xml.Unmarshaler, for one element.
func (l *boundedList[T]) UnmarshalXML(d *xml.Decoder, start xml.StartElement) error {
	if len(*l) == maxParts {
		return errors.New("too many elements")
	}
	var one T
	if err := d.DecodeElement(&one, &start); err != nil {
		return err
	}
	*l = append(*l, one)
	return nil
}

// openUpload is a multipart upload that OSS lists.
type openUpload struct {
	id  string
	age time.Duration // by the clock of OSS
}

// uploads lists the multipart uploads of this very object.
func (o *ossObject) uploads(ctx context.Context) ([]openUpload, error) {
	a, err := o.do(ctx, ossRequest{operation: "ListMultipartUploads", method: http.MethodGet, ofBucket: true, query: params{
		"uploads": nil, "prefix": o.key, "max-uploads": "1000", "encoding-type": "url",
	}})
	if err != nil {
		return nil, err
	}
	var doc struct {
		XMLName      xml.Name `xml:"ListMultipartUploadsResult"`
		EncodingType string
		Upload       boundedList[struct{ Key, UploadId, Initiated string }]
	}
	if err := a.proof(&doc); err != nil {
		return nil, err
	}
	now, err := http.ParseTime(a.header.Get("Date"))
	if err != nil {
		return nil, a.unproven("no Date")
	}
	var all []openUpload
	for _, u := range doc.Upload {
		initiated, err := alimedia.ParseTime(u.Initiated)
		if err == nil && u.Key != "" && isUploadID(u.UploadId) && o.isOurs(doc.EncodingType, "", u.Key) {
			all = append(all, openUpload{u.UploadId, now.Sub(initiated)})
		}
	}
	return all, nil
}

func (o *ossObject) head(ctx context.Context) (receipt, error) {
	a, err := o.do(ctx, ossRequest{operation: "HeadObject", method: http.MethodHead})
	if err != nil {
		return receipt{}, err
	}
	if err := a.proof(nil); err != nil {
		return receipt{}, err
	}
	r := a.receipt()
	r.size, err = strconv.ParseInt(a.header.Get("Content-Length"), 10, 64)
	switch {
	case r.etag == "":
		return receipt{}, a.unproven("no ETag")
	case err != nil || r.size < 0:
		return receipt{}, a.unproven("no Content-Length")
	}
	now, err := http.ParseTime(a.header.Get("Date"))
	modified, err2 := http.ParseTime(a.header.Get("Last-Modified"))
	if err == nil && err2 == nil {
		r.age = now.Sub(modified)
	}
	return r, nil
}

// stored reads the answer to bytes. Where whole is set they were the object,
// and its callback may have failed: what the headers do not prove then is left
// to HeadObject.
func (o *ossObject) stored(a *answer, whole bool) (receipt, error) {
	r := a.receipt()
	if whole && a.status == http.StatusNonAuthoritativeInfo && a.id() != "" && a.isCallbackFailure() {
		r.callback = fmt.Errorf("%w: %w", ErrCallback, o.refusal(a))
		return r, nil
	}
	if err := a.proof(nil); err != nil {
		return receipt{}, err
	}
	switch {
	case r.etag == "":
		return receipt{}, a.unproven("no ETag")
	case !r.hasCRC && !o.withoutCRC:
		return receipt{}, a.unproven("no CRC-64, see Config.AllowMissingCRC")
	}
	return r, nil
}

// answer is one answer, read to its end.
type answer struct {
	operation string
	status    int
	header    http.Header
	body      []byte
	secrets   []string // of the request, which a stranger may echo
}

// id is x-oss-request-id, which every answer of OSS has.
func (a *answer) id() string { return strings.TrimSpace(a.header.Get("X-Oss-Request-Id")) }

// proof checks that a is an answer of OSS: the status of the operation, the
// request ID and, unless doc is nil, the result element.
func (a *answer) proof(doc any) error {
	switch {
	case a.status != http.StatusOK:
		return a.unproven("the status of success is 200")
	case a.id() == "":
		return a.unproven("no x-oss-request-id")
	case doc != nil && xml.Unmarshal(a.body, doc) != nil:
		return a.unproven("no result element")
	}
	return nil
}

// unproven is the error of an answer that OSS has not sent, or not like this.
func (a *answer) unproven(why string) error {
	text := fmt.Sprintf("HTTP %d, %s: %s", a.status, a.shown(), why)
	if id := a.id(); id != "" {
		text += ", RequestId " + clip(id, 64)
	}
	return fmt.Errorf("%s: %w: %s", a.operation, ErrUnproven, redact.Text(text, a.secrets...))
}

// receipt reads what the headers of an answer say of the object.
func (a *answer) receipt() receipt {
	r := receipt{etag: a.clean(cleanTag(a.header.Get("ETag")))}
	if crc, err := strconv.ParseUint(strings.TrimSpace(a.header.Get("X-Oss-Hash-Crc64ecma")), 10, 64); err == nil {
		r.crc, r.hasCRC = crc, true
	}
	return r
}

// clean is text that goes into results and checkpoints, or "" where it echoes a
// secret of the request.
func (a *answer) clean(text string) string {
	if redact.Secrets(text, a.secrets...) != text {
		return ""
	}
	return text
}

// cleanTag is an ETag that can be sent back and shown, else "".
func cleanTag(tag string) string {
	tag = strings.TrimSpace(tag)
	if strings.Trim(tag, `"`) == "" || len(tag) > 256 {
		return ""
	}
	for _, c := range []byte(tag) {
		if c < ' ' || c > '~' {
			return ""
		}
	}
	return tag
}

// isCallbackFailure reports whether an answer with status 203 says that the
// object is stored. The body may be that of the callback's server.
func (a *answer) isCallbackFailure() bool {
	code := readErrorDocument(a.body).code
	return code == "" && len(a.body) > 0 && a.receipt().etag != "" || strings.EqualFold(code, "CallbackFailed")
}

const (
	maxAnswer = 4 << 20   // bytes of the body of one answer; a page of 1,000 parts has less than 400 kB
	maxOther  = 256 << 10 // bytes of every other document
)

// do makes one request. The SDK's method of each operation would drop the
// status and the headers of answers that are errors.
func (o *ossObject) do(ctx context.Context, q ossRequest) (*answer, error) {
	resp, authorization, err := o.exchange(ctx, q)
	secrets := o.secrets(authorization)
	if resp == nil {
		return nil, fmt.Errorf("%s: %w", q.operation, redacted(withoutURL(err), secrets))
	}
	defer resp.Body.Close()
	limit := int64(maxOther)
	if q.method == http.MethodGet {
		limit = maxAnswer - 1 // what boundedTransport lets pass
	}
	text, err := io.ReadAll(io.LimitReader(resp.Body, limit+1)) // to the end, so that the connection is used again
	if err != nil {
		return nil, fmt.Errorf("%s: read the answer: %w", q.operation, redacted(err, secrets))
	}
	a := &answer{q.operation, resp.StatusCode, resp.Headers, text, secrets}
	switch {
	case a.status/100 == 2 && int64(len(text)) > limit:
		return nil, a.unproven("more bytes than any answer of OSS has")
	case a.status/100 == 2:
		return a, nil
	case a.status < 400 && a.id() == "": // a redirect, such as that of a captive portal
		return nil, a.unproven("no x-oss-request-id")
	}
	return nil, o.refusal(a)
}

func withoutURL(err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		return u.Err
	}
	return err
}

// exchange sends q and returns the answer and what the request was authorized
// with.
func (o *ossObject) exchange(ctx context.Context, q ossRequest) (*oss.Response, string, error) {
	if o.signer == nil {
		return o.exchangeV1(ctx, q)
	}
	text := ossQuery(q.query)
	address, path := o.url, o.path
	if q.ofBucket {
		address, path = strings.TrimSuffix(address, strings.TrimPrefix(path, "/"+o.name+"/")), "/"+o.name+"/"
	}
	headers := o.signer.headers(q.method, path, text, q.contentType, q.headers, o.clock.now())
	if text != "" {
		address += "?" + text
	}
	resp, err := o.bucket.Client.Conn.DoURLWithContext(ctx, oss.HTTPMethod(q.method), address, headers, q.body, 0, nil)
	return resp, headers["Authorization"], err
}

func (o *ossObject) exchangeV1(ctx context.Context, q ossRequest) (*oss.Response, string, error) {
	var authorization string
	options := []oss.Option{oss.WithContext(context.WithValue(ctx, authorizationOf{}, &authorization))}
	if q.contentType != "" {
		options = append(options, oss.ContentType(q.contentType))
	}
	for name, value := range q.headers {
		options = append(options, oss.SetHeader(name, value))
	}
	if o.clock.skew() != 0 {
		options = append(options, oss.SetHeader("Date", o.clock.now().UTC().Format(http.TimeFormat)))
	}
	key := o.key
	if q.ofBucket {
		key = ""
	}
	resp, err := o.bucket.Do(q.method, key, q.query, options, q.body, nil)
	return resp, authorization, err
}

// authorizationOf finds in a context where to note the field Authorization of
// a request that the SDK signs.
type authorizationOf struct{}

// secrets is what must not be shown of a request.
func (o *ossObject) secrets(authorization string) []string {
	all := []string{o.keys.SecurityToken, o.keys.AccessKeySecret, authorization}
	if _, v4, ok := strings.Cut(authorization, "Signature="); ok {
		return append(all, v4)
	}
	if _, v1, ok := strings.Cut(authorization, ":"); ok {
		return append(all, v1)
	}
	return all
}

// refusal turns an answer that is an error into an *alimedia.Error. The error
// document echoes the security token and the string to sign: only known
// elements are taken over.
func (o *ossObject) refusal(a *answer) error {
	if encoded := a.header.Get("X-Oss-Err"); len(a.body) == 0 && encoded != "" { // of a HEAD
		a.body, _ = base64.StdEncoding.DecodeString(encoded)
	}
	doc := readErrorDocument(a.body)
	if doc.code == "" {
		doc.message = a.shown()
	}
	show := func(text string, limit int) string { return clip(redact.Text(text, a.secrets...), limit) }
	message := show(doc.message, 400)
	if ec := cmp.Or(doc.ec, a.header.Get("X-Oss-Ec")); ec != "" {
		message += " (EC " + show(ec, 64) + ")"
	}
	r := &refusal{api: &alimedia.Error{
		Action:     a.operation,
		Code:       show(doc.code, 100),
		Message:    message,
		RequestId:  show(cmp.Or(a.id(), doc.requestID), 64),
		HostId:     show(doc.hostID, 128),
		StatusCode: a.status,
	}}
	r.retryAfter = retry.After(a.header, o.clock.now())
	for _, text := range []string{doc.serverTime, a.header.Get("Date")} {
		t, err := alimedia.ParseTime(text)
		if err != nil {
			t, err = http.ParseTime(text)
		}
		if err == nil && plausible(t) {
			r.serverTime = t
			break
		}
	}
	return r
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

type boundedTransport struct{ http.RoundTripper }

// RoundTrip implements http.RoundTripper.
func (t boundedTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	base := t.RoundTripper
	if base == nil {
		base = http.DefaultTransport
	}
	if note, ok := r.Context().Value(authorizationOf{}).(*string); ok {
		*note = r.Header.Get("Authorization")
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

// withSettings adds headers to others. Neither map is changed.
func withSettings(a, b map[string]string) map[string]string {
	if len(a) == 0 {
		return b
	}
	all := maps.Clone(a)
	maps.Copy(all, b)
	return all
}
