package mediatest

import (
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// conditions say which state of an object a request is for.
type conditions struct {
	match, noneMatch, modifiedSince, unmodifiedSince string
}

// conditionsOf reads If-Match and so on, or x-oss-copy-source-if-match and so on.
func conditionsOf(h http.Header, prefix string) conditions {
	return conditions{
		match: h.Get(prefix + "if-match"), noneMatch: h.Get(prefix + "if-none-match"),
		modifiedSince: h.Get(prefix + "if-modified-since"), unmodifiedSince: h.Get(prefix + "if-unmodified-since"),
	}
}

var errNotModified = refused(http.StatusNotModified, "NotModified", "The object is not modified.")

// met refuses where the object is in another state. A time that cannot be read
// is ignored.
func (c conditions) met(o *object) error {
	switch {
	case c.match != "" && !namesETag(c.match, o.etag):
		return unmet("If-Match")
	case c.unmodifiedSince != "" && after(o.modified, c.unmodifiedSince):
		return unmet("If-Unmodified-Since")
	case c.noneMatch != "" && namesETag(c.noneMatch, o.etag):
		return errNotModified
	}
	if since, err := http.ParseTime(c.modifiedSince); err == nil && !o.modified.After(since) {
		return errNotModified
	}
	return nil
}

func unmet(condition string) failure {
	f := refused(http.StatusPreconditionFailed, "PreconditionFailed", "At least one of the pre-conditions you specified did not hold.")
	f.extra = [][2]string{{"Condition", condition}}
	return f
}

func namesETag(list, etag string) bool {
	for name := range strings.SplitSeq(list, ",") {
		if name = strings.Trim(name, ` "`); name == "*" || strings.EqualFold(name, strings.Trim(etag, `"`)) {
			return true
		}
	}
	return false
}

func after(t time.Time, text string) bool {
	since, err := http.ParseTime(text)
	return err == nil && t.After(since)
}

// getObject serves GetObject, HeadObject and GetObjectMeta.
func (s *Server) getObject(x *exchange) (reply, error) {
	s.mu.Lock()
	o := s.object(x.bucket, x.key)
	if o != nil {
		s.vault.retain(o.pieces)
	}
	s.mu.Unlock()
	if o == nil {
		return reply{}, noSuchKey(x.key)
	}
	if err := x.describe(o); err != nil {
		s.vault.release(o.pieces)
		return reply{}, err
	}
	return reply{object: o}, nil
}

// describe checks whether the request can be answered with the object, and sets
// the headers that say what the object is.
func (x *exchange) describe(o *object) error {
	if err := conditionsOf(x.r.Header, "").met(o); err != nil {
		return err
	}
	for _, done := range []string{"If-Match", "If-None-Match", "If-Modified-Since", "If-Unmodified-Since", "If-Range"} {
		x.r.Header.Del(done)
	}
	h := x.w.Header()
	h.Set("ETag", o.etag)
	if x.operation == "GetObjectMeta" {
		return nil
	}
	h.Set("x-oss-hash-crc64ecma", strconv.FormatUint(o.crc, 10))
	h.Set("x-oss-object-type", o.kind.String())
	if o.kind == appendableObject {
		h.Set("x-oss-next-append-position", strconv.FormatInt(o.size, 10))
	}
	o.describe(h)
	x.override(h)
	switch {
	case x.operation == "HeadObject":
		return nil
	case o.hollow():
		return errDiscarded
	}
	return checkRange(x.r.Header, o.size)
}

var (
	errDiscarded = refused(403, "InvalidObjectState", "The operation is not valid for the object's state: its bytes were not kept, see mediatest.Discard and StateContent.")
	readRange    = regexp.MustCompile(`^bytes=([0-9]{0,18})-([0-9]{0,18})$`)
)

// checkRange drops a Range that is not within the object, so that the whole
// object is the answer. With x-oss-range-behavior: standard a range may go beyond
// the end of the object, and one that begins there is refused.
func checkRange(h http.Header, size int64) error {
	text := h.Get("Range")
	if text == "" {
		return nil
	}
	m := readRange.FindStringSubmatch(text)
	if m == nil || m[1] == "" && m[2] == "" {
		h.Del("Range")
		return nil
	}
	low, errLow := strconv.ParseInt(m[1], 10, 64)
	high, errHigh := strconv.ParseInt(m[2], 10, 64)
	standard := strings.EqualFold(h.Get("x-oss-range-behavior"), "standard")
	switch {
	case errLow != nil && (high == 0 || high > size && !standard), // the last bytes
		errLow == nil && errHigh == nil && high < low,
		errLow == nil && !standard && (low >= size || errHigh == nil && high >= size):
		h.Del("Range")
	case errLow == nil && low >= size:
		f := refused(http.StatusRequestedRangeNotSatisfiable, "InvalidRange", "The requested range cannot be satisfied.")
		f.extra = [][2]string{{"ActualObjectSize", strconv.FormatInt(size, 10)}, {"RangeRequested", text}}
		return f
	}
	return nil
}

// overrides are the headers that a signed request may change in its answer, by
// a parameter such as response-content-type.
var overrides = []string{"Content-Type", "Content-Language", "Expires", "Cache-Control", "Content-Disposition", "Content-Encoding"}

func (x *exchange) override(h http.Header) {
	for _, name := range overrides {
		if value := x.query.Get("response-" + strings.ToLower(name)); value != "" && !slices.Contains([]byte(value), '\n') {
			h.Set(name, value)
		}
	}
}
