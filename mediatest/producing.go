package mediatest

import (
	"cmp"
	"encoding/json"
	"net/url"
	"path"
)

// needsVideo refuses a job for a video that is not there.
func needsVideo(c *call, t *thing) error {
	id := cmp.Or(t.values["VideoId"], t.values["MediaId"])
	if a := c.medias[id]; a == nil || a.Service != "vod" {
		return errVideoNotFound
	}
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
	t.values["MediaId"] = randomID(16)
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
