// Package endpoint checks, where they enter, the regions and endpoints that
// requests with credentials are sent to. A host comes from a table of the
// service's documented hosts or from the user; it is never put together from
// text.
package endpoint

import (
	"errors"
	"net/netip"
	"net/url"
	"regexp"
	"strconv"
	"strings"
)

var (
	// ErrRegion says what a region is.
	ErrRegion = errors.New(`a region ID has lower-case letters, digits and hyphens, such as "cn-shanghai"`)

	// ErrEndpoint says what an endpoint is.
	ErrEndpoint = errors.New("an endpoint is a host, with or without a port, or an http:// or https:// URL of one, without user, path and query")
)

var (
	region = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)
	label  = regexp.MustCompile(`^[A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9_])?$`)
)

// Region returns the region ID in text, without the blanks around it. It is
// empty when text is.
func Region(text string) (string, error) {
	text = strings.TrimSpace(text)
	if text != "" && (len(text) > 63 || !region.MatchString(text)) {
		return "", ErrRegion
	}
	return text, nil
}

// Parse returns the scheme and host in text, with the path "/". Without a
// scheme, HTTPS is meant. Blanks around it do not count.
func Parse(text string) (url.URL, error) {
	text = strings.TrimSpace(text)
	if !strings.Contains(text, "://") {
		text = "https://" + text
	}
	u, err := url.Parse(text)
	if err != nil || (u.Scheme != "https" && u.Scheme != "http") || u.Opaque != "" || u.User != nil ||
		u.Path != "" && u.Path != "/" || u.RawQuery != "" || u.ForceQuery || u.Fragment != "" || strings.Contains(text, "#") || !host(u) {
		return url.URL{}, ErrEndpoint
	}
	return url.URL{Scheme: u.Scheme, Host: strings.ToLower(u.Host), Path: "/"}, nil
}

func host(u *url.URL) bool {
	if strings.HasSuffix(u.Host, ":") {
		return false
	}
	if port := u.Port(); port != "" {
		if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
			return false
		}
	}
	name := u.Hostname()
	if strings.HasPrefix(u.Host, "[") {
		ip, err := netip.ParseAddr(name)
		return err == nil && ip.Is6() && ip.Zone() == ""
	}
	if len(name) > 253 {
		return false
	}
	for part := range strings.SplitSeq(name, ".") {
		if len(part) > 63 || !label.MatchString(part) {
			return false
		}
	}
	return true
}
