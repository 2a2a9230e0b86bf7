package ossobject

import (
	"context"
	"encoding/xml"
	"errors"
	"net/http"
	"strconv"

	"github.com/aliyun/aliyun-oss-go-sdk/oss"

	"github.com/alimedia/alimedia-go"
	"github.com/alimedia/alimedia-go/upload/internal/transfer"
)

// boundedList is a list of at most 10,000 elements: their memory is many times
// that of their text.
type boundedList[T any] []T

// UnmarshalXML implements xml.Unmarshaler, for one element.
func (l *boundedList[T]) UnmarshalXML(d *xml.Decoder, start xml.StartElement) error {
	if len(*l) == transfer.MaxParts {
		return errors.New("too many elements")
	}
	var one T
	if err := d.DecodeElement(&one, &start); err != nil {
		return err
	}
	*l = append(*l, one)
	return nil
}

// ListParts implements [transfer.Object].
func (o *Object) ListParts(ctx context.Context, uploadID string, after int) ([]transfer.Part, int, error) {
	a, err := o.do(ctx, request{operation: "ListParts", method: http.MethodGet, query: []parameter{
		{"encoding-type", "url"}, {"max-parts", "1000"}, {"part-number-marker", strconv.Itoa(after)}, {"uploadId", uploadID},
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
	var parts []transfer.Part
	last := after
	for _, p := range page.Part {
		if p.PartNumber <= last || p.PartNumber > transfer.MaxParts {
			return nil, 0, a.unproven("part numbers that do not rise from the last page's to 10,000")
		}
		last = p.PartNumber
		parts = append(parts, transfer.Part{Number: p.PartNumber, ETag: p.ETag, Size: int64(p.Size)})
	}
	if !page.IsTruncated {
		return parts, 0, nil
	}
	// Rising part numbers bound a list that claims never to end.
	if last == after {
		return nil, 0, a.unproven("a page without a part that says there are more")
	}
	return parts, last, nil
}

// ListUploads implements [transfer.Object].
func (o *Object) ListUploads(ctx context.Context) ([]transfer.OpenUpload, error) {
	a, err := o.do(ctx, request{operation: "ListMultipartUploads", method: http.MethodGet, ofBucket: true, query: []parameter{
		{"encoding-type", "url"}, {"max-uploads", "1000"}, {"prefix", o.key}, {"uploads", ""},
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
	var all []transfer.OpenUpload
	for _, u := range doc.Upload {
		initiated, err := alimedia.ParseTime(u.Initiated)
		if err == nil && u.Key != "" && isUploadID(u.UploadId) && o.isNamed(doc.EncodingType, "", u.Key) {
			all = append(all, transfer.OpenUpload{UploadID: u.UploadId, Age: now.Sub(initiated)})
		}
	}
	return all, nil
}
