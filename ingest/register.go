package ingest

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"path"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/alimedia/alimedia-go"
	"github.com/alimedia/alimedia-go/ice"
	"github.com/alimedia/alimedia-go/upload"
	"github.com/alimedia/alimedia-go/vod"
)

const groupSize = 10 // files in one call of RegisterMedia

// takeRegistrations takes the jobs for as many calls as may run.
func (w *worker) takeRegistrations(ctx context.Context) {
	places := make(chan struct{}, w.cfg.Calls)
	var working sync.WaitGroup
	defer working.Wait()
	for !w.stopping() {
		select {
		case places <- struct{}{}:
		case <-w.stop:
			return
		}
		var messages []jetstream.Msg
		for msg := range w.fetch(ctx, classRegister, 1) {
			messages = append(messages, msg)
		}
		if len(messages) > 0 {
			free := cap(places) - len(places) + 1
			messages = append(messages, w.more(classRegister, min(free*groupSize, maxFetch)-1)...)
		}
		first := true
		for _, group := range w.groups(messages) {
			if !first {
				places <- struct{}{}
			}
			first = false
			working.Go(func() {
				defer func() { <-places }()
				group.run()
			})
		}
		if first {
			<-places
		}
	}
}

// more returns what is in the queue at the moment.
func (w *worker) more(class string, n int) (messages []jetstream.Msg) {
	if n <= 0 {
		return nil
	}
	batch, err := w.consumers[class].FetchNoWait(n)
	if err != nil {
		return nil
	}
	for msg := range batch.Messages() {
		messages = append(messages, msg)
	}
	return messages
}

// group is what one call registers.
type group struct {
	tasks    []*task
	contexts []context.Context
}

// groups divides jobs: those of RegisterMedia with the same storage location and
// settings by tens, others one by one.
func (w *worker) groups(messages []jetstream.Msg) (all []*group) {
	open := make(map[string]*group)
	for _, msg := range messages {
		t, ctx := w.accept(msg)
		if t == nil {
			continue
		}
		name := ""
		if t.job.Target.RegisterMedia != nil {
			settings := *t.job.Target.RegisterMedia
			settings.RegisterMetadatas = nil
			text, _ := json.Marshal(settings)
			name = t.job.Input.Bucket + "\x00" + w.region(t.job.Input) + "\x00" + string(text)
		}
		g := open[name]
		if g == nil || name == "" || len(g.tasks) == groupSize {
			g = new(group)
			open[name], all = g, append(all, g)
		}
		g.tasks, g.contexts = append(g.tasks, t), append(g.contexts, ctx)
	}
	return all
}

// run claims the jobs of the group and registers their objects.
func (g *group) run() {
	defer func() {
		for _, t := range g.tasks {
			t.end()
		}
	}()
	mine := make([]bool, len(g.tasks))
	var claims sync.WaitGroup
	for i, t := range g.tasks {
		claims.Go(func() {
			ok, err := t.claim(g.contexts[i])
			if err == nil && ok && !t.mayUse(t.job.Input.Bucket) {
				err = errBucket
			}
			if err != nil {
				t.finish(g.contexts[i], nil, err)
			}
			mine[i] = ok && err == nil
		})
	}
	claims.Wait()
	var claimed group
	for i, t := range g.tasks {
		if mine[i] {
			claimed.tasks, claimed.contexts = append(claimed.tasks, t), append(claimed.contexts, g.contexts[i])
		}
	}
	if len(claimed.tasks) == 0 {
		return
	}
	switch t, ctx := claimed.tasks[0], claimed.contexts[0]; {
	case t.job.Target.RegisterMedia != nil:
		claimed.registerMedia()
	case t.job.Target.RegisterMediaInfo != nil:
		res, err := t.registerInfo(ctx)
		t.finish(ctx, res, err)
	default:
		res, err := t.registerStream(ctx)
		t.finish(ctx, res, err)
	}
}

// registerMedia registers the files of the group in ApsaraVideo VOD. If the
// service refuses the call because of one of them, each is registered by itself.
func (g *group) registerMedia() {
	first := g.tasks[0]
	if first.cfg.Upload.VOD == nil {
		g.finish(nil, errors.New("RegisterMedia needs WorkerConfig.Upload.VOD"))
		return
	}
	req := vod.RegisterMediaRequest(*first.job.Target.RegisterMedia)
	req.RegisterMetadatas = nil
	for _, t := range g.tasks {
		req.RegisterMetadatas = append(req.RegisterMetadatas, t.metadata())
	}
	out, err := first.cfg.Upload.VOD.RegisterMedia(g.contexts[0], req)
	if _, why := judgeOf(err); err != nil && why == permanent && len(g.tasks) > 1 {
		for i, t := range g.tasks {
			(&group{[]*task{t}, g.contexts[i : i+1]}).registerMedia()
		}
		return
	}
	g.finish(out, err)
}

func judgeOf(err error) (Cause, verdict) {
	if err == nil {
		return Cause{}, again
	}
	return judge(err)
}

