package upload

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"mime"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"path"
	"strconv"
	"strings"
	"syscall"
	"time"
	"unicode"
)

// Reasons why a [URL] is not uploaded, besides [ErrSize] and [ErrChanged].
var (
	// ErrNotPublic: the URL leads to an address that is not of the public
	// internet, see AllowPrivate. No connection was made.
	ErrNotPublic = errors.New("not a public address")
	// ErrTooLarge: the file is larger than MaxSize.
	ErrTooLarge = errors.New("the source is larger than allowed")
)

// URLOption changes how a [URL] is fetched.
type URLOption func(*urlSource)

// AllowPrivate lets the URL and its redirects lead to addresses that are not of
// the public internet: private, loopback, link-local, metadata services.
func AllowPrivate() URLOption { return func(s *urlSource) { s.private = true } }

// AllowProxy lets the environment's proxy fetch the URL (HTTP_PROXY, HTTPS_PROXY,
// NO_PROXY). A name is then resolved by the proxy: which address it leads to is
// for the proxy to police.
func AllowProxy() URLOption { return func(s *urlSource) { s.proxy = http.ProxyFromEnvironment } }

// MaxSize is how many bytes the file may have. Zero means 1 TiB.
func MaxSize(bytes int64) URLOption { return func(s *urlSource) { s.maxSize = cmp.Or(bytes, 1<<40) } }

// MaxRedirects is how many redirects are followed; without it 5.
func MaxRedirects(n int) URLOption { return func(s *urlSource) { s.redirects = n } }

// URLHeader adds fields to the requests, such as Authorization or Cookie. They
// are not sent along when a redirect leads to another host.
func URLHeader(h http.Header) URLOption {
	return func(s *urlSource) { s.header = h.Clone() }
}

// URLRootCAs are the authorities that the server's certificate may come from,
// in place of the system's.
func URLRootCAs(pool *x509.CertPool) URLOption { return func(s *urlSource) { s.roots = pool } }

// URL is a file on a web server. Its bytes pass through memory, a few parts at
// a time, and never touch the disk. The name comes from the server
// (Content-Disposition) or from the path.
//
// Only http and https are fetched, certificates are verified, a redirect never
// leads from https to http, and addresses that are not public are refused when
// the connection is made, whatever the name resolved to before. A connection
// that breaks is resumed where the server gives a strong ETag and the file is
// still the same. A server that marks the end of the file neither by its length
// nor by chunks is refused: a file cut short would look complete.
//
// A user and password in rawURL are sent; errors and logs show scheme, host and
// path only.
func URL(rawURL string, opts ...URLOption) Source {
	s := &urlSource{maxSize: 1 << 40, redirects: 5, dial: dialPublic}
	if u, err := url.Parse(rawURL); err == nil && len(rawURL) <= maxURL {
		s.from = u
	}
	for _, opt := range opts {
		opt(s)
	}
	return s
}

const maxURL = 8 << 10 // bytes

type urlSource struct {
	from      *url.URL // nil where it cannot be read
	private   bool
	proxy     func(*http.Request) (*url.URL, error) // nil: none
	maxSize   int64
	redirects int
	header    http.Header
	roots     *x509.CertPool

	// dial makes the connections of which the address has to be public.
	dial func(ctx context.Context, network, address string) (net.Conn, error)
}

// String keeps what the URL may hold out of logs.
func (s *urlSource) String() string { return "upload.URL(" + s.shown() + ")" }

// GoString keeps what the URL may hold out of logs.
func (s *urlSource) GoString() string { return s.String() }

func (s *urlSource) open(ctx context.Context, u *Uploader) (*content, error) {
	switch {
	case s.from == nil:
		return nil, errors.New("the URL cannot be read") // what is wrong with it may be a secret
	case s.redirects < 0 || s.maxSize < 0:
		return nil, errors.New("a negative MaxRedirects or MaxSize")
	}
	ctx, cancel := context.WithCancel(ctx)
	d := &download{
		urlSource: s, ctx: ctx, size: UnknownSize,
		pauses: &session{retry: u.cfg.Retry}, stall: u.cfg.StallTimeout, log: u.log,
	}
	if err := d.connect(); err != nil {
		cancel()
		return nil, err
	}
	return &content{
		name: d.name, size: d.size, stream: d, changed: never,
		// It ends the request, and with it the connection.
		close: func() error { cancel(); return nil },
	}, nil
}

