package mediatest

import (
	"encoding/base64"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"time"
)

var vodMediaOperations = map[string]operation{
	"GetVideoInfos":            getVideoInfos,
	"GetImageInfos":            getImageInfos,
	"BatchGetMediaInfos":       batchGetVOD,
	"UpdateVideoInfo":          updateVideoInfo,
	"UpdateVideoInfos":         updateVideoInfos,
	"UpdateImageInfos":         updateImageInfos,
	"UpdateAttachedMediaInfos": updateAttachedMediaInfos,
	"DeleteImage":              deleteImage,
	"DeleteAttachedMedia":      deleteAttachedMedia,
	"DeleteMezzanines":         deleteMezzanines,
	"DeleteMultipartUpload":    deleteMultipartUpload,
	"CreateAudit":              createAudit,
	"GetAuditHistory":          getAuditHistory,
	"UpdateMediaStorageClass":  updateMediaStorageClass,
	"RestoreMedia":             restoreMedia,
	"GetPlayInfo":              getPlayInfoVOD,
	"GetVideoPlayAuth":         getVideoPlayAuth,
	"DeleteStream":             deleteStream,
}

// vodAssets finds assets by two lists, of ids and of ReferenceIds.
func (c *call) vodAssets(idsParam string) (found []*asset, absentIDs, absentReferences []string, err error) {
	ids, references := list(c.get(idsParam)), list(c.get("ReferenceIds"))
	if len(ids)+len(references) == 0 {
		return nil, nil, nil, missing(idsParam)
	}
	absentIDs, absentReferences = []string{}, []string{}
	for _, id := range ids {
		if a := c.medias[id]; a != nil && a.Service == "vod" {
			found = append(found, a)
		} else {
			absentIDs = append(absentIDs, id)
		}
	}
	for _, id := range references {
		if a := c.byReference(id); a != nil {
			found = append(found, a)
		} else {
			absentReferences = append(absentReferences, id)
		}
	}
	return found, absentIDs, absentReferences, nil
}

func getVideoInfos(c *call) (fields, error) {
	found, absent, references, err := c.vodAssets("VideoIds")
	if err != nil {
		return nil, err
	}
	videos := []fields{}
	for _, a := range found {
		if a.Type == "image" || a.Type == "attached" { // other operations have these
			absent = append(absent, a.MediaId)
			continue
		}
		videos = append(videos, c.describeAsset(a))
	}
	if len(videos) == 0 {
		return nil, errVideoNotFound
	}
	return fields{"VideoList": videos, "NonExistVideoIds": absent, "NonExistReferenceIds": references}, nil
}

func getImageInfos(c *call) (fields, error) {
	images, absent := []fields{}, []string{}
	for _, id := range list(c.get("ImageIds")) {
		if a := c.medias[id]; a != nil && a.Service == "vod" && a.Type == "image" {
			images = append(images, c.describeAsset(a))
		} else {
			absent = append(absent, id)
		}
	}
	return fields{"ImageInfo": images, "NonExistImageIds": absent}, nil
}

func batchGetVOD(c *call) (fields, error) {
	found, absent, references, err := c.vodAssets("MediaIds")
	if err != nil {
		return nil, err
	}
	infos := []fields{}
	for _, a := range found {
		infos = append(infos, fields{
			"MediaId": a.MediaId, "MediaInfo": c.describeAsset(a), "PlayInfoList": c.playInfos(a), "MezzanineInfo": c.mezzanine(a),
		})
	}
	return fields{"MediaInfos": infos, "NonExistMediaIds": absent, "NonExistReferenceIds": references, "ForbiddenMediaIds": []string{}}, nil
}

// editable are the properties of an asset that an update changes.
var editable = strings.Fields("Title Description Tags CateId CateIds CoverURL UserData ReferenceId")

// properties are those that an update may change.
func (a *asset) properties() map[string]string {
	before := map[string]string{}
	for _, name := range append([]string{"MediaTags", "Category", "BusinessType"}, editable...) {
		before[name] = a.Params.Get(name)
	}
	before["Title"] = a.Title
	return before
}

