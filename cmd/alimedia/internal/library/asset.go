// Package library is the media library of both services, as commands see it:
// one form of an asset, whichever service has it.
package library

import (
	"cmp"
	"strconv"
	"strings"
	"time"

	"github.com/alimedia/alimedia-go"
	"github.com/alimedia/alimedia-go/ice"
	"github.com/alimedia/alimedia-go/vod"
)

// Asset is an asset of VOD or ICE. What a service does not tell is empty.
type Asset struct {
	MediaId     string   `json:"mediaId"`
	Service     string   `json:"service"` // vod or ice
	Type        string   `json:"type"`    // video, audio, image, text or attached
	Title       string   `json:"title"`
	Status      string   `json:"status"`
	Size        int64    `json:"size,omitempty"`     // bytes
	Duration    float64  `json:"duration,omitempty"` // seconds
	Created     string   `json:"created,omitempty"`  // as the service says
	Modified    string   `json:"modified,omitempty"`
	Description string   `json:"description,omitempty"`
	Tags        string   `json:"tags,omitempty"`
	Category    string   `json:"category,omitempty"`
	ReferenceId string   `json:"referenceId,omitempty"`
	InputURL    string   `json:"inputURL,omitempty"`
	Storage     string   `json:"storageLocation,omitempty"`
	Source      string   `json:"source,omitempty"`
	Cover       string   `json:"coverURL,omitempty"`
	UserData    string   `json:"userData,omitempty"`
	Streams     []Stream `json:"streams,omitempty"`
}

// Stream is a file or a stream of an asset.
type Stream struct {
	Definition string  `json:"definition,omitempty"`
	Format     string  `json:"format,omitempty"`
	Codec      string  `json:"codec,omitempty"`
	Width      int64   `json:"width,omitempty"`
	Height     int64   `json:"height,omitempty"`
	Bitrate    string  `json:"bitrate,omitempty"` // kbit/s
	Size       int64   `json:"size,omitempty"`
	Duration   float64 `json:"duration,omitempty"`
	Encrypted  bool    `json:"encrypted,omitempty"`
	URL        string  `json:"url,omitempty"`
}

// Ready reports whether the asset can be used, and Failed whether it never
// will without another upload or transcoding.
func (a *Asset) Ready() bool { return strings.EqualFold(a.Status, "Normal") }

// Failed reports whether the status is final and not a good one.
func (a *Asset) Failed() bool {
	switch a.Status {
	case "UploadFail", "TranscodeFail", "PrepareFail", "Blocked", "ProduceFail":
		return true
	}
	return false
}

// createdAt is the time of creation, zero if the service's text is none.
func (a *Asset) createdAt() time.Time {
	t, err := alimedia.ParseTime(a.Created)
	if err != nil {
		// SearchMedia of ICE may leave out the seconds.
		t, _ = time.Parse("2006-01-02T15:04Z", a.Created)
	}
	return t
}

func fromVideo(v vod.Video) Asset {
	return Asset{
		MediaId: v.VideoId, Service: "vod", Type: "video", Title: v.Title, Status: v.Status, Size: v.Size,
		Duration: seconds(v.Duration), Created: v.CreationTime, Modified: v.ModificationTime, Description: v.Description,
		Tags: v.Tags, Category: v.CateName, ReferenceId: v.ReferenceId, Storage: v.StorageLocation, Source: v.MediaSource,
		Cover: v.CoverURL, UserData: string(v.UserData),
	}
}

func fromAudio(v vod.Audio) Asset {
	return Asset{
		MediaId: v.AudioId, Service: "vod", Type: "audio", Title: v.Title, Status: v.Status, Size: v.Size,
		Duration: seconds(v.Duration), Created: v.CreationTime, Modified: v.ModificationTime, Description: v.Description,
		Tags: v.Tags, Category: v.CateName, ReferenceId: v.ReferenceId, Storage: v.StorageLocation, Source: v.MediaSource, Cover: v.CoverURL,
	}
}

// seconds is f without the digits that float32 does not have.
func seconds(f float32) float64 {
	exact, _ := strconv.ParseFloat(strconv.FormatFloat(float64(f), 'f', -1, 32), 64)
	return exact
}

func fromImage(v vod.Image) Asset {
	a := Asset{
		MediaId: v.ImageId, Service: "vod", Type: "image", Title: v.Title, Status: v.Status, Size: whole(v.Mezzanine.FileSize),
		Created: v.CreationTime, Modified: v.ModificationTime, Description: v.Description, Tags: v.Tags, Category: v.CateName,
		Storage: v.StorageLocation,
	}
	if url := cmp.Or(v.URL, v.Mezzanine.FileURL); url != "" {
		a.Streams = []Stream{{Width: int64(v.Mezzanine.Width), Height: int64(v.Mezzanine.Height), Size: a.Size, URL: url}}
	}
	return a
}

func fromAttached(v vod.AttachedMedia) Asset {
	a := Asset{
		MediaId: v.MediaId, Service: "vod", Type: "attached", Title: v.Title, Status: v.Status, Created: v.CreationTime,
		Modified: v.ModificationTime, Description: v.Description, Tags: v.Tags, Storage: v.StorageLocation,
		Category: v.BusinessType,
	}
	if v.URL != "" {
		a.Streams = []Stream{{URL: v.URL}}
	}
	return a
}

func fromMedia(m vod.Media) Asset {
	var a Asset
	switch m.MediaType {
	case "audio":
		a = fromAudio(m.Audio)
	case "image":
		a = fromImage(m.Image)
	case "attached", "attachedMedia":
		a = fromAttached(m.AttachedMedia)
	default:
		a = fromVideo(m.Video)
	}
	a.MediaId, a.Created = cmp.Or(a.MediaId, m.MediaId), cmp.Or(a.Created, m.CreationTime)
	return a
}

func fromICE(m ice.MediaInfo) Asset {
	b := m.MediaBasicInfo
	a := Asset{
		MediaId: cmp.Or(m.MediaId, b.MediaId), Service: "ice", Type: b.MediaType, Title: b.Title, Status: b.Status,
		Created: b.CreateTime, Modified: b.ModifiedTime, Description: b.Description, Tags: b.MediaTags,
		Category: cmp.Or(b.CateName, b.Category), ReferenceId: b.ReferenceId, InputURL: b.InputURL, Source: b.Source,
		Cover: b.CoverURL, UserData: b.UserData,
	}
	for _, f := range m.FileInfoList {
		file := f.FileBasicInfo
		s := Stream{
			Format: file.FormatName, Bitrate: file.Bitrate, Size: whole(file.FileSize), Width: whole(file.Width),
			Height: whole(file.Height), URL: file.FileUrl,
		}
		s.Duration = float(file.Duration)
		if len(f.VideoStreamInfoList) > 0 {
			s.Codec = f.VideoStreamInfoList[0].CodecName
		}
		a.Streams = append(a.Streams, s)
		a.Size, a.Duration = max(a.Size, s.Size), max(a.Duration, s.Duration)
	}
	return a
}

func whole(text string) int64 {
	n, _ := strconv.ParseInt(text, 10, 64)
	return max(n, 0)
}

func float(text string) float64 {
	f, _ := strconv.ParseFloat(text, 64)
	return max(f, 0)
}
