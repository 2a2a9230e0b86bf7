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
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/alimedia/alimedia-go/internal/crc64"
	"github.com/alimedia/alimedia-go/upload/internal/mediatype"
)

// Reasons why a playlist is not uploaded.
var (
	// ErrRemote: a playlist names a file on a server, see KeepRemote and
	// FetchRemote. Nothing was created.
	ErrRemote = errors.New("is on a server")
	// ErrLoop: a playlist leads back to itself. Nothing was created.
	ErrLoop = errors.New("leads back to a playlist that it is part of")
	// ErrNoPrefix: the service gives no prefix for the segments of a playlist:
	// there is no ObjectPrefix in UploadAddress. Not a byte was sent, the
	// asset exists. Make one file of the playlist and upload that.
	ErrNoPrefix = errors.New("the service gave no ObjectPrefix, no prefix for the segments of a playlist")
	// ErrNotAllowed: a playlist names a file that is hidden, or not what it is
	// named for: no media file, no key of 16 or 32 bytes. See AllowFiles.
	// Nothing was created.
	ErrNotAllowed = errors.New("is not taken along without AllowFiles")
	// ErrPlaylist: the source is a playlist, and what it names cannot be taken
	// along: by a Reader or ReaderAt, or to a target that is one file.
	ErrPlaylist = errors.New("the source is a playlist, and its segments would be nowhere")
)

// Bounds of an upload with playlists.
const (
	maxPlaylists = 64 << 20 // bytes of all
	maxDocuments = 4096     // playlists and asset lists
	maxNesting   = 8
)

// HLSOption changes what an [HLS] upload takes.
type HLSOption func(*hlsSource)

// KeepRemote leaves http and https URLs in playlists as they are. Without it
// and FetchRemote they are refused. URLs of keys are always left: they are
// those of a key server.
func KeepRemote() HLSOption { return func(s *hlsSource) { s.keep = true } }

// FetchRemote uploads what playlists name by http and https URLs too, as [URL]
// does, and puts it in the place of the URL. Keys are never fetched. A header
// in opts needs the origins that it is for, see [URLHeader].
func FetchRemote(opts ...URLOption) HLSOption {
	return func(s *hlsSource) { s.remote = newURL(opts) }
}

// AllowFiles takes along files that playlists name and that are refused
// otherwise, where allow returns true: hidden ones (".x"), files without the
// extension of a segment, keys of another size. path is the path in the
// playlist's folder, with slashes. Files outside of the folder, folders and
// devices stay refused.
func AllowFiles(allow func(path string) bool) HLSOption {
	return func(s *hlsSource) { s.allow = allow }
}

// HLS is a playlist on disk with everything it names: playlists, segments,
// initialization sections, keys, lists of interstitials. A [File] whose name
// ends in ".m3u8", or that begins with "#EXTM3U", is the same where the target
// makes an asset of it; HLS goes to any [Bucket] too.
//
// All of it has to be in the folder of the playlist or below; links that lead
// out of there are refused. A playlist can come from a stranger: hidden files,
// files that are no segments by their extension, and keys that do not have 16
// or 32 bytes are refused, see [AllowFiles]. So is what cannot be followed: a
// URI in a tag that is served live, a delta update. All is looked through
// before anything is created: what is missing, too short, refused or a loop is
// a [*PlaylistError] with its line.
//
// The files go in parallel under the credential of the asset, then the
// playlists they are in, and last the one of this name. Each file is stored
// once, under its own base name if that is free and made of unreserved
// characters, else under one like it, and the stored playlists have these
// names. A playlist is stored with the extension and type of one. [Result].Size
// and [Progress] count all of it.
//
// After a failure the files that are stored already stay; they go with the
// asset. With a checkpoint they are not sent again if their CRC-64 is still the
// same, and the parts of large ones are gone on with.
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
	name   string
	as     string // name that the user gives; empty for its own
	fsys   fs.FS
	isFS   bool       // else it is a file of the operating system
	dir    string     // of the operating system, links resolved; empty for others
	web    *urlSource // it is on a server
	keep   bool
	remote *urlSource // how files on other servers are fetched; nil: they are not
	allow  func(path string) bool
}

