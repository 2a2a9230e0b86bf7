package cli

import (
	"encoding/json"
	"errors"
	"io"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/alimedia/alimedia-go"
	"github.com/alimedia/alimedia-go/ice"
	"github.com/alimedia/alimedia-go/ingest"
	"github.com/alimedia/alimedia-go/upload"
	"github.com/alimedia/alimedia-go/vod"
)

// submitFlags are the flags of ingest submit.
type submitFlags struct {
	target                                  string
	extensions                              []string
	templateGroup, workflow, tags, category string
	mediaID, definition, production, folder string
	storage, appID, userData, region        string
	restart, strict                         bool
}

var ingestTargets = []string{"vod", "ice", "stream", "yike", "register-vod", "register-ice", "register-stream"}

func newIngestSubmitCommand(a *app, f *ingestFlags) *cobra.Command {
	s := &submitFlags{}
	cmd := &cobra.Command{
		Use:   "submit FOLDER|LIST|oss://BUCKET/PREFIX|-...",
		Short: "Put jobs into the queue",
		Long: `submit puts a job into the queue for each file of a folder and of the folders below, for
each line of a text file (a URL, or a job as JSON), or for each object of an OSS bucket.
With - the list is read from standard input.

A submission that was interrupted goes on where it stopped when the same command runs
again. A job that is in the queue, or that was done, is not queued again. A file that
has changed is another job.

Targets: vod, ice, stream and yike upload. register-vod, register-ice and
register-stream make assets, or a stream, of objects that are in OSS already.`,
		Example: `  alimedia ingest submit /data/movies --ext mp4,mov
  alimedia ingest submit urls.txt --target ice
  alimedia ingest submit oss://my-bucket/archive/ --target register-vod --template-group none`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			target, err := s.parse()
			if err != nil {
				return err
			}
			return a.ingestSubmit(f, s, target, args)
		},
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringVarP(&s.target, "target", "t", "vod", "what the files become: "+strings.Join(ingestTargets, ", "))
	flags.StringSliceVar(&s.extensions, "ext", nil, "only files or objects with these extensions, such as mp4,mov")
	flags.StringVar(&s.templateGroup, "template-group", "", "with vod and register-vod: ID of the transcoding template group, or none")
	flags.StringVar(&s.workflow, "workflow", "", "with vod, ice, register-vod and register-ice: ID of the workflow that processes the assets")
	flags.StringVar(&s.tags, "tags", "", "with vod, ice, register-vod and register-ice: tags of the assets, separated by commas")
	flags.StringVar(&s.category, "category", "", "with vod, ice, register-vod and register-ice: ID of the category")
	flags.StringVar(&s.storage, "storage", "", "with vod and ice: storage location of VOD")
	flags.StringVar(&s.appID, "app-id", "", "with vod and ice: application that owns the assets")
	flags.StringVar(&s.userData, "user-data", "", "UserData of the assets, a JSON object")
	flags.StringVar(&s.mediaID, "media-id", "", "with stream and register-stream: the asset that the streams are added to")
	flags.StringVar(&s.definition, "definition", "", "with stream: definition, such as HD")
	flags.StringVar(&s.production, "production-id", "", "with yike: the production")
	flags.StringVar(&s.folder, "folder-id", "", "with yike: the folder")
	flags.StringVar(&s.region, "bucket-region", "", "with oss://: region of the bucket (default: --region)")
	flags.BoolVar(&s.restart, "restart", false, "begin anew, although a submission was interrupted")
	flags.BoolVar(&s.strict, "strict", false, "stop at the first entry that is not valid")
	_ = cmd.RegisterFlagCompletionFunc("target", cobra.FixedCompletions(ingestTargets, cobra.ShellCompDirectiveNoFileComp))
	return cmd
}

