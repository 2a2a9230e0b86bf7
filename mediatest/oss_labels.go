package mediatest

import (
	"cmp"
	"encoding/xml"
	"errors"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
)

// The tags and the ACL of an object are kept with its settings.

const maxTagsBody = 64 << 10

type taggingDocument struct {
	XMLName xml.Name `xml:"Tagging"`
	TagSet  struct{ Tag []tag }
}

type tag struct{ Key, Value string }

func (s *Server) putTagging(x *exchange) (reply, error) {
	text, err := io.ReadAll(io.LimitReader(x.r.Body, maxTagsBody+1))
	if err != nil {
		return reply{}, errors.Join(errGone, err)
	}
	var document taggingDocument
	if len(text) > maxTagsBody || xml.Unmarshal(text, &document) != nil {
		return reply{}, errMalformedXML
	}
	tags := url.Values{}
	for _, t := range document.TagSet.Tag {
		tags.Add(t.Key, t.Value)
	}
	if err := checkTags(tags.Encode()); err != nil {
		return reply{}, err
	}
	return reply{}, s.relabel(x, "X-Oss-Tagging", tags.Encode())
}

func (s *Server) deleteTagging(x *exchange) (reply, error) {
	return reply{status: http.StatusNoContent}, s.relabel(x, "X-Oss-Tagging", "")
}

func (s *Server) getTagging(x *exchange) (reply, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	o := s.object(x.bucket, x.key)
	if o == nil {
		return reply{}, noSuchKey(x.key)
	}
	var document taggingDocument
	tags, _ := url.ParseQuery(o.header.Get("X-Oss-Tagging")) // was checked
	for _, name := range slices.Sorted(maps.Keys(tags)) {
		document.TagSet.Tag = append(document.TagSet.Tag, tag{name, tags.Get(name)})
	}
	return reply{xml: document}, nil
}

func (s *Server) putObjectACL(x *exchange) (reply, error) {
	acl := x.r.Header.Get("x-oss-object-acl")
	if err := checkSetting("X-Oss-Object-Acl", acl); err != nil {
		return reply{}, err
	}
	return reply{}, s.relabel(x, "X-Oss-Object-Acl", acl)
}

func (s *Server) getObjectACL(x *exchange) (reply, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	o := s.object(x.bucket, x.key)
	if o == nil {
		return reply{}, noSuchKey(x.key)
	}
	acl := cmp.Or(o.header.Get("X-Oss-Object-Acl"), "default")
	return reply{xml: s.buckets[x.bucket].owner.controls(acl)}, nil
}

// relabel changes a setting of an object; an empty value removes it. The object
// is replaced, since its header may be read at the same time.
func (s *Server) relabel(x *exchange, name, value string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	old := s.object(x.bucket, x.key)
	if old == nil {
		return noSuchKey(x.key)
	}
	o := *old
	if o.header = old.header.Clone(); o.header == nil {
		o.header = http.Header{}
	}
	if o.header.Set(name, value); value == "" {
		o.header.Del(name)
	}
	s.buckets[x.bucket].objects[x.key] = &o
	return nil
}