// openFor opens src for target, which may take the segments of a playlist.
func openFor(ctx context.Context, src Source, target Target, u *Uploader) (*content, error) {
	c, err := openPlain(ctx, src, target, u)
	if err == nil {
		err = checkName(c.name)
	}
	if err != nil && c != nil {
		_ = c.close()
		c = nil
	}
	return c, err
}

func openPlain(ctx context.Context, src Source, target Target, u *Uploader) (*content, error) {
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
			s.name = name
		}
		return s.openFor(ctx, target, u)
	}
	c, err := src.open(ctx, u)
	if err != nil {
		return nil, err
	}
	isPlaylist := c.isPlaylist()
	c.name = cmp.Or(name, c.name)
	if takesFiles(target) || !isPlaylist && !isPlaylistName(name) {
		return c, nil
	}
	_ = c.close()
	if f, ok := src.(fileSource); ok {
		return hlsSource{name: f.name, as: name, fsys: f.fsys, isFS: f.fsys != nil}.openFor(ctx, target, u)
	}
	return nil, errNoFolder
}

var errNoFolder = fmt.Errorf("%w: use HLS, HLSFS or URL", ErrPlaylist)

// refusePlaylist is an error where the first bytes of a stream are those of a
// playlist, and target makes an asset of it.
func (r *run) refusePlaylist(target Target) error {
	if r.content.slices != nil || takesFiles(target) {
		return nil
	}
	var head [len(playlistBOM) + len(playlistMark)]byte
	n, _ := r.first.data.ReadAt(head[:], 0)
	if beginsAsPlaylist(head[:n]) {
		return errNoFolder
	}
	return nil
}

// takesFiles reports whether a playlist is a file like any other for target.
func takesFiles(target Target) bool {
	switch t := target.(type) {
	case Bucket:
		return t.Register == nil
	case *Bucket:
		return t.Register == nil
	}
	return false
}

// isPlaylist goes by the name and, where the content can be read anywhere, by
// its first bytes.
func (c *content) isPlaylist() bool {
	if isPlaylistName(c.name) {
		return true
	}
	var head [len(playlistBOM) + len(playlistMark)]byte
	if c.at == nil {
		return false
	}
	n, _ := c.at.ReadAt(head[:min(int64(len(head)), c.size)], 0)
	return beginsAsPlaylist(head[:n])
}

// openFor opens the file, or what a playlist names.
func (s *urlSource) openFor(ctx context.Context, target Target, u *Uploader) (*content, error) {
	d, err := s.download(ctx, u)
	if err != nil {
		return nil, err
	}
	if takesFiles(target) || !d.isPlaylist() {
		return d.content(), nil
	}
	defer d.cancel()
	text, err := readAll(d, maxPlaylist)
	if err != nil {
		return nil, err
	}
	list := newHLS(hlsSource{name: d.fileName, web: s}, s.playlist)
	list.web = s
	return list.openAs(ctx, target, u, &hlsFile{path: d.fileName, url: s.from, final: d.final, own: true, raw: text})
}

func (s hlsSource) openFor(ctx context.Context, target Target, u *Uploader) (*content, error) {
	return s.openAs(ctx, target, u, &hlsFile{path: s.name})
}

// openAs looks through the playlist for a target.
func (s hlsSource) openAs(ctx context.Context, target Target, u *Uploader, top *hlsFile) (*content, error) {
	prefix := ""
	switch t := target.(type) {
	case VODVideo, *VODVideo, ICEMedia, *ICEMedia, ICEStream, *ICEStream:
	case Bucket:
		prefix = t.segmentsPrefix(cmp.Or(s.as, s.base()))
	case *Bucket:
		prefix = t.segmentsPrefix(cmp.Or(s.as, s.base()))
	default:
		return nil, fmt.Errorf("%w: %T takes no playlists: use VODVideo, ICEMedia, ICEStream or Bucket", ErrPlaylist, target)
	}
	return s.scan(ctx, u, prefix, top)
}

// segmentsPrefix is how a playlist in the bucket refers to its segments.
func (t Bucket) segmentsPrefix(name string) string {
	return relative(url.PathEscape(path.Base(slicesOf(t.key(playlistName(name))))) + "/")
}

// playlistName is name with the extension of a playlist.
func playlistName(name string) string {
	if name == "" || isPlaylistName(name) {
		return name
	}
	if ext := mediatype.Extension(name); ext != "" {
		name = name[:len(name)-len(ext)-1]
	}
	return name + ".m3u8"
}