// finish records what has become of each file.
func (g *group) finish(out *vod.RegisterMediaResponse, err error) {
	registered := make(map[string]vod.RegisteredMedia)
	if err == nil {
		for _, m := range out.RegisteredMediaList {
			registered[object(m.FileURL)] = m
		}
	}
	var recording sync.WaitGroup
	for i, t := range g.tasks {
		recording.Go(func() {
			m, ok := registered[object(t.fileURL())]
			switch {
			case err != nil:
				t.finish(g.contexts[i], nil, err)
			case !ok || m.MediaId == "":
				t.finish(g.contexts[i], nil, &alimedia.Error{
					Product: "vod", Action: "RegisterMedia", Code: "FailedFileURLs", RequestId: out.RequestId, StatusCode: http.StatusOK,
					Message: "the file was not registered: is it there, and is the bucket added to ApsaraVideo VOD in this region?",
				})
			default:
				t.finish(g.contexts[i], &upload.Result{
					MediaId: m.MediaId, FileURL: t.fileURL(), RequestId: out.RequestId, AlreadyRegistered: !m.NewRegister && t.first(),
				}, nil)
			}
		})
	}
	recording.Wait()
}

// first reports whether no earlier delivery can have registered the object.
func (t *task) first() bool { return t.record.Failures == 0 && t.record.Deaths == 0 }

// metadata describes the file of a job of RegisterMedia.
func (t *task) metadata() (m vod.RegisterMetadata) {
	if given := t.job.Target.RegisterMedia.RegisterMetadatas; len(given) == 1 {
		m = given[0]
	}
	m.FileURL = t.fileURL()
	m.Title = cmp.Or(m.Title, t.title())
	return m
}

// title is the name of the object without its extension, of at most 128 bytes.
func (t *task) title() string {
	name := t.job.Input.name()
	title := cmp.Or(strings.TrimSuffix(name, path.Ext(name)), name)
	for len(title) > 128 {
		_, size := utf8.DecodeLastRuneInString(title)
		title = title[:len(title)-size]
	}
	return title
}

// fileURL is the URL of the object, as the services know it.
func (t *task) fileURL() string {
	in := t.job.Input
	u := url.URL{Scheme: "https", Host: in.Bucket + ".oss-" + t.region(in) + ".aliyuncs.com", Path: "/" + in.Object}
	return strings.ReplaceAll(u.String(), "+", "%2B")
}

// object is what two URLs of the same object have in common.
func object(fileURL string) string {
	u, err := url.Parse(fileURL)
	if err != nil {
		return fileURL
	}
	return strings.ToLower(u.Host) + u.Path
}

// registerInfo registers the object in Intelligent Media Services.
func (t *task) registerInfo(ctx context.Context) (*upload.Result, error) {
	client := t.cfg.Upload.ICE
	if client == nil {
		return nil, errors.New("RegisterMediaInfo needs WorkerConfig.Upload.ICE")
	}
	req := ice.RegisterMediaInfoRequest(*t.job.Target.RegisterMediaInfo)
	req.InputURL = t.fileURL()
	req.Title = cmp.Or(req.Title, t.title())
	req.ClientToken = t.record.hash // the same in each delivery
	res := &upload.Result{FileURL: req.InputURL}
	asked, err := t.ask(ctx)
	if err != nil {
		return nil, err
	}
	out, err := client.RegisterMediaInfo(ctx, req)
	if err == nil {
		res.MediaId, res.RequestId = out.MediaId, out.RequestId
		return res, nil
	}
	if !alimedia.IsAlreadyExists(err) {
		return nil, err
	}
	info, unknown := client.GetMediaInfo(ctx, ice.GetMediaInfoRequest{InputURL: req.InputURL})
	if unknown != nil {
		return nil, fmt.Errorf("%w; looking it up: %w", err, unknown)
	}
	res.MediaId, res.RequestId, res.AlreadyRegistered = info.MediaInfo.MediaId, info.RequestId, asked.IsZero()
	return res, nil
}

// registerStream registers the object as a stream of an asset. It first looks
// whether an earlier delivery has done that.
func (t *task) registerStream(ctx context.Context) (*upload.Result, error) {
	client := t.cfg.Upload.ICE
	if client == nil {
		return nil, errors.New("RegisterMediaStream needs WorkerConfig.Upload.ICE")
	}
	req := ice.RegisterMediaStreamRequest(*t.job.Target.RegisterMediaStream)
	req.InputURL = t.fileURL()
	res := &upload.Result{FileURL: req.InputURL, MediaId: req.MediaId}
	if !t.record.Asked.IsZero() {
		if found, err := t.hasStream(ctx, req); found || err != nil {
			return res, err
		}
	}
	if _, err := t.ask(ctx); err != nil {
		return nil, err
	}
	out, err := client.RegisterMediaStream(ctx, req)
	if err == nil {
		res.RequestId, res.MediaId = out.RequestId, cmp.Or(out.MediaId, req.MediaId)
		return res, nil
	}
	if alimedia.IsAlreadyExists(err) {
		if found, unknown := t.hasStream(ctx, req); found && unknown == nil {
			res.AlreadyRegistered = t.first()
			return res, nil
		}
	}
	return nil, err
}

func (t *task) hasStream(ctx context.Context, req ice.RegisterMediaStreamRequest) (bool, error) {
	info, err := t.cfg.Upload.ICE.GetMediaInfo(ctx, ice.GetMediaInfoRequest{MediaId: req.MediaId})
	if err != nil {
		return false, err
	}
	for _, file := range info.MediaInfo.FileInfoList {
		if object(file.FileBasicInfo.FileUrl) == object(req.InputURL) {
			return true, nil
		}
	}
	return false, nil
}

// ask records that a request is sent that must not take effect twice. It returns
// when an earlier delivery has done so.
func (t *task) ask(ctx context.Context) (before time.Time, err error) {
	before = t.record.Asked
	if err := t.note(ctx, func(r *Record) { r.Asked = time.Now().UTC() }); err != nil {
		return before, fmt.Errorf("%w: %w", errStore, err)
	}
	return before, nil
}
