package upload

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Reasons why a playlist is not uploaded.
var (
	// ErrRemote: a playlist names a file on a server, see KeepRemote and
	// FetchRemote. Nothing was created.
	ErrRemote = errors.New("is on a server")
	// ErrLoop: a playlist leads back to itself. Nothing was created.
	ErrLoop = errors.New("leads back to a playlist that it is part of")
	// ErrNoPrefix: the service names no place for the slices of a playlist:
	// there is no ObjectPrefix in UploadAddress. Not a byte was sent, the
	// asset exists. Make one file of the playlist and upload that.
	ErrNoPrefix = errors.New("the service gave no ObjectPrefix, no place for the slices of a playlist")
)

// Bounds of an upload with playlists.
const (
	maxPlaylists = 64 << 20 // bytes of all
	maxNesting   = 8
)

// HLSOption changes what an [HLS] upload takes.
type HLSOption func(*hlsSource)

// KeepRemote leaves http and https URLs in playlists as they are. Without it
// and FetchRemote they are refused. URLs of keys are always left: they are
// those of a key server.
func KeepRemote() HLSOption { return func(s *hlsSource) { s.keep = true } }

// FetchRemote uploads what playlists name by http and https URLs too, as [URL]
// does, and puts it in the place of the URL. Keys are never fetched.
func FetchRemote(opts ...URLOption) HLSOption {
	return func(s *hlsSource) { s.fetch = func(u string) Source { return URL(u, opts...) } }
}

// HLS is a playlist on disk with everything it names: playlists, slices,
// initialisation sections, keys. A [File] whose name ends in ".m3u8" is the
// same, where the target is VODVideo, ICEMedia or ICEStream; HLS goes to a
// [Bucket] too.
//
// All of it has to be in the folder of the playlist or below; links that lead
// out of there are refused. It is looked through before anything is created:
// what is missing, too short or a loop is a [*PlaylistError].
//
// The files go in parallel under the credential of the asset, then the
// playlists they are in, and last the one of this name. Each file is stored
// once, under its own base name if that is free and made of unreserved
// characters, else under one like it, and the stored playlists have these
// names. [Result].Size and [Progress] count all of it.
//
// After a failure the files that are stored already stay; they go with the
// asset.
func HLS(name string, opts ...HLSOption) Source {
	return newHLS(hlsSource{name: name}, opts)
}

// HLSFS is an [HLS] playlist in fsys, the root of which takes the place of the
// playlist's folder. Files that are no io.ReaderAt are held in memory in parts
// of Config.PartSize, or whole below Config.MultipartThreshold, one for each
// request.
func HLSFS(fsys fs.FS, name string, opts ...HLSOption) Source {
	return newHLS(hlsSource{name: name, fsys: fsys, isFS: true}, opts)
}

func newHLS(s hlsSource, opts []HLSOption) hlsSource {
	for _, opt := range opts {
		opt(&s)
	}
	return s
}

type hlsSource struct {
	name  string
	fsys  fs.FS
	isFS  bool // else it is a file of the operating system
	keep  bool
	fetch func(url string) Source // nil: not fetched
}

// openFor opens src for target, which may take the slices of a playlist.
func openFor(ctx context.Context, src Source, target Target, u *Uploader) (*content, error) {
	list, explicit := src.(hlsSource)
	if f, ok := src.(fileSource); ok && strings.EqualFold(path.Ext(f.name), ".m3u8") {
		if _, err := f.stat(f.name); err != nil {
			return nil, err
		}
		list = hlsSource{name: f.name, fsys: f.fsys, isFS: f.fsys != nil}
	}
	if b, ok := target.(*Bucket); ok {
		target = *b
	}
	switch t := target.(type) {
	case VODVideo, *VODVideo, ICEMedia, *ICEMedia, ICEStream, *ICEStream:
		if list.name != "" {
			return list.open(ctx, u)
		}
	case Bucket:
		if explicit {
			dir := slicesOf(t.key(list.base()))
			return list.scan(ctx, u, url.PathEscape(path.Base(dir))+"/")
		}
	default:
		if explicit {
			return nil, fmt.Errorf("%T takes no playlists: use VODVideo, ICEMedia, ICEStream or Bucket", target)
		}
	}
	return src.open(ctx, u)
}

// slicesOf is the place in an own bucket for the slices of a playlist.
func slicesOf(key string) string { return strings.TrimSuffix(key, path.Ext(key)) + "/" }

