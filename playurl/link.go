package playurl

import (
	"errors"
	"net/url"
	"strings"
)

// link is a URL whose path and query stay as they are written: the signature is
// over the bytes of the path.
type link struct {
	origin   string // scheme and host; empty for the target of a request
	path     string
	hasQuery bool
	query    string
}

func (l link) String() string {
	if l.hasQuery {
		return l.origin + l.path + "?" + l.query
	}
	return l.origin + l.path
}

// add appends a parameter to the query.
func (l *link) add(parameter string) {
	if l.query != "" {
		parameter = l.query + "&" + parameter
	}
	l.hasQuery, l.query = true, parameter
}

const maxURL = 16 << 10

var (
	errLong     = errors.New("playurl: the URL is longer than 16 KiB")
	errScheme   = errors.New("playurl: the URL does not begin with http:// or https://")
	errHost     = errors.New("playurl: the host of the URL is missing or not valid")
	errUser     = errors.New("playurl: the URL has user information")
	errFragment = errors.New("playurl: the URL has a fragment; a number sign in a path is written as %23")
	errControl  = errors.New("playurl: the URL has control characters")
	errEscape   = errors.New("playurl: the URL has a percent sign that begins no escape; a percent sign itself is written as %25")
	errDots     = errors.New("playurl: the URL has a path segment . or .., which clients remove")
)

// parse takes a URL apart and escapes what cannot stand in it.
func parse(rawURL string) (link, error) {
	if len(rawURL) > maxURL {
		return link{}, errLong
	}
	scheme, rest, ok := strings.Cut(rawURL, "://")
	if !ok || !strings.EqualFold(scheme, "http") && !strings.EqualFold(scheme, "https") {
		return link{}, errScheme
	}
	if strings.Contains(rest, "#") {
		return link{}, errFragment
	}
	end := strings.IndexAny(rest, "/?")
	if end < 0 {
		end = len(rest)
	}
	host := rest[:end]
	if strings.Contains(host, "@") {
		return link{}, errUser
	}
	if u, err := url.Parse("http://" + host); err != nil || u.Hostname() == "" || u.Host != host || strings.ContainsFunc(host, notPrintable) || strings.ContainsAny(host, `\%`) {
		return link{}, errHost
	}
	l, err := parseTarget(rest[end:])
	l.origin = strings.ToLower(scheme) + "://" + host
	return l, err
}

// parseTarget takes apart what follows the host of a URL.
func parseTarget(target string) (link, error) {
	var l link
	l.path, l.query, l.hasQuery = strings.Cut(target, "?")
	for _, part := range []*string{&l.path, &l.query} {
		if strings.ContainsFunc(*part, func(r rune) bool { return r < ' ' || r == 0x7f }) {
			return link{}, errControl
		}
		if !escapesRight(*part) {
			return link{}, errEscape
		}
	}
	l.path, l.query = escape(l.path, pathBytes), escape(l.query, queryBytes)
	if l.path == "" {
		l.path = "/"
	}
	for segment := range strings.SplitSeq(l.path, "/") {
		if plain := strings.ReplaceAll(strings.ToLower(segment), "%2e", "."); plain == "." || plain == ".." {
			return link{}, errDots
		}
	}
	return l, nil
}

func escapesRight(text string) bool {
	for i := 0; i < len(text); i++ {
		if text[i] != '%' {
			continue
		}
		if i+2 >= len(text) || !isHex(text[i+1]) || !isHex(text[i+2]) {
			return false
		}
		i += 2
	}
	return true
}

func isHex(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F'
}

const (
	unreserved = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~"
	pathBytes  = unreserved + "!$&'()*+,;=:@/%"
	queryBytes = pathBytes + "?"
)

// escape percent-encodes all bytes but those that may stay.
func escape(text, stay string) string {
	const digits = "0123456789ABCDEF"
	var b strings.Builder
	for i := range len(text) {
		if c := text[i]; strings.IndexByte(stay, c) >= 0 {
			b.WriteByte(c)
		} else {
			b.WriteByte('%')
			b.WriteByte(digits[c>>4])
			b.WriteByte(digits[c&15])
		}
	}
	return b.String()
}

// escapeObject escapes the key of an object. The CDN escapes signs such as + and =
// after it has verified the signature, so that they are escaped before.
func escapeObject(key string) string { return escape(key, unreserved+"/") }
