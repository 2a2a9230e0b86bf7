package mediatest

import (
	"cmp"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"
)

const timeFormat = "2006-01-02T15:04:05Z"

var vodOperations = map[string]operation{
	"CreateUploadVideo":         createUploadVideo,
	"RefreshUploadVideo":        refreshUploadVideo,
	"CreateUploadImage":         createUploadImage,
	"CreateUploadAttachedMedia": createUploadAttachedMedia,
	"RegisterMedia":             registerMedia,
	"GetVideoInfo":              getVideoInfo,
	"GetMezzanineInfo":          getMezzanineInfo,
	"GetImageInfo":              getImageInfo,
	"GetAttachedMediaInfo":      getAttachedMediaInfo,
	"GetUploadDetails":          getUploadDetails,
	"DeleteVideo":               deleteVideo,
	"GetVideoList":              getVideoList,
	"SearchMedia":               searchVOD,
}

func getVideoInfo(c *call) (fields, error) {
	a, err := c.video()
	if err != nil {
		return nil, err
	}
	return fields{"Video": c.describeAsset(a)}, nil
}

// host is the StorageLocation of a bucket.
func (s *Server) host(bucket string) string {
	if bucket == "" {
		return ""
	}
	address := s.objectURL(bucket, "")
	return strings.TrimSuffix(strings.TrimPrefix(address, "http://"), "/")
}

func getImageInfo(c *call) (fields, error) {
	a := c.medias[c.get("ImageId")]
	if a == nil || a.Service != "vod" || a.Type != "image" {
		return nil, errNoResource("image")
	}
	return fields{"ImageInfo": c.describeAsset(a)}, nil
}

func getAttachedMediaInfo(c *call) (fields, error) {
	infos, absent := []fields{}, []string{}
	for _, id := range list(c.get("MediaIds")) {
		a := c.medias[id]
		if a == nil || a.Type != "attached" {
			absent = append(absent, id)
			continue
		}
		infos = append(infos, c.describeAsset(a))
	}
	return fields{"AttachedMediaList": infos, "NonExistMediaIds": absent}, nil
}

func getMezzanineInfo(c *call) (fields, error) {
	a, err := c.video()
	if err != nil {
		return nil, err
	}
	if a.noSource {
		return nil, refused(404, "InvalidFile.NotFound", "The source file does not exist.")
	}
	return fields{"Mezzanine": c.mezzanine(a)}, nil
}

func getUploadDetails(c *call) (fields, error) {
	ids := list(c.get("MediaIds"))
	if len(ids) > 20 {
		return nil, c.invalid("MediaIds")
	}
	details, absent := []fields{}, []string{}
	for _, id := range ids {
		a := c.medias[id]
		if a == nil || a.Service != "vod" {
			absent = append(absent, id)
			continue
		}
		total, _ := strconv.ParseInt(a.Params.Get("FileSize"), 10, 64)
		done := a.Size
		for _, u := range c.uploads {
			if u.bucket == a.Bucket && u.key == a.Key && !a.complete {
				done += u.size()
			}
		}
		total = max(total, a.Size)
		ratio := 0.0
		if total > 0 {
			ratio = min(1, float64(done)/float64(total))
		}
		status := a.look(c.now)
		completed := ""
		if a.complete {
			completed = a.changed.Format(timeFormat)
		}
		details = append(details, fields{
			"CompletionTime": completed, "UploadIP": "127.0.0.1", "UploadSource": "OpenAPI", "MediaId": id, "Title": a.Title, "Status": status, "UploadStatus": map[bool]string{false: "Uploading", true: "UploadSucc"}[a.complete],
			"FileSize": total, "UploadSize": done, "UploadRatio": ratio,
			"CreationTime": a.CreateTime.Format(timeFormat), "ModificationTime": a.changed.Format(timeFormat),
		})
	}
	return fields{"UploadDetails": details, "NonExistMediaIds": absent, "ForbiddenMediaIds": []string{}}, nil
}

func (u *upload) size() (n int64) {
	for _, p := range u.parts {
		n += p.size
	}
	return n
}

func deleteVideo(c *call) (fields, error) {
	ids, references := list(c.get("VideoIds")), list(c.get("ReferenceIds"))
	if len(ids)+len(references) == 0 {
		return nil, missing("VideoIds")
	}
	if len(ids) > 20 || len(references) > 20 {
		return nil, c.invalid("VideoIds")
	}
	absentIDs, absentReferences := []string{}, []string{}
	for _, id := range ids {
		if !c.deleteVOD(c.medias[id]) {
			absentIDs = append(absentIDs, id)
		}
	}
	for _, id := range references {
		if !c.deleteVOD(c.byReference(id)) {
			absentReferences = append(absentReferences, id)
		}
	}
	if len(absentIDs)+len(absentReferences) == len(ids)+len(references) {
		return nil, errVideoNotFound
	}
	return fields{"NonExistVideoIds": absentIDs, "NonExistReferenceIds": absentReferences, "ForbiddenVideoIds": []string{}}, nil
}

// deleteVOD removes an asset and its object.
func (acc *Account) deleteVOD(a *asset) bool {
	if a == nil || a.Service != "vod" {
		return false
	}
	acc.delete(a.MediaId)
	acc.srv.remove(a.Bucket, a.Key)
	acc.srv.emit(acc, "vod", "DeleteMediaComplete", a.Params.Get("UserData"), fields{"MediaId": a.MediaId, "MediaType": a.Type, "DeleteType": "all"})
	return true
}