// download reads a file from a web server, over several connections where one
// breaks.
type download struct {
	*urlSource
	ctx    context.Context
	pauses *session
	stall  time.Duration
	log    *slog.Logger

	// Of the first answer.
	begun bool
	name  string
	size  int64  // UnknownSize where it is not declared
	etag  string // strong, or empty

	offset   int64 // bytes read
	failures int   // since bytes were read
	err      error // final

	// Of the connection, if there is one.
	body  io.ReadCloser
	end   context.CancelCauseFunc
	alive context.Context
	timer *time.Timer
}

// Read implements io.Reader. Where a connection breaks it makes another.
func (d *download) Read(p []byte) (int, error) {
	for {
		if d.err == nil && d.body == nil {
			d.err = d.connect()
		}
		if d.err != nil {
			return 0, d.err
		}
		d.timer.Reset(d.stall)
		n, err := d.body.Read(p)
		d.timer.Stop()
		d.offset += int64(n)
		if n > 0 {
			d.failures = 0
		}
		switch {
		case d.offset > d.maxSize:
			d.err = fmt.Errorf("%s: %w", d.shown(), d.tooLarge())
		case err == io.EOF && (d.size == UnknownSize || d.offset == d.size):
			d.err = io.EOF
		case err != nil:
			d.err = d.broke(d.cause(err))
		}
		if d.err != nil && d.err != io.EOF {
			return 0, d.err
		}
		if n > 0 || d.err != nil {
			return n, d.err
		}
	}
}

// broke gives the connection up. It returns an error where another would be of
// no use.
func (d *download) broke(cause error) error {
	d.hangUp(cause)
	switch {
	case d.ctx.Err() != nil:
		return ended(d.ctx)
	case d.offset > 0 && d.etag == "":
		if d.size != UnknownSize {
			cause = fmt.Errorf("%w: %w", ErrSize, cause)
		}
		return fmt.Errorf("%s: the connection ended after %d of %s, and the server gives no strong ETag to resume by: %w",
			d.shown(), d.offset, amount(d.size), cause)
	}
	d.log.InfoContext(d.ctx, "upload: the source's connection broke", "source", d.shown(), "offset", d.offset, "error", cause)
	return d.again(cause, 0)
}

// again waits before the next connection. It returns cause where there were
// enough.
func (d *download) again(cause error, least time.Duration) error {
	if d.failures+1 >= d.pauses.retry.MaxAttempts {
		return fmt.Errorf("%s: %w", d.shown(), cause)
	}
	pause := max(d.pauses.pause(d.failures), min(least, d.pauses.retry.MaxDelay))
	d.failures++
	return sleep(d.ctx, pause)
}

// connect asks for the file from offset on until there is an answer.
func (d *download) connect() error {
	for {
		answer, err := d.get()
		if err == nil {
			if err = d.accept(answer); err == nil {
				d.body = answer.Body
				return nil
			}
		}
		err = d.cause(err)
		d.hangUp(err)
		if d.ctx.Err() != nil {
			return ended(d.ctx)
		}
		var status *statusError
		var name *net.DNSError
		var least time.Duration
		switch {
		case errors.As(err, &status) && status.transient():
			least = status.retryAfter
		case status != nil, errors.As(err, &name) && name.IsNotFound, !isTransient(err):
			return fmt.Errorf("%s: %w", d.shown(), err)
		}
		if err := d.again(err, least); err != nil {
			return err
		}
	}
}

// cause is what really ended a connection.
func (d *download) cause(err error) error {
	if err != nil && d.alive != nil {
		if cause := context.Cause(d.alive); errors.Is(cause, ErrStalled) {
			return cause
		}
	}
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return err
}

