package cli

import (
	"encoding/json"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/pflag"

	"github.com/alimedia/alimedia-go"
	"github.com/alimedia/alimedia-go/ice"
	"github.com/alimedia/alimedia-go/upload"
	"github.com/alimedia/alimedia-go/vod"
)

// uploadTarget is --target and --register, understood.
type uploadTarget struct {
	kind           string // vod, vod-image, ice, stream, yike, oss, or oss with a registration: oss+ice, oss+vod, oss+stream
	bucket, prefix string
	category       int64
	userData       alimedia.JSON
}

var bucketName = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$`)

// applies names the flags that only some targets have, and these targets.
var applies = map[string]string{
	"title":          "vod vod-image ice oss+ice oss+vod",
	"tags":           "vod vod-image ice oss+ice oss+vod",
	"description":    "vod vod-image ice oss+ice oss+vod",
	"category":       "vod vod-image ice oss+ice oss+vod",
	"cover-url":      "vod ice oss+ice oss+vod",
	"template-group": "vod oss+vod",
	"workflow":       "vod ice oss+ice oss+vod",
	"storage":        "vod vod-image ice",
	"app-id":         "vod vod-image ice",
	"user-data":      "vod vod-image ice stream oss+ice oss+vod oss+stream",
	"reference-id":   "vod oss+ice oss+vod",
	"business-type":  "ice oss+ice",
	"media-id":       "vod ice stream oss+stream",
	"definition":     "stream",
	"hdr-type":       "stream",
	"file-type":      "yike",
	"production-id":  "yike",
	"folder-id":      "yike",
	"object":         "oss oss+ice oss+vod oss+stream",
	"bucket-region":  "oss oss+ice oss+vod oss+stream",
	"storage-class":  "oss oss+ice oss+vod oss+stream",
	"acl":            "oss oss+ice oss+vod oss+stream",
	"content-type":   "oss oss+ice oss+vod oss+stream",
	"cache-control":  "oss oss+ice oss+vod oss+stream",
	"meta":           "oss oss+ice oss+vod oss+stream",
	"object-tags":    "oss oss+ice oss+vod oss+stream",
	"no-overwrite":   "oss oss+ice oss+vod oss+stream",
	"wait":           "vod ice stream yike oss+ice oss+vod oss+stream",
}

// parseTarget understands --target with the flags that go with it, and refuses
// flags that it would not use.
func (f *uploadFlags) parseTarget(flags *pflag.FlagSet) (*uploadTarget, error) {
	to := &uploadTarget{kind: f.target}
	rest, isOSS := strings.CutPrefix(f.target, "oss://")
	switch {
	case isOSS:
		to.kind = "oss"
		to.bucket, to.prefix, _ = strings.Cut(rest, "/")
		if !bucketName.MatchString(to.bucket) {
			return nil, usagef("--target %s has no valid bucket: oss://bucket/prefix, 3 to 63 lower-case letters, digits and hyphens", f.target)
		}
		if to.prefix != "" {
			to.prefix = strings.TrimSuffix(to.prefix, "/") + "/"
		}
		if f.register != "" {
			if !slices.Contains([]string{"ice", "vod", "stream"}, f.register) {
				return nil, usagef("--register is %q: it is ice, vod or stream", f.register)
			}
			to.kind += "+" + f.register
		}
	case !slices.Contains([]string{"vod", "vod-image", "ice", "stream", "yike"}, f.target):
		return nil, usagef("--target is %q: it is vod, vod-image, ice, stream, yike or oss://bucket/prefix", f.target)
	case f.register != "":
		return nil, usagef("--register is for --target oss://bucket/prefix: %s creates the asset itself", f.target)
	}
	var wrong error
	flags.Visit(func(flag *pflag.Flag) {
		if kinds, ok := applies[flag.Name]; ok && wrong == nil && !slices.Contains(strings.Fields(kinds), to.kind) {
			wrong = usagef("--%s has no meaning for --target %s%s", flag.Name, f.target, registered(f.register))
		}
	})
	if wrong != nil {
		return nil, wrong
	}
	return to, f.parseValues(to)
}

func registered(with string) string {
	if with == "" {
		return ""
	}
	return " --register=" + with
}

func (f *uploadFlags) parseValues(to *uploadTarget) (err error) {
	if f.category != "" {
		if to.category, err = strconv.ParseInt(f.category, 10, 64); err != nil {
			return usagef("--category is %q: it is a number", f.category)
		}
	}
	if f.userData != "" {
		var object map[string]json.RawMessage
		if json.Unmarshal([]byte(f.userData), &object) != nil {
			return usagef("--user-data is not a JSON object")
		}
		to.userData = alimedia.JSON(f.userData)
	}
	switch {
	case strings.HasSuffix(to.kind, "stream") && f.mediaID == "":
		return usagef("--target %s%s needs --media-id, the asset that the stream is for", f.target, registered(f.register))
	case f.templateGroup == "none":
		f.templateGroup = vod.NoTranscode
	}
	for name, template := range map[string]string{"title": f.title, "description": f.description, "reference-id": f.referenceID, "key": f.key, "object": f.object} {
		if _, err := expandTemplate(template, uploadItem{}); err != nil {
			return usagef("--%s: %v", name, err)
		}
	}
	return nil
}

// one reports whether the flags name a single file.
func (f *uploadFlags) one() (flag string) {
	fixed := func(s string) bool { return s != "" && !strings.Contains(s, "{") }
	switch {
	case fixed(f.referenceID):
		return "reference-id"
	case fixed(f.key):
		return "key"
	case fixed(f.object):
		return "object"
	case f.mediaID != "" && !strings.HasSuffix(f.target, "stream") && f.register != "stream":
		return "media-id"
	case f.name != "":
		return "name"
	}
	return ""
}

// expandTemplate fills in {name} and the like.
func expandTemplate(template string, it uploadItem) (string, error) {
	var b strings.Builder
	for {
		before, rest, found := strings.Cut(template, "{")
		b.WriteString(before)
		if !found {
			return b.String(), nil
		}
		word, after, closed := strings.Cut(rest, "}")
		switch {
		case !closed:
			return "", fmt.Errorf("{ without }")
		case word == "name":
			b.WriteString(strings.TrimSuffix(it.file, path.Ext(it.file)))
		case word == "file":
			b.WriteString(it.file)
		case word == "ext":
			b.WriteString(strings.TrimPrefix(path.Ext(it.file), "."))
		case word == "dir":
			b.WriteString(it.folder)
		case word == "n":
			b.WriteString(strconv.Itoa(it.number))
		default:
			return "", fmt.Errorf("{%s} is none of {name}, {file}, {ext}, {dir} and {n}", word)
		}
		template = after
	}
}

func (f *uploadFlags) expand(template string, it uploadItem) string {
	text, _ := expandTemplate(template, it) // checked by parseValues
	return text
}

// targetOf is what the file of an item becomes.
func (f *uploadFlags) targetOf(to *uploadTarget, it uploadItem) upload.Target {
	title, description := f.expand(f.title, it), f.expand(f.description, it)
	tags, reference := strings.Join(f.tags, ","), f.expand(f.referenceID, it)
	switch to.kind {
	case "vod":
		return upload.VODVideo{
			Title: title, Description: description, Tags: tags, CateId: to.category, CoverURL: f.coverURL,
			TemplateGroupId: f.templateGroup, WorkflowId: f.workflow, StorageLocation: f.storage, AppId: f.appID,
			ReferenceId: reference, UserData: vod.UserData{Raw: to.userData},
		}
	case "vod-image":
		return upload.VODImage{
			Title: title, Description: description, Tags: tags, CateId: to.category,
			StorageLocation: f.storage, AppId: f.appID, UserData: vod.UserData{Raw: to.userData},
		}
	case "ice":
		return f.iceMedia(to, title, description, tags)
	case "stream":
		return upload.ICEStream{MediaId: f.mediaID, Definition: f.definition, HDRType: f.hdrType, UserData: ice.UserData{Raw: to.userData}}
	case "yike":
		return upload.YikeAsset{FileType: f.fileType, ProductionId: f.productionID, FolderId: f.folderID}
	}
	b := upload.Bucket{
		Name: to.bucket, Key: to.prefix + it.below, Region: f.bucketRegion, ContentType: f.contentType, CacheControl: f.cacheControl,
		StorageClass: f.storageClass, ACL: f.acl, Tags: f.objectTags, Metadata: f.meta, ForbidOverwrite: f.noOverwrite,
	}
	if f.object != "" {
		b.Key = to.prefix + f.expand(f.object, it)
	}
	b.Register = f.registration(to, title, description, tags, reference)
	return b
}

func (f *uploadFlags) iceMedia(to *uploadTarget, title, description, tags string) upload.ICEMedia {
	t := upload.ICEMedia{
		AppId:    f.appID,
		UserData: ice.UserData{Raw: to.userData},
		MediaMetaData: ice.MediaMetaData{
			Title: title, Description: description, Tags: tags, CateId: to.category, CoverURL: f.coverURL, BusinessType: f.businessType,
		},
	}
	if f.workflow != "" {
		t.PostProcessConfig = ice.PostProcessConfig{ProcessType: "Workflow", ProcessID: f.workflow}
	}
	if f.storage != "" {
		t.UploadTargetConfig = ice.UploadTargetConfig{StorageType: "oss", StorageLocation: f.storage}
	}
	return t
}

// registration makes an asset of the object in a bucket; nil without --register.
func (f *uploadFlags) registration(to *uploadTarget, title, description, tags, reference string) upload.Registration {
	switch to.kind {
	case "oss+ice":
		return upload.RegisterMediaInfo{
			Title: title, Description: description, MediaTags: tags, CateId: to.category, CoverURL: f.coverURL,
			BusinessType: f.businessType, WorkflowId: f.workflow, ReferenceId: reference, UserData: ice.UserData{Raw: to.userData},
		}
	case "oss+vod":
		return upload.RegisterMedia{
			TemplateGroupId: f.templateGroup, WorkflowId: f.workflow, UserData: vod.UserData{Raw: to.userData},
			RegisterMetadatas: []vod.RegisterMetadata{{
				Title: title, Description: description, Tags: tags, CateId: to.category, CoverURL: f.coverURL, ReferenceId: reference,
			}},
		}
	case "oss+stream":
		return upload.RegisterMediaStream{MediaId: f.mediaID, UserData: ice.UserData{Raw: to.userData}}
	}
	return nil
}
