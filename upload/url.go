package upload

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/alimedia/alimedia-go/internal/redact"
	"github.com/alimedia/alimedia-go/internal/retry"
	"github.com/alimedia/alimedia-go/upload/internal/hls"
	"github.com/alimedia/alimedia-go/upload/internal/mediatype"
	"github.com/alimedia/alimedia-go/upload/internal/transfer"
)

// Reasons why a [URL] is not uploaded, besides [ErrSize] and [ErrChanged].
var (
	// ErrNotPublic: the URL leads to an address that is not of the public
	// internet, see AllowPrivate. No connection was made.
	ErrNotPublic = errors.New("not a public address")
	// ErrTooLarge: the file is larger than MaxSize.
	ErrTooLarge = errors.New("the source is larger than allowed")
	// ErrPage: the server sends a web page or an error document in the place
	// of a file, see AnyContentType.
	ErrPage = errors.New("the server sends a page, not the file")
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
// belong to an origin: scheme, host and port. Without origins it is that of the
// URL. Requests to other origins, by a redirect or a playlist, go without them.
//
// In [FetchRemote] there is no URL, so origins are needed there, such as
// "https://media.example.com".
func URLHeader(h http.Header, origins ...string) URLOption {
	return func(s *urlSource) {
		field := originHeader{header: h.Clone()}
		for _, text := range origins {
			u, err := url.Parse(text)
			if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" {
				s.invalid = errors.New("URLHeader: an origin is a scheme and a host, such as https://media.example.com")
				return
			}
			field.origins = append(field.origins, originOf(u))
		}
		s.headers = append(s.headers, field)
	}
}

// URLName is the name of the file, in place of the one that the server or the
// path gives.
func URLName(name string) URLOption { return func(s *urlSource) { s.name = name } }

// AnyContentType takes the file whatever Content-Type the server states.
// Without it a page (text/html) or an error document (JSON, XML) in the place
// of a media file is [ErrPage].
func AnyContentType() URLOption { return func(s *urlSource) { s.anyType = true } }

// URLPlaylist changes what the URL of a playlist takes along, see [URL].
func URLPlaylist(opts ...HLSOption) URLOption {
	return func(s *urlSource) { s.playlist = append(s.playlist, opts...) }
}

// URLRootCAs are the authorities that the server's certificate may come from,
// in place of the system's.
func URLRootCAs(pool *x509.CertPool) URLOption { return func(s *urlSource) { s.roots = pool } }

// URL is a file on a web server. Its bytes pass through memory, a few parts at
// a time, and never touch the disk. The name comes from the server
// (Content-Disposition), from the path that was asked for or the one that it
// redirects to, or from the Content-Type; [URLName] replaces it.
//
// Only http and https are fetched, certificates are verified, a redirect never
// leads from https to http, and addresses that are not public are refused when
// the connection is made, whatever the name resolved to before. A connection
// that breaks is resumed where the server gives a strong ETag, or a size and a
// Last-Modified of at least a minute ago, and the file is still the same. With
// [WithCheckpoint] and a size such a file is continued by a later run, too: it
// is the same for the same URL, signatures in its query aside, and the same
// ETag or Last-Modified and size. Only the parts that are missing are fetched. A server that marks the end of the file neither by its length
// nor by chunks is refused: a file cut short would look complete. So is one
// that answers with a page, see [ErrPage].
//
// A playlist, known by its name, Content-Type or first bytes, takes along what
// it names on its own origin, as [HLS] does, where the target makes an asset of
// it. What it names elsewhere is [ErrRemote] unless [URLPlaylist] has
// [FetchRemote] or [KeepRemote]. Its keys stay on their server. Other targets
// take no playlist; a [Bucket]
// without registration stores it as it is.
//
// A user and password in rawURL are sent to its origin; errors and logs show
// scheme, host and path only.
func URL(rawURL string, opts ...URLOption) Source {
	s := newURL(opts)
	if u, err := url.Parse(rawURL); err == nil && len(rawURL) <= maxURL {
		s.from = u
		s.own = originOf(u)
	}
	return s
}

