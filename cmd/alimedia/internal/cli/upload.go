package cli

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/alimedia/alimedia-go/cmd/alimedia/internal/screen"
)

// uploadFlags are the flags of the command upload.
type uploadFlags struct {
	target, register string

	title, description, category, coverURL, templateGroup, workflow string
	storage, appID, userData, referenceID, businessType, mediaID    string
	tags                                                            []string

	definition, hdrType              string
	fileType, productionID, folderID string

	object, bucketRegion, storageClass, acl, contentType, cacheControl string
	meta, objectTags                                                   map[string]string
	noOverwrite                                                        bool

	name, key                          string
	recursive, hidden                  bool
	exclude                            []string
	playlistRemote                     string
	allowPrivate, allowProxy, anyType  bool
	wait, dryRun                       bool
	files, parallel                    int
	limitRate, partSize                byteSize
	progress, checkpoints              string
	noResume, verifyContent, recreates bool
}

func newUploadCommand(a *app) *cobra.Command {
	f := &uploadFlags{}
	cmd := &cobra.Command{
		Use:   "upload FILE|FOLDER|URL|-...",
		Short: "Upload files, folders, URLs, playlists or standard input",
		Long: `Uploads each file and creates its media asset. An argument is a file, a pattern such as
'*.mp4', a folder (with -r), an http or https URL, or - for standard input (with --name).
A playlist (x.m3u8) is uploaded with all files that it references.

An upload that was interrupted is resumed when the same command runs again, and a file
that was uploaded before is not uploaded twice (see help resuming). The first Ctrl-C lets
running uploads finish and starts no others, the second ends the command at once.

Titles, descriptions, reference IDs, keys and object names may contain {name} (the file
without its extension), {file}, {ext}, {dir} and {n} (1, 2, ... in the order of the command).

It prints one line for each file, with --json one object. See help targets for --target.`,
		Example: `  alimedia upload movie.mp4
  alimedia upload -r footage --title "{dir}: {name}" --tags raw,2026 --wait
  alimedia upload 'clips/*.mp4' --target oss://my-bucket/clips --register=ice
  ffmpeg -i in.mov -f mp4 - | alimedia upload - --name out.mp4
  alimedia upload https://example.com/movie.mp4 --target ice --json`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			to, err := f.parseTarget(cmd.Flags())
			if err != nil {
				return err
			}
			return a.upload(f, to, args)
		},
	}
	f.define(cmd.Flags())
	complete := func(name string, values ...string) {
		_ = cmd.RegisterFlagCompletionFunc(name, cobra.FixedCompletions(values, cobra.ShellCompDirectiveNoFileComp))
	}
	complete("target", "vod", "ice", "stream", "yike", "vod-image", "oss://")
	complete("register", "ice", "vod", "stream")
	complete("progress", "auto", "bars", "lines", "json", "none")
	complete("playlist-remote", "refuse", "keep", "fetch")
	complete("storage-class", "Standard", "IA", "Archive", "ColdArchive", "DeepColdArchive")
	complete("acl", "default", "private", "public-read", "public-read-write")
	return cmd
}

