package hls

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"path"
)

// follow finds the target of a reference in f. An empty target means that the
// URI stays as it is.
func (s *scanner) follow(ctx context.Context, f *File, ref Reference, depth int) (to target, err error) {
	scheme := schemeOf(ref.URI)
	isWeb := scheme == "http" || scheme == "https" || scheme == "//"
	switch {
	case scheme == "data" && ref.Role.isDocument():
		return to, errors.New("a playlist within a URI (data:) is not supported")
	case scheme == "data":
	case scheme == "file" || len(scheme) == 1: // "C:"
		names := s.folder.inside(path.Dir(f.Path), ref.URI)
		if f.URL != nil || names == nil {
			return to, ErrOutside
		}
		to.file, err = s.local(ctx, names, ref, depth)
	case scheme != "" && ref.Role == RoleKey: // of a key server
	case ref.Role == RoleServer && !(isWeb && s.KeepRemote):
		return to, errors.New("the URI is that of a service which responds during playback, and cannot be uploaded")
	case scheme == "" && f.URL == nil:
		names, outside := LocalPaths(path.Dir(f.Path), ref.URI)
		if outside != nil {
			if names = s.folder.inside(path.Dir(f.Path), ref.URI); names == nil {
				return to, outside
			}
		}
		to.file, err = s.local(ctx, names, ref, depth)
	case scheme != "" && !isWeb:
		return to, fmt.Errorf("the scheme %.20q is neither https nor http", scheme)
	default:
		return s.remote(ctx, f, ref, depth)
	}
	return to, err
}

// remote follows a reference to a web server.
func (s *scanner) remote(ctx context.Context, f *File, ref Reference, depth int) (to target, err error) {
	base := f.document.base
	if base == nil {
		base = &url.URL{Scheme: "https"}
	}
	u, err := base.Parse(ref.URI)
	if err != nil {
		return to, errors.New("the URI is not a URL")
	}
	u.Fragment, u.RawFragment = "", ""
	own := f.URL != nil && sameOrigin(u, base)
	if own && u.User == nil {
		u.User = base.User
	}
	switch {
	case ref.Role == RoleKey: // relative to a playlist on a web server
		u.User = nil
		to.uri = u.String()
	case ref.Role == RoleServer: // kept
	case own || s.FetchRemote:
		if ref.Role == RoleOther && !isSegmentName(u.Path) && !s.allows(u.Path) {
			return to, ErrNotAllowed // a request may have an effect, such as being counted
		}
		to.file, err = s.add(ctx, u.String(), ref, depth, func() (*File, error) {
			return &File{URL: u, SameOrigin: own && f.SameOrigin, Size: UnknownSize}, nil
		})
	case !s.KeepRemote:
		return to, ErrRemote
	case u.User != nil:
		return to, errors.New("the user and password of a URL would be public in the stored playlist")
	}
	return to, err
}

// local returns the first file of names that exists in the folder.
func (s *scanner) local(ctx context.Context, names []string, ref Reference, depth int) (*File, error) {
	for _, name := range names {
		file, err := s.add(ctx, name, ref, depth, func() (*File, error) { return s.check(name, ref) })
		if !errors.Is(err, fs.ErrNotExist) || file != nil {
			return file, err
		}
	}
	return nil, fmt.Errorf("%s: %w", names[0], fs.ErrNotExist)
}

// check checks that a file exists in the folder and may be uploaded.
func (s *scanner) check(name string, ref Reference) (*File, error) {
	f := &File{Path: name, realPath: s.folder.resolve(name)}
	allowed := s.allows(name)
	if !allowed && (isHidden(name) || isHidden(f.realPath)) {
		return nil, fmt.Errorf("%w: it is hidden", ErrNotAllowed)
	}
	info, err := s.folder.Stat(f)
	if err == nil {
		err = checkRegular(info)
	}
	if err != nil {
		return nil, err
	}
	f.Size, f.ModTime = info.Size(), info.ModTime()
	switch {
	case f.Size == 0:
		return nil, ErrEmpty
	case f.Size > maxFileSize:
		return nil, fmt.Errorf("the file has %d bytes, more than the %d of the largest object", f.Size, maxFileSize)
	case allowed || ref.Role.isDocument():
	case ref.Role == RoleKey && f.Size != 16 && f.Size != 32:
		return nil, fmt.Errorf("%w: a key has 16 or 32 bytes, this file has %d", ErrNotAllowed, f.Size)
	case ref.Role != RoleKey && !(isSegmentName(name) && isSegmentName(f.realPath)):
		return nil, fmt.Errorf("%w: its extension is not that of a segment", ErrNotAllowed)
	}
	return f, nil
}

// add returns the file with this id. The first reference to it calls find and
// reads it if it is a playlist.
func (s *scanner) add(ctx context.Context, id string, ref Reference, depth int, find func() (*File, error)) (*File, error) {
	f := s.known[id]
	if f == nil {
		var err error
		if f, err = find(); err != nil {
			return nil, err
		}
		if ref.Role == RoleAsset {
			if ref.Role, err = s.assetRole(ctx, f); err != nil {
				return nil, err
			}
		}
		s.known[id] = f
		s.files = append(s.files, f)
		if ref.Role.isDocument() {
			if err := s.read(ctx, f, ref.Role, depth+1); err != nil {
				return f, err
			}
		}
	}
	switch {
	case f.document != nil && f.document.open:
		return f, ErrLoop
	case ref.Role != RoleAsset && ref.Role.isDocument() != (f.document != nil):
		return f, errors.New("the file is referenced both as a playlist and as a segment")
	case f.URL == nil && f.document == nil && ref.MinSize > f.Size:
		return f, fmt.Errorf("%w: its byte range ends at %d, the file has %d bytes", ErrTooShort, ref.MinSize, f.Size)
	}
	f.MinSize = max(f.MinSize, ref.MinSize)
	return f, nil
}

// assetRole finds out whether an asset is a playlist or a media file.
func (s *scanner) assetRole(ctx context.Context, f *File) (Role, error) {
	var isPlaylist bool
	if f.URL == nil {
		var err error
		if isPlaylist, err = s.folder.isPlaylist(f); err != nil {
			return 0, err
		}
	} else {
		in, err := s.Fetch(ctx, f)
		if err != nil {
			return 0, err
		}
		defer in.Close()
		isPlaylist = in.IsPlaylist()
	}
	if isPlaylist {
		return RolePlaylist, nil
	}
	return RoleSegment, nil
}
