package mediatest

import (
	"cmp"
	"encoding/json"
	"strconv"
	"time"
)

// What the events say, and which operation causes which.

// outcomeWords are how a service says that something went well or badly.
func outcomeWords(service string) (good, bad string) {
	if service == "vod" {
		return "success", "fail"
	}
	return "Success", "Fail"
}

// ended tells of a job that has ended.
func (s *Server) ended(acc *Account, t *thing) {
	event := cmp.Or(t.event, t.family.event)
	if event == "" || t.canceled {
		return
	}
	good, bad := outcomeWords(t.family.service)
	details := fields{"JobId": t.id, "Status": good}
	if t.code != "" {
		details["Status"], details["ErrorCode"], details["ErrorMessage"] = bad, t.code, t.message
	}
	for _, name := range []string{"MediaId", "VideoId", "MediaURL", "ProjectId", "Definition", "SourceURL"} {
		if v := t.values[name]; v != "" {
			details[name] = v
		}
	}
	if from := t.values["UploadURL"]; from != "" {
		details["SourceURL"] = from
		if t.family.service == "vod" {
			details["VideoId"] = t.values["MediaId"]
		}
	}
	data := t.values["UserData"]
	if a := acc.medias[cmp.Or(t.values["VideoId"], t.values["MediaId"])]; a != nil && data == "" {
		data = a.Params.Get("UserData") // given at the upload, the default for jobs
	}
	if also := particulars[event]; also != nil && t.code == "" {
		also(s, acc, t, details)
	}
	s.emit(acc, t.family.service, event, data, details)
	for kind, each := range parts(event, t) {
		for i, part := range each {
			part["JobId"], part["Status"] = t.id, details["Status"]
			part["Index"] = i
			s.emit(acc, t.family.service, kind, data, part)
		}
	}
	if t.family == transcodeJobs {
		s.taskEnded(acc, t, data)
	}
}

// particulars add to an event what only its kind says of a success.
var particulars = map[string]func(*Server, *Account, *thing, fields){
	"StreamTranscodeComplete": func(s *Server, acc *Account, t *thing, f fields) {
		for name, value := range s.streamDetails(acc, t) {
			f[name] = value
		}
	},
	"SnapshotComplete": func(s *Server, acc *Account, t *thing, f fields) {
		if t.family.service != "vod" {
			return
		}
		first := s.objectURL(acc.storage, snapshotKey(t, 0))
		f["SubType"], f["CoverUrl"] = "SpecifiedTime", first
		f["SnapshotInfos"] = []fields{{
			"Status": "success", "JobId": t.id, "SnapshotType": "NormalSnapshot", "SnapshotCount": int(float(t.values["Count"])), "SnapshotFormat": snapshotFormat(t),
			"SnapshotRegular": s.objectURL(acc.storage, snapshotFormat(t)),
		}}
	},
	"DynamicImageComplete": func(s *Server, acc *Account, t *thing, f fields) {
		if t.family.service == "vod" {
			f["DynamicImageId"], f["FileUrl"] = t.values["DynamicImageId"], s.objectURL(acc.storage, dynamicImageKey(t))
		}
	},
	"UploadByURLComplete": func(_ *Server, acc *Account, t *thing, f fields) {
		if address := t.values["StreamURL"]; address != "" { // of a stream, in VOD
			f["VideoId"], f["FileType"], f["SourceURL"] = t.values["MediaId"], "Stream", address
			f["StreamFileURL"] = streamURL(acc, t)
		}
	},
	"UploadStreamByURLComplete": func(_ *Server, acc *Account, t *thing, f fields) {
		f["SourceURL"], f["FileURL"] = t.values["StreamURL"], streamURL(acc, t)
	},
	"BatchProduceMediaComplete": func(_ *Server, _ *Account, _ *thing, f fields) { f["Status"] = "Finished" },
	"AIMediaAuditComplete":      func(_ *Server, _ *Account, _ *thing, f fields) { f["Code"], f["Message"], f["Data"] = "0", "OK", "{}" },
	"AIVideoTagComplete":        func(_ *Server, _ *Account, _ *thing, f fields) { f["Code"], f["Message"], f["Data"] = "0", "OK", "{}" },
	"AIMediaDNAComplete":        func(_ *Server, _ *Account, _ *thing, f fields) { f["Code"], f["Message"], f["Data"] = "0", "OK", "{}" },
}