// newURL is what the options say, for any URL.
func newURL(opts []URLOption) *urlSource {
	s := &urlSource{&urlSettings{maxSize: 1 << 40, redirects: 5, dial: dialPublic}}
	for _, opt := range opts {
		opt(s)
	}
	return s
}

// at is the file at another URL, fetched alike. Headers stay with their
// origins.
func (s *urlSource) at(u *url.URL) *urlSource {
	other := *s.urlSettings
	other.from, other.name = u, ""
	return &urlSource{&other}
}

const maxURL = 8 << 10 // bytes

// urlSource has its fields behind a pointer, which fmt does not follow: there are
// ways to print a value that pass its Format method by.
type urlSource struct{ *urlSettings }

type urlSettings struct {
	from      *url.URL // nil where it cannot be read
	private   bool
	proxy     func(*http.Request) (*url.URL, error) // nil: none
	maxSize   int64
	redirects int
	headers   []originHeader
	own       string // origin that the user states by the URL itself
	roots     *x509.CertPool
	name      string // given by the user
	anyType   bool
	playlist  []HLSOption
	invalid   error // an option that cannot be

	// dial makes the connections of which the address has to be public.
	dial func(ctx context.Context, network, address string) (net.Conn, error)
}

// originHeader is header fields and the origins that they are for, none for
// the origin of the URL.
type originHeader struct {
	header  http.Header
	origins []string
}

// originOf is scheme, host and port of a URL, the same for all ways to write
// them.
func originOf(u *url.URL) string {
	scheme := strings.ToLower(u.Scheme)
	port := u.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[scheme]
	}
	return scheme + "://" + net.JoinHostPort(strings.ToLower(u.Hostname()), port)
}

func (s *urlSource) String() string { return "upload.URL(" + s.shown() + ")" }

// Format keeps what the URL may hold out of logs, whatever the verb.
func (s *urlSource) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, s.String()) }

func (s *urlSource) open(ctx context.Context, u *Uploader) (*content, error) {
	d, err := s.download(ctx, u)
	if err != nil {
		return nil, err
	}
	return d.content(), nil
}

// download asks for the file and returns when the answer has begun.
func (s *urlSource) download(ctx context.Context, u *Uploader) (*download, error) {
	switch {
	case s.from == nil:
		return nil, errors.New("the URL cannot be read") // what is wrong with it may be a secret
	case s.invalid != nil:
		return nil, s.invalid
	case s.name != "" && cleanName(s.name) != s.name:
		return nil, errors.New("URLName: not a file name")
	case s.redirects < 0 || s.maxSize < 0:
		return nil, errors.New("a negative MaxRedirects or MaxSize")
	}
	parent := ctx
	ctx, cancel := context.WithCancel(ctx)
	d := &download{
		urlSource: s, parent: parent, ctx: ctx, cancel: cancel, size: UnknownSize,
		policy: retry.Policy(u.cfg.Retry), stall: u.cfg.StallTimeout, log: u.log,
	}
	err := d.connect()
	if err == nil && !s.anyType && mediatype.IsPage(d.mediaType, d.fileName) && !(hls.IsPlaylistName(d.fileName) && d.beginsAsPlaylist()) {
		err = fmt.Errorf("%s: %w: Content-Type is %s for %.100q", s.shown(), ErrPage, redact.Line(mediatype.Bare(d.mediaType)), d.fileName)
	}
	if err != nil {
		cancel()
		return nil, err
	}
	return d, nil
}

// isPlaylist reports whether the file is a playlist by its name, type or first
// bytes.
func (d *download) isPlaylist() bool {
	return hls.IsPlaylistName(d.fileName) || mediatype.IsPlaylist(d.mediaType) || d.beginsAsPlaylist()
}

// beginsAsPlaylist looks at the first bytes, which are read again after it.
func (d *download) beginsAsPlaylist() bool {
	head := make([]byte, hls.HeadSize)
	n, _ := io.ReadFull(d, head) // an error comes again
	d.pending = append(head[:n:n], d.pending...)
	return hls.BeginsAsPlaylist(head[:n])
}

