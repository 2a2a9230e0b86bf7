package mediatest

import (
	"cmp"
	"encoding/json"
	"strings"
)

var iceOperations = map[string]operation{
	"CreateUploadMedia":          createUploadMedia,
	"RefreshUploadMedia":         refreshUploadMedia,
	"CreateUploadStream":         createUploadStream,
	"CreateYikeAssetUpload":      createYikeAssetUpload,
	"RegisterYikeAssetMediaInfo": registerYikeAssetMediaInfo,
	"RegisterMediaInfo":          registerMediaInfo,
	"RegisterMediaStream":        registerMediaStream,
	"UpdateMediaInfo":            updateMediaInfo,
	"GetMediaInfo":               getMediaInfo,
	"BatchGetMediaInfos":         batchGetMediaInfos,
	"ListMediaBasicInfos":        listMediaBasicInfos,
	"DeleteMediaInfos":           deleteMediaInfos,
	"SearchMedia":                searchICE,
}

// errMediaNotFound answers for an asset that does not exist.
var errMediaNotFound = refused(404, "ResourceNotFound", "The specified media asset does not exist.")

// errInputNotFound answers for an object that does not exist.
func errInputNotFound(address string) error {
	return refused(404, "InvalidMaterial.NotFound", "The specified media url not found: %q.", address)
}

// document decodes a parameter that is a JSON object.
func (c *call) document(name string, v any) error {
	if text := c.get(name); text != "" && json.Unmarshal([]byte(text), v) != nil {
		return invalid(name)
	}
	return nil
}

func createUploadMedia(c *call) (fields, error) {
	var (
		info struct{ Type, Name, Ext string }
		meta struct {
			Title, Description, Tags, BusinessType, CoverURL, DynamicMetaData string
			CateId                                                            json.Number
		}
		target struct{ StorageType, StorageLocation string }
	)
	for name, v := range map[string]any{"FileInfo": &info, "MediaMetaData": &meta, "UploadTargetConfig": &target} {
		if err := c.document(name, v); err != nil {
			return nil, err
		}
	}
	if c.get("FileInfo") != "" && (info.Type == "" || info.Ext == "") {
		return nil, invalid("FileInfo")
	}
	if !keeps("128r", meta.Title) || !keeps("1024r", meta.Description) {
		return nil, invalid("MediaMetaData")
	}
	bucket, err := c.location(target.StorageLocation)
	if err != nil {
		return nil, err
	}
	if bucket != c.storage {
		return nil, invalid("UploadTargetConfig") // never a customer's own bucket
	}
	params := cloneValues(c.params)
	for name, value := range map[string]string{
		"Description": meta.Description, "MediaTags": meta.Tags, "BusinessType": meta.BusinessType,
		"CoverURL": meta.CoverURL, "CateId": meta.CateId.String(), "DynamicMetaData": meta.DynamicMetaData,
	} {
		if value != "" {
			params.Set(name, value)
		}
	}
	kind, id := cmp.Or(info.Type, "video"), c.randomID(16)
	ext := strings.ToLower(cmp.Or(strings.TrimPrefix(info.Ext, "."), "mp4"))
	a := c.add(Media{
		MediaId: id, Service: "ice", Type: kind, Title: cmp.Or(meta.Title, info.Name),
		Bucket: bucket, Key: kind + "/" + id + "/" + id + "." + ext, Params: params,
	})
	if ext == "m3u8" {
		a.prefix = kind + "/" + id + "/"
	}
	return c.uploadAnswer(a, fields{"MediaId": id, "FileURL": a.URL, "MediaURL": a.URL}), nil
}

func refreshUploadMedia(c *call) (fields, error) {
	if err := c.need("MediaId"); err != nil {
		return nil, err
	}
	a := c.medias[c.get("MediaId")]
	if a == nil {
		return nil, errMediaNotFound
	}
	return c.uploadAnswer(a, fields{"MediaId": a.MediaId}), nil
}

const (
	definitions = "FD LD SD HD OD 2K 4K SQ HQ"
	hdrTypes    = "HDR HDR10 HLG DOLBYVISION HDRVIVID SDR+"
)

func createUploadStream(c *call) (fields, error) {
	if d := c.get("Definition"); d != "" && !contains(definitions, d) {
		return nil, invalid("Definition")
	}
	if h := c.get("HDRType"); h != "" && !contains(hdrTypes, strings.ToUpper(h)) {
		return nil, invalid("HDRType")
	}
	a := c.medias[c.get("MediaId")]
	if c.get("MediaId") != "" && a == nil {
		return nil, errMediaNotFound
	}
	if a == nil {
		a = c.add(Media{Service: "ice", Type: "video", Params: c.params})
	}
	name := c.randomID(8)
	ext := strings.ToLower(cmp.Or(strings.TrimPrefix(c.get("FileExtension"), "."), "mp4"))
	st := &stream{bucket: c.storage, key: "stream/" + name + "/" + name + "." + ext}
	st.Stream = Stream{Definition: c.get("Definition"), HDRType: c.get("HDRType"), URL: c.objectURL(st.bucket, st.key)}
	st.made = c.now
	a.streams = append(a.streams, st)
	f := fields{"MediaId": a.MediaId, "FileURL": st.URL}
	f["UploadAddress"], f["UploadAuth"] = c.uploadFields(st.bucket, st.key, "")
	return f, nil
}

