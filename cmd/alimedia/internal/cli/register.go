package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync"

	"github.com/spf13/cobra"

	"github.com/alimedia/alimedia-go"
	"github.com/alimedia/alimedia-go/ice"
	"github.com/alimedia/alimedia-go/vod"
)

// registering is one run of register.
type registering struct {
	*app
	as                                  string
	from                                []string
	title, tags, group, workflow, media string
	category                            int64
	userData                            string
	overwrite                           bool
	streamTags                          map[string]string
	parallel                            int
	region                              string

	total, failed int
	made          int // that were not registered before
	last          error
}

var registerKinds = []string{"vod", "ice", "stream"}

const (
	defaultParallel = 8
	mostParallel    = 64
)

func newRegisterCommand(a *app) *cobra.Command {
	r := &registering{app: a}
	cmd := &cobra.Command{
		Use:   "register URL...",
		Short: "Register files that are in OSS as media assets",
		Long: `register makes media assets of objects that are in OSS already. A URL is
oss://bucket/key, or https://bucket.oss-region.aliyuncs.com/key. With - or --from
it reads one URL a line, with the title behind a tab if the line has one. Lines
that begin with # are left out. There may be any number of lines.

--as says what the objects become:
  vod     assets of VOD (RegisterMedia, ten files of a bucket at once, paced)
  ice     assets of ICE (RegisterMediaInfo)
  stream  streams of the ICE asset --media-id (RegisterMediaStream)

A file that was registered before keeps its MediaId, and is no failure. Titles
may contain {name} (the file without its extension), {file} and {ext}.`,
		Example: `  alimedia register oss://my-bucket/films/a.mp4 --title "{name}"
  ossutil ls oss://my-bucket/films/ -s | grep ^oss:// | alimedia register --as ice --json - > registered.jsonl`,
		ValidArgsFunction: noFiles,
		RunE:              func(_ *cobra.Command, args []string) error { return r.run(args) },
	}
	flags := cmd.Flags()
	flags.StringVar(&r.as, "as", "vod", "what the objects become: vod, ice or stream")
	flags.StringArrayVar(&r.from, "from", nil, "file with one URL a line; repeat it for several")
	flags.StringVar(&r.title, "title", "", "title, with {name}, {file} and {ext} (default: the name of the file)")
	flags.StringVar(&r.tags, "tags", "", "tags, separated by commas")
	flags.Int64Var(&r.category, "category", 0, "ID of the category")
	flags.StringVar(&r.group, "template-group", "", "vod: template group; "+vod.NoTranscode+" makes files playable as they are")
	flags.StringVar(&r.workflow, "workflow", "", "ID of the workflow")
	flags.StringVar(&r.userData, "user-data", "", "UserData as JSON, or @FILE")
	flags.BoolVar(&r.overwrite, "overwrite", false, "ice: replace the asset that a URL is registered as; its MediaId changes")
	flags.StringVar(&r.media, "media-id", "", "stream: the asset that the streams belong to")
	flags.StringToStringVar(&r.streamTags, "stream-tags", nil, "stream: tags of the streams, as key=value")
	flags.IntVar(&r.parallel, "parallel", defaultParallel, "ice, stream: calls at once")
	completeValues(cmd, "as", registerKinds)
	return cmd
}

// file is one object to register.
type file struct{ url, title string }

func (r *registering) run(args []string) error {
	if err := r.check(args); err != nil {
		return err
	}
	cfg, err := r.config()
	if err != nil {
		return err
	}
	r.region = cfg.Region
	var reading error
	files := func(yield func(file) bool) {
		for f, err := range r.ahead(r.files(args)) {
			if err != nil {
				reading = err
				return
			}
			if !yield(f) {
				return
			}
		}
	}
	switch r.as {
	case "vod":
		err = r.inVOD(files)
		if r.made > 0 && r.group == "" && r.workflow == "" {
			r.notef("the files cannot be played until they are transcoded; --template-group %s makes them playable as they are", vod.NoTranscode)
		}
	default:
		err = r.inICE(files)
	}
	switch {
	case err != nil:
		return err
	case reading != nil:
		return reading
	case r.ctx.Err() != nil:
		return r.ctx.Err()
	case r.total == 0:
		return usagef("no URLs: standard input or the file is empty")
	case r.failed > 0:
		return partly(r.failed, r.total, r.last)
	}
	return nil
}

