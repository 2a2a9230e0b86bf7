package mediatest

import (
	"cmp"
	"encoding/xml"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"
)

const sourcePrefix = "x-oss-copy-source-"

// copySource finds the object that x-oss-copy-source names, which the caller
// must be allowed to read, if it meets the conditions of the request. The caller
// holds mu.
func (s *Server) copySource(x *exchange) (*object, error) {
	source, err := url.QueryUnescape(x.r.Header.Get("x-oss-copy-source"))
	bucket, key, ok := strings.Cut(strings.TrimPrefix(source, "/"), "/")
	if err != nil || !ok || key == "" {
		return nil, ossArgument("x-oss-copy-source", x.r.Header.Get("x-oss-copy-source"), "The x-oss-copy-source header is not valid.")
	}
	switch b := s.buckets[bucket]; {
	case b == nil:
		return nil, noSuchBucket(bucket)
	case b.owner != x.by.owner, !x.by.may(bucket, key), x.by.allow("oss:GetObject") != nil:
		return nil, errBucketACL
	case s.still(x) != nil:
		return nil, s.still(x)
	case b.region != s.buckets[x.bucket].region:
		return nil, refused(403, "AccessDenied", "Target object does not reside in the same data center as source object.")
	}
	o := s.object(bucket, key)
	if o == nil {
		return nil, noSuchKey(key)
	}
	return o, conditionsOf(x.r.Header, sourcePrefix).met(o)
}

// copyObject copies within the account. The metadata stay those of the source
// unless x-oss-metadata-directive says REPLACE.
func (s *Server) copyObject(x *exchange) (reply, error) {
	settings, err := settingsOf(x.r.Header)
	if err != nil {
		return reply{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	from, err := s.copySource(x)
	if err != nil {
		return reply{}, err
	}
	if err := cmp.Or(s.still(x), s.mayOverwrite(x)); err != nil {
		return reply{}, err
	}
	to := *from
	s.vault.retain(to.pieces)
	to.kind = normalObject
	to.header = copied(from.header, settings, x.r.Header.Get("x-oss-metadata-directive"), x.r.Header.Get("x-oss-tagging-directive"))
	s.store(x.bucket, x.key, &to)
	x.w.Header().Set("x-oss-hash-crc64ecma", strconv.FormatUint(to.crc, 10))
	return x.copyResult("CopyObjectResult", to.modified, to.etag), nil
}

// copyResult is the answer to either way of copying.
func (x *exchange) copyResult(name string, modified time.Time, etag string) reply {
	x.w.Header().Set("ETag", etag)
	return reply{xml: struct {
		XMLName            xml.Name
		LastModified, ETag string
	}{xml.Name{Local: name}, modified.Format(ossTime), etag}}
}

// uploadPartCopy makes a part of an object, or of a range of its bytes.
func (s *Server) uploadPartCopy(x *exchange) (reply, error) {
	number, err := x.partNumber()
	if err != nil {
		return reply{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	u, err := s.upload(x)
	if err != nil {
		return reply{}, err
	}
	from, err := s.copySource(x)
	if err != nil {
		return reply{}, err
	}
	first, last, err := sourceRange(x.r.Header.Get(sourcePrefix+"range"), from.size)
	if err != nil {
		return reply{}, err
	}
	if last-first >= maxPut {
		return reply{}, errTooLarge
	}
	b, err := s.cut(from.blob, first, last+1)
	if err != nil {
		return reply{}, err
	}
	p := &part{blob: b, number: number, etag: s.etag(b), modified: s.now()}
	s.storePart(u, p)
	return x.copyResult("CopyPartResult", p.modified, p.etag), nil
}

var byteRange = regexp.MustCompile(`^bytes=([0-9]{1,18})-([0-9]{1,18})$`)

// sourceRange reads x-oss-copy-source-range; without one all bytes are meant.
func sourceRange(text string, size int64) (first, last int64, err error) {
	if text == "" {
		return 0, size - 1, nil
	}
	if m := byteRange.FindStringSubmatch(text); m != nil {
		first, _ = strconv.ParseInt(m[1], 10, 64) // 18 digits fit
		last, _ = strconv.ParseInt(m[2], 10, 64)
		if first <= last && last < size {
			return first, last, nil
		}
	}
	return 0, 0, ossArgument(sourcePrefix+"range", text, "The range is not valid, or not within the source object.")
}

// copied are the settings of a copy: the metadata and the tags of the source, or
// those of the request where the directives say REPLACE. An ACL is not copied.
func copied(from, asked http.Header, metadata, tagging string) http.Header {
	kept := from.Clone()
	if strings.EqualFold(metadata, "REPLACE") {
		kept = asked.Clone()
	}
	if kept == nil {
		kept = http.Header{}
	}
	tags := from
	if strings.EqualFold(tagging, "REPLACE") {
		tags = asked
	}
	for name, source := range map[string]http.Header{"X-Oss-Tagging": tags, "X-Oss-Object-Acl": asked} {
		if kept.Del(name); source.Get(name) != "" {
			kept.Set(name, source.Get(name))
		}
	}
	for _, name := range []string{"X-Oss-Storage-Class", "X-Oss-Server-Side-Encryption"} {
		if value := asked.Get(name); value != "" {
			kept.Set(name, value)
		}
	}
	return kept
}

// cut is a blob of the bytes from first up to end. The caller holds mu.
func (s *Server) cut(b blob, first, end int64) (blob, error) {
	switch {
	case first == 0 && end == b.size:
		s.vault.retain(b.pieces)
		return b, nil
	case b.hollow():
		return blob{}, errDiscarded
	}
	return s.take(io.NewSectionReader(s.vault.reader(b.pieces), first, end-first), end-first, true)
}
