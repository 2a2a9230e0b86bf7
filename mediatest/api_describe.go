package mediatest

import (
	"cmp"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/alimedia/alimedia-go/internal/catalogue"
)

// describeAsset says all that the server knows of an asset, by all the names that
// the operations of both services have for it. An operation takes out of it what
// its documentation lists, see [catalogue.Operation.Fit].
func (c *call) describeAsset(a *asset) fields {
	p := a.Params
	status := a.look(c.now)
	cate, _ := strconv.ParseInt(p.Get("CateId"), 10, 64) // 0: none
	created, changed := a.CreateTime.Format(timeFormat), a.changed.Format(timeFormat)
	look := a.picture()
	f := fields{
		"MediaId": a.MediaId, "VideoId": a.MediaId, "AudioId": a.MediaId, "ImageId": a.MediaId,
		"Title": a.Title, "Description": p.Get("Description"), "Tags": a.tags(), "CoverURL": p.Get("CoverURL"), "CoverUrl": p.Get("CoverURL"),
		"CateId": cate, "CateName": c.cateName(p.Get("CateId")), "Categories": c.categoriesOf(p.Get("CateIds")),
		"UserData": p.Get("UserData"), "ReferenceId": p.Get("ReferenceId"), "TemplateGroupId": p.Get("TemplateGroupId"),
		"AppId": cmp.Or(p.Get("AppId"), "app-1000000"), "StorageLocation": c.host(a.Bucket), "RegionId": c.opts.region,
		"StorageClass": cmp.Or(p.Get("StorageClass"), "Standard"), "DownloadSwitch": "on", "MediaSource": "general", "TranscodeMode": "FastTranscode",
		"PreprocessStatus": "UnPreprocess", "AuditStatus": "Normal", "CustomMediaInfo": p.Get("CustomMediaInfo"),
		"MediaType": a.Type, "Type": p.Get("BusinessType"), "BusinessType": p.Get("BusinessType"), "ImageType": p.Get("ImageType"),
		"Status": status, "Size": a.Size, "Duration": a.duration(), "URL": a.URL, "Snapshots": c.snapshotsOf(a),
		"Width": look.width, "Height": look.height, "Bitrate": look.bitrate, "Fps": "25",
		"CreationTime": created, "CreateTime": created, "ModificationTime": changed, "ModifiedTime": changed,
		"Mezzanine": fields{"FileURL": a.URL, "FileSize": a.Size, "OriginalFileName": p.Get("OriginalFileName"), "Width": look.width, "Height": look.height},
	}
	if status == "Blocked" {
		f["AuditStatus"] = "Blocked"
	}
	if !a.complete {
		for _, name := range []string{"Duration", "Width", "Height", "Bitrate", "Fps"} {
			f[name] = "0"
		}
	}
	return f
}

// mezzanine describes the source file of an asset.
func (c *call) mezzanine(a *asset) fields {
	f := c.describeAsset(a)
	f["FileName"], f["FileURL"], f["FileMD5"] = path.Base(a.Key), a.URL, ""
	f["OutputType"] = cmp.Or(c.get("OutputType"), "cdn")
	f["Status"] = mezzanineStatus(a)
	if a.complete {
		f["VideoStreamList"], f["AudioStreamList"] = c.streamFacts(a, "VideoStreamList"), c.streamFacts(a, "AudioStreamList")
	}
	return f
}

func mezzanineStatus(a *asset) string {
	switch {
	case a.forced == "UploadFail":
		return "UploadFail"
	case a.noSource:
		return "Deleted"
	case a.complete:
		return "Normal"
	}
	return "Uploading"
}

