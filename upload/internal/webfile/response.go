package webfile

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/alimedia/alimedia-go/internal/retry"
)

// errComplete means that all bytes have arrived.
var errComplete = errors.New("all bytes have arrived")

// accept checks the response to the first request, or to one that resumes.
func (s *stream) accept(response *http.Response) (err error) {
	defer func() {
		if err != nil {
			response.Body.Close()
		}
	}()
	header := response.Header
	if coding := header.Get("Content-Encoding"); coding != "" && !strings.EqualFold(coding, "identity") {
		return retry.Permanent(fmt.Errorf("the server sends the file in the encoding %.20q", coding))
	}
	etag, modified := validators(header)
	if s.offset > 0 {
		return s.acceptRest(response, etag, modified)
	}
	switch {
	case response.StatusCode != http.StatusOK:
		return retry.Permanent(errors.New("the server sends a range, but the whole file was requested"))
	case response.ContentLength < 0 && response.ProtoMajor == 1 && len(response.TransferEncoding) == 0:
		return retry.Permanent(errors.New("the server declares neither the length of the file nor where it ends"))
	case response.ContentLength > s.MaxSize:
		return retry.Permanent(s.tooLarge())
	}
	size := max(response.ContentLength, UnknownSize)
	if s.opened { // and disconnected before the first byte
		if size != s.info.Size || etag != s.info.ETag || s.info.ETag == "" && s.info.LastModified != "" && modified != s.info.LastModified {
			return retry.Permanent(ErrChanged)
		}
		return nil
	}
	name := s.Name
	if name == "" {
		name = fileName(header.Get("Content-Disposition"), header.Get("Content-Type"), s.from, response.Request.URL)
	}
	s.opened = true
	s.info = Info{Name: name, URL: response.Request.URL, ContentType: header.Get("Content-Type"), Size: size, ETag: etag, LastModified: modified}
	return nil
}

// acceptRest checks that a response is the rest of the same version.
func (s *stream) acceptRest(response *http.Response, etag, modified string) error {
	other := etag != s.info.ETag || s.info.ETag == "" && modified != s.info.LastModified
	if response.StatusCode == http.StatusOK { // the whole file
		if other || response.ContentLength >= 0 && s.info.Size != UnknownSize && response.ContentLength != s.info.Size {
			return retry.Permanent(ErrChanged)
		}
		return retry.Permanent(fmt.Errorf("the connection ended after %d of %s, and the server does not resume", s.offset, amount(s.info.Size)))
	}
	from, total, ok := contentRange(response.Header.Get("Content-Range"))
	switch {
	case other:
		return retry.Permanent(ErrChanged)
	case !ok || from != s.offset:
		return retry.Permanent(errors.New("the server sends another range than requested"))
	case s.info.Size != UnknownSize && total != s.info.Size:
		return retry.Permanent(ErrChanged)
	case response.ContentLength >= 0 && response.ContentLength != total-from:
		return retry.Permanent(fmt.Errorf("%w: Content-Range and Content-Length differ", ErrSize))
	case total > s.MaxSize:
		return retry.Permanent(s.tooLarge())
	}
	s.info.Size = total // known from now on
	return nil
}

// beyondEnd handles status 416, the response to a range that begins at the end
// of the file or after it.
func (s *stream) beyondEnd(h http.Header) error {
	text, ok := strings.CutPrefix(h.Get("Content-Range"), "bytes */")
	total, err := strconv.ParseInt(text, 10, 64)
	etag := h.Get("ETag")
	if !ok || err != nil || total != s.offset || s.info.Size != UnknownSize && s.info.Size != total || etag != "" && etag != s.info.ETag {
		return retry.Permanent(ErrChanged)
	}
	return errComplete
}

// contentRange parses "bytes 5-99/100", the last bytes of a file.
func contentRange(text string) (from, total int64, ok bool) {
	span, ok1 := strings.CutPrefix(text, "bytes ")
	span, of, ok2 := strings.Cut(span, "/")
	first, last, ok3 := strings.Cut(span, "-")
	from, err1 := strconv.ParseInt(first, 10, 64)
	to, err2 := strconv.ParseInt(last, 10, 64)
	total, err3 := strconv.ParseInt(of, 10, 64)
	return from, total, ok1 && ok2 && ok3 && errors.Join(err1, err2, err3) == nil && 0 <= from && from <= to && to == total-1
}

// validators returns a strong ETag, or else a strong Last-Modified: one that is
// at least a minute before the Date of the response (RFC 9110, 8.8.2.2).
func validators(h http.Header) (etag, modified string) {
	if etag = h.Get("ETag"); isStrong(etag) {
		return etag, ""
	}
	modified = h.Get("Last-Modified")
	last, err := http.ParseTime(modified)
	now, err2 := http.ParseTime(h.Get("Date"))
	if err != nil || err2 != nil || now.Sub(last) < time.Minute {
		return "", ""
	}
	return "", modified
}

// isStrong reports whether equal ETags mean equal bytes.
func isStrong(etag string) bool {
	return len(etag) > 2 && len(etag) <= 1024 && etag[0] == '"' && etag[len(etag)-1] == '"'
}
