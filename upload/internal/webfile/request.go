package webfile

import (
	"cmp"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/alimedia/alimedia-go/internal/retry"
)

// Origin is the scheme, host and port of a URL, in one spelling.
func Origin(u *url.URL) string {
	scheme := strings.ToLower(u.Scheme)
	port := u.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[scheme]
	}
	return scheme + "://" + net.JoinHostPort(strings.ToLower(u.Hostname()), port)
}

// redirect is the URL that a redirect leads to.
func redirect(at *url.URL, location string) (*url.URL, error) {
	to, err := at.Parse(location)
	switch {
	case err != nil || location == "" || len(location) > MaxURL:
		return nil, retry.Permanent(errors.New("a redirect without a usable Location")) // the cause quotes it
	case at.Scheme == "https" && to.Scheme != "https":
		return nil, retry.Permanent(errors.New("a redirect from https to " + strings.ToLower(to.Scheme)))
	}
	if to.User == nil && Origin(to) == Origin(at) {
		to.User = at.User
	}
	return to, nil
}

// roundTrip sends one request.
func (s *stream) roundTrip(at *url.URL) (*http.Response, error) {
	switch {
	case at.Scheme != "http" && at.Scheme != "https":
		return nil, retry.Permanent(fmt.Errorf("the scheme %.20q is neither https nor http", at.Scheme))
	case at.Hostname() == "":
		return nil, retry.Permanent(errors.New("the URL has no host"))
	}
	if ip, err := netip.ParseAddr(at.Hostname()); err == nil && !s.AllowPrivate && !isPublic(ip) {
		return nil, retry.Permanent(fmt.Errorf("%w: %v", ErrNotPublic, ip)) // applies to a proxy too
	}
	req := (&http.Request{Method: http.MethodGet, URL: at, Header: s.header(at)}).WithContext(s.connection.ctx)
	if at.User != nil && req.Header.Get("Authorization") == "" {
		password, _ := at.User.Password()
		req.SetBasicAuth(at.User.Username(), password)
	}
	transport, err := s.transport(req)
	if err != nil {
		return nil, err
	}
	return transport.RoundTrip(req)
}

// header is the header of a request to at.
func (s *stream) header(at *url.URL) http.Header {
	header := http.Header{}
	origin := Origin(at)
	for _, h := range s.Headers {
		if slices.Contains(h.Origins, origin) {
			for name, values := range h.Fields {
				header[http.CanonicalHeaderKey(name)] = values
			}
		}
	}
	header.Set("User-Agent", s.UserAgent)
	header.Set("Accept-Encoding", "identity")
	for _, ours := range []string{"Range", "If-Range"} {
		header.Del(ours)
	}
	if s.offset > 0 {
		header.Set("Range", "bytes="+strconv.FormatInt(s.offset, 10)+"-")
		header.Set("If-Range", cmp.Or(s.info.ETag, s.info.LastModified))
	}
	return header
}

// transport makes one connection for one request.
func (s *stream) transport(req *http.Request) (*http.Transport, error) {
	t := &http.Transport{
		DialContext:            s.Dial,
		TLSClientConfig:        &tls.Config{RootCAs: s.RootCAs},
		DisableKeepAlives:      true,
		DisableCompression:     true,
		MaxResponseHeaderBytes: 64 << 10,
	}
	if s.AllowPrivate {
		t.DialContext = nil
	}
	if s.Proxy != nil {
		proxy, err := s.Proxy(req)
		if err != nil {
			return nil, retry.Permanent(errors.New("the environment's proxy setting cannot be parsed"))
		}
		if proxy != nil {
			t.Proxy, t.DialContext = http.ProxyURL(proxy), nil
		}
	}
	return t, nil
}