func createYikeAssetUpload(c *call) (fields, error) {
	key := "yike/" + c.randomID(16) + "." + strings.ToLower(strings.TrimPrefix(c.get("FileExt"), "."))
	f := fields{"FileURL": c.objectURL(c.storage, key)}
	f["UploadAddress"], f["UploadAuth"] = c.uploadFields(c.storage, key, "")
	return f, nil
}

func registerYikeAssetMediaInfo(c *call) (fields, error) {
	a, err := c.register("InputURL")
	if err != nil {
		return nil, err
	}
	id := a.MediaId
	if c.opts.quirks {
		id += "\n"
	}
	return fields{"MediaId": id}, nil
}

// register makes an asset of the object a parameter names.
func (c *call) register(parameter string) (*asset, error) {
	address := c.get(parameter)
	bucket, key, ok := c.locate(address)
	if !ok {
		return nil, invalid(parameter)
	}
	o := c.owned(bucket, key)
	if o == nil {
		return nil, errInputNotFound(address)
	}
	a := c.add(Media{
		Service: "ice", Type: cmp.Or(c.get("MediaType"), typeOf(key)), Title: c.get("Title"),
		Bucket: bucket, Key: key, InputURL: address, Params: c.params,
	})
	c.finish(a, o.size)
	return a, nil
}

func registerMediaInfo(c *call) (fields, error) {
	if id, done := c.tokens[c.get("ClientToken")]; done {
		return fields{"MediaId": id}, nil
	}
	address, kind := c.get("InputURL"), c.get("MediaType")
	if kind != "" && !contains("image video audio text", kind) {
		return nil, invalid("MediaType")
	}
	if kind == "text" && !contains("subtitles font", c.get("BusinessType")) {
		return nil, invalid("BusinessType")
	}
	if err := c.newReference(c.get("ReferenceId")); err != nil {
		return nil, err
	}
	old := c.byURL(address, "ice")
	if old != nil && c.get("Overwrite") != "true" {
		return nil, refused(409, "MediaAlreadyExist", "The media asset of this InputURL is registered already.")
	}
	a, err := c.registerInput(address)
	if err != nil {
		return nil, err
	}
	if old != nil {
		c.delete(old.MediaId)
	}
	if a.Title == "" {
		a.Title = c.now.Format("20060102150405")
	}
	if token := c.get("ClientToken"); token != "" {
		c.tokens[token] = a.MediaId
	}
	return fields{"MediaId": a.MediaId}, nil
}

// registerInput registers an OSS object, or a VOD asset given as vod://id.
func (c *call) registerInput(address string) (*asset, error) {
	id, isVOD := strings.CutPrefix(address, "vod://")
	if !isVOD {
		return c.register("InputURL")
	}
	video := c.medias[id]
	if video == nil || video.Service != "vod" {
		return nil, errInputNotFound(address)
	}
	a := c.add(Media{
		Service: "ice", Type: video.Type, Title: cmp.Or(c.get("Title"), video.Title),
		Bucket: video.Bucket, Key: video.Key, InputURL: address, Params: c.params,
	})
	if video.complete {
		c.finish(a, video.Size)
	}
	return a, nil
}

func registerMediaStream(c *call) (fields, error) {
	if err := c.need("InputURL", "MediaId"); err != nil {
		return nil, err
	}
	a := c.medias[c.get("MediaId")]
	if a == nil {
		return nil, errMediaNotFound
	}
	var tags map[string]any
	if err := c.document("StreamTags", &tags); err != nil {
		return nil, err
	}
	address := c.get("InputURL")
	bucket, key, ok := c.locate(address)
	if !ok {
		return nil, invalid("InputURL")
	}
	if c.owned(bucket, key) == nil {
		return nil, errInputNotFound(address)
	}
	a.streams = append(a.streams, &stream{
		Stream: Stream{StreamTags: c.get("StreamTags"), URL: c.objectURL(bucket, key), Complete: true},
		bucket: bucket, key: key, made: c.now,
	})
	c.emit(c.Account, "ice", "RegisterStreamComplete", c.get("UserData"), fields{"MediaId": a.MediaId, "Status": "Success", "FileURL": c.objectURL(bucket, key)})
	return fields{"MediaId": a.MediaId}, nil
}

func updateMediaInfo(c *call) (fields, error) {
	a, err := c.media()
	if err != nil {
		return nil, err
	}
	if id := c.get("ReferenceId"); id != "" {
		if other := c.byReference(id); other != nil && other != a {
			return nil, invalid("ReferenceId")
		}
	}
	if t := c.get("BusinessType"); t != "" && !contains("subtitles font watermark opening ending general", t) {
		return nil, invalid("BusinessType")
	}
	tags := c.get("MediaTags")
	if old := a.tags(); c.get("AppendTags") == "true" && tags != "" && old != "" {
		tags = old + "," + tags
		if !keeps("16x32b", tags) {
			return nil, invalid("MediaTags")
		}
	}
	before := a.properties()
	for _, name := range []string{"Title", "Description", "UserData", "Category", "CateId", "CoverURL", "BusinessType", "ReferenceId"} {
		if value := c.get(name); value != "" {
			a.Params.Set(name, value)
		}
	}
	if tags != "" {
		a.Params.Set("MediaTags", tags)
	}
	a.Title = cmp.Or(c.get("Title"), a.Title)
	a.changed = c.now
	c.changedEvent(a, before)
	return fields{"MediaId": a.MediaId}, nil
}