// slicesOf is the prefix in an own bucket for the segments of a playlist.
func slicesOf(key string) string { return strings.TrimSuffix(key, path.Ext(key)) + "/" }

func (s hlsSource) open(ctx context.Context, u *Uploader) (*content, error) {
	return s.scan(ctx, u, "", &hlsFile{path: s.name})
}

func (s hlsSource) base() string {
	if s.isFS || s.web != nil {
		return path.Base(s.name)
	}
	return filepath.Base(s.name)
}

// scan looks through all playlists from top on. prefix is how top refers to
// the others and to the segments.
func (s hlsSource) scan(ctx context.Context, u *Uploader, prefix string, top *hlsFile) (_ *content, err error) {
	done := func() error { return nil }
	switch {
	case s.remote != nil && s.remote.invalid != nil:
		return nil, s.remote.invalid
	case s.remote != nil && slices.ContainsFunc(s.remote.headers, func(h originHeader) bool { return h.origins == nil }):
		return nil, errors.New("FetchRemote: a header needs the origins that it is for, such as URLHeader(header, \"https://media.example.com\")")
	case s.web != nil:
	case s.isFS && s.fsys == nil:
		return nil, errors.New("the file system is nil")
	case !s.isFS:
		root, err := os.OpenRoot(filepath.Dir(s.name))
		if err != nil {
			return nil, err
		}
		s.fsys, top.path, done = root.FS(), s.base(), root.Close
		if s.dir, err = filepath.Abs(filepath.Dir(s.name)); err == nil {
			s.dir, err = filepath.EvalSymlinks(s.dir)
		}
		if err != nil {
			_ = root.Close()
			return nil, err
		}
		top.real = s.resolve(top.path)
	}
	defer func() {
		if err != nil {
			_ = done()
		}
	}()
	files := &hlsFiles{hlsSource: s}
	x := &hlsScan{hlsFiles: files, ctx: ctx, uploader: u, known: map[string]*hlsFile{top.key(): top}}
	if err := x.read(top, nested, 0); err != nil {
		return nil, err
	}
	if x.missing > 1 {
		return nil, fmt.Errorf("%w, and %d files more", x.firstMissing, x.missing-1)
	}
	if x.missing > 0 {
		return nil, x.firstMissing
	}
	if x.references == 0 {
		return nil, &PlaylistError{Playlist: top.shown(), Err: fmt.Errorf("%w: no file is named", ErrEmpty)}
	}
	var names segmentNames
	for _, f := range files.all {
		name := f.base()
		if f.list != nil && !f.list.json {
			name = playlistName(name)
		} else if f.list != nil && !strings.EqualFold(path.Ext(name), ".json") {
			name += ".json"
		}
		f.name = names.give(name)
	}
	for _, f := range files.all {
		f.rewrite("")
	}
	top.rewrite(prefix)
	return &content{
		name: playlistName(cmp.Or(s.as, s.base())), size: top.size, at: bytes.NewReader(top.text),
		changed: never, close: done, identity: files.identity(top), slices: files,
	}, nil
}