// edit changes an asset as get says; an absent property stays.
func (c *call) edit(a *asset, get func(name string) (string, bool)) {
	before := a.properties()
	for _, name := range editable {
		if value, given := get(name); given && name != "ReferenceId" {
			a.Params.Set(name, value)
			if name == "Title" {
				a.Title = value
			}
		}
	}
	a.changed = c.now
	c.changedEvent(a, before)
}

func updateVideoInfo(c *call) (fields, error) {
	a, err := c.video()
	if err != nil {
		return nil, err
	}
	c.edit(a, func(name string) (string, bool) { return c.get(name), c.params.Has(name) })
	return fields{}, nil
}

// updates reads UpdateContent, a JSON list of at most 20 objects.
func (c *call) updates() ([]map[string]any, error) {
	var updates []map[string]any
	if json.Unmarshal([]byte(c.get("UpdateContent")), &updates) != nil || len(updates) == 0 || len(updates) > 20 {
		return nil, invalid("UpdateContent")
	}
	return updates, nil
}

// updateEach edits the assets that UpdateContent names in the field id, and
// returns the ids that do not exist.
func (c *call) updateEach(id string, is func(*asset) bool) ([]string, error) {
	updates, err := c.updates()
	if err != nil {
		return nil, err
	}
	absent := []string{}
	for _, update := range updates {
		get := func(name string) (string, bool) {
			switch v := update[name].(type) {
			case string:
				return v, true
			case float64:
				return strconv.FormatFloat(v, 'f', -1, 64), true
			}
			return "", false
		}
		name, _ := get(id)
		a := c.medias[name]
		if name == "" {
			reference, _ := get("ReferenceId")
			a = c.byReference(reference)
		}
		if a == nil || a.Service != "vod" || !is(a) {
			absent = append(absent, name)
			continue
		}
		c.edit(a, get)
	}
	return absent, nil
}

func updateVideoInfos(c *call) (fields, error) {
	absent, err := c.updateEach("VideoId", func(*asset) bool { return true })
	return fields{"NonExistVideoIds": absent, "NonExistReferenceIds": []string{}, "ForbiddenVideoIds": []string{}}, err
}

func updateImageInfos(c *call) (fields, error) {
	absent, err := c.updateEach("ImageId", func(a *asset) bool { return a.Type == "image" })
	return fields{"NonExistImageIds": fields{"ImageId": absent}}, err
}

func updateAttachedMediaInfos(c *call) (fields, error) {
	absent, err := c.updateEach("MediaId", func(a *asset) bool { return a.Type == "attached" })
	return fields{"NonExistMediaIds": absent}, err
}

func deleteImage(c *call) (fields, error) {
	switch c.get("DeleteImageType") {
	case "ImageId":
		ids := list(c.get("ImageIds"))
		if len(ids) == 0 {
			return nil, missing("ImageIds")
		}
		for _, id := range ids {
			if a := c.medias[id]; a != nil && a.Type == "image" {
				c.deleteVOD(a)
			}
		}
	case "ImageURL":
		urls := list(c.get("ImageURLs"))
		if len(urls) == 0 {
			return nil, missing("ImageURLs")
		}
		for _, u := range urls {
			if a := c.byURL(u, "vod"); a != nil && a.Type == "image" {
				c.deleteVOD(a)
			}
		}
	case "VideoId":
		if _, err := c.video(); err != nil {
			return nil, errNoResource("video")
		}
		for id, t := range c.things(snapshotJobs) {
			if t.values["VideoId"] == c.get("VideoId") {
				delete(c.things(snapshotJobs), id)
			}
		}
	}
	return fields{}, nil
}

func deleteAttachedMedia(c *call) (fields, error) {
	absent := []string{}
	for _, id := range list(c.get("MediaIds")) {
		if a := c.medias[id]; a == nil || a.Type != "attached" || !c.deleteVOD(a) {
			absent = append(absent, id)
		}
	}
	return fields{"NonExistMediaIds": absent}, nil
}

