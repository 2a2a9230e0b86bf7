package mediatest

import (
	"cmp"
	"encoding/json"
	"slices"
	"strings"
)

var iceMediaOperations = map[string]operation{
	"GetPlayInfo":                 getPlayInfoICE,
	"DeletePlayInfo":              deletePlayInfo,
	"GetVideoList":                getVideoListICE,
	"AddMediaMarks":               addMediaMarks,
	"UpdateMediaMarks":            updateMediaMarks,
	"GetMediaMarks":               getMediaMarks,
	"ListMediaMarks":              getMediaMarks,
	"DeleteMediaMarks":            deleteMediaMarks,
	"GetYikeAssetMediaInfo":       getYikeAsset,
	"BatchGetYikeAssetMediaInfos": batchGetYikeAssets,
	"DeleteYikeAssetMediaInfos":   deleteYikeAssets,
	"SetContentAnalyzeConfig":     setContentAnalyze,
	"GetContentAnalyzeConfig":     getContentAnalyze,
	"GetDefaultStorageLocation":   getDefaultStorage,
	"SetDefaultStorageLocation":   setDefaultStorage,
	"GetStorageList":              getStorageList,
	"InsertMediaToSearchLib":      insertToSearchLib,
	"UpdateMediaToSearchLib":      insertToSearchLib,
	"DeleteMediaFromSearchLib":    deleteFromSearchLib,
	"QueryMediaIndexJob":          queryMediaIndexJob,
}

func getPlayInfoICE(c *call) (fields, error) {
	a, err := c.media()
	if err != nil {
		return nil, err
	}
	return fields{"PlayInfoList": c.playInfos(a), "MediaBase": c.mediaBasic(a)}, nil
}

func deletePlayInfo(c *call) (fields, error) {
	a := c.medias[c.get("MediaId")]
	if a == nil {
		return nil, errMediaNotFound
	}
	ignored := []string{}
	for _, address := range list(c.get("FileURLs")) {
		i := slices.IndexFunc(a.streams, func(st *stream) bool { return st.URL == address })
		if i < 0 {
			ignored = append(ignored, address)
			continue
		}
		if c.get("DeletePhysicalFiles") == "true" {
			c.remove(a.streams[i].bucket, a.streams[i].key)
		}
		a.streams = slices.Delete(a.streams, i, i+1)
	}
	return fields{"IgnoredList": ignored, "ForbiddenList": []string{}}, nil
}

func getVideoListICE(c *call) (fields, error) {
	p, err := c.page(100, 5000)
	if err != nil {
		return nil, err
	}
	from, to, err := c.between()
	if err != nil {
		return nil, err
	}
	var hits []*asset
	for _, a := range c.order {
		if (a.Type == "video" || a.Type == "audio") && within(a, from, to) &&
			(c.get("Status") == "" || containsComma(c.get("Status"), a.status(c.now)) || containsComma(c.get("Status"), iceStatus(a.status(c.now)))) &&
			(c.get("CateId") == "" || c.get("CateId") == a.Params.Get("CateId")) {
			hits = append(hits, a)
		}
	}
	sortAssets(hits, c.get("SortBy"))
	medias := []fields{}
	for _, a := range p.of(hits) {
		medias = append(medias, c.describeAsset(a))
	}
	return fields{"Code": "200", "Success": "true", "Total": len(hits), "MediaList": medias}, nil
}

// marks are the marks of an asset, each a JSON object with a MediaMarkId.
var mediaMarks = &family{service: "ice", kind: "MediaMark", id: "MediaMarkId"}

// markList reads MediaMarks, a JSON list.
func (c *call) markList() (*asset, []map[string]any, error) {
	a := c.medias[c.get("MediaId")]
	if a == nil {
		return nil, nil, errMediaNotFound
	}
	var marks []map[string]any
	if json.Unmarshal([]byte(c.get("MediaMarks")), &marks) != nil {
		return nil, nil, invalid("MediaMarks")
	}
	return a, marks, nil
}

func addMediaMarks(c *call) (fields, error) {
	a, marks, err := c.markList()
	if err != nil {
		return nil, err
	}
	var ids []string
	for _, mark := range marks {
		t := c.newThing(mediaMarks, c.randomID(16), c.action)
		mark["MediaMarkId"] = t.id
		text, err := json.Marshal(mark)
		if err != nil {
			return nil, invalid("MediaMarks")
		}
		t.values = map[string]string{"MediaId": a.MediaId, "Mark": string(text)}
		ids = append(ids, t.id)
	}
	return fields{"MediaId": a.MediaId, "MediaMarkIds": strings.Join(ids, ",")}, nil
}

func updateMediaMarks(c *call) (fields, error) {
	a, marks, err := c.markList()
	if err != nil {
		return nil, err
	}
	var ids []string
	for _, mark := range marks {
		id, _ := mark["MediaMarkId"].(string)
		t := c.things(mediaMarks)[id]
		if t == nil || t.values["MediaId"] != a.MediaId {
			return nil, refused(404, "ResourceNotFound", "The specified MediaMark does not exist.")
		}
		text, err := json.Marshal(mark)
		if err != nil {
			return nil, invalid("MediaMarks")
		}
		t.values["Mark"] = string(text)
		ids = append(ids, id)
	}
	return fields{"MediaId": a.MediaId, "MediaMarkIds": strings.Join(ids, ",")}, nil
}

