package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/alimedia/alimedia-go/cmd/alimedia/internal/screen"
	"github.com/alimedia/alimedia-go/upload"
)

// uploadItem is one file to upload.
type uploadItem struct {
	number int    // from 1
	label  string // for people: the path, or the URL without its query
	file   string // the name of the file
	folder string // the name of the folder that it is in
	below  string // the path below the folder that was named, ending in a slash
	size   int64  // upload.UnknownSize if it is not known yet
	source upload.Source
	stdin  bool
	err    error // why there is nothing to upload
}

// items are the files that the arguments name, in their order. What is missing
// is an item with an error.
func (a *app) items(f *uploadFlags, to *uploadTarget, args []string) ([]uploadItem, error) {
	var items []uploadItem
	stdin := 0
	for _, arg := range args {
		switch {
		case arg == "-":
			stdin++
			it, err := a.standardInput(f)
			if err != nil {
				return nil, err
			}
			items = append(items, it)
		case isURL(arg):
			items = append(items, f.fromWeb(arg))
		default:
			items = append(items, f.fromDisk(to, arg)...)
		}
	}
	if f.name != "" && stdin == 0 && !slices.ContainsFunc(args, isURL) {
		return nil, usagef("--name is for standard input or a URL: a file has its name")
	}
	if stdin > 1 {
		return nil, usagef("standard input (-) can be read only once")
	}
	seen := map[string]bool{}
	items = slices.DeleteFunc(items, func(it uploadItem) bool {
		again := seen[it.label] && it.err == nil
		seen[it.label] = true
		return again
	})
	for i := range items {
		items[i].number = i + 1
	}
	if flag := f.one(); flag != "" && len(items) > 1 {
		return nil, usagef("--%s is for one file, and there are %d: use {name} or {n} in it, or one command for each file", flag, len(items))
	}
	return items, nil
}

func isURL(arg string) bool {
	lower := strings.ToLower(arg)
	return strings.HasPrefix(lower, "http://") || strings.HasPrefix(lower, "https://")
}

// standardInput is the item "-".
func (a *app) standardInput(f *uploadFlags) (uploadItem, error) {
	switch {
	case f.name == "":
		return uploadItem{}, usagef("standard input needs --name, such as --name movie.mp4")
	case a.term.In.TTY:
		return uploadItem{}, usagef("standard input is a terminal: pipe or redirect a file into it")
	}
	it := uploadItem{label: f.name, file: path.Base(f.name), size: upload.UnknownSize, stdin: true}
	if in, ok := a.in.(*os.File); ok {
		if info, err := in.Stat(); err == nil && info.Mode().IsRegular() {
			if at, err := in.Seek(0, io.SeekCurrent); err == nil {
				it.size = info.Size() - at
			}
		}
	}
	it.source = upload.Reader(it.file, a.in, it.size)
	if f.key != "" {
		it.source = upload.ReaderFunc(it.file, it.size, func(context.Context) (io.ReadCloser, error) { return io.NopCloser(a.in), nil })
	}
	return it, nil
}

func (f *uploadFlags) fromWeb(arg string) uploadItem {
	it := uploadItem{label: "URL", size: upload.UnknownSize}
	if u, err := url.Parse(arg); err == nil {
		it.file, it.label = path.Base(u.Path), u.Scheme+"://"+u.Host+u.Path
	}
	opts := f.urlOptions()
	if f.name != "" {
		it.file = f.name
		opts = append(opts, upload.URLName(f.name))
	}
	it.source = upload.URL(arg, append(opts, upload.URLPlaylist(f.hlsOptions()...))...)
	return it
}

func (f *uploadFlags) urlOptions() (opts []upload.URLOption) {
	if f.allowPrivate {
		opts = append(opts, upload.AllowPrivate())
	}
	if f.allowProxy {
		opts = append(opts, upload.AllowProxy())
	}
	if f.anyType {
		opts = append(opts, upload.AnyContentType())
	}
	return opts
}

func (f *uploadFlags) hlsOptions() []upload.HLSOption {
	switch f.playlistRemote {
	case "keep":
		return []upload.HLSOption{upload.KeepRemote()}
	case "fetch":
		return []upload.HLSOption{upload.FetchRemote(f.urlOptions()...)}
	}
	return nil
}

// fromDisk is a file, a pattern or a folder. A file whose name looks like a
// pattern is that file.
func (f *uploadFlags) fromDisk(to *uploadTarget, arg string) []uploadItem {
	info, err := os.Stat(arg)
	if errors.Is(err, fs.ErrNotExist) && strings.ContainsAny(arg, "*?[") {
		names, bad := filepath.Glob(arg)
		switch {
		case bad != nil:
			return []uploadItem{{label: arg, err: usagef("%s is not a valid pattern", arg)}}
		case len(names) == 0:
			return []uploadItem{{label: arg, err: notFoundf("no file matches the pattern")}}
		}
		var items []uploadItem
		for _, name := range names {
			if info, err := os.Stat(name); err == nil && info.IsDir() && !f.recursive {
				continue // as a shell's pattern is mostly meant
			}
			items = append(items, f.fromDisk(to, name)...)
		}
		return items
	}
	switch {
	case err != nil:
		return []uploadItem{{label: arg, err: plainPathError(err)}}
	case info.IsDir() && !f.recursive:
		return []uploadItem{{label: arg, err: usagef("is a folder: add -r to upload the files in it")}}
	case info.IsDir():
		return f.walk(to, arg)
	}
	return []uploadItem{f.fromFile(to, arg, info, true)}
}

// plainPathError leaves out the path, which is printed before it.
func plainPathError(err error) error {
	var p *fs.PathError
	if errors.As(err, &p) {
		return p.Err
	}
	return err
}

