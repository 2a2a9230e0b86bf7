package mediatest

import (
	"cmp"
	"path"
	"strings"
)

// operations are the API operations with a real answer.
var operations = map[string]operation{
	"vod.CreateUploadVideo":  {required: "FileName Title", run: createUploadVideo},
	"vod.RefreshUploadVideo": {run: refreshUploadVideo},
}

func createUploadVideo(c *call) (fields, error) {
	name := c.get("FileName")
	ext := strings.ToLower(path.Ext(name))
	if len(ext) < 2 {
		return nil, invalid("FileName")
	}
	if c.byReference(c.get("ReferenceId")) != nil {
		return nil, refused(400, "InvalidParameter.ReferenceId", "The specified ReferenceId is in use already.")
	}
	bucket, err := c.location(c.get("StorageLocation"))
	if err != nil {
		return nil, err
	}
	id := randomID(16)
	a := c.add(Media{
		MediaId: id, Service: "vod", Type: typeOf(name), Title: c.get("Title"),
		Bucket: bucket, Key: "sv/" + id + "/" + id + ext, Params: cloneValues(c.params),
	})
	if ext == ".m3u8" {
		a.prefix = "sv/" + id + "/"
	}
	address, auth := c.uploadFields(a.Bucket, a.Key, a.prefix)
	return fields{"VideoId": id, "UploadAddress": address, "UploadAuth": auth}, nil
}

func refreshUploadVideo(c *call) (fields, error) {
	if c.get("VideoId") == "" && c.get("ReferenceId") == "" {
		return nil, missing("VideoId")
	}
	a := c.video()
	if a == nil {
		return nil, refused(404, "InvalidVideo.NotFound", "The video does not exist.")
	}
	address, auth := c.uploadFields(a.Bucket, a.Key, a.prefix)
	return fields{"VideoId": a.MediaId, "UploadAddress": address, "UploadAuth": auth}, nil
}

// video finds the VOD asset named by VideoId or ReferenceId.
func (c *call) video() *asset {
	a := c.medias[c.get("VideoId")]
	if c.get("VideoId") == "" {
		a = c.byReference(c.get("ReferenceId"))
	}
	if a == nil || a.Service != "vod" {
		return nil
	}
	return a
}

// location is the bucket of a StorageLocation.
func (s *Server) location(host string) (string, error) {
	bucket, _, _ := strings.Cut(cmp.Or(host, s.storage), ".")
	if s.buckets[bucket] == nil {
		return "", refused(404, "InvalidStorage.NotFound", "The specified StorageLocation does not exist.")
	}
	return bucket, nil
}