// streamFacts makes up the technical facts of an asset's picture or sound in the
// form that a list of the answer has: none for a picture of a sound.
func (c *call) streamFacts(a *asset, list string) []any {
	field := findField(c.known.Response, list)
	if field == nil || a.Type != "video" && (a.Type != "audio" || strings.HasPrefix(list, "Video")) {
		return []any{}
	}
	look := a.picture()
	known := map[string]any{
		"Width": look.width, "Height": look.height, "Bitrate": look.bitrate, "Fps": "25", "AvgFPS": "25", "Duration": a.duration(), "Index": "0",
		"StartTime": "0", "Rotate": "0", "HasBFrames": "2", "Lang": "und", "Timebase": "1/12800", "CodecTimeBase": "1/50", "Dar": "16:9", "Sar": "1:1", "PixFmt": "yuv420p",
		"NumFrames": int(float(a.duration()) * 25), "Nb_frames": int(float(a.duration()) * 25),
		"CodecName": "h264", "CodecLongName": "H.264 / AVC / MPEG-4 AVC / MPEG-4 part 10", "CodecTag": "0x31637661", "CodecTagString": "avc1", "Profile": "High", "Level": "40",
	}
	if strings.HasPrefix(list, "Audio") {
		for name, value := range map[string]any{
			"CodecName": "aac", "CodecLongName": "AAC (Advanced Audio Coding)", "CodecTag": "0x6134706d", "CodecTagString": "mp4a", "Profile": "LC", "Index": "1",
			"Bitrate": 128, "Channels": "2", "ChannelLayout": "stereo", "SampleRate": "44100", "SampleFmt": "fltp", "Timebase": "1/44100", "CodecTimeBase": "1/44100",
			"NumFrames": int(float(a.duration()) * 43),
		} {
			known[name] = value
		}
	}
	v := catalogue.Values{Seed: a.MediaId, Known: func(_ string, f *catalogue.Field) (any, bool) {
		value, has := known[f.Name]
		return value, has
	}}
	return []any{v.Object(list, field.Fields)}
}

// snapshotsOf are the pictures of the latest snapshot job that has succeeded.
func (c *call) snapshotsOf(a *asset) []string {
	addresses := []string{}
	for _, job := range slices.Backward(c.jobsOf(snapshotJobs, "VideoId", a.MediaId)) {
		if job.succeeded(c.now) {
			for i := range min(int(float(job.values["Count"])), 8) {
				addresses = append(addresses, c.snapshotURL(job, i))
			}
			break
		}
	}
	return addresses
}

// picture is the size of an asset's picture in pixels and its bit rate in kbit/s.
type picture struct{ width, height, bitrate int }

func (a *asset) picture() picture {
	switch a.Type {
	case "video":
		return picture{1920, 1080, 2500}
	case "audio":
		return picture{bitrate: 128}
	case "image", "attached":
		return picture{width: 1280, height: 720}
	}
	return picture{}
}

// duration is how long a medium plays in seconds: made up, but the same for the same one.
func (a *asset) duration() string {
	if a.Type != "video" && a.Type != "audio" {
		return "0"
	}
	return strconv.FormatFloat(float64(len(a.MediaId)*7+int(a.Size%50))+0.5, 'f', -1, 64)
}

// playable are the definitions a stream may have, with its picture.
var playable = map[string]picture{
	"FD": {640, 360, 400}, "LD": {854, 480, 700}, "SD": {1280, 720, 1200}, "HD": {1920, 1080, 2500},
	"OD": {1920, 1080, 3500}, "2K": {2560, 1440, 6000}, "4K": {3840, 2160, 12000}, "SQ": {bitrate: 128}, "HQ": {bitrate: 320},
}

// playInfos are the streams that play: those made by transcoding, or the
// source where there are none.
func (c *call) playInfos(a *asset) []fields {
	infos := []fields{}
	if a.status(c.now) != "Normal" {
		return infos
	}
	add := func(st Stream, job string, size int64, made time.Time) {
		kind := map[bool]string{false: "video", true: "audio"}[a.Type == "audio"]
		look, known := playable[st.Definition]
		if !known {
			look = a.picture()
		}
		info := fields{
			"Definition": st.Definition, "PlayURL": st.URL, "FileURL": st.URL, "JobId": job, "Size": size, "Format": extension(st.URL),
			"Status": "Normal", "StreamType": kind, "HDRType": st.HDRType, "StreamTags": st.StreamTags, "TransTemplateType": "Normal",
			"Duration": a.duration(), "Bitrate": strconv.Itoa(look.bitrate), "Fps": "25", "Width": look.width, "Height": look.height,
			"Encrypt": 0, "NarrowBandType": "0", "CodecName": "H264", "BitDepth": 8, "JobType": 1, "Specification": "H264." + st.Definition,
			"CreationTime": made.Format(timeFormat), "ModificationTime": made.Format(timeFormat),
		}
		if t := c.things(transcodeJobs)[job]; t != nil {
			info["TemplateId"], info["TemplateGroupId"] = t.values["TemplateId"], t.values["TemplateGroupId"]
		}
		infos = append(infos, info)
	}
	for _, st := range a.streams {
		if st.Complete {
			var size int64
			if o := c.owned(st.bucket, st.key); o != nil {
				size = o.size
			}
			made := st.made
			if made.IsZero() {
				made = a.changed
			}
			add(st.Stream, st.job, size, made)
		}
	}
	if len(infos) == 0 && a.URL != "" && !a.noSource {
		add(Stream{Definition: "OD", URL: a.URL}, a.MediaId, a.Size, a.CreateTime)
	}
	return infos
}
