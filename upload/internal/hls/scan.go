package hls

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
)

// Options are the settings of a scan. The zero value refuses files on other web
// servers.
type Options struct {
	// Fetch requests a file on a web server.
	Fetch func(ctx context.Context, f *File) (Response, error)

	// FetchRemote includes files on web servers. Without it, only the files of
	// a playlist on a web server are fetched, from its own origin.
	FetchRemote bool

	// KeepRemote leaves URLs in playlists as they are if they are not fetched.
	KeepRemote bool

	// Allow permits hidden files, segments with another extension, and keys of
	// another size. Nil permits none.
	Allow func(path string) bool

	// Prefix precedes the stored names in the references of the top playlist.
	Prefix string
}

// allows reports whether the user permits a file.
func (o *Options) allows(path string) bool { return o.Allow != nil && o.Allow(path) }

// Response is a file that a web server sends.
type Response interface {
	io.ReadCloser
	URL() *url.URL    // after redirects
	IsPlaylist() bool // by name, type or first bytes
}

// Scan scans the playlist name in folder. A problem with a playlist is an
// [*Error].
func Scan(ctx context.Context, folder *Folder, name string, o Options) (*Bundle, error) {
	top := &File{Path: name, realPath: folder.resolve(name), document: new(document)}
	return scan(ctx, folder, top, o)
}

// ScanURL scans a playlist on a web server whose text has been read. References
// are relative to base, which is u after redirects.
func ScanURL(ctx context.Context, u, base *url.URL, text []byte, o Options) (*Bundle, error) {
	top := &File{URL: u, SameOrigin: true, document: &document{base: base, text: text}}
	return scan(ctx, new(Folder), top, o)
}

func scan(ctx context.Context, folder *Folder, top *File, o Options) (*Bundle, error) {
	s := &scanner{Options: o, folder: folder, known: map[string]*File{top.id(): top}}
	if err := s.read(ctx, top, RolePlaylist, 0); err != nil {
		return nil, err
	}
	switch {
	case s.missing > 1:
		first := *s.firstMissing
		first.Err = fmt.Errorf("%w, and %d more", first.Err, s.missing-1)
		return nil, &first
	case s.missing > 0:
		return nil, s.firstMissing
	case s.references == 0:
		return nil, &Error{Playlist: top.String(), Err: fmt.Errorf("%w: it references no file", ErrEmpty)}
	}
	b := &Bundle{Top: top, Files: s.files}
	b.rename()
	for _, f := range b.Files {
		f.rewrite("")
	}
	top.rewrite(o.Prefix)
	return b, nil
}

// scanner reads playlists, each once.
type scanner struct {
	Options
	folder *Folder
	known  map[string]*File // by File.id
	files  []*File

	bytes, references, documents int // of all playlists

	missing      int
	firstMissing *Error
}

// read parses a playlist or an asset list and follows its references.
func (s *scanner) read(ctx context.Context, f *File, role Role, depth int) error {
	if f.document == nil {
		f.document = new(document)
	}
	d := f.document
	f.level, d.open = 1, true
	defer func() { d.open = false }()
	s.documents++
	text, err := s.text(ctx, f)
	switch {
	case err != nil:
	case role == RoleAssetList:
		d.list, err = ParseAssetList(text)
	default:
		d.list, err = Parse(text)
	}
	var problem *Error
	if errors.As(err, &problem) {
		problem.Playlist = f.String()
	}
	if err != nil {
		return err
	}
	s.bytes += len(text)
	s.references += len(d.list.References)
	if err := s.checkLimits(depth); err != nil {
		return &Error{Playlist: f.String(), Err: err}
	}
	d.targets = make([]target, len(d.list.References))
	for i, ref := range d.list.References {
		if ref.Role == RoleDropped {
			continue
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		to, err := s.follow(ctx, f, ref, depth)
		if err = s.problem(f, ref, err); err != nil {
			return err
		}
		to.uri = cmp.Or(to.uri, ref.URI)
		if d.targets[i] = to; to.file != nil {
			f.level = max(f.level, to.file.level+1)
		}
	}
	return nil
}

func (s *scanner) checkLimits(depth int) error {
	switch {
	case depth > maxNesting:
		return fmt.Errorf("more than %d playlists are nested", maxNesting)
	case s.documents > maxDocuments:
		return fmt.Errorf("more than %d playlists are referenced", maxDocuments)
	case s.bytes > maxTotalSize:
		return fmt.Errorf("all playlists together are longer than %d bytes", maxTotalSize)
	case s.references > maxReferences:
		return fmt.Errorf("all playlists together have more than %d references", maxReferences)
	}
	return nil
}

// problem gives an error its position. Missing files are counted: the scan goes
// on and reports their number.
func (s *scanner) problem(f *File, ref Reference, err error) error {
	if err == nil {
		return nil
	}
	var problem *Error
	if !errors.As(err, &problem) {
		problem = &Error{Playlist: f.String(), Line: ref.Line, URI: displayURI(ref.URI), Err: err}
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return problem
	}
	if s.missing++; s.missing == 1 {
		s.firstMissing = problem
	}
	return nil
}

// text returns the text of a playlist and sets what its references are
// relative to.
func (s *scanner) text(ctx context.Context, f *File) ([]byte, error) {
	switch {
	case f.document.text != nil:
		return f.document.text, nil
	case f.URL == nil:
		return s.folder.read(f, MaxPlaylistSize)
	}
	in, err := s.Fetch(ctx, f)
	if err != nil {
		return nil, err
	}
	defer in.Close()
	f.document.base = in.URL()
	return io.ReadAll(io.LimitReader(in, MaxPlaylistSize+1))
}