func (s hlsSource) open(ctx context.Context, u *Uploader) (*content, error) {
	return s.scan(ctx, u, "")
}

func (s hlsSource) base() string {
	if s.isFS {
		return path.Base(s.name)
	}
	return filepath.Base(s.name)
}

// scan looks through all playlists. prefix is how the first one refers to the
// place of the others and of the slices.
func (s hlsSource) scan(ctx context.Context, u *Uploader, prefix string) (_ *content, err error) {
	top := &hlsFile{path: s.name}
	done := func() error { return nil }
	switch {
	case s.isFS && s.fsys == nil:
		return nil, errors.New("the file system is nil")
	case !s.isFS:
		root, err := os.OpenRoot(filepath.Dir(s.name))
		if err != nil {
			return nil, err
		}
		s.fsys, top.path, done = root.FS(), s.base(), root.Close
	}
	defer func() {
		if err != nil {
			_ = done()
		}
	}()
	files := &hlsFiles{hlsSource: s}
	x := &hlsScan{hlsFiles: files, ctx: ctx, uploader: u, known: map[string]*hlsFile{top.path: top}}
	if err := x.read(top, 0); err != nil {
		return nil, err
	}
	if x.missing > 1 {
		return nil, fmt.Errorf("%w, and %d files more", x.firstMissing, x.missing-1)
	}
	if x.missing > 0 {
		return nil, x.firstMissing
	}
	if x.references == 0 {
		return nil, &PlaylistError{Playlist: top.path, Err: fmt.Errorf("%w: no file is named", ErrEmpty)}
	}
	var names sliceNames
	for _, f := range files.all {
		f.name = names.give(f.base())
	}
	for _, f := range files.all {
		f.rewrite("")
	}
	top.rewrite(prefix)
	return &content{
		name: top.base(), size: top.size, at: bytes.NewReader(top.text),
		changed: never, close: done, identity: files.identity(top), slices: files,
	}, nil
}

// identity is what all files together are recognised by. Those on a server
// cannot be.
func (s *hlsFiles) identity(top *hlsFile) identity {
	name, err := filepath.Abs(s.name)
	if err != nil || s.isFS {
		name = ""
	}
	hash := sha256.New()
	hash.Write(top.text)
	for _, f := range s.all {
		if f.url != nil {
			name = ""
			continue
		}
		fmt.Fprintf(hash, "\n%q %d %d %q\n%s", f.path, f.size, f.mod.UnixNano(), f.name, f.text)
	}
	return identity{Source: name, Size: s.with(top.size), Files: hex.EncodeToString(hash.Sum(nil))}
}

// hlsFile is a file that playlists name, each once, or the playlist that is
// the source.
type hlsFile struct {
	path string   // in the folder, or
	url  *url.URL // on a server
	name string   // beside the playlist in the store
	size int64    // UnknownSize on a server
	mod  time.Time

	number int // among the files that are sent

	// Of a playlist.
	rank int // above that of every playlist in it; 0 for other files
	open bool
	list *playlist
	to   []string   // what to write for a reference, where it is to no file,
	file []*hlsFile // or the file
	text []byte     // rewritten
}

// shown is the file as errors name it.
func (f *hlsFile) shown() string {
	if f.url != nil {
		return shownURL(f.url)
	}
	return f.path
}

func (f *hlsFile) base() string {
	if f.url != nil {
		return path.Base(f.url.Path)
	}
	return path.Base(f.path)
}

// rewrite makes the references of a playlist those to the names in the store.
func (f *hlsFile) rewrite(prefix string) {
	if f.list == nil {
		return
	}
	f.text = f.list.rewrite(func(i int, _ reference) string {
		if f.file[i] == nil {
			return f.to[i]
		}
		return prefix + f.file[i].name
	})
	f.size = int64(len(f.text))
	f.list, f.to, f.file = nil, nil, nil
}

// hlsScan is the look through the playlists of a source.
type hlsScan struct {
	*hlsFiles
	ctx      context.Context
	uploader *Uploader
	known    map[string]*hlsFile // by path or URL

	bytes, references int // of all playlists

	missing      int
	firstMissing error
}