// marksOf are the marks that a call names, or all of the asset.
func (c *call) marksOf(a *asset) []*thing {
	wanted := list(c.get("MediaMarkIds"))
	return slices.DeleteFunc(c.jobsOf(mediaMarks, "MediaId", a.MediaId), func(t *thing) bool {
		return len(wanted) > 0 && !slices.Contains(wanted, t.id)
	})
}

func getMediaMarks(c *call) (fields, error) {
	a := c.medias[c.get("MediaId")]
	if a == nil {
		return nil, errMediaNotFound
	}
	var marks []string
	for _, t := range c.marksOf(a) {
		marks = append(marks, t.values["Mark"])
	}
	return fields{"MediaId": a.MediaId, "MediaMarks": "[" + strings.Join(marks, ",") + "]"}, nil
}

func deleteMediaMarks(c *call) (fields, error) {
	a := c.medias[c.get("MediaId")]
	if a == nil {
		return nil, errMediaNotFound
	}
	var ids []string
	for _, t := range c.marksOf(a) {
		ids = append(ids, t.id)
		delete(c.things(mediaMarks), t.id)
	}
	return fields{"MediaId": a.MediaId, "MediaMarkIds": strings.Join(ids, ",")}, nil
}

// yikeAsset describes an asset as Yike does.
func (c *call) yikeAsset(a *asset) fields {
	info := c.mediaInfo(a, true)
	info["BizData"] = fields{
		"FolderId": a.Params.Get("FolderId"), "ProductionId": a.Params.Get("ProductionId"), "MediaAssetType": a.Type, "SourceType": "Upload",
		"IsFavorite": "false", "IsLogicalDeleted": "false", "AuditStatus": "pass",
	}
	return info
}

func getYikeAsset(c *call) (fields, error) {
	a := c.medias[strings.TrimSpace(c.get("MediaId"))]
	if a == nil {
		return nil, errMediaNotFound
	}
	return fields{"MediaInfo": c.yikeAsset(a)}, nil
}

func batchGetYikeAssets(c *call) (fields, error) {
	if err := c.need("MediaIds"); err != nil {
		return nil, err
	}
	infos, ignored := []fields{}, []string{}
	for _, id := range list(c.get("MediaIds")) {
		if a := c.medias[id]; a != nil {
			infos = append(infos, c.yikeAsset(a))
		} else {
			ignored = append(ignored, id)
		}
	}
	return fields{"MediaInfos": infos, "IgnoredList": ignored}, nil
}

func deleteYikeAssets(c *call) (fields, error) {
	if err := c.need("MediaIds"); err != nil {
		return nil, err
	}
	ignored := []string{}
	for _, id := range list(c.get("MediaIds")) {
		if c.medias[id] == nil {
			ignored = append(ignored, id)
			continue
		}
		c.delete(id)
	}
	return fields{"IgnoredList": ignored}, nil
}

// setting is a singleton of the account.
func (c *call) setting(kind string) map[string]string {
	things := c.things(&family{service: c.service, kind: kind})
	if things["it"] == nil {
		things["it"] = c.newThing(&family{service: c.service, kind: kind}, "it", c.action)
	}
	return things["it"].values
}

// set copies the parameters of the call into a setting.
func (c *call) set(kind string) {
	values := c.setting(kind)
	for _, p := range c.known.Params {
		if c.params.Has(p.Name) {
			values[p.Name] = c.get(p.Name)
		}
	}
}

func setContentAnalyze(c *call) (fields, error) {
	c.set("ContentAnalyze")
	return fields{"Success": true}, nil
}

func getContentAnalyze(c *call) (fields, error) {
	v := c.setting("ContentAnalyze")
	return fields{"ContentAnalyzeConfig": fields{"Auto": v["Auto"] == "true", "SaveType": v["SaveType"], "TemplateId": v["TemplateId"]}}, nil
}

func getDefaultStorage(c *call) (fields, error) {
	v := c.setting("DefaultStorage")
	return fields{"Bucket": cmp.Or(v["Bucket"], c.storage), "Path": cmp.Or(v["Path"], "/"), "Status": "Normal", "StorageType": cmp.Or(v["StorageType"], "vod_oss_bucket")}, nil
}

func setDefaultStorage(c *call) (fields, error) {
	if bucket := c.get("Bucket"); bucket != "" && !c.owns(bucket) {
		return nil, refused(404, "ResourceNotFound", "The specified bucket does not exist.")
	}
	c.set("DefaultStorage")
	return fields{"Success": true}, nil
}

func getStorageList(c *call) (fields, error) {
	fallback := cmp.Or(c.setting("DefaultStorage")["Bucket"], c.storage)
	infos := []fields{}
	for _, name := range c.bucketNames() {
		kind := "user_oss_bucket"
		if name == c.storage {
			kind = "vod_oss_bucket"
		}
		if want := c.get("StorageType"); want == "" || want == kind {
			infos = append(infos, fields{
				"StorageLocation": c.host(name), "StorageType": kind, "Status": "Normal", "DefaultStorage": name == fallback,
				"AppId": "app-1000000", "Path": "/", "EditingTempFileStorage": false,
				"CreationTime": c.started.Format(timeFormat), "ModifiedTime": c.started.Format(timeFormat),
			})
		}
	}
	return fields{"StorageInfoList": infos}, nil
}

// bucketNames are the buckets of the account, sorted.
func (acc *Account) bucketNames() []string {
	var names []string
	for name, b := range acc.srv.buckets {
		if b.owner == acc {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}
