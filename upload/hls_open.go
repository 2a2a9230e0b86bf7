package upload

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"path"
	"path/filepath"
	"slices"

	"github.com/alimedia/alimedia-go/upload/internal/checkpoint"
	"github.com/alimedia/alimedia-go/upload/internal/hls"
	"github.com/alimedia/alimedia-go/upload/internal/webfile"
)

// openFor opens src for target. A playlist is opened with its segments if the
// target creates an asset from it.
func openFor(ctx context.Context, src Source, target binding, u *Uploader) (*content, error) {
	c, err := openNamed(ctx, src, target, u)
	if err == nil {
		err = checkName(c.name)
	}
	if err != nil {
		if c != nil {
			_ = c.close()
		}
		return nil, err
	}
	if c.segments == nil {
		c.segments = noSegments{}
	}
	return c, nil
}

func openNamed(ctx context.Context, src Source, target binding, u *Uploader) (*content, error) {
	name := ""
	for n, ok := src.(namedSource); ok; n, ok = src.(namedSource) {
		name, src = cmp.Or(name, n.name), n.Source
	}
	switch s := src.(type) {
	case hlsSource:
		s.as = name
		return s.openFor(ctx, target, u)
	case *urlSource:
		if name != "" {
			s = s.at(s.from)
			s.options.Name = name
		}
		return s.openFor(ctx, target, u)
	}
	c, err := src.open(ctx, u)
	if err != nil {
		return nil, err
	}
	isPlaylist := c.isPlaylist()
	c.name = cmp.Or(name, c.name)
	if target.keepsPlaylists() || !isPlaylist && !hls.IsPlaylistName(name) {
		return c, nil
	}
	_ = c.close()
	if f, ok := src.(fileSource); ok {
		return hlsSource{name: f.name, as: name, fsys: f.fsys, isFS: f.fsys != nil}.openFor(ctx, target, u)
	}
	return nil, errNoFolder
}

var errNoFolder = fmt.Errorf("%w: use HLS, HLSFS or URL", ErrPlaylist)

// isPlaylist goes by the name and, for a content that can be read at any offset,
// by its first bytes.
func (c *content) isPlaylist() bool {
	if hls.IsPlaylistName(c.name) {
		return true
	}
	var head [hls.HeadSize]byte
	if c.at == nil {
		return false
	}
	n, _ := c.at.ReadAt(head[:min(int64(len(head)), c.size)], 0)
	return hls.BeginsAsPlaylist(head[:n])
}

// isRefusedPlaylist reports whether a stream begins as a playlist and target
// creates an asset from it.
func (in *input) isRefusedPlaylist(target binding) bool {
	if in.segments.exist() || target.keepsPlaylists() {
		return false
	}
	var head [hls.HeadSize]byte
	n := in.transfer.Head(head[:])
	return hls.BeginsAsPlaylist(head[:n])
}

// hlsSource is a playlist in a folder or on a web server.
type hlsSource struct {
	name       string
	as         string // name given by Named
	fsys       fs.FS
	isFS       bool       // else the file is one of the operating system
	web        *urlSource // the playlist's URL; nil for a playlist in a folder
	remote     *urlSource // how files on other web servers are fetched; nil: they are not
	keepRemote bool
	allow      func(path string) bool
}

// openFor opens a file on a web server, with its segments if it is a playlist.
func (s *urlSource) openFor(ctx context.Context, target binding, u *Uploader) (*content, error) {
	f, err := s.fetch(ctx, u)
	if err != nil {
		return nil, err
	}
	if target.keepsPlaylists() || !f.isPlaylist() {
		return f.content(s.from), nil
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, hls.MaxPlaylistSize+1))
	if err != nil {
		return nil, err
	}
	list := newHLS(hlsSource{name: f.Name}, s.playlist)
	list.web = s
	prefix, err := playlistPrefix(target, list.base())
	if err != nil {
		return nil, err
	}
	return list.scan(ctx, u, prefix, new(hls.Folder), func(o hls.Options) (*hls.Bundle, error) {
		return hls.ScanURL(ctx, s.from, f.URL, text, o)
	})
}