// read looks through a playlist. Errors of the playlist are *PlaylistError.
func (s *hlsScan) read(f *hlsFile, depth int) error {
	f.rank, f.open = 1, true
	defer func() { f.open = false }()
	text, err := s.text(f)
	if err == nil {
		f.list, err = parsePlaylist(text)
	}
	var bad *PlaylistError
	if errors.As(err, &bad) {
		bad.Playlist = f.shown()
	}
	if err != nil {
		return err
	}
	s.bytes += len(text)
	s.references += len(f.list.refs)
	switch {
	case depth > maxNesting:
		err = fmt.Errorf("more than %d playlists one in the other", maxNesting)
	case s.bytes > maxPlaylists:
		err = fmt.Errorf("more than %d bytes of playlists", maxPlaylists)
	case s.references > maxReferences:
		err = fmt.Errorf("more than %d files in all playlists", maxReferences)
	}
	if err != nil {
		return &PlaylistError{Playlist: f.shown(), Err: err}
	}
	f.to, f.file = make([]string, len(f.list.refs)), make([]*hlsFile, len(f.list.refs))
	for i, ref := range f.list.refs {
		if ref.role == dropped {
			continue
		}
		if s.ctx.Err() != nil {
			return ended(s.ctx)
		}
		f.to[i] = ref.uri
		if err := s.follow(f, i, ref, depth); err != nil {
			if !errors.As(err, &bad) {
				err = &PlaylistError{Playlist: f.shown(), Line: ref.line, URI: shown(ref.uri), Err: err}
			}
			if !errors.Is(err, fs.ErrNotExist) {
				return err
			}
			if s.missing++; s.missing == 1 {
				s.firstMissing = err
			}
			continue
		}
		if to := f.file[i]; to != nil {
			f.rank = max(f.rank, to.rank+1)
		}
	}
	return nil
}

// text is a playlist's, as it is.
func (s *hlsScan) text(f *hlsFile) ([]byte, error) {
	c, err := s.openFile(s.ctx, s.uploader, f)
	if err != nil {
		return nil, err
	}
	defer c.close()
	r := c.stream
	if c.at != nil {
		r = io.NewSectionReader(c.at, 0, maxPlaylist+1)
	}
	return io.ReadAll(io.LimitReader(r, maxPlaylist+1))
}

// follow finds out what a reference is to.
func (s *hlsScan) follow(f *hlsFile, i int, ref reference, depth int) (err error) {
	scheme := schemeOf(ref.uri)
	switch {
	case scheme == "data":
	case scheme == "file" || len(scheme) == 1: // "C:"
		return ErrOutside
	case scheme != "" && ref.role == keyFile:
	case scheme == "" && f.url == nil:
		f.file[i], err = s.local(f, ref, depth)
	case scheme != "" && scheme != "http" && scheme != "https" && scheme != "//":
		return fmt.Errorf("the scheme %.20q is neither https nor http", scheme)
	case s.fetch != nil:
		at := f.url
		if at == nil {
			at = &url.URL{Scheme: "https"}
		}
		u, err := at.Parse(ref.uri)
		if err != nil {
			return errors.New("not a URL")
		}
		u.Fragment, u.RawFragment = "", ""
		if ref.role == keyFile { // beside a playlist on a server
			u.User = nil
			f.to[i] = u.String()
			return nil
		}
		f.file[i], err = s.add(u.String(), ref, depth, func() (*hlsFile, error) { return &hlsFile{url: u, size: UnknownSize}, nil })
		return err
	case !s.keep:
		return ErrRemote
	}
	return err
}

// local is a file in the folder.
func (s *hlsScan) local(f *hlsFile, ref reference, depth int) (*hlsFile, error) {
	names, err := localPaths(path.Dir(f.path), ref.uri)
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		file, err := s.add(name, ref, depth, func() (*hlsFile, error) {
			info, err := fs.Stat(s.fsys, name)
			if err == nil {
				err = checkFile(info)
			}
			if err != nil {
				return nil, err
			}
			if info.Size() == 0 {
				return nil, ErrEmpty
			}
			return &hlsFile{path: name, size: info.Size(), mod: info.ModTime()}, nil
		})
		if !errors.Is(err, fs.ErrNotExist) || file != nil {
			return file, err
		}
	}
	return nil, fmt.Errorf("%s: %w", names[0], fs.ErrNotExist)
}

