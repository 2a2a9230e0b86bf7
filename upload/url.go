package upload

import (
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"

	"github.com/alimedia/alimedia-go/upload/internal/webfile"
)

// Reasons why a [URL] is not uploaded, besides [ErrSize], [ErrChanged] and
// [ErrStalled].
var (
	// ErrNotPublic means that the URL, or a redirect, leads to an address that
	// is not of the public internet, see [AllowPrivate]. No connection was made.
	ErrNotPublic = webfile.ErrNotPublic
	// ErrTooLarge means that the file is larger than [MaxSize].
	ErrTooLarge = webfile.ErrTooLarge
	// ErrPage means that the server sent a web page or an error document
	// instead of the file, see [AnyContentType].
	ErrPage = webfile.ErrPage
)

// URLOption changes how a [URL] is fetched.
type URLOption func(*urlSource)

// AllowPrivate permits URLs and redirects to addresses that are not of the
// public internet: private, loopback, link-local, metadata services.
func AllowPrivate() URLOption { return func(s *urlSource) { s.options.AllowPrivate = true } }

// AllowProxy fetches the URL through the proxy of the environment (HTTP_PROXY,
// HTTPS_PROXY, NO_PROXY). The proxy then resolves host names, so only the proxy
// can refuse names of private addresses.
func AllowProxy() URLOption {
	return func(s *urlSource) { s.options.Proxy = http.ProxyFromEnvironment }
}

// MaxSize is the maximum size of the file in bytes, at least 1. The default is
// 1 TiB. A larger file is [ErrTooLarge].
func MaxSize(bytes int64) URLOption {
	return func(s *urlSource) {
		s.options.MaxSize = bytes
		if bytes <= 0 {
			s.invalid = fmt.Errorf("MaxSize is %d bytes: it must be at least 1", bytes)
		}
	}
}

// MaxRedirects is the maximum number of redirects that are followed. Zero
// follows none. The default is 5.
func MaxRedirects(n int) URLOption {
	return func(s *urlSource) {
		s.options.MaxRedirects = n
		if n < 0 {
			s.invalid = fmt.Errorf("MaxRedirects is %d: it must not be negative", n)
		}
	}
}

// URLHeader adds header fields to the requests, such as Authorization or Cookie.
// Only requests to the given origins have them. An origin is a scheme, a host
// and a port, such as "https://media.example.com". Without origins, it is the
// origin of the URL. In [FetchRemote] there is no URL, so origins are required.
func URLHeader(h http.Header, origins ...string) URLOption {
	return func(s *urlSource) {
		field := webfile.Header{Fields: h.Clone()}
		for _, text := range origins {
			u, err := url.Parse(text)
			if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" {
				s.invalid = errors.New("URLHeader: an origin is a scheme and a host, such as https://media.example.com")
				return
			}
			field.Origins = append(field.Origins, webfile.Origin(u))
		}
		s.options.Headers = append(s.options.Headers, field)
	}
}

// URLName is the name of the file. It replaces the name that the server or the
// path gives.
func URLName(name string) URLOption { return func(s *urlSource) { s.options.Name = name } }

// AnyContentType accepts any Content-Type. Without it, a web page (text/html) or
// an error document (JSON, XML) instead of a media file is [ErrPage].
func AnyContentType() URLOption { return func(s *urlSource) { s.anyType = true } }

// URLPlaylist sets which files are included if the URL is a playlist, see
// [URL].
func URLPlaylist(opts ...HLSOption) URLOption {
	return func(s *urlSource) { s.playlist = append(s.playlist, opts...) }
}

// URLRootCAs are the certificate authorities that the server's certificate may
// come from, instead of those of the system.
func URLRootCAs(pool *x509.CertPool) URLOption {
	return func(s *urlSource) { s.options.RootCAs = pool }
}

// URL is a file on a web server. Its bytes pass through memory, a few parts at a
// time, and are not stored on disk. The name comes from Content-Disposition,
// the requested path, the path after redirects, or the Content-Type. [URLName]
// replaces it.
//
// Only http and https URLs are fetched. Certificates are verified. A redirect
// from https to http is refused. An address that is not public is refused when
// the connection is made, whatever the name resolved to before. A response that
// declares neither a length nor chunks is refused, because a truncated file
// would look complete. So is a page, see [ErrPage].
//
// A connection that breaks is resumed by Range if the server sent a strong ETag,
// or a size and a Last-Modified that is at least a minute old, and the file is
// unchanged. With [WithCheckpoint], a later run resumes such a file if it has a
// size: it fetches only the missing parts. It recognizes the file by the URL,
// without signatures in the query, by the ETag or Last-Modified, and by the
// size.
//
// A playlist is recognized by its name, Content-Type or first bytes. If the
// target creates an asset from it, URL also uploads the files that it references
// on its own origin, as [HLS] does. References to other origins are [ErrRemote]
// unless [URLPlaylist] has [FetchRemote] or [KeepRemote]. Keys stay on their
// server. A [Bucket] without registration stores the playlist as it is. Other
// targets do not take playlists.
//
// A user and password in rawURL are sent to its origin only. Errors and logs
// show the scheme, host and path.
func URL(rawURL string, opts ...URLOption) Source {
	s := newURL(opts)
	if u, err := url.Parse(rawURL); err == nil && len(rawURL) <= webfile.MaxURL {
		s.from = u
		for i, h := range s.options.Headers {
			if h.Origins == nil {
				s.options.Headers[i].Origins = []string{webfile.Origin(u)}
			}
		}
	}
	return s
}

// newURL returns a source with the options but without a URL.
func newURL(opts []URLOption) *urlSource {
	s := &urlSource{&urlSettings{options: webfile.Options{MaxSize: 1 << 40, MaxRedirects: 5}}}
	for _, opt := range opts {
		opt(s)
	}
	return s
}

// at returns the file at another URL, with the same options but the name.
func (s *urlSource) at(u *url.URL) *urlSource {
	other := *s.urlSettings
	other.from, other.options.Name = u, ""
	return &urlSource{&other}
}

// urlSource has its fields behind a pointer, which fmt does not follow: fmt can
// print a value without calling its Format method.
type urlSource struct{ *urlSettings }

type urlSettings struct {
	from     *url.URL // nil if it cannot be parsed
	options  webfile.Options
	anyType  bool
	playlist []HLSOption
	invalid  error // of an option
}

// Format keeps what the URL may contain out of logs, whatever the verb.
func (s *urlSource) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, s.String()) }

// String is the URL without user, query and fragment.
func (s *urlSource) String() string {
	if s.from == nil {
		return "a URL that is not valid"
	}
	return webfile.Redacted(s.from)
}