func deleteMezzanines(c *call) (fields, error) {
	found, absent, references, err := c.vodAssets("VideoIds")
	if err != nil {
		return nil, err
	}
	kept := []string{}
	for _, a := range found {
		// The source of a video that plays from it stays unless forced.
		if c.get("Force") != "true" && !slices.ContainsFunc(a.streams, func(st *stream) bool { return st.Complete }) {
			kept = append(kept, a.MediaId)
			continue
		}
		c.remove(a.Bucket, a.Key)
		a.noSource = true
	}
	return fields{"NonExistVideoIds": absent, "NonExistReferenceIds": references, "UnRemoveableVideoIds": kept}, nil
}

func deleteMultipartUpload(c *call) (fields, error) {
	a := c.medias[c.get("MediaId")]
	if a == nil {
		return nil, errVideoNotFound
	}
	found := false
	for id, u := range c.uploads {
		if u.bucket == a.Bucket && u.key == a.Key {
			delete(c.uploads, id)
			found = true
		}
	}
	if !found {
		return nil, refused(404, "InvalidMultipartUpload.NotFound", "There are no parts of the file.")
	}
	return fields{}, nil
}

// audits are the manual reviews of assets.
var audits = &family{service: "vod", kind: "Audit", id: "AuditId"}

func createAudit(c *call) (fields, error) {
	var content []struct{ VideoId, MediaId, Status, Reason, Comment string }
	if json.Unmarshal([]byte(c.get("AuditContent")), &content) != nil || len(content) == 0 {
		return nil, invalid("AuditContent")
	}
	for _, audit := range content {
		if audit.Status != "Normal" && audit.Status != "Blocked" {
			return nil, invalid("AuditContent")
		}
		a := c.medias[audit.VideoId+audit.MediaId]
		if a == nil || a.Service != "vod" {
			return nil, errVideoNotFound
		}
		if audit.Status == "Blocked" {
			a.forced = "Blocked"
		} else if a.forced == "Blocked" {
			a.forced = ""
		}
		c.emit(c.Account, "vod", "CreateAuditComplete", a.Params.Get("UserData"), fields{"VideoId": a.MediaId, "Status": "success"})
		t := c.newThing(audits, c.randomID(16), c.action)
		t.values = map[string]string{
			"VideoId": a.MediaId, "Status": audit.Status, "Reason": audit.Reason, "Comment": audit.Comment, "Auditor": "mediatest",
		}
	}
	return fields{}, nil
}

func getAuditHistory(c *call) (fields, error) {
	a, err := c.video()
	if err != nil {
		return nil, err
	}
	histories := []fields{}
	for _, t := range c.sorted(audits) {
		if t.values["VideoId"] == a.MediaId {
			histories = append(histories, fields{
				"CreationTime": t.created.Format(timeFormat), "Status": t.values["Status"], "Reason": t.values["Reason"],
				"Comment": t.values["Comment"], "Auditor": t.values["Auditor"],
			})
		}
	}
	status := "Normal"
	if a.status(c.now) == "Blocked" {
		status = "Blocked"
	}
	if !strings.HasSuffix(strings.ToLower(c.get("SortBy")), "asc") {
		slices.Reverse(histories)
	}
	w, err := c.window(len(histories))
	if err != nil {
		return nil, err
	}
	return fields{"Histories": histories[w.from:w.to], "Total": len(histories), "Status": status}, nil
}

func (c *call) mediaIDs() (found []*asset, ignored []string) {
	ignored = []string{}
	for _, id := range list(c.get("MediaIds")) {
		if a := c.medias[id]; a != nil && a.Service == "vod" {
			found = append(found, a)
		} else {
			ignored = append(ignored, id)
		}
	}
	return found, ignored
}

func updateMediaStorageClass(c *call) (fields, error) {
	found, ignored := c.mediaIDs()
	for _, a := range found {
		a.Params.Set("StorageClass", c.get("StorageClass"))
		c.emit(c.Account, "vod", "UpdateMediaStorageClassComplete", a.Params.Get("UserData"), fields{"MediaId": a.MediaId, "Status": "success"})
		a.changed = c.now
	}
	return fields{"Status": "Processing", "IgnoredList": fields{"MediaId": ignored}, "ForbiddenList": fields{"MediaForbiddenReasonDTO": []fields{}}}, nil
}

