package ossobject

import (
	"bytes"
	"cmp"
	"context"
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/aliyun/aliyun-oss-go-sdk/oss"

	"github.com/alimedia/alimedia-go/upload/internal/transfer"
)

// Object is one object, as one credential reaches it. It implements
// [transfer.Object] and is safe for concurrent use.
type Object struct {
	*bucket
	key             string
	path            string // of the object in its bucket, escaped
	headers         Headers
	clock           *transfer.Clock
	allowMissingCRC bool
}

// request is one request for the object, or for its bucket.
type request struct {
	operation   string
	method      string
	query       []parameter // sorted by name
	body        io.Reader
	contentType string
	headers     map[string]string // further ones
	ofBucket    bool
}

// limited is a body of size bytes, which net/http sends with a Content-Length.
func limited(body io.Reader, size int64) io.Reader { return &io.LimitedReader{R: body, N: size} }

// Put implements [transfer.Object].
func (o *Object) Put(ctx context.Context, body io.Reader, size int64) (transfer.Info, error) {
	a, err := o.do(ctx, request{
		operation: "PutObject", method: http.MethodPut, body: limited(body, size),
		contentType: o.headers.contentType, headers: o.headers.put,
	})
	if err != nil {
		return transfer.Info{}, err
	}
	return o.stored(a, true)
}

// CreateMultipart implements [transfer.Object].
func (o *Object) CreateMultipart(ctx context.Context) (string, error) {
	a, err := o.do(ctx, request{
		operation: "InitiateMultipartUpload", method: http.MethodPost, query: []parameter{{"encoding-type", "url"}, {"uploads", ""}},
		contentType: o.headers.contentType, headers: o.headers.initiate,
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
	case !o.isNamed(doc.EncodingType, doc.Bucket, doc.Key):
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

// isNamed reports whether a document names this object. A missing element names
// no other.
func (o *Object) isNamed(encoding, bucket, key string) bool {
	if strings.EqualFold(encoding, "url") {
		if plain, err := url.QueryUnescape(key); err == nil {
			key = plain
		}
	}
	// XML cannot express every character of a key.
	expressible := !strings.ContainsFunc(o.key, func(r rune) bool { return r < ' ' || r == 0xFFFE || r == 0xFFFF })
	return (bucket == "" || bucket == o.name) && (key == "" || key == o.key || !expressible)
}

// UploadPart implements [transfer.Object].
func (o *Object) UploadPart(ctx context.Context, uploadID string, number int, body io.Reader, size int64) (transfer.Info, error) {
	a, err := o.do(ctx, request{
		operation: "UploadPart", method: http.MethodPut, body: limited(body, size),
		query: []parameter{{"partNumber", strconv.Itoa(number)}, {"uploadId", uploadID}},
	})
	if err != nil {
		return transfer.Info{}, err
	}
	return o.stored(a, false)
}

// CompleteMultipart implements [transfer.Object].
func (o *Object) CompleteMultipart(ctx context.Context, uploadID string, parts []transfer.Part) (transfer.Info, error) {
	list := struct {
		XMLName xml.Name `xml:"CompleteMultipartUpload"`
		Part    []oss.UploadPart
	}{Part: make([]oss.UploadPart, len(parts))}
	for i, p := range parts {
		list.Part[i] = oss.UploadPart{PartNumber: p.Number, ETag: p.ETag}
	}
	text, err := xml.Marshal(list)
	if err != nil {
		return transfer.Info{}, err
	}
	a, err := o.do(ctx, request{
		operation: "CompleteMultipartUpload", method: http.MethodPost, query: []parameter{{"uploadId", uploadID}},
		body: bytes.NewReader(text), headers: o.headers.complete,
	})
	if err != nil {
		return transfer.Info{}, err
	}
	if a.status == http.StatusNonAuthoritativeInfo {
		return o.stored(a, true)
	}
	var doc struct {
		XMLName                         xml.Name `xml:"CompleteMultipartUploadResult"`
		EncodingType, Bucket, Key, ETag string
	}
	if err := a.proof(&doc); err != nil {
		return transfer.Info{}, err
	}
	if !o.isNamed(doc.EncodingType, doc.Bucket, doc.Key) {
		return transfer.Info{}, a.unproven("another object")
	}
	info := a.info()
	info.ETag = cmp.Or(info.ETag, a.clean(cleanETag(doc.ETag)))
	switch {
	case info.ETag == "":
		return transfer.Info{}, a.unproven("no ETag")
	case doc.ETag != "" && !transfer.SameETag(doc.ETag, info.ETag):
		return transfer.Info{}, a.unproven("two different ETags")
	}
	return info, nil // HeadObject has the CRC-64 if this response lacks it
}

// AbortMultipart implements [transfer.Object].
func (o *Object) AbortMultipart(ctx context.Context, uploadID string) error {
	a, err := o.do(ctx, request{operation: "AbortMultipartUpload", method: http.MethodDelete, query: []parameter{{"uploadId", uploadID}}})
	if err == nil && a.status != http.StatusNoContent {
		return a.unproven("the status of an abort is 204")
	}
	return err
}

// Head implements [transfer.Object].
func (o *Object) Head(ctx context.Context) (transfer.Info, error) {
	a, err := o.do(ctx, request{operation: "HeadObject", method: http.MethodHead})
	if err != nil {
		return transfer.Info{}, err
	}
	if err := a.proof(nil); err != nil {
		return transfer.Info{}, err
	}
	info := a.info()
	info.Size, err = strconv.ParseInt(a.header.Get("Content-Length"), 10, 64)
	switch {
	case info.ETag == "":
		return transfer.Info{}, a.unproven("no ETag")
	case err != nil || info.Size < 0:
		return transfer.Info{}, a.unproven("no Content-Length")
	}
	now, err := http.ParseTime(a.header.Get("Date"))
	modified, err2 := http.ParseTime(a.header.Get("Last-Modified"))
	if err == nil && err2 == nil {
		info.Age = now.Sub(modified)
	}
	return info, nil
}

// stored reads the response to a request that carries bytes. With whole they were
// the object, and its callback may have failed: HeadObject then proves what the
// headers do not.
func (o *Object) stored(a *response, whole bool) (transfer.Info, error) {
	info := a.info()
	if whole && a.status == http.StatusNonAuthoritativeInfo && a.requestID() != "" && a.isCallbackFailure() {
		info.CallbackErr = fmt.Errorf("%w: %w", ErrCallback, o.serviceError(a))
		return info, nil
	}
	if err := a.proof(nil); err != nil {
		return transfer.Info{}, err
	}
	switch {
	case info.ETag == "":
		return transfer.Info{}, a.unproven("no ETag")
	case !info.HasCRC64 && !o.allowMissingCRC:
		return transfer.Info{}, a.unproven("no CRC-64, see Config.AllowMissingCRC")
	}
	return info, nil
}