func getVideoList(c *call) (fields, error) {
	page, err := c.page(100, 5000)
	if err != nil {
		return nil, err
	}
	from, to, err := c.between()
	if err != nil {
		return nil, err
	}
	var hits []*asset
	for _, a := range c.order {
		if a.Service != "vod" || a.Type != "video" && a.Type != "audio" || !within(a, from, to) ||
			c.get("Status") != "" && !containsComma(c.get("Status"), a.status(c.now)) ||
			c.get("CateId") != "" && c.get("CateId") != a.Params.Get("CateId") ||
			c.get("ReferenceIds") != "" && !containsComma(c.get("ReferenceIds"), a.Params.Get("ReferenceId")) {
			continue
		}
		hits = append(hits, a)
	}
	sortAssets(hits, c.get("SortBy"))
	videos := []fields{}
	for _, a := range page.of(hits) {
		videos = append(videos, c.describeAsset(a))
	}
	return fields{"Total": len(hits), "VideoList": fields{"Video": videos}}, nil
}

func searchVOD(c *call) (fields, error) {
	kind := cmp.Or(c.get("SearchType"), "video")
	name, known := map[string]string{"video": "Video", "audio": "Audio", "image": "Image", "attached": "AttachedMedia"}[kind]
	if !known {
		return nil, invalid("SearchType")
	}
	hits, page, err := c.search(100, 5000, 100, func(a *asset) bool { return a.Service == "vod" && a.Type == kind })
	if err != nil {
		return nil, err
	}
	medias := []fields{}
	for _, a := range page.of(hits) {
		medias = append(medias, fields{
			"MediaId": a.MediaId, "MediaType": kind, "CreationTime": a.CreateTime.Format(timeFormat), name: c.described(a),
		})
	}
	return fields{"Total": len(hits), "MediaList": medias, "ScrollToken": page.token()}, nil
}

// described is what a search tells of an asset: its id and the time of its
// creation, and the Fields that were asked for.
func (c *call) described(a *asset) fields {
	all, told := c.describeAsset(a), fields{}
	for name, value := range all {
		switch name {
		case "VideoId", "AudioId", "ImageId", "MediaId", "CreationTime":
			told[name] = value
		default:
			if containsFold(c.get("Fields"), name) {
				told[name] = value
			}
		}
	}
	return told
}

// containsFold finds an item of a comma list without case.
func containsFold(s, item string) bool {
	return slices.ContainsFunc(list(s), func(i string) bool { return strings.EqualFold(i, item) })
}

// errNoResource is how VOD says of many things that they do not exist.
func errNoResource(what string) error {
	return refused(404, "NoSuchResource", "The specified resource %q does not exist.", what)
}

// errIllegalStatus refuses what an asset does not allow in its state.
var errIllegalStatus = refused(403, "Forbidden.IllegalStatus", "The status of the video does not allow the operation.")

// stored refuses an asset whose file is not there.
func stored(a *asset) error {
	if !a.complete || a.noSource {
		return errIllegalStatus
	}
	return nil
}

var errVideoNotFound = refused(404, "InvalidVideo.NotFound", "The video does not exist.")

// video finds the VOD asset named by VideoId or ReferenceId.
func (c *call) video() (*asset, error) {
	id, reference := c.get("VideoId"), c.get("ReferenceId")
	if id == "" && reference == "" {
		return nil, missing("VideoId")
	}
	a := c.medias[id]
	if id == "" {
		a = c.byReference(reference)
	}
	if a == nil || a.Service != "vod" {
		return nil, errVideoNotFound
	}
	return a, nil
}

// newReference refuses a ReferenceId that is in use or not well formed.
func (acc *Account) newReference(id string) error {
	if id == "" {
		return nil
	}
	if !referenceID.MatchString(id) || acc.byReference(id) != nil {
		return invalid("ReferenceId")
	}
	return nil
}

// location is the bucket of a StorageLocation; the managed one when empty.
func (acc *Account) location(host string) (string, error) {
	bucket, _, _ := strings.Cut(cmp.Or(host, acc.storage), ".")
	if !acc.owns(bucket) {
		return "", refused(404, "InvalidStorage.NotFound", "The specified StorageLocation does not exist.")
	}
	return bucket, nil
}

// uploadAnswer adds UploadAddress and UploadAuth for the asset's object.
func (acc *Account) uploadAnswer(a *asset, f fields) fields {
	f["UploadAddress"], f["UploadAuth"] = acc.uploadFields(a.Bucket, a.Key, a.prefix)
	return f
}

func extension(name string) string {
	return strings.ToLower(strings.TrimPrefix(path.Ext(name), "."))
}

// list splits a comma list.
func list(s string) []string {
	var items []string
	for item := range strings.SplitSeq(s, ",") {
		if item = strings.TrimSpace(item); item != "" {
			items = append(items, item)
		}
	}
	return items
}

func containsComma(s, item string) bool {
	for _, i := range list(s) {
		if i == item {
			return true
		}
	}
	return false
}

// between reads StartTime and EndTime.
func (c *call) between() (from, to time.Time, err error) {
	for name, t := range map[string]*time.Time{"StartTime": &from, "EndTime": &to} {
		if text := c.get(name); text != "" {
			if *t, err = time.Parse(time.RFC3339, text); err != nil {
				return from, to, invalid(name)
			}
		}
	}
	return from, to, nil
}

// within reports whether the asset is younger than from and not younger than to.
func within(a *asset, from, to time.Time) bool {
	return (from.IsZero() || a.CreateTime.After(from)) && (to.IsZero() || !a.CreateTime.After(to))
}