// content is the file as a source. Closing it ends the request, and with it
// the connection.
func (d *download) content() *content {
	ctx, cancel := context.WithCancel(d.parent)
	c := &content{
		name: d.fileName, size: d.size, stream: d, changed: never,
		close: func() error { d.cancel(); cancel(); return nil },
	}
	c.identity = identity{Size: d.size, ETag: d.etag, Modified: d.modified}
	if d.size != UnknownSize && d.resumable() {
		c.versioned = true
		c.identity.Source, c.identity.Query = addressOf(d.from)
		c.ranges = func() (io.ReaderAt, error) {
			r := &rangeReader{download: d, ctx: ctx}
			if err := r.probe(); err != nil {
				return nil, err
			}
			d.cancel()
			return r, nil
		}
	}
	return c
}

// addressOf is what a URL is recognized by: scheme, host, port and path, and a
// digest of its query. Signatures, which differ from one time to another, are
// no part of it.
func addressOf(u *url.URL) (address, query string) {
	fields := u.Query()
	lower := make(map[string]string, len(fields))
	for name := range fields {
		lower[strings.ToLower(name)] = name
	}
	for _, set := range signatures {
		sign, others, _ := strings.Cut(set, " ")
		if _, signed := lower[sign]; !signed {
			continue
		}
		delete(fields, lower[sign])
		for _, name := range strings.Fields(others) {
			delete(fields, lower[name])
		}
	}
	return originOf(u) + u.EscapedPath(), digest(fields.Encode())
}

// signatures are the parameters of signed URLs: the signature, then those that
// say who signed it, when, for how long, or how.
var signatures = []string{
	"x-oss-signature x-oss-signature-version x-oss-credential x-oss-date x-oss-expires x-oss-security-token x-oss-additional-headers",
	"signature expires ossaccesskeyid security-token awsaccesskeyid x-amz-security-token googleaccessid key-pair-id policy",
	"x-amz-signature x-amz-algorithm x-amz-credential x-amz-date x-amz-expires x-amz-security-token x-amz-signedheaders",
	"x-goog-signature x-goog-algorithm x-goog-credential x-goog-date x-goog-expires x-goog-signedheaders",
	"x-tos-signature x-tos-algorithm x-tos-credential x-tos-date x-tos-expires x-tos-security-token x-tos-signedheaders",
	"q-signature q-sign-algorithm q-ak q-sign-time q-key-time q-header-list q-url-param-list x-cos-security-token",
	"sig sv se st sp sr spr skoid sktid skt ske sks skv",
	"auth_key",
}

// rangeReader reads a file on a web server anywhere, by Range. A connection
// serves the reads that follow each other.
type rangeReader struct {
	*download
	ctx context.Context

	mu   sync.Mutex
	idle []*download // the last used one last
}

// maxIdle is how many connections wait for the read that follows.
const maxIdle = 8

// at is the same file from off on.
func (r *rangeReader) at(off int64) *download {
	r.mu.Lock()
	defer r.mu.Unlock()
	for i, d := range r.idle {
		if d.offset == off {
			r.idle = slices.Delete(r.idle, i, i+1)
			return d
		}
	}
	ctx, cancel := context.WithCancel(r.ctx)
	return &download{
		urlSource: r.urlSource, parent: r.parent, ctx: ctx, cancel: cancel, policy: r.policy, stall: r.stall, log: r.log,
		begun: true, fileName: r.fileName, final: r.final, mediaType: r.mediaType, size: r.size, etag: r.etag, modified: r.modified,
		offset: off,
	}
}

// ReadAt implements io.ReaderAt.
func (r *rangeReader) ReadAt(p []byte, off int64) (int, error) {
	if off >= r.size {
		return 0, io.EOF
	}
	d := r.at(off)
	want := min(int64(len(p)), r.size-off)
	n, err := io.ReadFull(d, p[:want])
	if err != nil {
		d.cancel()
		d.hangUp(err)
		if err == io.EOF {
			err = io.ErrUnexpectedEOF
		}
		return n, err
	}
	r.keep(d)
	if int64(len(p)) > want {
		err = io.EOF
	}
	return n, err
}