func (f *uploadFlags) define(flags *pflag.FlagSet) {
	flags.SortFlags = false
	flags.StringVarP(&f.target, "target", "t", "vod", "what the files become: vod, vod-image, ice, stream, yike or oss://bucket/prefix")
	flags.StringVar(&f.register, "register", "", "with oss://: register the objects as assets of ice (default), vod, or as stream")
	flags.Lookup("register").NoOptDefVal = "ice"

	flags.StringVar(&f.title, "title", "", "title of the asset (default: name of the file)")
	flags.StringSliceVar(&f.tags, "tags", nil, "tags of the asset, separated by commas")
	flags.StringVar(&f.description, "description", "", "description of the asset")
	flags.StringVar(&f.category, "category", "", "ID of the category")
	flags.StringVar(&f.coverURL, "cover-url", "", "URL of the cover image")
	flags.StringVar(&f.templateGroup, "template-group", "", "ID of the transcoding template group, or none to transcode nothing")
	flags.StringVar(&f.workflow, "workflow", "", "ID of the workflow that processes the asset")
	flags.StringVar(&f.storage, "storage", "", "storage location of VOD, such as outin-xxx.oss-cn-shanghai.aliyuncs.com")
	flags.StringVar(&f.appID, "app-id", "", "application that owns the asset")
	flags.StringVar(&f.userData, "user-data", "", "UserData of the asset, a JSON object")
	flags.StringVar(&f.referenceID, "reference-id", "", "ID of your own, unique in the account")
	flags.StringVar(&f.businessType, "business-type", "", "use of the asset in ICE, such as general or watermark")
	flags.StringVar(&f.mediaID, "media-id", "", "asset that a stream is added to; with vod or ice: asset whose file is replaced")

	flags.StringVar(&f.definition, "definition", "", "definition of a stream, such as HD")
	flags.StringVar(&f.hdrType, "hdr-type", "", "HDR type of a stream, such as HDR10")
	flags.StringVar(&f.fileType, "file-type", "", "FileType of a yike asset")
	flags.StringVar(&f.productionID, "production-id", "", "production of a yike asset")
	flags.StringVar(&f.folderID, "folder-id", "", "folder of a yike asset")

	flags.StringVar(&f.object, "object", "", "with oss://: name of the object below the prefix (default: name of the file)")
	flags.StringVar(&f.bucketRegion, "bucket-region", "", "with oss://: region of the bucket (default: --region)")
	flags.StringVar(&f.storageClass, "storage-class", "", "with oss://: Standard, IA, Archive, ColdArchive or DeepColdArchive")
	flags.StringVar(&f.acl, "acl", "", "with oss://: default, private, public-read or public-read-write")
	flags.StringVar(&f.contentType, "content-type", "", "with oss://: Content-Type (default: by the extension)")
	flags.StringVar(&f.cacheControl, "cache-control", "", "with oss://: Cache-Control")
	flags.StringToStringVar(&f.meta, "meta", nil, "with oss://: metadata of the object, name=value,...")
	flags.StringToStringVar(&f.objectTags, "object-tags", nil, "with oss://: tags of the object, name=value,...")
	flags.BoolVar(&f.noOverwrite, "no-overwrite", false, "with oss://: fail where the object exists")

	flags.BoolVarP(&f.recursive, "recursive", "r", false, "upload the files of folders and of the folders below")
	flags.BoolVar(&f.hidden, "hidden", false, "with -r: hidden files too")
	flags.StringSliceVar(&f.exclude, "exclude", nil, "with -r: leave out files or folders of these names, such as '*.tmp'")
	flags.StringVar(&f.name, "name", "", "name of the file that standard input or one URL is")
	flags.StringVar(&f.playlistRemote, "playlist-remote", "refuse", "URLs in playlists: refuse, keep or fetch")
	flags.BoolVar(&f.allowPrivate, "allow-private", false, "fetch URLs of private addresses too")
	flags.BoolVar(&f.allowProxy, "allow-proxy", false, "fetch URLs through the proxy of the environment")
	flags.BoolVar(&f.anyType, "any-content-type", false, "take web pages and documents from URLs too")

	flags.BoolVarP(&f.wait, "wait", "w", false, "wait until the assets are processed")
	flags.BoolVarP(&f.dryRun, "dry-run", "n", false, "say what would be uploaded, send nothing")
	flags.IntVar(&f.files, "concurrency", 4, "files at the same time")
	flags.IntVar(&f.parallel, "parallel", 4, "requests at the same time, over all files")
	flags.Var(&f.limitRate, "limit-rate", "bytes per second over all files, such as 500k or 20M (default: no limit)")
	flags.Var(&f.partSize, "part-size", "size of a part, from 100KiB to 5GiB; files of twice that are sent in parts")
	flags.StringVar(&f.progress, "progress", "auto", "auto, bars, lines, none, or json (with --json: progress events too)")

	flags.StringVar(&f.key, "key", "", "identifies the upload instead of the file, its size and time; lets standard input resume")
	flags.StringVar(&f.checkpoints, "checkpoint-dir", "", "folder of the checkpoints (see help resuming)")
	flags.BoolVar(&f.noResume, "no-resume", false, "neither use nor write checkpoints")
	flags.BoolVar(&f.verifyContent, "verify-content", false, "compare the content of files that were uploaded before")
	flags.BoolVar(&f.recreates, "recreate", false, "create a new asset where an upload cannot be resumed")
}

// byteSize is a flag such as 500k, 20M, 8MiB.
type byteSize int64

func (b *byteSize) Type() string { return "bytes" }

func (b *byteSize) String() string {
	if *b == 0 {
		return ""
	}
	return screen.Bytes(int64(*b))
}

func (b *byteSize) Set(text string) error {
	number, unit := text, ""
	if i := strings.IndexFunc(text, func(r rune) bool { return (r < '0' || r > '9') && r != '.' }); i >= 0 {
		number, unit = text[:i], strings.ToLower(strings.TrimSpace(text[i:]))
	}
	var value float64
	if _, err := fmt.Sscanf(number+" ", "%g ", &value); err != nil || strings.Count(number, ".") > 1 {
		return fmt.Errorf("%q is not a number of bytes, such as 500k or 8MiB", text)
	}
	unit = strings.TrimSuffix(strings.TrimSuffix(unit, "/s"), "b")
	binary := strings.HasSuffix(unit, "i")
	base := 1000.0
	if binary {
		base, unit = 1024, strings.TrimSuffix(unit, "i")
	}
	power := strings.Index("kmgt", unit) + 1
	if unit == "" {
		power = 0
	}
	if len(unit) > 1 || power == 0 && (unit != "" || binary) {
		return fmt.Errorf("%q is not a number of bytes, such as 500k or 8MiB", text)
	}
	for range power {
		value *= base
	}
	if value < 1 || value > 1<<50 {
		return fmt.Errorf("%q is out of range", text)
	}
	*b = byteSize(value)
	return nil
}
