// Package record notes which permissions the requests of a command need, and
// makes the RAM policy of them.
package record

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/alimedia/alimedia-go/credentials"
)

// Permission is what one request needs.
type Permission struct {
	Action   string `json:"action"`             // such as "vod:GetVideoInfo"
	Resource string `json:"resource,omitempty"` // of OSS: bucket, or bucket/key
}

// Recorder is an http.RoundTripper that writes the permissions of the requests
// to a file, one JSON object a line, each once. It writes nothing else of a
// request. It is safe for concurrent use.
type Recorder struct {
	base http.RoundTripper
	keys credentials.Provider
	out  *sink
}

type sink struct {
	mu   sync.Mutex
	file *os.File
	seen map[Permission]bool
	err  error
}

// Open opens or makes the file, and adds to what it has.
func Open(name string) (*Recorder, error) {
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	return &Recorder{out: &sink{file: f, seen: map[Permission]bool{}}}, nil
}

// Client is a client like c whose requests are recorded. Requests to OSS count
// if they are signed with the keys of the provider, and not with an upload
// credential, which needs no permission.
func (r *Recorder) Client(c *http.Client, keys credentials.Provider) *http.Client {
	recorded := http.Client{}
	if c != nil {
		recorded = *c
	}
	base := recorded.Transport
	if base == nil {
		own := http.DefaultTransport.(*http.Transport).Clone()
		own.DisableCompression = true
		base = own
	}
	recorded.Transport = &Recorder{base: base, keys: keys, out: r.out}
	return &recorded
}

// RoundTrip implements http.RoundTripper.
func (r *Recorder) RoundTrip(req *http.Request) (*http.Response, error) {
	if p := r.permission(req); p.Action != "" {
		r.out.note(p)
		if query := req.URL.Query(); p.Action == "oss:PutObject" && (query.Has("uploads") || query.Has("uploadId")) {
			// What the same upload needs when it is interrupted.
			r.out.note(Permission{"oss:ListParts", p.Resource})
			r.out.note(Permission{"oss:AbortMultipartUpload", p.Resource})
		}
	}
	return r.base.RoundTrip(req)
}

func (s *sink) note(p Permission) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.seen[p] || s.err != nil {
		return
	}
	s.seen[p] = true
	line, err := json.Marshal(p)
	if err == nil {
		_, err = s.file.Write(append(line, '\n'))
	}
	s.err = err
}

// Close reports whether all was written.
func (r *Recorder) Close() error {
	r.out.mu.Lock()
	defer r.out.mu.Unlock()
	if err := errors.Join(r.out.err, r.out.file.Close()); err != nil {
		return fmt.Errorf("--record: %w", err)
	}
	return nil
}

// products are the products of the API, by their versions.
var products = map[string]string{"2020-11-09": "ice", "2017-03-21": "vod", "2015-04-01": "sts"}

var actionName = regexp.MustCompile(`^[A-Z][A-Za-z0-9]{1,127}$`)

func (r *Recorder) permission(req *http.Request) Permission {
	if action := req.Header.Get("x-acs-action"); action != "" {
		product := products[req.Header.Get("x-acs-version")]
		if product == "" || !actionName.MatchString(action) || action == "GetCallerIdentity" { // which needs none
			return Permission{}
		}
		return Permission{Action: product + ":" + action}
	}
	if !r.own(req) {
		return Permission{}
	}
	bucket, key := place(req)
	if bucket == "" {
		return Permission{}
	}
	p := Permission{Action: ossAction(req, key), Resource: bucket}
	if key != "" {
		p.Resource += "/" + key
	}
	return p
}

var credential = regexp.MustCompile(`^OSS4-HMAC-SHA256 Credential=([A-Za-z0-9._-]+)/|^OSS ([A-Za-z0-9._-]+):`)

// own reports whether a request to OSS is signed with the user's own keys.
func (r *Recorder) own(req *http.Request) bool {
	m := credential.FindStringSubmatch(req.Header.Get("Authorization"))
	if m == nil || r.keys == nil {
		return false
	}
	keys, err := credentials.Ask(context.WithoutCancel(req.Context()), r.keys)
	return err == nil && keys.AccessKeyId == m[1]+m[2]
}

// place is the bucket and the key of a request: in the host, or in the path for
// an endpoint that is an address.
func place(req *http.Request) (bucket, key string) {
	host := req.URL.Hostname()
	path := strings.TrimPrefix(req.URL.Path, "/")
	if net.ParseIP(host) != nil || !strings.Contains(host, ".") {
		bucket, key, _ = strings.Cut(path, "/")
		return bucket, key
	}
	bucket, _, _ = strings.Cut(host, ".")
	return bucket, path
}

// ossAction is the action that the documentation of OSS names for a request.
func ossAction(req *http.Request, key string) string {
	query := req.URL.Query()
	upload := query.Has("uploadId")
	if key == "" {
		switch {
		case query.Has("uploads"):
			return "oss:ListMultipartUploads"
		case query.Has("location"):
			return "oss:GetBucketLocation"
		case query.Has("bucketInfo"):
			return "oss:GetBucketInfo"
		case req.Method == http.MethodGet:
			return "oss:ListObjects"
		}
		return ""
	}
	switch req.Method {
	case http.MethodPut, http.MethodPost:
		return "oss:PutObject"
	case http.MethodDelete:
		if upload {
			return "oss:AbortMultipartUpload"
		}
		return "oss:DeleteObject"
	case http.MethodGet, http.MethodHead:
		if upload {
			return "oss:ListParts"
		}
		return "oss:GetObject"
	}
	return ""
}

const (
	maxFile = 16 << 20
	maxLine = 64 << 10
)

var permitted = regexp.MustCompile(`^(vod|ice|sts|oss):[A-Z][A-Za-z0-9]{1,127}$`)

// Read reads what recorders wrote.
func Read(in io.Reader) ([]Permission, error) {
	var all []Permission
	lines := bufio.NewScanner(io.LimitReader(in, maxFile))
	lines.Buffer(nil, maxLine)
	for n := 1; lines.Scan(); n++ {
		text := strings.TrimSpace(lines.Text())
		if text == "" {
			continue
		}
		var p Permission
		if err := json.Unmarshal([]byte(text), &p); err != nil || !permitted.MatchString(p.Action) {
			return nil, fmt.Errorf("line %d is not one of --record", n)
		}
		if !slices.Contains(all, p) {
			all = append(all, p)
		}
	}
	return all, lines.Err()
}