// keep holds a connection for the read that follows.
func (r *rangeReader) keep(d *download) {
	r.mu.Lock()
	r.idle = append(r.idle, d)
	var oldest *download
	if len(r.idle) > maxIdle {
		oldest = r.idle[0]
		r.idle = slices.Delete(r.idle, 0, 1)
	}
	r.mu.Unlock()
	if d.offset >= r.size {
		d.cancel()
	}
	if oldest != nil {
		oldest.cancel()
	}
}

// probe finds out whether the server sends the end of the file alone.
func (r *rangeReader) probe() error {
	_, err := r.ReadAt(make([]byte, 1), r.size-1)
	return err
}

// download reads a file from a web server, over several connections where one
// breaks.
type download struct {
	*urlSource
	parent context.Context // of the upload
	ctx    context.Context
	cancel context.CancelFunc
	policy retry.Policy
	stall  time.Duration
	log    *slog.Logger

	// Of the first answer.
	begun     bool
	fileName  string
	final     *url.URL // that answered, after redirects
	mediaType string   // Content-Type as it was stated
	size      int64    // UnknownSize where it is not declared
	etag      string   // strong, or empty
	modified  string   // Last-Modified as it was stated, strong and without a strong ETag; or empty

	pending  []byte // read, and to be read again
	offset   int64  // bytes read
	failures int    // since bytes were read
	err      error  // final

	// Of the connection, if there is one.
	body  io.ReadCloser
	end   context.CancelCauseFunc
	alive context.Context
	timer *time.Timer
}

// Read implements io.Reader. Where a connection breaks it makes another.
func (d *download) Read(p []byte) (int, error) {
	if len(d.pending) > 0 {
		n := copy(p, d.pending)
		d.pending = d.pending[n:]
		return n, nil
	}
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
		return retry.ContextError(d.ctx)
	case d.offset > 0 && !d.resumable():
		if d.size != UnknownSize {
			cause = fmt.Errorf("%w: %w", ErrSize, cause)
		}
		return fmt.Errorf("%s: the connection ended after %d of %s, and the server gives no strong ETag or Last-Modified to resume by: %w",
			d.shown(), d.offset, amount(d.size), cause)
	}
	d.log.InfoContext(d.ctx, "upload: the source's connection broke", "source", d.shown(), "offset", d.offset, "error", cause)
	return d.again(cause, 0)
}