func (f *uploadFlags) fromFile(to *uploadTarget, name string, info fs.FileInfo, named bool) uploadItem {
	it := uploadItem{label: name, file: filepath.Base(name), size: info.Size(), source: upload.File(name)}
	if !info.Mode().IsRegular() {
		it.size = upload.UnknownSize
	}
	if abs, err := filepath.Abs(name); err == nil {
		it.folder = filepath.Base(filepath.Dir(abs))
	}
	if isPlaylist(name) && (named || to.kind != "oss") {
		it.source, it.size = upload.HLS(name, f.hlsOptions()...), upload.UnknownSize
	}
	return it
}

func isPlaylist(name string) bool { return strings.EqualFold(filepath.Ext(name), ".m3u8") }

// walk are the regular files below a folder. Links are not followed. What a
// playlist references goes with the playlist, unless the objects of a bucket
// are to be as the files are.
func (f *uploadFlags) walk(to *uploadTarget, root string) []uploadItem {
	var items []uploadItem
	playlists := map[string][]string{}
	_ = filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			items = append(items, uploadItem{label: name, err: plainPathError(err)})
			return nil
		case name != root && f.leftOut(d.Name()):
			if d.IsDir() {
				return filepath.SkipDir
			}
			return nil
		case !d.Type().IsRegular():
			return nil
		}
		info, err := d.Info()
		if err != nil {
			items = append(items, uploadItem{label: name, err: plainPathError(err)})
			return nil
		}
		if isPlaylist(name) && to.kind != "oss" {
			playlists[filepath.Clean(name)] = references(name)
		}
		it := f.fromFile(to, name, info, false)
		if below, err := filepath.Rel(root, filepath.Dir(name)); err == nil && below != "." {
			it.below = filepath.ToSlash(below) + "/"
		}
		items = append(items, it)
		return nil
	})
	within := partsOf(playlists)
	items = slices.DeleteFunc(items, func(it uploadItem) bool { return it.err == nil && within[filepath.Clean(it.label)] })
	if len(items) == 0 {
		return []uploadItem{{label: root, err: notFoundf("there is no file to upload in the folder")}}
	}
	return items
}

func (f *uploadFlags) leftOut(name string) bool {
	if strings.HasPrefix(name, ".") && !f.hidden {
		return true
	}
	return slices.ContainsFunc(f.exclude, func(pattern string) bool {
		ok, _ := path.Match(pattern, name)
		return ok
	})
}

// maxPlaylist bounds what is read of a playlist to find out what it references.
// Package upload reads it again, and strictly.
const maxPlaylist = 16 << 20

// references are the files of this disk that a playlist references.
func references(playlist string) (names []string) {
	file, err := os.Open(playlist)
	if err != nil {
		return nil
	}
	defer file.Close()
	lines := bufio.NewScanner(io.LimitReader(file, maxPlaylist))
	for lines.Scan() {
		ref := strings.TrimSpace(lines.Text())
		if strings.HasPrefix(ref, "#") {
			_, after, _ := strings.Cut(ref, `URI="`)
			ref, _, _ = strings.Cut(after, `"`)
		}
		u, err := url.Parse(ref)
		if err != nil || ref == "" || u.Scheme != "" || u.Host != "" {
			continue
		}
		names = append(names, filepath.Join(filepath.Dir(playlist), filepath.FromSlash(u.Path)))
	}
	return names
}

// partsOf are the files that go with one of the playlists which no other
// references. Playlists that reference each other in a circle belong to none:
// their upload tells the user.
func partsOf(playlists map[string][]string) map[string]bool {
	referenced, within := map[string]bool{}, map[string]bool{}
	for playlist, names := range playlists {
		for _, name := range names {
			if name != playlist {
				referenced[name] = true
			}
		}
	}
	var follow func(playlist string)
	follow = func(playlist string) {
		for _, name := range playlists[playlist] {
			if !within[name] && name != playlist {
				within[name] = true
				follow(name)
			}
		}
	}
	for playlist := range playlists {
		if !referenced[playlist] {
			follow(playlist)
		}
	}
	return within
}

// check refuses what the flags say wrong, before anything is read.
func (f *uploadFlags) check(a *app) error {
	switch {
	case f.files < 1 || f.files > 1000:
		return usagef("--concurrency is %d: it is from 1 to 1000", f.files)
	case f.parallel < 1 || f.parallel > 1000:
		return usagef("--parallel is %d: it is from 1 to 1000", f.parallel)
	case !slices.Contains([]string{"auto", "bars", "lines", "json", "none"}, f.progress):
		return usagef("--progress is %q: it is auto, bars, lines, json or none", f.progress)
	case f.progress == "json" && !a.flags.json:
		return usagef("--progress json needs --json")
	case f.progress == "bars" && !a.term.Bars():
		return usagef("--progress bars needs a terminal that can move its cursor")
	case !slices.Contains([]string{"refuse", "keep", "fetch"}, f.playlistRemote):
		return usagef("--playlist-remote is %q: it is refuse, keep or fetch", f.playlistRemote)
	case f.noResume && (f.key != "" || f.checkpoints != "" || f.verifyContent || f.recreates):
		return usagef("--no-resume goes with none of --key, --checkpoint-dir, --verify-content and --recreate")
	}
	for _, pattern := range f.exclude {
		if _, err := path.Match(pattern, ""); err != nil {
			return usagef("--exclude %q is not a valid pattern", pattern)
		}
	}
	return nil
}

func sizeText(n int64) string {
	if n < 0 {
		return "size unknown"
	}
	return fmt.Sprint(screen.Bytes(n))
}