// openFor opens a playlist with its segments.
func (s hlsSource) openFor(ctx context.Context, target binding, u *Uploader) (*content, error) {
	prefix, err := playlistPrefix(target, cmp.Or(s.as, s.base()))
	if err != nil {
		return nil, err
	}
	return s.openFolder(ctx, u, prefix)
}

// open opens a playlist as a source for no target in particular.
func (s hlsSource) open(ctx context.Context, u *Uploader) (*content, error) {
	return s.openFolder(ctx, u, "")
}

// playlistPrefix is what precedes the names of the segments in a playlist that
// becomes target.
func playlistPrefix(target binding, name string) (string, error) {
	prefix, ok := target.playlistPrefix(name)
	if !ok {
		return "", fmt.Errorf("%w: %s takes no playlists: use VODVideo, ICEMedia, ICEStream or Bucket", ErrPlaylist, target.name())
	}
	return prefix, nil
}

func (s hlsSource) base() string {
	if s.isFS || s.web != nil {
		return path.Base(s.name)
	}
	return filepath.Base(s.name)
}

// openFolder scans a playlist in a folder.
func (s hlsSource) openFolder(ctx context.Context, u *Uploader, prefix string) (*content, error) {
	name, folder := s.name, &hls.Folder{FS: s.fsys}
	switch {
	case s.isFS && s.fsys == nil:
		return nil, errors.New("the file system is nil")
	case !s.isFS:
		var err error
		if folder, err = hls.OpenFolder(filepath.Dir(s.name)); err != nil {
			return nil, err
		}
		name = s.base()
	}
	return s.scan(ctx, u, prefix, folder, func(o hls.Options) (*hls.Bundle, error) {
		return hls.Scan(ctx, folder, name, o)
	})
}

// scan returns the rewritten playlist as a content with segments. It closes
// folder after an error.
func (s hlsSource) scan(ctx context.Context, u *Uploader, prefix string, folder *hls.Folder, scan func(hls.Options) (*hls.Bundle, error)) (_ *content, err error) {
	defer func() {
		if err != nil {
			_ = folder.Close()
		}
	}()
	if err := s.checkRemote(); err != nil {
		return nil, err
	}
	all := &hlsSegments{source: s, folder: folder}
	all.Bundle, err = scan(hls.Options{
		FetchRemote: s.remote != nil, KeepRemote: s.keepRemote, Allow: s.allow, Prefix: prefix,
		Fetch: func(ctx context.Context, f *hls.File) (hls.Response, error) {
			response, err := all.urlOf(f).fetch(ctx, u)
			return playlistResponse{response}, err
		},
	})
	if err != nil {
		return nil, scanError(ctx, err)
	}
	return &content{
		name: hls.PlaylistName(cmp.Or(s.as, s.base())), size: all.Top.Size, at: bytes.NewReader(all.Top.Text),
		changed: never, close: folder.Close, identity: all.identity(), segments: all,
	}, nil
}

// checkRemote checks the options of FetchRemote.
func (s hlsSource) checkRemote() error {
	switch {
	case s.remote == nil:
	case s.remote.invalid != nil:
		return s.remote.invalid
	case slices.ContainsFunc(s.remote.options.Headers, func(h webfile.Header) bool { return h.Origins == nil }):
		return errors.New("FetchRemote: a header needs the origins that it is for, such as URLHeader(header, \"https://media.example.com\")")
	}
	return nil
}

// playlistResponse is a file on a web server as package hls reads it.
type playlistResponse struct{ *webFile }

func (r playlistResponse) URL() *url.URL    { return r.webFile.URL }
func (r playlistResponse) IsPlaylist() bool { return r.isPlaylist() }

// identity identifies all files together. Files on web servers cannot be
// identified.
func (s *hlsSegments) identity() checkpoint.Identity {
	digest, ok := s.Digest()
	name, err := filepath.Abs(s.source.name)
	if err != nil || s.source.isFS || s.source.web != nil || !ok {
		name = ""
	}
	return checkpoint.Identity{Source: name, Size: s.size(s.Top.Size), Files: digest}
}
