package vod

import (
	"fmt"
	"net/url"
	"strings"

	"github.com/alimedia/alimedia-go"
)

// sameStorageLocation checks that all files of a RegisterMedia request lie in
// one bucket. URLs that do not show their bucket are left to the service.
func sameStorageLocation(req any) []alimedia.Violation {
	first := ""
	for _, file := range req.(RegisterMediaRequest).RegisterMetadatas {
		bucket := bucketOf(file.FileURL)
		switch {
		case bucket == "" || bucket == first:
		case first == "":
			first = bucket
		default:
			return []alimedia.Violation{{Field: "RegisterMetadatas", Rule: "all files in one storage location"}}
		}
	}
	return nil
}

// bucketOf is the bucket of an OSS URL, empty where the host is a domain of
// the user's own.
func bucketOf(rawURL string) string {
	u, err := url.Parse(rawURL)
	if err != nil {
		return ""
	}
	host := strings.ToLower(u.Hostname())
	bucket, rest, _ := strings.Cut(host, ".")
	switch {
	case u.Scheme == "oss":
		return host
	case strings.HasPrefix(rest, "oss-") && strings.HasSuffix(rest, ".aliyuncs.com"):
		return bucket
	default:
		return ""
	}
}

// producible checks what the reference asks of the timeline of a job, which is
// more than a project needs that is still being worked on.
func producible(req any) []alimedia.Violation {
	t := req.(ProduceEditingProjectVideoRequest).Timeline
	if t.Raw != "" {
		return nil
	}
	var found []alimedia.Violation
	if len(t.VideoTracks)+len(t.AudioTracks) == 0 && len(t.ImageTracks)+len(t.SubtitleTracks) > 0 && t.Extra["VideoTracks"] == nil && t.Extra["AudioTracks"] == nil {
		found = append(found, alimedia.Violation{Field: "Timeline", Rule: "a video or an audio track"})
	}
	for i, track := range t.VideoTracks {
		for j, clip := range track.VideoTrackClips {
			if clip.Out != 0 && clip.In >= clip.Out {
				found = append(found, alimedia.Violation{Field: fmt.Sprintf("Timeline.VideoTracks[%d].VideoTrackClips[%d]", i, j), Rule: "In before Out"})
			}
		}
	}
	for i, track := range t.AudioTracks {
		for j, clip := range track.AudioTrackClips {
			if clip.Out != 0 && clip.In >= clip.Out {
				found = append(found, alimedia.Violation{Field: fmt.Sprintf("Timeline.AudioTracks[%d].AudioTrackClips[%d]", i, j), Rule: "In before Out"})
			}
		}
	}
	return found
}
