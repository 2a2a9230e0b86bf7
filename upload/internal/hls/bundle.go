package hls

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/url"
	"path"
	"strings"
	"time"
)

// Bundle is a playlist with all files that it references, directly or not.
type Bundle struct {
	Top   *File
	Files []*File // each once, without Top, in the order of the references
}

// File is a playlist or a file that playlists reference.
type File struct {
	Path    string   // in the folder; empty for a file on a web server
	URL     *url.URL // on a web server; nil for a file in the folder
	Name    string   // unique in the bundle; empty for Bundle.Top
	Number  int      // of the file in Bundle.Files
	Size    int64    // UnknownSize on a web server
	ModTime time.Time
	MinSize int64 // that the byte ranges of the file need

	// Text is the rewritten text of a playlist or an asset list, nil for other
	// files.
	Text []byte

	// SameOrigin means that the file is on the origin of the playlist's URL, and
	// so are all playlists between the two.
	SameOrigin bool

	realPath string // Path with links resolved; empty if that is the same
	level    int    // higher than that of every referenced file; 0 without references
	document *document
}

// document is what a scan knows of a playlist or an asset list.
type document struct {
	list    *Playlist
	text    []byte   // if it has been read already
	base    *url.URL // that references are relative to, on a web server
	open    bool     // its references are being followed
	targets []target // of the references
}

// target is what replaces a reference: the name of a file, or a URI.
type target struct {
	file *File
	uri  string
}

// id identifies a file in a scan.
func (f *File) id() string {
	if f.URL != nil {
		return f.URL.String()
	}
	return f.Path
}

// RealPath returns Path with links resolved.
func (f *File) RealPath() string { return cmp.Or(f.realPath, f.Path) }

// String returns the path of the file, or its URL without query and user.
func (f *File) String() string {
	if f.URL != nil {
		return displayURL(f.URL)
	}
	return f.Path
}

func (f *File) base() string {
	if f.URL != nil {
		return path.Base(f.URL.Path)
	}
	return path.Base(f.Path)
}

// rewrite replaces the references of a playlist by stored names.
func (f *File) rewrite(prefix string) {
	if f.document == nil {
		return
	}
	targets := f.document.targets
	f.Text = f.document.list.Rewrite(func(i int, _ Reference) string {
		if targets[i].file == nil {
			return targets[i].uri
		}
		return prefix + targets[i].file.Name
	})
	f.Size = int64(len(f.Text))
	f.document = nil
}

// rename assigns the names of all files.
func (b *Bundle) rename() {
	var names nameSet
	for i, f := range b.Files {
		name := f.base()
		if f.document != nil && !f.document.list.json {
			name = PlaylistName(name)
		} else if f.document != nil && !strings.EqualFold(path.Ext(name), ".json") {
			name += ".json"
		}
		f.Name, f.Number = names.assign(name), i
	}
}

// Levels returns Files in the order in which they are stored: files that
// reference no others first, then playlists, the innermost first. A file
// references files of lower levels only.
func (b *Bundle) Levels() [][]*File {
	var levels [][]*File
	for _, f := range b.Files {
		for len(levels) <= f.level {
			levels = append(levels, nil)
		}
		levels[f.level] = append(levels[f.level], f)
	}
	return levels
}

// Size returns the size of all files and of a playlist of top bytes, or
// UnknownSize.
func (b *Bundle) Size(top int64) int64 {
	for _, f := range b.Files {
		if f.Size == UnknownSize || top == UnknownSize {
			return UnknownSize
		}
		top += f.Size
	}
	return top
}

// Digest identifies the files by path, size, modification time and name, and
// the playlists by their text. ok is false if there are files on web servers:
// those can change unnoticed.
func (b *Bundle) Digest() (digest string, ok bool) {
	ok = true
	hash := sha256.New()
	hash.Write(b.Top.Text)
	for _, f := range b.Files {
		if f.URL != nil {
			ok = false
			continue
		}
		fmt.Fprintf(hash, "\n%q %d %d %q\n%s", f.Path, f.Size, f.ModTime.UnixNano(), f.Name, f.Text)
	}
	return hex.EncodeToString(hash.Sum(nil)), ok
}