// add returns the file that is known by this name, or else the one that found
// gives.
func (s *hlsScan) add(name string, ref reference, depth int, found func() (*hlsFile, error)) (*hlsFile, error) {
	f := s.known[name]
	if f == nil {
		var err error
		if f, err = found(); err != nil {
			return nil, err
		}
		s.known[name] = f
		s.all = append(s.all, f)
		if ref.role == nested {
			if err := s.read(f, depth+1); err != nil {
				return f, err
			}
		}
	}
	switch {
	case f.open:
		return f, ErrLoop
	case (ref.role == nested) != (f.rank > 0):
		return f, errors.New("is named as a playlist and as a slice")
	case f.url == nil && ref.least > f.size:
		return f, fmt.Errorf("%w: its byte range ends at %d, the file has %d bytes", ErrSize, ref.least, f.size)
	}
	return f, nil
}

// hlsFiles are what belongs to a playlist, in the order in which it is named.
type hlsFiles struct {
	hlsSource
	all    []*hlsFile
	stored *storedFiles
}

// with is a number of bytes and those of the files.
func (s *hlsFiles) with(size int64) int64 {
	if s == nil {
		return size
	}
	for _, f := range s.all {
		if f.size == UnknownSize || size == UnknownSize {
			return UnknownSize
		}
		size += f.size
	}
	return size
}

// openFile opens a file as it is in the source.
func (s *hlsFiles) openFile(ctx context.Context, u *Uploader, f *hlsFile) (*content, error) {
	if f.url != nil {
		return s.fetch(f.url.String()).open(ctx, u)
	}
	return FS(s.fsys, f.path).open(ctx, u)
}

// beside is the tracker of what is sent beside the files.
func (s *hlsFiles) beside(t *tracker) *tracker {
	if s == nil {
		return t
	}
	return t.part()
}

// send stores all files, of the playlists the inner ones first.
func (s *hlsFiles) send(ctx context.Context, r *run) error {
	if s == nil || len(s.all) == 0 {
		return nil
	}
	var err error
	if s.stored, err = openStored(r); err != nil {
		return err
	}
	defer s.stored.close()
	r.place.prefix = cmp.Or(r.place.prefix, s.stored.Prefix)
	if r.place.prefix == "" {
		return ErrNoPrefix
	}
	var waves [][]*hlsFile
	for i, f := range s.all {
		f.number = i
		if s.stored.files[i] {
			r.tracker.resumed(f.size)
			continue
		}
		key := r.place.prefix + f.name
		err := checkObject(r.place.address.Bucket, key)
		if err == nil && key == r.place.address.Key {
			err = errors.New("the name is that of the playlist")
		}
		if err != nil {
			return fmt.Errorf("%w: the place for %s: %w", ErrAddress, f.shown(), err)
		}
		for len(waves) <= f.rank {
			waves = append(waves, nil)
		}
		waves[f.rank] = append(waves[f.rank], f)
	}
	r.enter(ctx, StageSend)
	r.log.InfoContext(ctx, "upload: files of the playlist", "media_id", r.place.mediaId, "files", len(s.all))
	for _, wave := range waves {
		if err := s.sendAll(ctx, r, wave); err != nil {
			return err
		}
	}
	return nil
}

// sendAll stores files, several at once. The first failure ends the rest.
func (s *hlsFiles) sendAll(parent context.Context, r *run, files []*hlsFile) error {
	ctx, stop := context.WithCancelCause(parent)
	defer stop(nil)
	var next atomic.Int64
	var wg sync.WaitGroup
	for range min(r.cfg.Parallel, len(files)) {
		wg.Go(func() {
			for ctx.Err() == nil {
				i := int(next.Add(1)) - 1
				if i >= len(files) {
					return
				}
				f := files[i]
				err := s.sendFile(ctx, r, f)
				if errors.Is(err, ErrLost) {
					r.log.WarnContext(ctx, "upload: starting again", "file", f.shown(), "error", err)
					err = s.sendFile(ctx, r, f)
				}
				if err != nil {
					stop(fmt.Errorf("%s: %w", f.shown(), err))
				}
			}
		})
	}
	wg.Wait()
	if parent.Err() != nil {
		return ended(parent)
	}
	return context.Cause(ctx)
}