// hangUp ends the connection.
func (d *download) hangUp(cause error) {
	if d.body != nil {
		d.body.Close()
		d.body = nil
	}
	if d.end != nil {
		d.timer.Stop()
		d.end(cause)
		d.end = nil
	}
}

// get asks for the file and follows redirects. The answer is that of a file,
// else it returns an error.
func (d *download) get() (*http.Response, error) {
	d.alive, d.end = context.WithCancelCause(d.ctx)
	end := d.end
	d.timer = time.AfterFunc(d.stall, func() { end(fmt.Errorf("%w: nothing came for %v", ErrStalled, d.stall)) })
	defer d.timer.Stop()
	at := d.from
	for hops := 0; ; hops++ {
		answer, err := d.ask(at)
		if err != nil {
			return nil, err
		}
		switch answer.StatusCode {
		case http.StatusOK, http.StatusPartialContent:
			return answer, nil
		case http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther, http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
		case http.StatusRequestedRangeNotSatisfiable:
			answer.Body.Close()
			return nil, fatal(ErrChanged) // it was longer
		default:
			answer.Body.Close()
			return nil, newStatusError(answer)
		}
		answer.Body.Close()
		if hops == d.redirects {
			return nil, fatal(fmt.Errorf("more than %d redirects", d.redirects))
		}
		to, err := at.Parse(answer.Header.Get("Location"))
		switch {
		case err != nil || answer.Header.Get("Location") == "":
			return nil, fatal(errors.New("a redirect to nowhere")) // the cause quotes it
		case at.Scheme == "https" && to.Scheme != "https":
			return nil, fatal(errors.New("a redirect from https to " + strings.ToLower(to.Scheme)))
		}
		at = to
		d.timer.Reset(d.stall)
	}
}

// ask makes one request.
func (d *download) ask(at *url.URL) (*http.Response, error) {
	switch {
	case at.Scheme != "http" && at.Scheme != "https":
		return nil, fatal(fmt.Errorf("the scheme %.20q is neither https nor http", at.Scheme))
	case at.Hostname() == "":
		return nil, fatal(errors.New("the URL has no host"))
	}
	if ip, err := netip.ParseAddr(at.Hostname()); err == nil && !d.private && !isPublic(ip) {
		return nil, fatal(fmt.Errorf("%w: %v", ErrNotPublic, ip)) // a proxy is not asked either
	}
	req := (&http.Request{Method: http.MethodGet, URL: at, Header: http.Header{}}).WithContext(d.alive)
	if at.Scheme == d.from.Scheme && at.Host == d.from.Host {
		for name, values := range d.header {
			req.Header[http.CanonicalHeaderKey(name)] = values
		}
	}
	if at.User != nil && req.Header.Get("Authorization") == "" {
		password, _ := at.User.Password()
		req.SetBasicAuth(at.User.Username(), password)
	}
	req.Header.Set("User-Agent", userAgent(""))
	req.Header.Set("Accept-Encoding", "identity")
	for _, ours := range []string{"Range", "If-Range"} {
		req.Header.Del(ours)
	}
	if d.offset > 0 {
		req.Header.Set("Range", "bytes="+strconv.FormatInt(d.offset, 10)+"-")
		req.Header.Set("If-Range", d.etag)
	}
	transport, err := d.transport(req)
	if err != nil {
		return nil, err
	}
	return transport.RoundTrip(req)
}

// transport makes one connection for one request.
func (d *download) transport(req *http.Request) (http.RoundTripper, error) {
	t := &http.Transport{
		DialContext:            d.dial,
		TLSClientConfig:        &tls.Config{RootCAs: d.roots},
		DisableKeepAlives:      true,
		DisableCompression:     true,
		MaxResponseHeaderBytes: 64 << 10,
	}
	if d.private {
		t.DialContext = nil
	}
	if d.proxy != nil {
		proxy, err := d.proxy(req)
		if err != nil {
			return nil, fatal(errors.New("the environment's proxy cannot be read"))
		}
		if proxy != nil {
			t.Proxy, t.DialContext = http.ProxyURL(proxy), nil
		}
	}
	return t, nil
}

