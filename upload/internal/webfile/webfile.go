// Package webfile reads a file on a web server as a stream, and at any offset
// where the server supports ranges.
//
// It promises that every byte comes from one version of the file: a connection
// that breaks is resumed by Range only if a strong validator proves that the
// file is the same, and the end of the file is proved by its length or by
// chunked encoding. Connections go to public addresses only, unless the options
// say otherwise; header fields go to the origins that they are for; errors show
// neither credentials nor queries. It does not know uploads, playlists or OSS.
package webfile

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"time"

	"github.com/alimedia/alimedia-go/internal/redact"
	"github.com/alimedia/alimedia-go/internal/retry"
	"github.com/alimedia/alimedia-go/upload/internal/mediatype"
)

// Reasons why a file cannot be read.
var (
	// ErrNotPublic means that the URL, or a redirect, leads to an address that
	// is not of the public internet. No connection was made.
	ErrNotPublic = errors.New("the address is not public")
	// ErrTooLarge means that the file is larger than Options.MaxSize.
	ErrTooLarge = errors.New("the file is larger than allowed")
	// ErrPage means that the server sent a web page or an error document
	// instead of the file.
	ErrPage = errors.New("the server sent a page instead of the file")
	// ErrChanged means that the file is not the version that was opened.
	ErrChanged = errors.New("the file on the server changed")
	// ErrSize means that the server sent fewer or more bytes than it declared.
	ErrSize = errors.New("the file does not have the declared size")
	// ErrStalled means that no byte arrived for Options.StallTimeout.
	ErrStalled = errors.New("the connection stalled")
)

const (
	// UnknownSize is the size of a file whose server does not declare it.
	UnknownSize = -1
	// MaxURL is the length in bytes of the longest URL that is requested.
	MaxURL = 8 << 10
)

// Options say how a file is requested. MaxSize, Retry and StallTimeout are
// required.
type Options struct {
	MaxSize      int64 // bytes
	MaxRedirects int   // zero follows none
	Retry        retry.Policy
	StallTimeout time.Duration // between bytes, and until the response begins
	Headers      []Header
	UserAgent    string
	RootCAs      *x509.CertPool // nil: the roots of the system
	Logger       *slog.Logger   // nil: no logs

	// Name is the name of the file. If it is empty, the response decides.
	Name string
	// AllowPrivate permits addresses that are not public.
	AllowPrivate bool
	// Proxy chooses the proxy of a request. Nil means no proxy. A proxy
	// resolves names itself, so their addresses are not checked.
	Proxy func(*http.Request) (*url.URL, error)
	// AcceptPage is asked about a response that, by its Content-Type, is a web
	// page or an error document. Nil accepts none.
	AcceptPage func(*File) bool
	// Dial replaces [DialPublic].
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
}

// Header is header fields and the origins that they are for, see [Origin].
// Requests to other origins do not have them.
type Header struct {
	Fields  http.Header
	Origins []string
}

// Info describes a file as the first response does.
type Info struct {
	Name         string   // for a local file: see [CleanName]
	URL          *url.URL // that responded, after redirects
	ContentType  string   // as the server states it
	Size         int64    // bytes, or UnknownSize
	ETag         string   // strong, or empty
	LastModified string   // as the server states it; empty unless it is strong and there is no strong ETag
}

// Resumable reports whether the server sent a validator that proves that later
// responses are of the same version. Last-Modified needs the size as well.
func (i Info) Resumable() bool {
	return i.ETag != "" || i.LastModified != "" && i.Size != UnknownSize
}

// File is an open file. It is an io.ReadCloser for one goroutine.
type File struct {
	Info
	stream  *stream
	ctx     context.Context // ended by Close
	cancel  context.CancelFunc
	pending []byte // was read by Peek
}

// Open requests the file at u and returns after the response has begun.
// Transient failures are retried. ctx bounds all reads of the file, which must
// be closed.
func Open(ctx context.Context, u *url.URL, o Options) (*File, error) {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Dial == nil {
		o.Dial = DialPublic
	}
	ctx, cancel := context.WithCancel(ctx)
	s := newStream(ctx, u, &o)
	if err := s.connect(); err != nil {
		cancel()
		return nil, err
	}
	f := &File{Info: s.info, stream: s, ctx: ctx, cancel: cancel}
	if mediatype.IsPage(f.ContentType, f.Name) && (o.AcceptPage == nil || !o.AcceptPage(f)) {
		cancel()
		return nil, fmt.Errorf("%s: %w: Content-Type is %s for %.100q", Redacted(u), ErrPage, redact.Line(mediatype.Bare(f.ContentType)), f.Name)
	}
	return f, nil
}

// Read implements io.Reader. If the connection breaks, it makes another one and
// resumes.
func (f *File) Read(p []byte) (int, error) {
	if len(f.pending) > 0 {
		n := copy(p, f.pending)
		f.pending = f.pending[n:]
		return n, nil
	}
	return f.stream.Read(p)
}

// Peek returns the first n bytes that Read is about to return, fewer at the end
// of the file or after an error, which Read returns again.
func (f *File) Peek(n int) []byte {
	head := make([]byte, n)
	n, _ = io.ReadFull(f, head)
	f.pending = append(head[:n:n], f.pending...)
	return head[:n]
}

// Close ends the connections, those of ReaderAt included.
func (f *File) Close() error {
	f.cancel()
	return nil
}
