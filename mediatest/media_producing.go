package mediatest

import (
	"cmp"
	"encoding/json"
	"net/url"
	"path"
	"strings"
)

// needsVideo refuses a job for a video that is not there.
func needsVideo(c *call, t *thing) error {
	id := cmp.Or(t.values["VideoId"], t.values["MediaId"])
	if a := c.medias[id]; a == nil || a.Service != "vod" {
		return errVideoNotFound
	}
	return nil
}

// smartMade names the kind of an intelligent job by its operation: ASR of SubmitASRJob.
func smartMade(_ *call, t *thing) error {
	t.values["JobType"] = strings.TrimSuffix(strings.TrimPrefix(t.by, "Submit"), "Job")
	return nil
}

// analysisMade finds the asset that an analysis is for, by its id or its URL.
func analysisMade(c *call, t *thing) error {
	a := c.medias[t.values["Input"]]
	if a == nil {
		a = c.byURL(t.values["Input"], "")
	}
	switch {
	case a != nil:
		t.values["MediaId"] = a.MediaId
	case strings.Contains(t.values["Input"], "://"):
		t.values["MediaId"] = c.randomID(16) // the service registers the file
	default:
		return errMediaNotFound
	}
	return nil
}

// voiceMade gives a voice an id where its caller has none.
func voiceMade(_ *call, t *thing) error {
	t.values["VoiceId"] = cmp.Or(t.values["VoiceId"], "voice-"+t.id[:8])
	return nil
}

// producingMade gives a producing job the asset that it makes.
func producingMade(c *call, t *thing) error {
	var out struct{ MediaURL, StorageLocation, FileName string }
	if text := t.values["OutputMediaConfig"]; text != "" && json.Unmarshal([]byte(text), &out) != nil {
		return invalid("OutputMediaConfig")
	}
	if id := t.values["ProjectId"]; id != "" && !c.has("ice", "EditingProject", id) {
		return refused(404, "ResourceNotFound", "The specified EditingProject does not exist.")
	}
	if t.values["ProjectId"] == "" {
		t.values["ProjectId"] = c.projectOf(t)
	}
	t.values["MediaId"] = c.randomID(16)
	t.values["MediaURL"] = out.MediaURL
	if out.MediaURL == "" {
		t.values["MediaURL"] = c.objectURL(c.storage, "produced/"+cmp.Or(out.FileName, t.id+".mp4"))
	}
	var meta struct{ Title string }
	_ = json.Unmarshal([]byte(t.values["MediaMetadata"]), &meta) // a title is a nicety
	bucket, key, _ := c.locate(t.values["MediaURL"])
	c.add(Media{
		MediaId: t.values["MediaId"], Service: "ice", Type: typeOf(key), Title: cmp.Or(meta.Title, path.Base(key)),
		Bucket: bucket, Key: key, InputURL: t.values["MediaURL"], Params: url.Values{"UserData": {t.values["UserData"]}},
	})
	return nil
}

// projectOf makes the editing project that a job without one gets.
func (c *call) projectOf(job *thing) string {
	var meta struct{ Title, Description string }
	_ = json.Unmarshal([]byte(job.values["ProjectMetadata"]), &meta) // a title is a nicety
	project := c.newThing(editingProjects, c.randomID(16), c.action)
	project.values["Title"], project.values["Description"] = cmp.Or(meta.Title, c.now.Format("20060102150405")), meta.Description
	project.values["Timeline"] = job.values["Timeline"]
	project.values["Status"] = "Produced"
	return project.id
}

// producingDone completes the asset of a job, with an object of a few bytes
// where the bucket is one of the server's.
func producingDone(s *Server, acc *Account, t *thing) {
	a := acc.medias[t.values["MediaId"]]
	if a == nil {
		return
	}
	if acc.owns(a.Bucket) {
		s.keep(a.Bucket, a.Key, []byte("mediatest: output of job "+t.id+"\n"))
	}
	if !a.complete {
		acc.finish(a, 0)
	}
}