// accept checks an answer to the first request, or to one that resumes.
func (d *download) accept(answer *http.Response) (err error) {
	defer func() {
		if err != nil {
			answer.Body.Close()
		}
	}()
	header := answer.Header
	if coding := header.Get("Content-Encoding"); coding != "" && !strings.EqualFold(coding, "identity") {
		return fatal(fmt.Errorf("the server sends the file in the encoding %.20q", coding))
	}
	etag := header.Get("ETag")
	if !isStrong(etag) {
		etag = ""
	}
	if d.offset > 0 {
		return d.acceptRest(answer, etag)
	}
	switch {
	case answer.StatusCode != http.StatusOK:
		return fatal(errors.New("the server sends a part where the whole file was asked for"))
	case answer.ContentLength < 0 && answer.ProtoMajor == 1 && len(answer.TransferEncoding) == 0:
		return fatal(errors.New("the server says neither how long the file is nor where it ends"))
	case answer.ContentLength > d.maxSize:
		return fatal(d.tooLarge())
	}
	size := answer.ContentLength
	if size < 0 {
		size = UnknownSize
	}
	if d.begun { // and broken before its first byte
		if size != d.size || etag != d.etag {
			return fatal(ErrChanged)
		}
		return nil
	}
	d.begun, d.size, d.etag = true, size, etag
	d.name = nameOf(header.Get("Content-Disposition"), d.from, answer.Request.URL)
	return nil
}

// acceptRest checks that an answer is the rest of the same file.
func (d *download) acceptRest(answer *http.Response, etag string) error {
	if answer.StatusCode == http.StatusOK { // from its beginning
		if etag != d.etag || answer.ContentLength >= 0 && d.size != UnknownSize && answer.ContentLength != d.size {
			return fatal(ErrChanged)
		}
		return fatal(fmt.Errorf("the connection ended after %d of %s, and the server does not resume", d.offset, amount(d.size)))
	}
	from, total, ok := contentRange(answer.Header.Get("Content-Range"))
	switch {
	case etag != d.etag:
		return fatal(ErrChanged)
	case !ok || from != d.offset:
		return fatal(errors.New("the server sends another part than it was asked for"))
	case d.size != UnknownSize && total != d.size:
		return fatal(ErrChanged)
	case answer.ContentLength >= 0 && answer.ContentLength != total-from:
		return fatal(fmt.Errorf("%w: Content-Range and Content-Length differ", ErrSize))
	case total > d.maxSize:
		return fatal(d.tooLarge())
	}
	d.size = total // now it is known, if it was not
	return nil
}

// contentRange reads "bytes 5-99/100", the last bytes of a file.
func contentRange(text string) (from, total int64, ok bool) {
	span, ok1 := strings.CutPrefix(text, "bytes ")
	span, of, ok2 := strings.Cut(span, "/")
	first, last, ok3 := strings.Cut(span, "-")
	from, err1 := strconv.ParseInt(first, 10, 64)
	to, err2 := strconv.ParseInt(last, 10, 64)
	total, err3 := strconv.ParseInt(of, 10, 64)
	return from, total, ok1 && ok2 && ok3 && errors.Join(err1, err2, err3) == nil && 0 <= from && from <= to && to == total-1
}

// isStrong reports whether equal tags mean equal bytes.
func isStrong(etag string) bool {
	return len(etag) > 2 && len(etag) <= 1024 && etag[0] == '"' && etag[len(etag)-1] == '"'
}

func (d *download) tooLarge() error {
	return fmt.Errorf("%w: more than the %d bytes of MaxSize", ErrTooLarge, d.maxSize)
}

func (s *urlSource) shown() string {
	if s.from == nil {
		return "..."
	}
	return shownURL(s.from)
}