func (r *registering) check(args []string) error {
	only := func(kind, flag string, set bool) error {
		if set && r.as != kind {
			return usagef("--%s has no meaning for --as %s", flag, r.as)
		}
		return nil
	}
	switch {
	case !slices.Contains(registerKinds, r.as):
		return usagef("--as %.20q is not one of %s", r.as, strings.Join(registerKinds, ", "))
	case r.as == "stream" && r.media == "":
		return usagef("--as stream needs --media-id")
	case r.as == "stream" && (r.title+r.tags+r.workflow != "" || r.category != 0):
		return usagef("--title, --tags, --category and --workflow have no meaning for --as stream")
	case r.parallel < 1 || r.parallel > mostParallel:
		return usagef("--parallel is 1 to %d", mostParallel)
	case len(args)+len(r.from) == 0 && r.term.In.TTY:
		return usagef("no URLs: name them, or - or --from to read them one a line")
	}
	if name, ok := strings.CutPrefix(r.userData, "@"); ok {
		text, err := r.read(name)
		if err != nil {
			return err
		}
		r.userData = text
	}
	return errors.Join(only("vod", "template-group", r.group != ""), only("ice", "overwrite", r.overwrite), only("stream", "media-id", r.media != ""),
		only("stream", "stream-tags", len(r.streamTags) > 0))
}

// ahead reads files in a goroutine, so that a standard input that nobody writes
// to does not keep the command from ending.
func (r *registering) ahead(files iter.Seq2[file, error]) iter.Seq2[file, error] {
	type read struct {
		file
		err error
	}
	return func(yield func(file, error) bool) {
		next, done := make(chan read), make(chan struct{})
		defer close(done)
		go func() {
			defer close(next)
			for f, err := range files {
				select {
				case next <- read{f, err}:
				case <-done:
					return
				}
			}
		}()
		for {
			select {
			case f, more := <-next:
				if !more || !yield(f.file, f.err) {
					return
				}
			case <-r.ctx.Done():
				return
			}
		}
	}
}

// files are those of the arguments, of --from and of standard input. They are
// read as they are taken, because there may be millions.
func (r *registering) files(args []string) iter.Seq2[file, error] {
	return func(yield func(file, error) bool) {
		if len(args)+len(r.from) == 0 {
			args = []string{"-"}
		}
		for _, arg := range args {
			if arg == "-" {
				if !lines(r.in, "standard input", yield) {
					return
				}
			} else if !yield(file{url: arg}, nil) {
				return
			}
		}
		for _, name := range r.from {
			f, err := os.Open(name)
			if err != nil {
				yield(file{}, err)
				return
			}
			more := lines(f, name, yield)
			f.Close()
			if !more {
				return
			}
		}
	}
}

func lines(in io.Reader, name string, yield func(file, error) bool) bool {
	s := bufio.NewScanner(in)
	s.Buffer(nil, maxLine)
	for s.Scan() {
		line := strings.TrimSpace(s.Text())
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		address, title, _ := strings.Cut(line, "\t")
		if !yield(file{strings.TrimSpace(address), strings.TrimSpace(title)}, nil) {
			return false
		}
	}
	if err := s.Err(); err != nil {
		yield(file{}, fmt.Errorf("%s: %w", name, err))
		return false
	}
	return true
}

// objectURL is the http form of a URL, which VOD takes.
func (r *registering) objectURL(address string) string {
	rest, ok := strings.CutPrefix(address, "oss://")
	if !ok {
		return address
	}
	bucket, key, _ := strings.Cut(rest, "/")
	u := url.URL{Scheme: "https", Host: bucket + ".oss-" + r.region + ".aliyuncs.com", Path: "/" + key}
	return strings.ReplaceAll(u.String(), "+", "%2B")
}

// titleOf is the title of a file.
func (r *registering) titleOf(f file) string {
	base := f.url
	if u, err := url.Parse(f.url); err == nil && !strings.HasPrefix(f.url, "oss://") {
		base = u.Path
	}
	base = base[strings.LastIndexByte(base, '/')+1:]
	name, ext := base, ""
	if i := strings.LastIndexByte(base, '.'); i > 0 {
		name, ext = base[:i], base[i+1:]
	}
	switch {
	case f.title != "":
		return f.title
	case r.title != "":
		return strings.NewReplacer("{name}", name, "{file}", base, "{ext}", ext).Replace(r.title)
	case r.as == "vod":
		return base
	}
	return name
}

