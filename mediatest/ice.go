package mediatest

import (
	"cmp"
	"encoding/base64"
	"encoding/json"
	"maps"
	"path"
	"strconv"
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
	kind, id := cmp.Or(info.Type, "video"), randomID(16)
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
	name := randomID(8)
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
	key := "yike/" + randomID(16) + "." + strings.ToLower(strings.TrimPrefix(c.get("FileExt"), "."))
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

// media finds the asset named by MediaId or else by InputURL.
func (c *call) media() (*asset, error) {
	id, address := c.get("MediaId"), c.get("InputURL")
	a := c.medias[id]
	switch {
	case id == "" && address == "":
		return nil, missing("MediaId")
	case id == "":
		a = c.byURL(address, "")
	}
	if a == nil {
		return nil, errMediaNotFound
	}
	return a, nil
}

func getMediaInfo(c *call) (fields, error) {
	a, err := c.media()
	if err != nil {
		return nil, err
	}
	return fields{"MediaInfo": c.mediaInfo(a, true)}, nil
}

func batchGetMediaInfos(c *call) (fields, error) {
	if err := c.need("MediaIds"); err != nil {
		return nil, err
	}
	infos, ignored := []fields{}, []string{}
	for _, id := range list(c.get("MediaIds")) {
		a := c.medias[id]
		if a == nil {
			ignored = append(ignored, id)
			continue
		}
		info := c.mediaInfo(a, containsComma(c.get("AdditionType"), "FileInfo"))
		if containsComma(c.get("AdditionType"), "DynamicMetaData") {
			info["MediaDynamicInfo"] = fields{"DynamicMetaData": fields{"Data": a.Params.Get("DynamicMetaData"), "Type": "system"}}
		}
		infos = append(infos, info)
	}
	return fields{"MediaInfos": infos, "IgnoredList": ignored}, nil
}

// mediaBasic describes an asset in ICE's words.
func (c *call) mediaBasic(a *asset) fields {
	f := c.describeAsset(a)
	source := "oss"
	if a.Service == "vod" || a.Bucket == c.storage || strings.HasPrefix(a.InputURL, "vod://") {
		source = "vod"
	}
	snapshots, _ := json.Marshal(f["Snapshots"]) // strings only
	maps.Copy(f, fields{
		"InputURL": cmp.Or(a.InputURL, a.URL), "Status": iceStatus(f["Status"].(string)), "MediaTags": a.tags(), "Category": a.Params.Get("Category"),
		"Source": source, "Biz": strings.ToUpper(a.Service), "UploadSource": "general", "Snapshots": string(snapshots), "SpriteImages": "",
		"TranscodeStatus": iceTranscodeStatus(a),
	})
	return f
}

func iceTranscodeStatus(a *asset) string {
	for _, st := range a.streams {
		if st.job != "" && st.Complete {
			return "TranscodeSuccess"
		}
	}
	return "Init"
}

// mediaInfo describes an asset with its files, which are known once it is
// processed.
func (c *call) mediaInfo(a *asset, withFiles bool) fields {
	basic := c.mediaBasic(a)
	info := fields{"MediaId": a.MediaId, "MediaBasicInfo": basic}
	if !withFiles {
		return info
	}
	files := []fields{}
	if basic["Status"] == "Normal" && a.URL != "" && !a.noSource {
		files = append(files, c.fileInfo(a, "source_file", a.URL, path.Base(a.Key), a.Size, a.picture()))
	}
	for _, st := range a.streams {
		if o := c.owned(st.bucket, st.key); o != nil {
			look, known := playable[st.Definition]
			if !known {
				look = a.picture()
			}
			files = append(files, c.fileInfo(a, "transcode_file", st.URL, path.Base(st.key), o.size, look))
		}
	}
	info["FileInfoList"] = files
	return info
}

func (c *call) fileInfo(a *asset, kind, address, name string, size int64, look picture) fields {
	return fields{
		"FileBasicInfo": fields{
			"FileType": kind, "FileStatus": "Normal", "FileName": name, "FileUrl": address, "FileSize": size, "FormatName": extension(name),
			"Region": c.opts.storageRegion(), "Width": look.width, "Height": look.height, "Bitrate": look.bitrate, "Duration": a.duration(),
			"CreateTime": a.CreateTime.Format(timeFormat), "ModifiedTime": a.changed.Format(timeFormat),
		},
		"VideoStreamInfoList": c.streamFacts(a, "VideoStreamInfoList"), "AudioStreamInfoList": c.streamFacts(a, "AudioStreamInfoList"),
	}
}

// iceStatus says in ICE's words what may be a VOD status.
func iceStatus(status string) string {
	switch status {
	case "Uploading":
		return "Init"
	case "UploadSucc", "Transcoding":
		return "Preparing"
	case "UploadFail", "TranscodeFail":
		return "PrepareFail"
	}
	return status
}

// statusNumbers are the states of assets in searches of ICE.
var statusNumbers = map[string]string{
	"Init": "0", "Preparing": "1", "PrepareFail": "2", "Normal": "3", "Uploading": "10", "UploadSucc": "12", "Transcoding": "13",
	"TranscodeFail": "14", "Checking": "15", "Blocked": "16", "Deleted": "17", "UploadFail": "18",
}

func listMediaBasicInfos(c *call) (fields, error) {
	most, err := strconv.Atoi(cmp.Or(c.get("MaxResults"), "10"))
	if err != nil || most < 1 || most > 100 {
		return nil, invalid("MaxResults")
	}
	from, to, err := c.between()
	if err != nil {
		return nil, err
	}
	var hits []*asset
	for _, a := range c.order {
		if within(a, from, to) && c.like(a) {
			hits = append(hits, a)
		}
	}
	total, ascending := len(hits), strings.EqualFold(c.get("SortBy"), "asc")
	sortAssets(hits, cmp.Or(c.get("SortBy"), "desc"))
	if token := c.get("NextToken"); token != "" {
		last, err := decodeToken(token)
		if err != nil {
			return nil, invalid("NextToken")
		}
		for len(hits) > 0 && (ascending && hits[0].seq <= last || !ascending && hits[0].seq >= last) {
			hits = hits[1:]
		}
	}
	next := ""
	if len(hits) > most {
		hits = hits[:most]
		next = encodeToken(hits[most-1].seq)
	}
	infos := []fields{}
	for _, a := range hits {
		infos = append(infos, c.mediaInfo(a, c.get("IncludeFileBasicInfo") == "true"))
	}
	return fields{"MediaInfos": infos, "NextToken": next, "MaxResults": most, "TotalCount": total}, nil
}

// like applies the filters of ListMediaBasicInfos.
func (c *call) like(a *asset) bool {
	info := c.basic(a)
	for _, name := range []string{"MediaId", "MediaType", "BusinessType", "Status", "Source"} {
		if want := c.get(name); want != "" && info[name] != want {
			return false
		}
	}
	return true
}

// basic is the MediaBasicInfo of an asset, without counting as a poll.
func (c *call) basic(a *asset) fields {
	polls := a.polls
	info := c.mediaInfo(a, false)
	a.polls = polls
	return info["MediaBasicInfo"].(fields)
}

func encodeToken(seq int64) string {
	return base64.URLEncoding.EncodeToString([]byte("after/" + strconv.FormatInt(seq, 10)))
}

func decodeToken(token string) (int64, error) {
	text, err := base64.URLEncoding.DecodeString(token)
	if err != nil {
		return 0, err
	}
	return strconv.ParseInt(strings.TrimPrefix(string(text), "after/"), 10, 64)
}

func deleteMediaInfos(c *call) (fields, error) {
	ids, urls := list(c.get("MediaIds")), list(c.get("InputURLs"))
	if len(ids)+len(urls) == 0 {
		return nil, missing("MediaIds")
	}
	if len(ids) > 20 || len(urls) > 20 {
		return nil, invalid("MediaIds")
	}
	ignored := []string{}
	drop := func(name string, a *asset) {
		if a == nil {
			ignored = append(ignored, name)
			return
		}
		c.delete(a.MediaId)
		c.emit(c.Account, "ice", "DeleteMediaComplete", a.Params.Get("UserData"), fields{"MediaId": a.MediaId, "Status": "Success"})
		if c.get("DeletePhysicalFiles") == "true" {
			c.remove(a.Bucket, a.Key)
		}
	}
	for _, id := range ids {
		drop(id, c.medias[id])
	}
	for _, u := range urls {
		drop(u, c.byURL(u, ""))
	}
	return fields{"IgnoredList": ignored, "ForbiddenList": []string{}}, nil
}
