package mediatest

import (
	"cmp"
	"encoding/json"
	"strings"
)

func createUploadVideo(c *call) (fields, error) {
	ext := extension(c.get("FileName"))
	if ext == "" {
		return nil, c.invalid("FileName")
	}
	if err := c.newReference(c.get("ReferenceId")); err != nil {
		return nil, err
	}
	bucket, err := c.location(c.get("StorageLocation"))
	if err != nil {
		return nil, err
	}
	id := c.randomID(16)
	a := c.add(Media{
		MediaId: id, Service: "vod", Type: typeOf(c.get("FileName")), Title: c.get("Title"),
		Bucket: bucket, Key: "sv/" + id + "/" + id + "." + ext, Params: c.params,
	})
	if ext == "m3u8" {
		a.prefix = "sv/" + id + "/"
	}
	return c.uploadAnswer(a, fields{"VideoId": id}), nil
}

func refreshUploadVideo(c *call) (fields, error) {
	a, err := c.video()
	if err != nil {
		return nil, err
	}
	return c.uploadAnswer(a, fields{"VideoId": a.MediaId}), nil
}

func createUploadImage(c *call) (fields, error) {
	kind, ext := c.get("ImageType"), strings.ToLower(cmp.Or(c.get("ImageExt"), "png"))
	if !contains("default cover", kind) {
		return nil, invalid("ImageType")
	}
	if !contains("png jpg jpeg gif heic webp", ext) {
		return nil, invalid("ImageExt")
	}
	bucket, err := c.location(c.get("StorageLocation"))
	if err != nil {
		return nil, err
	}
	id := c.randomID(16)
	a := c.add(Media{
		MediaId: id, Service: "vod", Type: "image", Title: cmp.Or(c.get("Title"), c.get("OriginalFileName")),
		Bucket: bucket, Key: "image/" + kind + "/" + id + "." + ext, Params: c.params,
	})
	return c.uploadAnswer(a, fields{"ImageId": id, "ImageURL": a.URL, "FileURL": a.URL}), nil
}

// attachedExts are the file types of an attached medium, the default first.
var attachedExts = map[string]string{
	"watermark": "png gif apng mov",
	"subtitle":  "srt ass stl ttml vtt",
	"material":  "jpg gif png mp4 mat zip apk",
}

func createUploadAttachedMedia(c *call) (fields, error) {
	kind := c.get("BusinessType")
	exts, known := attachedExts[kind]
	if !known {
		return nil, invalid("BusinessType")
	}
	ext := strings.ToLower(cmp.Or(c.get("MediaExt"), extension(c.get("FileName")), strings.Fields(exts)[0]))
	if !contains(exts, ext) {
		return nil, invalid("MediaExt")
	}
	bucket, err := c.location(c.get("StorageLocation"))
	if err != nil {
		return nil, err
	}
	id := c.randomID(16)
	a := c.add(Media{
		MediaId: id, Service: "vod", Type: "attached", Title: cmp.Or(c.get("Title"), c.get("FileName")),
		Bucket: bucket, Key: kind + "/" + id + "." + ext, Params: c.params,
	})
	return c.uploadAnswer(a, fields{"MediaId": id, "MediaURL": a.URL, "FileURL": a.URL}), nil
}

// registerMetadata is one file of RegisterMedia.
type registerMetadata struct {
	FileURL, Title, Description, Tags, CoverURL, ReferenceId string
	CateId                                                   json.Number
}

const metadataLimits = "FileURL:1024b Title:128b Description:1024b Tags:16x32b CoverURL:1024b ReferenceId:id"

func registerMedia(c *call) (fields, error) {
	var files []registerMetadata
	if json.Unmarshal([]byte(c.get("RegisterMetadatas")), &files) != nil || len(files) == 0 || len(files) > 10 {
		return nil, invalid("RegisterMetadatas")
	}
	params := make([]call, len(files))
	location := ""
	for i, f := range files {
		params[i] = call{Server: c.Server, Account: c.Account, params: cloneValues(c.params)}
		p := params[i].params
		for name, value := range map[string]string{
			"FileURL": f.FileURL, "Title": f.Title, "Description": f.Description, "Tags": f.Tags,
			"CoverURL": f.CoverURL, "ReferenceId": f.ReferenceId, "CateId": f.CateId.String(),
		} {
			if value != "" {
				p.Set(name, value)
			}
		}
		p.Del("RegisterMetadatas")
		if f.FileURL == "" || f.Title == "" {
			return nil, missing("RegisterMetadatas.FileURL and Title")
		}
		if err := checkLimits(metadataLimits, p); err != nil {
			return nil, err
		}
		bucket, _, _ := c.locate(f.FileURL)
		if i > 0 && bucket != location {
			return nil, invalid("RegisterMetadatas: files of several storage locations")
		}
		location = bucket
	}
	failed, registered := []string{}, []fields{}
	for i, f := range files {
		a, fresh := params[i].registerFile(f)
		if a == nil {
			failed = append(failed, f.FileURL)
			continue
		}
		registered = append(registered, fields{"MediaId": a.MediaId, "FileURL": f.FileURL, "NewRegister": fresh})
	}
	if c.opts.quirks && len(failed) > 0 {
		text, _ := json.Marshal(failed) // strings only
		failed = []string{string(text)}
	}
	return fields{"RegisteredMediaList": registered, "FailedFileURLs": failed}, nil
}

// registerFile registers one file; nil when it can't be.
func (c *call) registerFile(f registerMetadata) (a *asset, fresh bool) {
	bucket, key, ok := c.locate(f.FileURL)
	o := c.owned(bucket, key)
	if !ok || o == nil || extension(key) == "" || strings.HasPrefix(f.FileURL, "oss:") {
		return nil, false
	}
	if a := c.byURL(f.FileURL, "vod"); a != nil {
		return a, false
	}
	if c.newReference(f.ReferenceId) != nil {
		return nil, false
	}
	a = c.add(Media{
		Service: "vod", Type: typeOf(key), Title: f.Title, Bucket: bucket, Key: key, InputURL: f.FileURL, Params: c.params,
	})
	c.finish(a, o.size)
	if c.get("WorkflowId") != "" {
		return a, true
	}
	switch c.get("TemplateGroupId") {
	case "":
		a.forced = "UploadSucc" // nothing ever transcodes it
	case "VOD_NO_TRANSCODE":
		a.forced = "Normal"
	}
	return a, true
}