// streamURL is where the stream of a job is.
func streamURL(acc *Account, t *thing) string {
	if a := acc.medias[t.values["MediaId"]]; a != nil {
		for _, st := range a.streams {
			if st.job == t.id {
				return st.URL
			}
		}
	}
	return ""
}

// parts are the events of the parts of a job, by their type.
func parts(event string, t *thing) map[string][]fields {
	switch event {
	case "TranscodeParentComplete":
		return map[string][]fields{"TranscodeComplete": {{"ParentJobId": t.id}}}
	case "MediaConvertComplete":
		var config struct {
			Outputs      []struct{ Name string }
			OutputGroups []struct {
				Name    string
				Outputs []struct{ Name string }
			}
		}
		_ = json.Unmarshal([]byte(t.values["Config"]), &config) // an odd one has no outputs
		all := map[string][]fields{}
		output := func(name, group string) {
			all["MediaConvertOutputComplete"] = append(all["MediaConvertOutputComplete"], fields{"Name": name, "GroupName": group})
		}
		for _, out := range config.Outputs {
			output(out.Name, "")
		}
		for _, group := range config.OutputGroups {
			for _, out := range group.Outputs {
				output(out.Name, group.Name)
			}
			all["MediaConvertOutputGroupComplete"] = append(all["MediaConvertOutputGroupComplete"], fields{"Name": group.Name})
		}
		return all
	}
	return nil
}

// streamDetails is what an event says of a transcoded stream.
func (s *Server) streamDetails(acc *Account, job *thing) fields {
	look := playable[job.values["Definition"]]
	f := fields{
		"JobId": job.id, "Definition": job.values["Definition"], "Status": "success", "Bitrate": strconv.Itoa(look.bitrate), "Fps": "25",
		"Width": look.width, "Height": look.height, "Encrypt": false, "Format": "mp4",
		"StartTime": job.created.Format(timeFormat), "FinishTime": job.due.Format(timeFormat),
	}
	if job.code != "" {
		f["Status"], f["ErrorCode"], f["ErrorMessage"] = "fail", job.code, job.message
	}
	a := acc.medias[job.values["VideoId"]]
	if a == nil {
		return f
	}
	f["Duration"], f["IsAudio"] = float(a.duration()), a.Type == "audio"
	for _, st := range a.streams {
		if st.job == job.id {
			f["FileUrl"] = st.URL
			if o := acc.owned(st.bucket, st.key); o != nil {
				f["Size"] = o.size
			}
		}
	}
	return f
}

// taskEnded tells of a transcoding task of VOD when its last job has ended: a
// success if one of them was.
func (s *Server) taskEnded(acc *Account, job *thing, data string) {
	status := "fail"
	streams := []fields{}
	for _, other := range acc.sorted(transcodeJobs) {
		if other.values["TaskId"] != job.values["TaskId"] {
			continue
		}
		if !other.settled {
			return
		}
		if other.code == "" {
			status = "success"
		}
		streams = append(streams, s.streamDetails(acc, other))
	}
	s.emit(acc, "vod", "TranscodeComplete", data, fields{"VideoId": job.values["VideoId"], "Status": status, "StreamInfos": streams})
}

// arrivedEvent tells of an asset whose object is there.
func (s *Server) arrivedEvent(acc *Account, a *asset) {
	defer s.analyzedEvent(acc, a)
	if a.Params.Has("UploadURLs") || a.Params.Has("OutputMediaConfig") || a.Service == "vod" && a.InputURL != "" {
		return // the job tells, or nobody
	}
	data := a.Params.Get("UserData")
	if a.Service == "ice" {
		kind := "FileUploadComplete"
		if a.InputURL != "" {
			kind = "RegisterMediaComplete"
		}
		s.emit(acc, "ice", kind, data, fields{"MediaId": a.MediaId, "MediaType": a.Type, "Status": "Success", "FileURL": a.URL, "Size": strconv.FormatInt(a.Size, 10)})
		return
	}
	switch a.Type {
	case "image":
		s.emit(acc, "vod", "ImageUploadComplete", data, fields{"ImageId": a.MediaId, "Status": "success", "FileURL": a.URL, "Size": a.Size})
	case "attached":
		s.emit(acc, "vod", "AttachedMediaUploadComplete", data, fields{"MediaId": a.MediaId, "Status": "success", "FileURL": a.URL, "FileSize": a.Size})
	default:
		s.emit(acc, "vod", "FileUploadComplete", data, fields{"VideoId": a.MediaId, "Status": "success", "FileUrl": a.URL, "Size": a.Size})
	}
}