func restoreMedia(c *call) (fields, error) {
	found, ignored := c.mediaIDs()
	for _, a := range found {
		c.emit(c.Account, "vod", "RestoreMediaComplete", a.Params.Get("UserData"), fields{"MediaId": a.MediaId, "Status": "success"})
	}
	return fields{"Success": true, "IgnoredList": fields{"MediaId": ignored}, "ForbiddenList": fields{"MediaForbiddenReasonDTO": []fields{}}}, nil
}

func getPlayInfoVOD(c *call) (fields, error) {
	a, err := c.video()
	if err != nil {
		return nil, err
	}
	if status := a.status(c.now); status != "Normal" {
		a.look(c.now)
		return nil, errIllegalStatus
	}
	infos := []fields{}
	for _, info := range c.playInfos(a) {
		if (c.get("Definition") == "" || containsComma(c.get("Definition"), info["Definition"].(string))) &&
			(c.get("Formats") == "" || containsComma(c.get("Formats"), info["Format"].(string))) &&
			(c.get("StreamType") == "" || containsComma(c.get("StreamType"), info["StreamType"].(string))) {
			infos = append(infos, c.playURL(info))
		}
	}
	if len(infos) == 0 {
		return nil, refused(403, "InvalidVideo.NoneStream", "The video has no stream to play by your conditions.")
	}
	return fields{"PlayInfoList": fields{"PlayInfo": infos}, "VideoBase": c.describeAsset(a)}, nil
}

func getVideoPlayAuth(c *call) (fields, error) {
	a, err := c.video()
	if err != nil {
		return nil, err
	}
	if status := a.status(c.now); status != "Normal" && status != "UploadSucc" && status != "Transcoding" {
		return nil, errIllegalStatus
	}
	life := 100 * time.Second
	if seconds, err := strconv.Atoi(c.get("AuthInfoTimeout")); err == nil {
		if seconds < 100 || seconds > 3000 {
			return nil, invalid("AuthInfoTimeout")
		}
		life = time.Duration(seconds) * time.Second
	}
	k := c.issue(key{owner: c.Account, bucket: c.storage, object: "play/" + a.MediaId}, life)
	meta := fields{"VideoId": a.MediaId, "Title": a.Title, "Status": a.look(c.now), "CoverURL": a.Params.Get("CoverURL"), "Duration": float(a.duration())}
	text, err := json.Marshal(fields{
		"SecurityToken": k.SecurityToken, "AccessKeyId": k.AccessKeyId, "AccessKeySecret": k.AccessKeySecret, "Region": c.opts.region,
		"CustomerId": c.id, "VideoMeta": meta, "PlayDomain": "play.example.com",
		"AuthInfo": `{"CI":"` + c.randomID(16) + `","Caller":"` + c.randomID(16) + `","ExpireTime":"` + k.Expires.Format(time.RFC3339) + `","MediaId":"` + a.MediaId + `","Signature":"` + c.randomID(10) + `"}`,
	})
	if err != nil {
		return nil, err
	}
	return fields{"PlayAuth": base64.StdEncoding.EncodeToString(text), "VideoMeta": meta}, nil
}

// float is a text as a number, 0 where it is none.
func float(text string) float64 {
	n, err := strconv.ParseFloat(text, 64)
	if err != nil || n != n {
		return 0
	}
	return n
}

func deleteStream(c *call) (fields, error) {
	a, err := c.video()
	if err != nil {
		return nil, err
	}
	jobs := list(c.get("JobIds"))
	before := len(a.streams)
	a.streams = slices.DeleteFunc(a.streams, func(st *stream) bool {
		gone := slices.Contains(jobs, st.job)
		if gone {
			c.remove(st.bucket, st.key)
		}
		return gone
	})
	if len(a.streams) == before {
		return nil, refused(404, "InvalidStream.NotFound", "The stream does not exist.")
	}
	a.changed = c.now
	return fields{}, nil
}

// firstOfMediaIds notes the asset of a job that is submitted for a list.
func firstOfMediaIds(_ *call, t *thing) error {
	t.values["MediaId"], _, _ = strings.Cut(t.values["MediaIds"], ",")
	return nil
}
