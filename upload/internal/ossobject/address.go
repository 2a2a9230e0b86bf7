package ossobject

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"
	"unicode/utf8"

	"github.com/alimedia/alimedia-go/internal/redact"
	"github.com/alimedia/alimedia-go/internal/retry"
)

const maxKey = 1023 // bytes of an object key

// Address says where an object is. It holds no secret.
type Address struct {
	Endpoint string // scheme and host, such as "https://oss-cn-shanghai.aliyuncs.com"
	Bucket   string
	Key      string
}

// FileURL is the URL of the object without authentication.
func (a Address) FileURL() string {
	scheme, host, _ := strings.Cut(a.Endpoint, "://")
	u := url.URL{Scheme: scheme, Host: a.Bucket + "." + host, Path: "/" + a.Key}
	if IsLoopback(host) {
		u.Host, u.Path = host, "/"+a.Bucket+"/"+a.Key
	}
	// Path escaping leaves "+" alone, which other parsers read as a blank.
	return strings.ReplaceAll(u.String(), "+", "%2B")
}

// Host is the host of the endpoint, with its port.
func (a Address) Host() string {
	_, host, _ := strings.Cut(a.Endpoint, "://")
	return host
}

// ParseEndpoint returns scheme and host of an endpoint that has a scheme or not.
// The scheme is https, except for loopback.
func ParseEndpoint(endpoint string) (string, error) {
	refuse := func(why string) (string, error) {
		return "", fmt.Errorf("endpoint %.80q %s", endpoint, why)
	}
	text := endpoint
	if !strings.Contains(text, "://") {
		text = "https://" + text
	}
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Hostname() == "" || !isHost(u.Hostname()):
		return refuse("is not a host")
	case u.Scheme != "https" && u.Scheme != "http":
		return refuse("is neither https nor http")
	case u.User != nil || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.Fragment != "":
		return refuse("has more than a scheme and a host")
	}
	if u.Scheme == "http" && !IsLoopback(u.Host) {
		if u.Port() != "" && u.Port() != "80" {
			return refuse("is not https")
		}
		u.Scheme, u.Host = "https", u.Hostname()
	}
	return u.Scheme + "://" + strings.ToLower(u.Host), nil
}

// isHost accepts an address, and a name of labels as DNS has them.
func isHost(name string) bool {
	if net.ParseIP(name) != nil {
		return true
	}
	for label := range strings.SplitSeq(name, ".") {
		if label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' {
			return false
		}
		for _, c := range []byte(label) {
			if c != '-' && (c < '0' || c > '9') && (c|0x20 < 'a' || c|0x20 > 'z') {
				return false
			}
		}
	}
	return len(name) <= 253
}

// IsRegion reports whether id has the form of a region ID.
func IsRegion(id string) bool {
	for label := range strings.SplitSeq(id, "-") {
		if label == "" {
			return false
		}
		for _, c := range []byte(label) {
			if (c < '0' || c > '9') && (c < 'a' || c > 'z') {
				return false
			}
		}
	}
	return len(id) <= 40
}

// ParseHosts checks host names and patterns such as "*.example.com".
func ParseHosts(hosts []string) ([]string, error) {
	var all []string
	for _, host := range hosts {
		name := strings.ToLower(strings.TrimSpace(host))
		if !isHost(strings.Trim(strings.TrimPrefix(name, "*."), "[]")) {
			return nil, fmt.Errorf("%.80q is neither a host such as \"oss.example.com\" nor \"*.example.com\"", host)
		}
		all = append(all, name)
	}
	return all, nil
}

const domain = ".aliyuncs.com"

// Endpoint is the public endpoint of a region.
func Endpoint(region string) string { return "https://oss-" + region + domain }

// InternalEndpoint is the endpoint that only machines in the region reach.
func InternalEndpoint(region string) string { return "https://oss-" + region + "-internal" + domain }

// Trust says which hosts an upload credential may be sent to.
type Trust struct {
	Hosts    []string // as [ParseHosts] returns them
	Loopback bool
}

// Check returns an error that wraps [ErrUntrustedHost] unless the endpoint is a
// host of OSS or one that is trusted.
func (t Trust) Check(endpoint string) error {
	parsed, err := url.Parse(endpoint)
	if err != nil {
		return retry.Permanent(ErrUntrustedHost)
	}
	host := strings.ToLower(parsed.Hostname())
	if strings.HasSuffix(host, domain) && isHost(host) || IsLoopback(host) && t.Loopback {
		return nil
	}
	for _, known := range t.Hosts {
		below, isBelow := strings.CutPrefix(known, "*")
		if host == strings.Trim(known, "[]") || isBelow && strings.HasSuffix(host, below) && isHost(host) {
			return nil
		}
	}
	return retry.Permanent(fmt.Errorf("%w: %w: %s", ErrAddress, ErrUntrustedHost, clip(redact.Line(host), 100)))
}

// HasInternal reports whether an endpoint is a host of OSS that has an internal
// endpoint.
func HasInternal(endpoint string) bool {
	parsed, err := url.Parse(endpoint)
	return err == nil && parsed.Port() == "" && strings.HasSuffix(parsed.Hostname(), domain)
}

// IsLoopback reports whether a host, with or without a port, is this machine.
func IsLoopback(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	ip := net.ParseIP(strings.Trim(host, "[]"))
	return ip.IsLoopback() || host == "localhost"
}

// CheckName returns an error for a bucket name or an object key that OSS refuses.
func CheckName(bucket, key string) error {
	if len(bucket) < 3 || len(bucket) > 63 || bucket[0] == '-' || bucket[len(bucket)-1] == '-' {
		return fmt.Errorf("bucket name %.80q: 3 to 63 characters, none of them a dash at an end", bucket)
	}
	for _, c := range []byte(bucket) {
		if c != '-' && (c < '0' || c > '9') && (c < 'a' || c > 'z') {
			return fmt.Errorf("bucket name %.80q: only lower-case letters, digits and dashes", bucket)
		}
	}
	switch {
	case key == "":
		return errors.New("object key is empty")
	case len(key) > maxKey:
		return fmt.Errorf("object key has %d bytes, at most %d are possible", len(key), maxKey)
	case !utf8.ValidString(key):
		return errors.New("object key is not UTF-8")
	case key[0] == '/' || key[0] == '\\':
		return fmt.Errorf("object key %.80q begins with a slash", key)
	}
	return nil
}

// RegionOf returns the region in the host of an OSS endpoint or of an object's
// URL, or "" if there is none, as in acceleration endpoints and custom domains.
func RegionOf(rawURL string) string {
	_, host, _ := strings.Cut(rawURL, "://")
	host, _, _ = strings.Cut(host, "/")
	name, ok := strings.CutSuffix(strings.ToLower(host), domain)
	if !ok || !isHost(name) {
		return ""
	}
	if region, ok := strings.CutSuffix(name, ".oss"); ok { // dual-stack
		return asRegion(region[strings.LastIndexByte(region, '.')+1:])
	}
	name = name[strings.LastIndexByte(name, '.')+1:]
	region, ok := strings.CutPrefix(strings.TrimPrefix(name, "vpc100-"), "oss-")
	if !ok || strings.HasPrefix(region, "accelerate") {
		return ""
	}
	return asRegion(strings.TrimSuffix(region, "-internal"))
}

// asRegion is region where it has the form of one.
func asRegion(region string) string {
	if IsRegion(region) {
		return region
	}
	return ""
}

// isIP reports whether a host, with or without a port, is an IP address.
func isIP(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	return net.ParseIP(strings.Trim(host, "[]")) != nil
}