// parse makes the target, and refuses flags that it does not have.
func (s *submitFlags) parse() (t ingest.Target, err error) {
	if !slices.Contains(ingestTargets, s.target) {
		return t, usagef("--target is %q: it is %s", s.target, strings.Join(ingestTargets, ", "))
	}
	for _, flag := range []struct{ name, value, targets string }{
		{"template-group", s.templateGroup, "vod register-vod"},
		{"workflow", s.workflow, "vod ice register-vod register-ice"},
		{"tags", s.tags, "vod ice register-vod register-ice"},
		{"category", s.category, "vod ice register-vod register-ice"},
		{"storage", s.storage, "vod ice"},
		{"app-id", s.appID, "vod ice"},
		{"user-data", s.userData, "vod ice stream register-vod register-ice register-stream"},
		{"media-id", s.mediaID, "stream register-stream"},
		{"definition", s.definition, "stream"},
		{"production-id", s.production, "yike"},
		{"folder-id", s.folder, "yike"},
	} {
		if flag.value != "" && !slices.Contains(strings.Fields(flag.targets), s.target) {
			return t, usagef("--%s has no meaning for --target %s", flag.name, s.target)
		}
	}
	if strings.HasSuffix(s.target, "stream") && s.mediaID == "" {
		return t, usagef("--target %s needs --media-id, the asset that the streams are added to", s.target)
	}
	var category int64
	if s.category != "" {
		if category, err = strconv.ParseInt(s.category, 10, 64); err != nil {
			return t, usagef("--category is %q: it is a number", s.category)
		}
	}
	var object map[string]json.RawMessage
	if s.userData != "" && json.Unmarshal([]byte(s.userData), &object) != nil {
		return t, usagef("--user-data is not a JSON object")
	}
	return s.make(category), nil
}

func (s *submitFlags) make(category int64) (t ingest.Target) {
	group := s.templateGroup
	if group == "none" {
		group = vod.NoTranscode
	}
	data, iceData := vod.UserData{Raw: alimedia.JSON(s.userData)}, ice.UserData{Raw: alimedia.JSON(s.userData)}
	switch s.target {
	case "vod":
		t.VODVideo = &upload.VODVideo{TemplateGroupId: group, WorkflowId: s.workflow, Tags: s.tags, CateId: category, StorageLocation: s.storage, AppId: s.appID, UserData: data}
	case "ice":
		t.ICEMedia = &upload.ICEMedia{AppId: s.appID, UserData: iceData}
		t.ICEMedia.MediaMetaData.Tags, t.ICEMedia.MediaMetaData.CateId = s.tags, category
		if s.storage != "" {
			t.ICEMedia.UploadTargetConfig = ice.UploadTargetConfig{StorageType: "oss", StorageLocation: s.storage}
		}
		if s.workflow != "" {
			t.ICEMedia.PostProcessConfig = ice.PostProcessConfig{ProcessType: "Workflow", ProcessID: s.workflow}
		}
	case "stream":
		t.ICEStream = &upload.ICEStream{MediaId: s.mediaID, Definition: s.definition, UserData: iceData}
	case "yike":
		t.YikeAsset = &upload.YikeAsset{ProductionId: s.production, FolderId: s.folder}
	case "register-vod":
		t.RegisterMedia = &upload.RegisterMedia{TemplateGroupId: group, WorkflowId: s.workflow, UserData: data}
		if s.tags != "" || category != 0 {
			t.RegisterMedia.RegisterMetadatas = []vod.RegisterMetadata{{Tags: s.tags, CateId: category}}
		}
	case "register-ice":
		t.RegisterMediaInfo = &upload.RegisterMediaInfo{WorkflowId: s.workflow, MediaTags: s.tags, CateId: category, UserData: iceData}
	case "register-stream":
		t.RegisterMediaStream = &upload.RegisterMediaStream{MediaId: s.mediaID, UserData: iceData}
	}
	return t
}