func amount(size int64) string {
	if size == UnknownSize {
		return "an unknown number of bytes"
	}
	return strconv.FormatInt(size, 10) + " bytes"
}

// nameOf is the file name that the server gives, or that of the first path that
// has an extension.
func nameOf(disposition string, paths ...*url.URL) string {
	var names []string
	if _, fields, err := mime.ParseMediaType(disposition); err == nil {
		names = append(names, fields["filename"])
	}
	for _, u := range paths {
		names = append(names, path.Base(u.Path))
	}
	fallback := ""
	for _, name := range names {
		name = strings.Map(func(c rune) rune {
			if unicode.IsControl(c) || c == unicode.ReplacementChar {
				return -1
			}
			return c
		}, baseName(name))
		name = strings.TrimSpace(name)
		if len(name) > 255 {
			ext := path.Ext(name)
			ext = clipBytes(ext, 16)
			name = clipBytes(name, 255-len(ext)) + ext
		}
		if strings.Trim(name, ".") == "" {
			continue
		}
		if extension(name) != "" {
			return name
		}
		fallback = cmp.Or(fallback, name)
	}
	return cmp.Or(fallback, "download")
}

// statusError is an answer that is not a file.
type statusError struct {
	code       int
	retryAfter time.Duration
}

func newStatusError(answer *http.Response) *statusError {
	e := &statusError{code: answer.StatusCode}
	if seconds, err := strconv.ParseUint(answer.Header.Get("Retry-After"), 10, 16); err == nil {
		e.retryAfter = time.Duration(seconds) * time.Second
	}
	return e
}

// Error implements error.
func (e *statusError) Error() string {
	return strings.TrimSpace("the server answers " + strconv.Itoa(e.code) + " " + http.StatusText(e.code))
}

func (e *statusError) transient() bool {
	switch e.code {
	case http.StatusRequestTimeout, http.StatusTooManyRequests, http.StatusInternalServerError,
		http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return true
	}
	return false
}

// dialPublic connects to public addresses only. It looks at the very address
// that is connected to: what the name resolved to at another time says nothing.
func dialPublic(ctx context.Context, network, address string) (net.Conn, error) {
	dialer := net.Dialer{
		Timeout:   30 * time.Second,
		KeepAlive: 30 * time.Second,
		Control: func(_, address string, _ syscall.RawConn) error {
			to, err := netip.ParseAddrPort(address)
			if err != nil || !isPublic(to.Addr()) {
				return fatal(fmt.Errorf("%w: %s", ErrNotPublic, address))
			}
			return nil
		},
	}
	return dialer.DialContext(ctx, network, address)
}

// isPublic reports whether an address is of the public internet. An IPv4
// address in one of IPv6 counts as what it is.
func isPublic(ip netip.Addr) bool {
	ip = ip.Unmap()
	if nat64.Contains(ip) {
		b := ip.As16()
		ip = netip.AddrFrom4([4]byte(b[12:]))
	}
	if !ip.IsValid() || ip.Is6() && !globalUnicast.Contains(ip) {
		return false
	}
	for _, p := range notPublic {
		if p.Contains(ip) {
			return false
		}
	}
	return true
}

var (
	nat64         = netip.MustParsePrefix("64:ff9b::/96")
	globalUnicast = netip.MustParsePrefix("2000::/3")

	// notPublic is what the registries of special addresses at IANA have.
	notPublic = func() (all []netip.Prefix) {
		for _, text := range strings.Fields(`
			0.0.0.0/8 10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 169.254.0.0/16 172.16.0.0/12
			192.0.0.0/24 192.0.2.0/24 192.88.99.0/24 192.168.0.0/16 198.18.0.0/15
			198.51.100.0/24 203.0.113.0/24 224.0.0.0/4 240.0.0.0/4
			168.63.129.16/32
			2001::/23 2001:db8::/32 2002::/16 3fff::/20`) {
			all = append(all, netip.MustParsePrefix(text))
		}
		return all
	}()
)
