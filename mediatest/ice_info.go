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