func (a *app) ingestSubmit(f *ingestFlags, s *submitFlags, target ingest.Target, args []string) error {
	fleet, err := a.fleet(a.ctx, f)
	if err != nil {
		return err
	}
	invalid := 0
	for _, arg := range args {
		src, closeSource, err := a.ingestSource(s, target, arg)
		if err != nil {
			return err
		}
		cfg := ingest.SubmitConfig{Restart: s.restart}
		if !s.strict {
			cfg.Invalid = func(j ingest.Job, err error) error {
				if !errors.Is(err, ingest.ErrJob) {
					return err // of the source
				}
				invalid++
				a.complain(shown(j.Input), err)
				return nil
			}
		}
		if a.term.Err.TTY && !a.flags.quiet && !a.flags.json {
			cfg.Progress = func(n ingest.Submission) { a.notef("%s: %d jobs so far", arg, n.Total()) }
		}
		count, err := fleet.Submit(a.ctx, src, cfg)
		closeSource()
		if a.flags.json {
			if failed := a.emit(map[string]any{"source": arg, "submission": count}); failed != nil {
				return failed
			}
		} else {
			a.printf("%s: %d queued, %d in the queue before, %d done before, %d dead, %d not valid%s", arg,
				count.Queued, count.Waiting, count.Done, count.Dead, count.Invalid, resumedText(count.Resumed))
		}
		if err != nil {
			return err
		}
	}
	if invalid > 0 {
		return &failure{code: exitPartial, err: errors.New("some entries are not valid"), silent: true}
	}
	return nil
}

// shown is the name of an input without what may be a secret in its URL.
func shown(in ingest.Input) string {
	if u, err := url.Parse(in.URL); in.URL != "" && err == nil {
		return (&url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path}).String()
	}
	if in.URL != "" {
		return "a line"
	}
	return in.String()
}

func resumedText(n int64) string {
	if n == 0 {
		return ""
	}
	return ", " + strconv.FormatInt(n, 10) + " before the interruption"
}

// ingestSource is the source that an argument names.
func (a *app) ingestSource(s *submitFlags, target ingest.Target, arg string) (ingest.Source, func(), error) {
	nothing := func() {}
	if rest, ok := strings.CutPrefix(arg, "oss://"); ok {
		name, prefix, _ := strings.Cut(rest, "/")
		up, err := a.uploadConfig()
		if err != nil {
			return nil, nothing, err
		}
		cfg, err := a.config()
		if err != nil {
			return nil, nothing, err
		}
		region := s.region
		if region == "" {
			region = cfg.Region
		}
		bucket, err := ingest.NewBucket(ingest.BucketConfig{Name: name, Region: region, Endpoint: up.OSSEndpoint, Credentials: up.Credentials, HTTPClient: up.HTTPClient})
		if err != nil {
			return nil, nothing, asUsage(err)
		}
		return ingest.Objects(bucket, s.region, prefix, target, s.extensions...), nothing, nil
	}
	if strings.HasPrefix(s.target, "register-") && arg != "-" && !strings.HasSuffix(arg, ".jsonl") {
		return nil, nothing, usagef("--target %s needs objects in OSS: oss://BUCKET/PREFIX, or a list of jobs as JSON (.jsonl or -)", s.target)
	}
	if arg == "-" {
		return ingest.URLs("", io.NopCloser(a.in), target), nothing, nil
	}
	info, err := os.Stat(arg)
	if err != nil {
		return nil, nothing, err
	}
	if info.IsDir() {
		return ingest.Folder(arg, target, s.extensions...), nothing, nil
	}
	list, err := os.Open(arg)
	if err != nil {
		return nil, nothing, err
	}
	return ingest.URLs(list.Name(), list, target), func() { list.Close() }, nil
}

// uploadConfig is the configuration of an uploader for every target.
func (a *app) uploadConfig() (cfg upload.Config, err error) {
	_, err = a.uploader(func(c *upload.Config) {
		if c.OSSEndpoint == "" && a.flags.endpoint != "" {
			c.OSSEndpoint = a.flags.endpoint // a simulator serves OSS, too
		}
		cfg = *c
	})
	return cfg, err
}
