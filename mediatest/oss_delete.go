package mediatest

import (
	"crypto/md5"
	"encoding/xml"
	"errors"
	"io"
	"net/http"
	"net/url"
	"slices"
)

const (
	maxDeleteBody = 2 << 20 // bytes
	maxDeleted    = 1000    // objects in one request
)

type deleteRequest struct {
	XMLName xml.Name `xml:"Delete"`
	Quiet   bool
	Object  []deleteKey
}

type deleteKey struct{ Key string }

func (s *Server) deleteObject(x *exchange) (reply, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.remove(x.bucket, x.key)
	return reply{status: http.StatusNoContent}, nil
}

// deleteObjects serves DeleteMultipleObjects. An object that is not there counts
// as deleted.
func (s *Server) deleteObjects(x *exchange) (reply, error) {
	text, err := io.ReadAll(io.LimitReader(x.r.Body, maxDeleteBody+1))
	if err != nil {
		return reply{}, errors.Join(errGone, err)
	}
	if err := checkMD5(x.r.Header, md5.Sum(text)); err != nil {
		return reply{}, err
	}
	var asked deleteRequest
	if len(text) > maxDeleteBody || xml.Unmarshal(text, &asked) != nil || len(asked.Object) == 0 || len(asked.Object) > maxDeleted {
		return reply{}, errMalformedXML
	}
	type deleted struct{ Key string }
	answer := struct {
		XMLName      xml.Name `xml:"DeleteResult"`
		EncodingType string   `xml:",omitempty"`
		Deleted      []deleted
	}{EncodingType: x.query.Get("encoding-type")}
	if slices.ContainsFunc(asked.Object, func(o deleteKey) bool { return o.Key == "" }) {
		return reply{}, errMalformedXML
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, o := range asked.Object {
		key := o.Key
		if x.query.Get("encoding-type") == "url2" { // encodes the request too
			if key, err = url.QueryUnescape(key); err != nil {
				return reply{}, errMalformedXML
			}
		}
		s.remove(x.bucket, key)
		answer.Deleted = append(answer.Deleted, deleted{x.encoded(key)})
	}
	if asked.Quiet {
		return reply{}, nil
	}
	return reply{xml: answer}, nil
}