// analyzedEvent tells what the analysis of an uploaded video or sound has found.
func (s *Server) analyzedEvent(acc *Account, a *asset) {
	if a.Type != "video" && a.Type != "audio" || a.Bucket != acc.storage {
		return
	}
	good, _ := outcomeWords(a.Service)
	look := a.picture()
	f := fields{"Status": good, "Duration": float(a.duration()), "Bitrate": strconv.Itoa(look.bitrate), "Size": a.Size}
	f[map[string]string{"vod": "VideoId", "ice": "MediaId"}[a.Service]] = a.MediaId
	if a.Type == "video" {
		f["Width"], f["Height"], f["Fps"] = look.width, look.height, "25"
	}
	s.emit(acc, a.Service, "VideoAnalysisComplete", a.Params.Get("UserData"), f)
}

// changedEvent tells of an asset whose properties were changed.
func (c *call) changedEvent(a *asset, before map[string]string) {
	content := map[string]any{}
	for name, old := range before {
		if now := cmp.Or(a.Params.Get(name), map[string]string{"Title": a.Title}[name]); now != old {
			text, _ := json.Marshal(fields{"OldValue": old, "NewValue": now}) // strings only
			content[name] = string(text)
		}
	}
	text, _ := json.Marshal(content) // strings only
	kind := a.Type
	if kind == "audio" {
		kind = "video"
	}
	good, _ := outcomeWords(a.Service)
	c.emit(c.Account, c.service, "MediaBaseChangeComplete", a.Params.Get("UserData"), fields{
		"MediaId": a.MediaId, "MediaType": kind, "OperateMode": "update", "MediaContent": string(text), "Status": good,
	})
}

// LiveRecord is a live stream that was recorded into the library of VOD.
type LiveRecord struct {
	Domain, App, Stream string
	Title               string        // empty: the name of the stream
	Duration            time.Duration // of the recording, which ends now
}

// RecordLive puts the recording of a live stream into the library of VOD, as
// ApsaraVideo Live does at the end of a stream, and returns its VideoId. The
// events LiveRecordVideoComposeStart and AddLiveRecordVideoComplete tell of it.
func (s *Server) RecordLive(r LiveRecord) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	acc, id := s.first.Load(), s.randomID(16)
	a := acc.add(Media{MediaId: id, Service: "vod", Type: "video", Title: cmp.Or(r.Title, r.Stream), Bucket: acc.storage, Key: "live/" + id + ".m3u8"})
	stream := fields{"VideoId": id, "Status": "success", "StreamName": r.Stream, "DomainName": r.Domain, "AppName": r.App}
	s.emit(acc, "vod", "LiveRecordVideoComposeStart", "", stream)
	s.keep(a.Bucket, a.Key, []byte("#EXTM3U\n#EXT-X-ENDLIST\n"))
	now := s.now()
	stream["RecordStartTime"], stream["RecordEndTime"] = now.Add(-r.Duration).Format(timeFormat), now.Format(timeFormat)
	s.emit(acc, "vod", "AddLiveRecordVideoComplete", "", stream)
	return id
}

// liveRecordMade tells of a recording that has begun and of its first file.
func liveRecordMade(c *call, t *thing) error {
	own := ownCallback{CallbackURL: t.values["NotifyUrl"]}
	c.emitTo(c.Account, own, "ice", "LiveRecordTaskStatus", "", fields{"JobId": t.id, "TaskStatus": "normal"})
	c.emitTo(c.Account, own, "ice", "LiveRecordFileCreated", "", fields{
		"JobId": t.id, "FileUrl": c.objectURL(c.storage, "record/"+t.id+"/0.m3u8"), "StartTime": t.created.Format(timeFormat), "Format": "m3u8",
	})
	return nil
}

// liveSnapshotMade tells of the first picture of a snapshot job.
func liveSnapshotMade(c *call, t *thing) error {
	c.emitTo(c.Account, ownCallback{CallbackURL: t.values["CallbackUrl"]}, "ice", "LiveSnapshotFileCreated", "", fields{
		"JobId": t.id, "FileUrl": c.objectURL(c.storage, "snapshot/"+t.id+"/0.jpg"), "CreateTime": t.created.Format(timeFormat),
	})
	return nil
}