// again waits before the next connection. It returns cause where there were
// enough.
func (d *download) again(cause error, least time.Duration) error {
	d.failures++
	if d.failures >= d.policy.MaxAttempts {
		return fmt.Errorf("%s: %w", d.shown(), cause)
	}
	return retry.Sleep(d.ctx, d.policy.Delay(d.failures, least))
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
		if err == errWhole {
			return io.EOF
		}
		if d.ctx.Err() != nil {
			return retry.ContextError(d.ctx)
		}
		var status *statusError
		var name *net.DNSError
		var least time.Duration
		switch {
		case errors.As(err, &status) && status.transient():
			least = status.retryAfter
		case status != nil, errors.As(err, &name) && name.IsNotFound, !transfer.Transient(err):
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
	return d.redacted(err)
}

// redacted is an error of a connection without what the server may have put
// into its text: it can echo what it was sent.
func (d *download) redacted(err error) error {
	if err == nil || err == errWhole {
		return err
	}
	text := redact.Text(err.Error(), d.secrets()...)
	if text == err.Error() {
		return err
	}
	return &foreignError{text, err}
}

// foreignError is an error whose own text is not to be shown.
type foreignError struct {
	text string
	err  error
}

// Error implements error.
func (e *foreignError) Error() string { return e.text }

// Unwrap returns the error with its own text.
func (e *foreignError) Unwrap() error { return e.err }

// secrets is what the requests carry that must not be read.
func (s *urlSource) secrets() []string {
	var all []string
	add := func(text string) {
		if len(text) > 3 {
			all = append(all, text)
		}
	}
	add(s.from.RawQuery)
	for _, values := range s.from.Query() {
		for _, v := range values {
			add(v)
		}
	}
	if password, ok := s.from.User.Password(); ok {
		add(password)
		add(base64.StdEncoding.EncodeToString([]byte(s.from.User.Username() + ":" + password)))
	}
	for _, h := range s.headers {
		for _, values := range h.header {
			for _, v := range values {
				add(v)
				if _, credential, ok := strings.Cut(v, " "); ok {
					add(credential)
				}
				for _, cookie := range strings.Split(v, ";") {
					if _, value, ok := strings.Cut(cookie, "="); ok {
						add(value)
					}
				}
			}
		}
	}
	return all
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
			return nil, d.beyond(answer.Header)
		default:
			answer.Body.Close()
			return nil, newStatusError(answer)
		}
		answer.Body.Close()
		if hops == d.redirects {
			return nil, retry.Permanent(fmt.Errorf("more than %d redirects", d.redirects))
		}
		to, err := at.Parse(answer.Header.Get("Location"))
		switch {
		case err != nil || answer.Header.Get("Location") == "" || len(answer.Header.Get("Location")) > maxURL:
			return nil, retry.Permanent(errors.New("a redirect to nowhere")) // the cause quotes it
		case at.Scheme == "https" && to.Scheme != "https":
			return nil, retry.Permanent(errors.New("a redirect from https to " + strings.ToLower(to.Scheme)))
		}
		if to.User == nil && originOf(to) == originOf(at) {
			to.User = at.User
		}
		at = to
		d.timer.Reset(d.stall)
	}
}

// errWhole: all bytes have come.
var errWhole = errors.New("all bytes have come")

// beyond is what an answer says to a range that begins at the end of the file,
// or after it.
func (d *download) beyond(h http.Header) error {
	text, ok := strings.CutPrefix(h.Get("Content-Range"), "bytes */")
	total, err := strconv.ParseInt(text, 10, 64)
	etag := h.Get("ETag")
	if !ok || err != nil || total != d.offset || d.size != UnknownSize && d.size != total || etag != "" && etag != d.etag {
		return retry.Permanent(ErrChanged)
	}
	return errWhole
}

