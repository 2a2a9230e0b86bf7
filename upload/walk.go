package upload

import (
	"fmt"
	"io/fs"
	"iter"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/alimedia/alimedia-go/upload/internal/checkpoint"
)

// WalkOption changes which files [Walk] and [WalkFS] visit.
type WalkOption func(*walk)

// MatchNames visits only files whose name, without folders, matches one of the
// patterns of [path.Match], such as "*.mp4". The case of letters does not
// matter.
func MatchNames(patterns ...string) WalkOption {
	return func(w *walk) {
		for _, p := range patterns {
			if _, err := path.Match(p, ""); err != nil {
				w.invalid = fmt.Errorf("upload.MatchNames: the pattern %.100q is not valid: %w", p, err)
			}
			w.patterns = append(w.patterns, strings.ToLower(p))
		}
	}
}

// SelectFolders visits only folders for which include returns true. It is called
// for each folder below the one of Walk, with the path that files in it begin
// with.
func SelectFolders(include func(path string, entry fs.DirEntry) bool) WalkOption {
	return func(w *walk) { w.folders = include }
}

// IncludeHidden visits files and folders whose name begins with a dot. Without
// it they are left out.
func IncludeHidden() WalkOption { return func(w *walk) { w.hidden = true } }

// FollowLinks visits what symbolic links lead to, files and folders, also outside
// of the folder of Walk. Without it links are left out. A link that leads to
// nothing, or to a folder that it is in, is a job with an error. WalkFS does not
// take it.
func FollowLinks() WalkOption { return func(w *walk) { w.links = true } }

// Walk returns a job for each file in dir and the folders below it, for
// [Uploader.UploadAll]. job is called for each file with its path, which begins
// with dir, and returns its Job, or false to leave it out. If Source is nil, it
// becomes the file.
//
//	jobs := upload.Walk("videos", func(path string, _ fs.DirEntry) (upload.Job, bool) {
//		return upload.Job{Target: upload.VODVideo{}}, true
//	}, upload.MatchNames("*.mp4", "*.mov"))
//	for r := range up.UploadAll(ctx, jobs, upload.WithCheckpoint(state)) {
//
// A folder or a link that cannot be read does not end the walk. It is a job whose
// Err is the [*fs.PathError], and UploadAll yields it as a failure.
//
// Files are visited in the order of their names, folder by folder, so each walk
// of the same files has the same order. Memory does not grow with the number of
// files: of a folder at most 65,536 entries are kept. A larger folder is read
// once more for each further 65,536 entries. A file that is added or removed
// during the walk may or may not be visited. Devices, sockets and pipes are left
// out.
//
// Unless there is FollowLinks, a file that is replaced by a link after it was
// visited is not uploaded if the link leads out of dir.
func Walk(dir string, job func(path string, entry fs.DirEntry) (Job, bool), opts ...WalkOption) iter.Seq[Job] {
	w := &walk{
		job:  job,
		open: func(name string) (fs.File, error) { return os.Open(name) },
		stat: os.Stat, join: filepath.Join, most: maxEntries,
	}
	w.apply(opts)
	w.source = func(name string) Source {
		inside, err := filepath.Rel(dir, name)
		if w.links || err != nil {
			return File(name)
		}
		return fileSource{name, os.Lstat, func(string) (fs.File, error) { return os.OpenInRoot(dir, inside) }, checkpoint.FileIdentity, nil}
	}
	return w.jobs(dir)
}

// WalkFS is [Walk] for the folder dir of fsys, "." for all of it. The sources are
// those of [FS]. A folder that does not implement [fs.ReadDirFile] is a job with
// an error.
func WalkFS(fsys fs.FS, dir string, job func(path string, entry fs.DirEntry) (Job, bool), opts ...WalkOption) iter.Seq[Job] {
	w := &walk{
		job: job, open: func(name string) (fs.File, error) { return fsys.Open(name) },
		join: path.Join, most: maxEntries,
		source: func(name string) Source { return FS(fsys, name) },
	}
	w.apply(opts)
	switch {
	case fsys == nil:
		w.invalid = fmt.Errorf("upload.WalkFS: the file system is nil")
	case w.links:
		w.invalid = fmt.Errorf("upload.WalkFS does not take FollowLinks")
	}
	return w.jobs(dir)
}

// walk is what one walk visits.
type walk struct {
	job      func(string, fs.DirEntry) (Job, bool)
	patterns []string
	folders  func(string, fs.DirEntry) bool
	hidden   bool
	links    bool
	invalid  error

	open   func(string) (fs.File, error)
	stat   func(string) (fs.FileInfo, error)
	join   func(...string) string
	source func(name string) Source
	most   int // entries of a folder in memory
}

func (w *walk) apply(opts []WalkOption) {
	for _, opt := range opts {
		opt(w)
	}
	if w.job == nil {
		w.invalid = fmt.Errorf("upload.Walk: the function of jobs is nil")
	}
}

func (w *walk) jobs(dir string) iter.Seq[Job] {
	return func(yield func(Job) bool) {
		if w.invalid != nil {
			yield(Job{Err: w.invalid})
			return
		}
		w.folder(dir, nil, yield)
	}
}

// parents are the folders that a folder is in, to recognize links that lead back.
type parents struct {
	info fs.FileInfo
	next *parents
}

func (p *parents) contains(info fs.FileInfo) bool {
	for ; p != nil; p = p.next {
		if os.SameFile(p.info, info) {
			return true
		}
	}
	return false
}

// folder visits a folder. It returns false when the walk is over.
func (w *walk) folder(name string, above *parents, yield func(Job) bool) bool {
	failed := func(err error) bool { return yield(Job{Source: w.source(name), Err: err}) }
	if w.links {
		info, err := w.stat(name)
		switch {
		case err != nil:
			return failed(err)
		case above.contains(info):
			return failed(&fs.PathError{Op: "walk", Path: name, Err: fmt.Errorf("a link leads to a folder that it is in")})
		}
		above = &parents{info, above}
	}
	for after := ""; ; {
		entries, more, err := w.read(name, after)
		for _, entry := range entries {
			if !w.entry(w.join(name, entry.Name()), entry, above, yield) {
				return false
			}
		}
		if err != nil {
			return failed(err)
		}
		if !more {
			return true
		}
		after = entries[len(entries)-1].Name()
	}
}

// entry visits a file or a folder.
func (w *walk) entry(name string, entry fs.DirEntry, above *parents, yield func(Job) bool) bool {
	kind := entry.Type()
	if kind&fs.ModeSymlink != 0 {
		if !w.links {
			return true
		}
		info, err := w.stat(name)
		if err != nil {
			return yield(Job{Source: w.source(name), Err: err})
		}
		entry, kind = fs.FileInfoToDirEntry(linked{info, entry.Name()}), info.Mode().Type()
	}
	switch {
	case kind.IsDir():
		return w.folders != nil && !w.folders(name, entry) || w.folder(name, above, yield)
	case !kind.IsRegular() || !w.matches(entry.Name()):
		return true
	}
	job, ok := w.job(name, entry)
	if !ok {
		return true
	}
	if job.Source == nil {
		job.Source = w.source(name)
	}
	return yield(job)
}

// linked is what a link leads to, with the name of the link.
type linked struct {
	fs.FileInfo
	name string
}

func (l linked) Name() string { return l.name }

func (w *walk) matches(name string) bool {
	if len(w.patterns) == 0 {
		return true
	}
	name = strings.ToLower(name)
	for _, p := range w.patterns {
		if ok, _ := path.Match(p, name); ok {
			return true
		}
	}
	return false
}
