package hls

import (
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// Folder is the folder of a playlist. All files of the playlist are in it.
type Folder struct {
	FS fs.FS

	// Of a folder of the operating system:
	dirs  []string // its absolute path, links resolved first
	close func() error
}

// OpenFolder opens a folder of the operating system. Links that lead out of it
// are not followed.
func OpenFolder(dir string) (*Folder, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	given, err := filepath.Abs(dir)
	resolved := given
	if err == nil {
		resolved, err = filepath.EvalSymlinks(given)
	}
	if err != nil {
		_ = root.Close()
		return nil, err
	}
	return &Folder{FS: root.FS(), dirs: []string{resolved, given}, close: root.Close}, nil
}

// Close closes the folder.
func (f *Folder) Close() error {
	if f.close == nil {
		return nil
	}
	return f.close()
}

// resolve follows the links in the path of a file, so that absolute links may
// stay in the folder. It returns name for a link that leads out of the folder,
// which is refused when it is opened.
func (f *Folder) resolve(name string) string {
	if f.dirs == nil {
		return name
	}
	dir := f.dirs[0]
	real, err := filepath.EvalSymlinks(filepath.Join(dir, filepath.FromSlash(name)))
	if err != nil {
		return name
	}
	rel, err := filepath.Rel(dir, real)
	if err != nil || !filepath.IsLocal(rel) {
		return name
	}
	return filepath.ToSlash(rel)
}

// inside returns the files of the folder that a URI can mean which is an
// absolute path, a file URI, or a path that leaves the folder and returns to it.
// The URI is in a playlist of the folder dir. The first file is the unescaped
// URI.
func (f *Folder) inside(dir, uri string) (names []string) {
	paths := []string{uri}
	u, err := url.Parse(uri)
	switch {
	case err != nil:
	case u.Scheme == "file" && u.Host != "" && !strings.EqualFold(u.Host, "localhost"):
		return nil
	case u.Scheme == "file" || u.Scheme == "" && !path.IsAbs(uri):
		paths[0] = u.Path
	case u.Scheme == "":
		paths = []string{u.Path, uriPath(uri), uri}
	}
	for _, path := range paths {
		for _, root := range f.dirs {
			name := filepath.FromSlash(path)
			if !filepath.IsAbs(name) {
				if schemeOf(uri) != "" || strings.Contains(path, `\`) { // which separates on some systems only
					break
				}
				name = filepath.Join(root, filepath.FromSlash(dir), name)
			}
			rel, err := filepath.Rel(root, name)
			if err == nil && filepath.IsLocal(rel) {
				if rel = filepath.ToSlash(rel); !slices.Contains(names, rel) {
					names = append(names, rel)
				}
				break
			}
		}
	}
	return names
}

// Stat returns the state of a file that is not on a web server.
func (f *Folder) Stat(file *File) (fs.FileInfo, error) { return fs.Stat(f.FS, file.RealPath()) }

// open opens a regular file.
func (f *Folder) open(file *File) (fs.File, error) {
	// Stat before Open: opening a named pipe would wait for its writer.
	info, err := f.Stat(file)
	if err == nil {
		err = checkRegular(info)
	}
	if err != nil {
		return nil, err
	}
	return f.FS.Open(file.RealPath())
}

// read returns at most limit+1 bytes of a file.
func (f *Folder) read(file *File, limit int) ([]byte, error) {
	in, err := f.open(file)
	if err != nil {
		return nil, err
	}
	defer in.Close()
	return io.ReadAll(io.LimitReader(in, int64(limit)+1))
}

// isPlaylist goes by the extension of a file and by its first bytes.
func (f *Folder) isPlaylist(file *File) (bool, error) {
	if IsPlaylistName(file.RealPath()) {
		return true, nil
	}
	in, err := f.open(file)
	if err != nil {
		return false, err
	}
	defer in.Close()
	head := make([]byte, HeadSize)
	n, _ := io.ReadFull(in, head) // an error occurs again when the file is uploaded
	return BeginsAsPlaylist(head[:n]), nil
}

func checkRegular(info fs.FileInfo) error {
	switch {
	case info.IsDir():
		return fmt.Errorf("%q is a directory", info.Name())
	case !info.Mode().IsRegular():
		return fmt.Errorf("%q is not a regular file", info.Name())
	}
	return nil
}
