package hls

import (
	"io/fs"
	"net/url"
	"path"
	"slices"
	"strings"
	"unicode/utf8"
)

// schemeOf is the scheme of a URI in lower case, "//" for a URI with a host
// only, and "" for a path.
func schemeOf(uri string) string {
	if strings.HasPrefix(uri, "//") {
		return "//"
	}
	for i, c := range []byte(uri) {
		switch {
		case 'a' <= c|0x20 && c|0x20 <= 'z':
		case i > 0 && ('0' <= c && c <= '9' || c == '+' || c == '-' || c == '.'):
		case i > 0 && c == ':':
			return strings.ToLower(uri[:i])
		default:
			return ""
		}
	}
	return ""
}

// uriPath is a URI without query and fragment.
func uriPath(uri string) string {
	if i := strings.IndexAny(uri, "?#"); i >= 0 {
		return uri[:i]
	}
	return uri
}

// RelativeURI returns uri as a relative reference whose first segment cannot be
// mistaken for a scheme (RFC 3986, section 4.2).
func RelativeURI(uri string) string {
	first, _, _ := strings.Cut(uri, "/")
	if strings.Contains(first, ":") {
		return "./" + uri
	}
	return uri
}

// LocalPaths returns the files that a URI without a scheme can mean in the
// folder dir, in order of preference: the unescaped URI, then the URI as it is
// written, for playlists that do not escape their URIs. Every path is clean and
// within the root folder.
func LocalPaths(dir, uri string) ([]string, error) {
	names := []string{uriPath(uri), uriPath(uri), uri}
	if decoded, err := url.PathUnescape(names[0]); err == nil {
		names[0] = decoded
	}
	if strings.ContainsAny(uri[len(names[1]):], `/\`) { // not a file name
		names = names[:2]
	}
	var all []string
	for _, name := range names {
		if name == "" {
			continue
		}
		name, err := within(dir, name)
		if err != nil {
			return nil, err
		}
		if !slices.Contains(all, name) {
			all = append(all, name)
		}
	}
	if all == nil {
		return nil, fs.ErrInvalid
	}
	return all, nil
}

// within is the clean path of a file that is named relative to the folder dir.
func within(dir, name string) (string, error) {
	if strings.HasPrefix(name, "/") || strings.HasPrefix(name, `\`) {
		return "", ErrOutside
	}
	// A backslash is a separator on some systems only. It leads upward on those.
	if up := path.Join(dir, strings.ReplaceAll(name, `\`, "/")); up == ".." || strings.HasPrefix(up, "../") {
		return "", ErrOutside
	}
	if name = path.Join(dir, name); !fs.ValidPath(name) || strings.ContainsRune(name, 0) {
		return "", fs.ErrInvalid
	}
	return name, nil
}

// displayURI is a URI for errors and logs: without query, fragment and user.
func displayURI(uri string) string {
	if schemeOf(uri) == "" && !strings.Contains(uri, "://") {
		return uriPath(uri)
	}
	u, err := url.Parse(uri)
	if err != nil {
		return "..."
	}
	return displayURL(u)
}

const maxDisplayURL = 300 // bytes

func displayURL(u *url.URL) string {
	text := (&url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path, RawPath: u.RawPath}).String()
	if len(text) <= maxDisplayURL {
		return text
	}
	end := maxDisplayURL
	for end > 0 && !utf8.RuneStart(text[end]) {
		end--
	}
	return text[:end]
}

// sameOrigin reports whether scheme, host and port of two URLs are the same.
func sameOrigin(a, b *url.URL) bool {
	return strings.EqualFold(a.Scheme, b.Scheme) && strings.EqualFold(a.Hostname(), b.Hostname()) && portOf(a) == portOf(b)
}

func portOf(u *url.URL) string {
	if port := u.Port(); port != "" {
		return port
	}
	return map[string]string{"http": "80", "https": "443"}[strings.ToLower(u.Scheme)]
}
