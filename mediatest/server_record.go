package mediatest

import (
	"cmp"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// maxRequests bounds the record; the oldest half is dropped when it is full.
const maxRequests = 1 << 16

// Request is what the server remembers of a request. Signatures, security
// tokens and bodies are not part of it.
type Request struct {
	Operation   string      // API action or OSS operation
	Service     string      // "ice", "vod", "sts", "oss", "mns" or "metadata"
	Params      url.Values  // parameters of the action; query of the OSS request
	Bucket      string      // OSS only
	Key         string      // OSS, the queue in MNS and, as a path, metadata only
	Header      http.Header // without secrets
	AccessKeyId string      // who signed
	Size        int64       // bytes of the body received when the answer began
	Status      int         // HTTP status; 0 while it is served and when the connection was cut
	Code        string      // error code; empty on success
	Time        time.Time   // by the server's clock
}

func newRequest(x *exchange, now time.Time) *Request {
	r := &Request{
		Operation:   x.operation,
		Service:     "oss",
		Params:      maps.Clone(x.query),
		Bucket:      x.bucket,
		Key:         x.key,
		Header:      x.r.Header.Clone(),
		AccessKeyId: signer(x.r.Header.Get("Authorization")),
		Time:        now,
	}
	if x.queue {
		r.Service = "mns"
	}
	if x.metadata {
		r.Service = "metadata"
	}
	if x.api {
		r.Service = serviceOf(cmp.Or(x.r.Header.Get("x-acs-version"), x.query.Get("Version")))
	}
	for _, secret := range []string{"Authorization", "x-acs-security-token", "x-oss-security-token", "security-token", tokenHeader} {
		r.Header.Del(secret)
	}
	for name := range r.Params {
		if isSecretParam(name) {
			delete(r.Params, name)
		}
	}
	return r
}

func isSecretParam(name string) bool {
	name = strings.ToLower(name)
	return strings.Contains(name, "signature") || strings.Contains(name, "security-token") || strings.Contains(name, "securitytoken") || name == "oidctoken"
}

// signer finds the access key id in an Authorization header of any scheme.
func signer(authorization string) string {
	_, rest, _ := strings.Cut(authorization, " ")
	if _, after, ok := strings.Cut(rest, "Credential="); ok {
		rest = after
	}
	if i := strings.IndexAny(rest, ",:/"); i >= 0 {
		rest = rest[:i]
	}
	return rest
}

func (r *Request) clone() Request {
	c := *r
	c.Params = maps.Clone(r.Params)
	c.Header = r.Header.Clone()
	return c
}

// Requests returns what was asked so far, in order of arrival, refused and
// failed requests included. Of a very long run only the latest are kept.
func (s *Server) Requests() []Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := make([]Request, len(s.requests))
	for i, r := range s.requests {
		all[i] = r.clone()
	}
	return all
}

// Calls counts the requests of an operation, refused and failed ones included.
func (s *Server) Calls(operation string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.calls[operation]
}