// identity is what all files together are recognized by. Those on a server
// cannot be.
func (s *hlsFiles) identity(top *hlsFile) identity {
	name, err := filepath.Abs(s.name)
	if err != nil || s.isFS || s.web != nil {
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
	path  string   // in the folder, or
	url   *url.URL // on a server
	real  string   // path, where that is a link
	name  string   // beside the playlist in the bucket
	size  int64    // UnknownSize on a server
	mod   time.Time
	least int64 // bytes that the ranges of it need

	number int // among the files that are sent

	// Of a playlist.
	rank  int // above that of every playlist in it; 0 for other files
	open  bool
	raw   []byte   // as it was read with the source
	final *url.URL // that references are relative to, on a server
	own   bool     // on the server of the playlist that is the source
	list  *playlist
	to    []string   // what to write for a reference, where it is to no file,
	file  []*hlsFile // or the file
	text  []byte     // rewritten
}

// key is what the file is known by.
func (f *hlsFile) key() string {
	if f.url != nil {
		return f.url.String()
	}
	return f.path
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

// rewrite makes the references of a playlist those to the names in the bucket.
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
	f.list, f.to, f.file, f.raw = nil, nil, nil, nil
}

// hlsScan is the look through the playlists of a source.
type hlsScan struct {
	*hlsFiles
	ctx      context.Context
	uploader *Uploader
	known    map[string]*hlsFile // by path or URL

	bytes, references, documents int // of all playlists

	missing      int
	firstMissing error
}

// read looks through a playlist or an asset list. Errors of it are
// *PlaylistError.
func (s *hlsScan) read(f *hlsFile, role role, depth int) error {
	f.rank, f.open = 1, true
	defer func() { f.open = false }()
	s.documents++
	text, err := s.text(f)
	switch {
	case err != nil:
	case role == assetList:
		f.list, err = parseAssetList(text)
	default:
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
	case s.documents > maxDocuments:
		err = fmt.Errorf("more than %d playlists", maxDocuments)
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

// text is a playlist's, as it is. It finds out what references of a playlist
// on a server are relative to.
func (s *hlsScan) text(f *hlsFile) ([]byte, error) {
	if f.raw != nil {
		return f.raw, nil
	}
	if f.url != nil {
		d, err := s.sourceOf(f).download(s.ctx, s.uploader)
		if err != nil {
			return nil, err
		}
		defer d.cancel()
		f.final = d.final
		return readAll(d, maxPlaylist)
	}
	c, err := s.openFile(s.ctx, s.uploader, f)
	if err != nil {
		return nil, err
	}
	defer c.close()
	r := c.stream
	if c.at != nil {
		r = io.NewSectionReader(c.at, 0, maxPlaylist+1)
	}
	return readAll(r, maxPlaylist)
}

// readAll reads at most limit bytes and one.
func readAll(r io.Reader, limit int64) ([]byte, error) {
	return io.ReadAll(io.LimitReader(r, limit+1))
}

// follow finds out what a reference is to.
func (s *hlsScan) follow(f *hlsFile, i int, ref reference, depth int) (err error) {
	scheme := schemeOf(ref.uri)
	onServer := scheme == "http" || scheme == "https" || scheme == "//"
	switch {
	case scheme == "data" && ref.role.isDocument():
		return errors.New("a playlist within a URI (data:)")
	case scheme == "data":
	case scheme == "file" || len(scheme) == 1: // "C:"
		name, ok := s.inside(ref.uri)
		if f.url != nil || !ok {
			return ErrOutside
		}
		f.file[i], err = s.local(f, []string{name}, ref, depth)
	case scheme != "" && ref.role == keyFile:
	case ref.role == liveServer && !(onServer && s.keep):
		return errors.New("is served while the playlist is played, and cannot be uploaded")
	case scheme == "" && f.url == nil:
		names, outside := localPaths(path.Dir(f.path), ref.uri)
		if outside != nil {
			name, ok := s.inside(ref.uri)
			if !ok {
				return outside
			}
			names = []string{name}
		}
		f.file[i], err = s.local(f, names, ref, depth)
	case scheme != "" && !onServer:
		return fmt.Errorf("the scheme %.20q is neither https nor http", scheme)
	default:
		return s.onServer(f, i, ref, depth)
	}
	return err
}

// onServer follows a reference to a server.
func (s *hlsScan) onServer(f *hlsFile, i int, ref reference, depth int) (err error) {
	from := f.final
	if from == nil {
		from = &url.URL{Scheme: "https"}
	}
	u, err := from.Parse(ref.uri)
	if err != nil {
		return errors.New("not a URL")
	}
	u.Fragment, u.RawFragment = "", ""
	own := f.url != nil && originOf(u) == originOf(from)
	if own && u.User == nil {
		u.User = from.User
	}
	switch {
	case ref.role == keyFile: // beside a playlist on a server
		u.User = nil
		f.to[i] = u.String()
	case ref.role == liveServer: // kept
	case own || s.remote != nil:
		if ref.role == otherFile && !isSegmentName(u.Path) && !(s.allow != nil && s.allow(u.Path)) {
			return ErrNotAllowed // it may be there to be counted
		}
		f.file[i], err = s.add(u.String(), ref, depth, func() (*hlsFile, error) {
			return &hlsFile{url: u, own: own && f.own, size: UnknownSize}, nil
		})
	case !s.keep:
		return ErrRemote
	case u.User != nil:
		return errors.New("a URL with a user and password would be public in the stored playlist")
	}
	return err
}

// inside is the path in the folder of an absolute path or file URI, where it
// leads there.
func (s *hlsFiles) inside(uri string) (string, bool) {
	if s.dir == "" {
		return "", false
	}
	name := uri
	if u, err := url.Parse(uri); err == nil && u.Scheme == "file" {
		if u.Host != "" && u.Host != "localhost" {
			return "", false
		}
		name = u.Path
	}
	name = filepath.FromSlash(name)
	if !filepath.IsAbs(name) {
		return "", false
	}
	for _, dir := range []string{s.dir, filepath.Dir(s.name)} {
		dir, err := filepath.Abs(dir)
		if err != nil {
			continue
		}
		if rel, err := filepath.Rel(dir, name); err == nil && filepath.IsLocal(rel) {
			return filepath.ToSlash(rel), true
		}
	}
	return "", false
}

// local is a file in the folder, by the first of its names that is there.
func (s *hlsScan) local(f *hlsFile, names []string, ref reference, depth int) (*hlsFile, error) {
	for _, name := range names {
		file, err := s.add(name, ref, depth, func() (*hlsFile, error) { return s.look(name, ref) })
		if !errors.Is(err, fs.ErrNotExist) || file != nil {
			return file, err
		}
	}
	return nil, fmt.Errorf("%s: %w", names[0], fs.ErrNotExist)
}

// look is what a file is.
func (s *hlsScan) look(name string, ref reference) (*hlsFile, error) {
	f := &hlsFile{path: name, real: s.resolve(name)}
	allowed := s.allow != nil && s.allow(name)
	if !allowed && (isHidden(name) || isHidden(f.real)) {
		return nil, fmt.Errorf("a hidden file %w", ErrNotAllowed)
	}
	info, err := fs.Stat(s.fsys, f.real)
	if err == nil {
		err = checkFile(info)
	}
	if err != nil {
		return nil, err
	}
	f.size, f.mod = info.Size(), info.ModTime()
	switch {
	case f.size == 0:
		return nil, ErrEmpty
	case f.size > maxObject:
		return nil, fmt.Errorf("%d bytes: OSS takes objects of at most %d bytes", f.size, int64(maxObject))
	case allowed || ref.role.isDocument():
	case ref.role == keyFile && f.size != 16 && f.size != 32:
		return nil, fmt.Errorf("a key of %d bytes, not 16 or 32, %w", f.size, ErrNotAllowed)
	case ref.role != keyFile && !(isSegmentName(name) && isSegmentName(f.real)):
		return nil, fmt.Errorf("a file without the extension of a segment %w", ErrNotAllowed)
	}
	return f, nil
}

// isHidden reports whether a file or a folder on the way to it begins with a
// dot.
func isHidden(name string) bool {
	return strings.HasPrefix(name, ".") && name != "." || strings.Contains(name, "/.")
}

// resolve follows the links on the way to a file of the operating system, so
// that absolute ones may stay in the folder. What leads out of it remains, and
// is refused when it is opened.
func (s hlsSource) resolve(name string) string {
	if s.dir == "" {
		return name
	}
	real, err := filepath.EvalSymlinks(filepath.Join(s.dir, filepath.FromSlash(name)))
	if err != nil {
		return name
	}
	rel, err := filepath.Rel(s.dir, real)
	if err != nil || !filepath.IsLocal(rel) {
		return name
	}
	return filepath.ToSlash(rel)
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
		if ref.role == assetFile {
			if ref.role, err = s.kindOf(f); err != nil {
				return nil, err
			}
		}
		s.known[name] = f
		s.all = append(s.all, f)
		if ref.role.isDocument() {
			if err := s.read(f, ref.role, depth+1); err != nil {
				return f, err
			}
		}
	}
	switch {
	case f.open:
		return f, ErrLoop
	case ref.role != assetFile && ref.role.isDocument() != (f.rank > 0):
		return f, errors.New("is named as a playlist and as a segment")
	case f.url == nil && f.rank == 0 && ref.least > f.size:
		return f, fmt.Errorf("%w: its byte range ends at %d, the file has %d bytes", ErrSize, ref.least, f.size)
	}
	f.least = max(f.least, ref.least)
	return f, nil
}

// kindOf finds out whether an asset is a playlist or a media file.
func (s *hlsScan) kindOf(f *hlsFile) (role, error) {
	if f.url != nil {
		d, err := s.sourceOf(f).download(s.ctx, s.uploader)
		if err != nil {
			return 0, err
		}
		defer d.cancel()
		if d.isPlaylist() {
			return nested, nil
		}
		return segmentFile, nil
	}
	c, err := s.openFile(s.ctx, s.uploader, f)
	if err != nil {
		return 0, err
	}
	defer c.close()
	if c.isPlaylist() {
		return nested, nil
	}
	return segmentFile, nil
}

// sourceOf is how a file on a server is fetched: as the playlist that is the
// source, where it is on the same server, else as FetchRemote says.
func (s *hlsFiles) sourceOf(f *hlsFile) *urlSource {
	if s.web != nil && (f.own || s.remote == nil) {
		return s.web.at(f.url)
	}
	return s.remote.at(f.url)
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
		return s.sourceOf(f).open(ctx, u)
	}
	return FS(s.fsys, cmp.Or(f.real, f.path)).open(ctx, u)
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
		if sum, ok := s.stored.files[i]; ok {
			same, err := s.unchanged(ctx, r.Uploader, f, sum)
			if err != nil {
				return fmt.Errorf("%s: %w", f.shown(), err)
			}
			if same {
				r.tracker.resumed(f.size)
				continue
			}
			r.log.WarnContext(ctx, "upload: a stored file of the playlist has changed, sending it again", "file", f.shown())
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
	if r.journal != nil {
		r.abandonSegments(ctx, r.place) // of files that an earlier run named
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
	to := r.place
	to.address.Key = to.prefix + f.name
	journal, err := s.stored.journalOf(ctx, r, f, plan, to)
	if err != nil {
		return err
	}
	if was, earlier := journal.state(); earlier && was.UploadId != "" {
		plan.part = was.PartSize // the parts were cut as it was set then
	}
	feed := c.feed(plan, 1)
	defer feed.stop()
	first, err := feed.next(ctx)
	if err != nil {
		return err
	}
	sending := &sending{
		session: r.session(to), plan: plan, content: c, slots: r.slots, limit: r.limit, tracker: r.tracker.part(), journal: journal,
		// Sending a file again does no harm, so it is as good as not there.
		arrived: func(context.Context) (bool, error) { return false, nil },
	}
	done, err := sending.run(ctx, feed, first)
	if err == nil && done.size < f.least {
		err = fmt.Errorf("%w: a byte range ends at %d, the file has %d bytes", ErrSize, f.least, done.size)
	}
	if err != nil {
		journal.close(false)
		sending.tracker.restart()
		return err
	}
	f.size = done.size
	err = s.stored.add(f, done.crc)
	journal.close(true)
	return err
}

// unchanged reports whether a file has the CRC-64 that it was stored with.
func (s *hlsFiles) unchanged(ctx context.Context, u *Uploader, f *hlsFile, want uint64) (bool, error) {
	c, err := s.contentOf(ctx, u, f)
	if err != nil {
		return false, err
	}
	defer c.close()
	r := c.stream
	if c.at != nil {
		r = io.NewSectionReader(c.at, 0, c.size)
	}
	hash := new(crc64.Hash)
	n, err := io.Copy(hash, &contextReader{ctx, r})
	if ctx.Err() != nil {
		err = ended(ctx)
	}
	if err == nil && f.size == UnknownSize {
		f.size = n
	}
	return err == nil && hash.Sum64() == want, err
}

// contentOf opens a file as it is to be stored.
func (s *hlsFiles) contentOf(ctx context.Context, u *Uploader, f *hlsFile) (*content, error) {
	switch {
	case f.text != nil:
		return &content{size: f.size, at: bytes.NewReader(f.text), changed: never, close: func() error { return nil }}, nil
	case f.url == nil:
		now, err := fs.Stat(s.fsys, cmp.Or(f.real, f.path))
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
// number and CRC-64 of each file. Without a checkpoint nothing is recorded.
type storedFiles struct {
	Source  identity `json:"source"`
	MediaId string   `json:"mediaId"`
	Prefix  string   `json:"prefix"`

	journal *journal
	files   map[int]uint64 // CRC-64 by number, of an earlier run

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
	s.Prefix, s.files = was.Prefix, make(map[int]uint64)
	for rest := lines; ; {
		line, more, ok := bytes.Cut(rest, []byte("\n"))
		first, second, ok2 := strings.Cut(string(line), " ")
		number, err := strconv.Atoi(first)
		sum, err2 := strconv.ParseUint(second, 16, 64)
		if !ok || !ok2 || err != nil || err2 != nil {
			return lines[:len(lines)-len(rest)]
		}
		s.files[number] = sum
		rest = more
	}
}

// add records a file.
func (s *storedFiles) add(f *hlsFile, sum uint64) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.file == nil {
		return nil
	}
	_, err := fmt.Fprintf(s.file, "%d %016x\n", f.number, sum)
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

const (
	segmentsEnd = ".segments" // of the name of the file
	segmentMark = ".segment-" // before the number of a large one, in the name of its checkpoint
)

func (s *storedFiles) name() string { return s.journal.name + segmentsEnd }

// journalOf is the checkpoint of one file that is sent in parts, nil for
// others. What is left there of another file or another key is removed.
func (s *storedFiles) journalOf(ctx context.Context, r *run, f *hlsFile, p plan, to place) (*journal, error) {
	if s.journal == nil || p.single {
		return nil, nil
	}
	root, err := s.journal.dir.root.OpenRoot(".")
	if err != nil {
		return nil, s.journal.failed(err)
	}
	j := &journal{
		dir: &stateDir{root, s.journal.dir.path}, name: s.journal.name + segmentMark + strconv.Itoa(f.number),
		required: s.journal.required, log: s.journal.log, unlock: func(bool) {},
	}
	if err := j.read(); err != nil {
		j.close(false)
		return nil, s.journal.failed(err)
	}
	source := f.identity()
	was, earlier := j.state()
	if earlier && was.Source == source && was.Address.Bucket == to.address.Bucket && was.Address.Key == to.address.Key {
		return j, nil
	}
	if earlier {
		r.abortSegment(ctx, to, was)
	}
	j.start(source)
	j.rec.Step, j.rec.MediaId, j.rec.Address = stepSending, to.mediaId, to.address // written with the upload ID
	return j, nil
}

// identity is what the file is recognized by among those of its playlist.
func (f *hlsFile) identity() identity {
	switch {
	case f.text != nil:
		return identity{Source: f.name, Size: f.size, Files: digest(string(f.text))}
	case f.url != nil:
		return identity{Source: unsigned(f.url.String()), Query: digest(f.url.RawQuery), Size: UnknownSize}
	}
	return identity{Source: f.path, Size: f.size, Modified: f.mod.UTC().Format(time.RFC3339Nano)}
}

// abortSegment removes the parts of a file that nobody will go on with.
func (r *run) abortSegment(ctx context.Context, to place, was record) {
	if was.UploadId == "" {
		return
	}
	to.address = was.Address
	s := r.session(to)
	err := s.call(ctx, "AbortMultipartUpload", func(a attempt) error { return a.abort(a, was.UploadId) })
	if err != nil && !isLost(err) {
		r.log.WarnContext(ctx, "upload: parts of a file of the playlist not removed", "upload_id", was.UploadId, "error", err)
	}
}

// abandonSegments removes the parts of all files of a playlist, when the
// upload begins again. p has the credentials.
func (r *run) abandonSegments(ctx context.Context, p place) {
	for _, name := range r.journal.segments() {
		if data, err := r.journal.dir.read(name, maxCheckpoint); err == nil {
			if was, _, err := parseCheckpoint(data); err == nil {
				r.abortSegment(ctx, p, was)
			}
		}
		_ = r.journal.dir.root.Remove(name)
	}
}

// segments are the checkpoints of the large files of a playlist.
func (j *journal) segments() (all []string) {
	return j.dir.segmentsOf(j.name)
}

func (d *stateDir) segmentsOf(upload string) (all []string) {
	entries, _ := fs.ReadDir(d.root.FS(), ".")
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), upload+segmentMark) {
			all = append(all, e.Name())
		}
	}
	return all
}

// forget removes the record of a playlist that is stored.
func (s *hlsFiles) forget(j *journal) {
	if s == nil || j == nil {
		return
	}
	_ = j.dir.root.Remove((&storedFiles{journal: j}).name())
	for _, name := range j.segments() {
		_ = j.dir.root.Remove(name)
	}
}