// told prints what became of a file.
func (r *registering) told(address, mediaId string, known bool, err error) error {
	r.total++
	if err != nil {
		r.failed, r.last = r.failed+1, err
		r.complain(address, err)
		return nil
	}
	if !known {
		r.made++
	}
	if r.flags.json {
		return r.emit(map[string]any{"url": address, "mediaId": mediaId, "new": !known})
	}
	word := "registered"
	if known {
		word = "known"
	}
	_, err = fmt.Fprintf(r.out, "%-10s  %s  %s\n", clean([]any{word, mediaId, address})...)
	return err
}

func (r *registering) inVOD(files iter.Seq[file]) error {
	client, err := r.vod()
	if err != nil {
		return err
	}
	given := map[string][]string{} // how a URL was written, where that differs
	var mu sync.Mutex
	all := func(yield func(vod.RegisterMetadata) bool) {
		for f := range files {
			address := r.objectURL(f.url)
			if address != f.url {
				mu.Lock()
				given[address] = append(given[address], f.url)
				mu.Unlock()
			}
			if !yield(vod.RegisterMetadata{FileURL: address, Title: r.titleOf(f), Tags: r.tags, CateId: r.category}) {
				return
			}
		}
	}
	req := vod.RegisterMediaRequest{TemplateGroupId: r.group, WorkflowId: r.workflow}
	if r.userData != "" {
		req.UserData = vod.UserData{Raw: alimedia.JSON(r.userData)}
	}
	for res := range client.RegisterMediaAll(r.ctx, req, all) {
		address := res.File.FileURL
		mu.Lock()
		if names := given[address]; len(names) > 0 {
			address, given[address] = names[0], names[1:]
			if len(names) == 1 {
				delete(given, res.File.FileURL)
			}
		}
		mu.Unlock()
		if err := r.told(address, res.MediaId, res.AlreadyRegistered, res.Err); err != nil {
			return err
		}
	}
	return nil
}

func (r *registering) inICE(files iter.Seq[file]) error {
	client, err := r.ice()
	if err != nil {
		return err
	}
	type result struct {
		url, mediaId string
		known        bool
		err          error
	}
	ctx, cancel := context.WithCancel(r.ctx)
	defer cancel()
	work, results := make(chan file), make(chan result)
	var wg sync.WaitGroup
	for range r.parallel {
		wg.Go(func() {
			for f := range work {
				id, known, err := r.registerICE(ctx, client, f)
				results <- result{f.url, id, known, err}
			}
		})
	}
	go func() {
		defer close(results)
		defer wg.Wait()
		defer close(work)
		for f := range files {
			select {
			case work <- f:
			case <-ctx.Done():
				return
			}
		}
	}()
	for res := range results {
		if err != nil {
			continue // the output is gone: what runs is waited for
		}
		if err = r.told(res.url, res.mediaId, res.known, res.err); err != nil {
			cancel()
		}
	}
	return err
}

// registerICE registers one file. One that is registered already has its
// MediaId looked up.
func (r *registering) registerICE(ctx context.Context, client *ice.Client, f file) (mediaId string, known bool, err error) {
	var data ice.UserData
	if r.userData != "" {
		data.Raw = alimedia.JSON(r.userData)
	}
	if r.as == "stream" {
		out, err := client.RegisterMediaStream(ctx, ice.RegisterMediaStreamRequest{InputURL: f.url, MediaId: r.media, StreamTags: r.streamTags, UserData: data})
		if err != nil {
			return "", false, err
		}
		return out.MediaId, false, nil
	}
	req := ice.RegisterMediaInfoRequest{
		InputURL: f.url, Title: r.titleOf(f), MediaTags: r.tags, CateId: r.category, WorkflowId: r.workflow, UserData: data,
	}
	if r.overwrite {
		req.Overwrite = alimedia.Ptr(true)
	}
	out, err := client.RegisterMediaInfo(ctx, req)
	if err == nil {
		return out.MediaId, false, nil
	}
	if alimedia.IsAlreadyExists(err) {
		if info, e := client.GetMediaInfo(ctx, ice.GetMediaInfoRequest{InputURL: f.url}); e == nil && info.MediaInfo.MediaId != "" {
			return info.MediaInfo.MediaId, true, nil
		}
	}
	return "", false, err
}