// ask makes one request.
func (d *download) ask(at *url.URL) (*http.Response, error) {
	switch {
	case at.Scheme != "http" && at.Scheme != "https":
		return nil, retry.Permanent(fmt.Errorf("the scheme %.20q is neither https nor http", at.Scheme))
	case at.Hostname() == "":
		return nil, retry.Permanent(errors.New("the URL has no host"))
	}
	if ip, err := netip.ParseAddr(at.Hostname()); err == nil && !d.private && !isPublic(ip) {
		return nil, retry.Permanent(fmt.Errorf("%w: %v", ErrNotPublic, ip)) // a proxy is not asked either
	}
	req := (&http.Request{Method: http.MethodGet, URL: at, Header: http.Header{}}).WithContext(d.alive)
	origin := originOf(at)
	for _, h := range d.headers {
		if slices.Contains(h.origins, origin) || h.origins == nil && d.own == origin {
			for name, values := range h.header {
				req.Header[http.CanonicalHeaderKey(name)] = values
			}
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
		req.Header.Set("If-Range", cmp.Or(d.etag, d.modified))
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
			return nil, retry.Permanent(errors.New("the environment's proxy cannot be read"))
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
		return retry.Permanent(fmt.Errorf("the server sends the file in the encoding %.20q", coding))
	}
	etag, modified := validators(header)
	if d.offset > 0 {
		return d.acceptRest(answer, etag, modified)
	}
	switch {
	case answer.StatusCode != http.StatusOK:
		return retry.Permanent(errors.New("the server sends a part where the whole file was asked for"))
	case answer.ContentLength < 0 && answer.ProtoMajor == 1 && len(answer.TransferEncoding) == 0:
		return retry.Permanent(errors.New("the server says neither how long the file is nor where it ends"))
	case answer.ContentLength > d.maxSize:
		return retry.Permanent(d.tooLarge())
	}
	size := answer.ContentLength
	if size < 0 {
		size = UnknownSize
	}
	if d.begun { // and broken before its first byte
		if size != d.size || etag != d.etag || d.etag == "" && d.modified != "" && modified != d.modified {
			return retry.Permanent(ErrChanged)
		}
		return nil
	}
	name := d.name
	if name == "" {
		name = urlName(header.Get("Content-Disposition"), header.Get("Content-Type"), d.from, answer.Request.URL)
	}
	d.begun, d.size, d.etag, d.modified = true, size, etag, modified
	d.fileName, d.final, d.mediaType = name, answer.Request.URL, header.Get("Content-Type")
	return nil
}

// acceptRest checks that an answer is the rest of the same file.
func (d *download) acceptRest(answer *http.Response, etag, modified string) error {
	other := etag != d.etag || d.etag == "" && modified != d.modified
	if answer.StatusCode == http.StatusOK { // from its beginning
		if other || answer.ContentLength >= 0 && d.size != UnknownSize && answer.ContentLength != d.size {
			return retry.Permanent(ErrChanged)
		}
		return retry.Permanent(fmt.Errorf("the connection ended after %d of %s, and the server does not resume", d.offset, amount(d.size)))
	}
	from, total, ok := contentRange(answer.Header.Get("Content-Range"))
	switch {
	case other:
		return retry.Permanent(ErrChanged)
	case !ok || from != d.offset:
		return retry.Permanent(errors.New("the server sends another part than it was asked for"))
	case d.size != UnknownSize && total != d.size:
		return retry.Permanent(ErrChanged)
	case answer.ContentLength >= 0 && answer.ContentLength != total-from:
		return retry.Permanent(fmt.Errorf("%w: Content-Range and Content-Length differ", ErrSize))
	case total > d.maxSize:
		return retry.Permanent(d.tooLarge())
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

// resumable reports whether the server says by what the same bytes are
// recognized. Last-Modified needs the size besides.
func (d *download) resumable() bool {
	return d.etag != "" || d.modified != "" && d.size != UnknownSize
}

// validators are what the same bytes are recognized by: a strong ETag, or else
// a Last-Modified that is strong (RFC 9110 8.8.2.2), at least a minute before
// the time of the answer.
func validators(h http.Header) (etag, modified string) {
	if etag = h.Get("ETag"); isStrong(etag) {
		return etag, ""
	}
	modified = h.Get("Last-Modified")
	last, err := http.ParseTime(modified)
	now, err2 := http.ParseTime(h.Get("Date"))
	if err != nil || err2 != nil || now.Sub(last) < time.Minute {
		return "", ""
	}
	return "", modified
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

func shownURL(u *url.URL) string {
	bare := url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path, RawPath: u.RawPath}
	return clipBytes(bare.String(), 300)
}

func amount(size int64) string {
	if size == UnknownSize {
		return "an unknown number of bytes"
	}
	return strconv.FormatInt(size, 10) + " bytes"
}

// statusError is an answer that is not a file.
type statusError struct {
	code       int
	retryAfter time.Duration
}

func newStatusError(answer *http.Response) *statusError {
	return &statusError{code: answer.StatusCode, retryAfter: retry.After(answer.Header, time.Now())}
}

// Error implements error.
func (e *statusError) Error() string {
	return strings.TrimSpace("the server answers " + strconv.Itoa(e.code) + " " + http.StatusText(e.code))
}

func (e *statusError) transient() bool {
	switch e.code {
	case http.StatusRequestTimeout, http.StatusTooEarly, http.StatusTooManyRequests:
		return true
	}
	return retry.ServerFailure(e.code)
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
				return retry.Permanent(fmt.Errorf("%w: %s", ErrNotPublic, address))
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