// sendFile stores one file, with the credential that all share.
func (s *hlsFiles) sendFile(ctx context.Context, r *run, f *hlsFile) error {
	c, err := s.contentOf(ctx, r.Uploader, f)
	if err != nil {
		return err
	}
	defer c.close()
	plan, err := newPlan(c.size, r.cfg.PartSize, r.cfg.MultipartThreshold)
	if err != nil {
		return err
	}
	feed := c.feed(plan, 1)
	defer feed.stop()
	first, err := feed.next(ctx)
	if err != nil {
		return err
	}
	to := r.place
	to.address.Key = to.prefix + f.name
	sending := &sending{
		session: r.session(to), plan: plan, content: c, slots: r.slots, limit: r.limit, tracker: r.tracker.part(),
		// Sending a file again does no harm, so it is as good as not there.
		arrived: func(context.Context) (bool, error) { return false, nil },
	}
	done, err := sending.run(ctx, feed, first)
	if err != nil {
		sending.tracker.restart()
		return err
	}
	f.size = done.size
	return s.stored.add(f)
}

// contentOf opens a file as it is to be stored.
func (s *hlsFiles) contentOf(ctx context.Context, u *Uploader, f *hlsFile) (*content, error) {
	switch {
	case f.text != nil:
		return &content{size: f.size, at: bytes.NewReader(f.text), changed: never, close: func() error { return nil }}, nil
	case f.url == nil:
		now, err := fs.Stat(s.fsys, f.path)
		if err != nil {
			return nil, err
		}
		if now.Size() != f.size || !now.ModTime().Equal(f.mod) {
			return nil, ErrChanged
		}
	}
	return s.openFile(ctx, u, f)
}

// storedFiles is which files of a playlist are stored, for a later run. It is
// a file beside the checkpoint: a line with what it belongs to, then one with
// the number of each file. Without a checkpoint nothing is recorded.
type storedFiles struct {
	Source  identity `json:"source"`
	MediaId string   `json:"mediaId"`
	Prefix  string   `json:"prefix"`

	journal *journal
	files   map[int]bool // of an earlier run

	mu   sync.Mutex
	file *os.File
}

// openStored reads what an earlier run has stored of the same files, for the
// same asset.
func openStored(r *run) (*storedFiles, error) {
	s := &storedFiles{Source: r.content.identity, MediaId: r.place.mediaId, Prefix: r.place.prefix, journal: r.journal}
	if r.journal == nil {
		return s, nil
	}
	var lines []byte
	_, earlier := r.journal.state()
	if data, err := s.journal.dir.read(s.name(), maxCheckpoint); err == nil && earlier {
		lines = s.parse(data)
	}
	head, err := json.Marshal(s)
	if err == nil {
		_ = s.journal.dir.root.Remove(s.name())
		s.file, err = s.journal.dir.open(s.name(), os.O_CREATE|os.O_EXCL|os.O_WRONLY)
	}
	if err == nil {
		_, err = fmt.Fprintf(s.file, "%s\n%s", head, lines)
	}
	return s, s.failed(err)
}

// parse takes over the lines that were written to their end, and returns them.
func (s *storedFiles) parse(data []byte) []byte {
	head, lines, ok := bytes.Cut(data, []byte("\n"))
	var was storedFiles
	if !ok || json.Unmarshal(head, &was) != nil || was.Source != s.Source || was.MediaId != s.MediaId ||
		s.Prefix != "" && was.Prefix != s.Prefix {
		return nil
	}
	s.Prefix, s.files = was.Prefix, make(map[int]bool)
	for rest := lines; ; {
		line, more, ok := bytes.Cut(rest, []byte("\n"))
		number, err := strconv.Atoi(string(line))
		if !ok || err != nil {
			return lines[:len(lines)-len(rest)]
		}
		s.files[number] = true
		rest = more
	}
}

// add records a file.
func (s *storedFiles) add(f *hlsFile) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.file == nil {
		return nil
	}
	_, err := fmt.Fprintln(s.file, f.number)
	return s.failed(err)
}

// failed is what becomes of the upload when err was met.
func (s *storedFiles) failed(err error) error {
	if err == nil {
		return nil
	}
	s.close()
	s.journal.mu.Lock()
	defer s.journal.mu.Unlock()
	return s.journal.failed(err)
}

func (s *storedFiles) close() {
	if s.file != nil {
		_ = s.file.Close()
		s.file = nil
	}
}

const segmentsEnd = ".segments" // of the name of the file

func (s *storedFiles) name() string { return s.journal.name + segmentsEnd }

// forget removes the record of a playlist that is stored.
func (s *hlsFiles) forget(j *journal) {
	if s != nil && j != nil {
		_ = j.dir.root.Remove((&storedFiles{journal: j}).name())
	}
}
