package ice

import (
	"encoding/json"
	"strconv"
	"strings"

	"github.com/alimedia/alimedia-go"
)

// producible checks what the reference asks of the timeline of a job, which is
// more than a project needs that is still being worked on.
func producible(req any) []alimedia.Violation {
	t := req.(SubmitMediaProducingJobRequest).Timeline
	if t.Raw != "" {
		return nil
	}
	var found violations
	media := len(t.VideoTracks) + len(t.AudioTracks)
	if media == 0 && len(t.ImageTracks)+len(t.SubtitleTracks)+len(t.EffectTracks) > 0 && !states(t.Extra, "VideoTracks", "AudioTracks") {
		found.add("Timeline", "a video or an audio track")
	}
	for i, track := range t.VideoTracks {
		for j, clip := range track.VideoTrackClips {
			if clip.Raw != "" || track.Type != "" {
				continue
			}
			at := path("Timeline.VideoTracks", i, "VideoTrackClips", j)
			switch clip.Type {
			case "", ClipVideo, ClipImage, ClipGlobalImage:
				found.needsMedia(at, clip.MediaId, clip.MediaURL, clip.Extra)
			}
			found.span(at, clip.In, clip.Out, clip.TimelineIn, clip.TimelineOut)
		}
	}
	for i, track := range t.AudioTracks {
		for j, clip := range track.AudioTrackClips {
			if clip.Raw != "" {
				continue
			}
			at := path("Timeline.AudioTracks", i, "AudioTrackClips", j)
			if clip.Type == "" {
				found.needsMedia(at, clip.MediaId, clip.MediaURL, clip.Extra)
			}
			found.span(at, clip.In, clip.Out, clip.TimelineIn, clip.TimelineOut)
		}
	}
	return found
}

type violations []alimedia.Violation

func (v *violations) add(field, rule string) {
	*v = append(*v, alimedia.Violation{Field: field, Rule: rule})
}

func (v *violations) needsMedia(at, id, url string, extra map[string]json.RawMessage) {
	if id == "" && url == "" && !states(extra, "MediaId", "MediaURL") {
		v.add(at, "MediaId or MediaURL")
	}
}

// span checks that a clip has a length. An end of zero is the end of the
// material.
func (v *violations) span(at string, in, out float64, timelineIn *float64, timelineOut float64) {
	if out != 0 && in >= out {
		v.add(at, "In before Out")
	}
	if timelineIn != nil && timelineOut != 0 && *timelineIn >= timelineOut {
		v.add(at, "TimelineIn before TimelineOut")
	}
}

// states reports whether a document has one of the keys beside its fields.
func states(extra map[string]json.RawMessage, keys ...string) bool {
	for key := range extra {
		for _, want := range keys {
			if strings.EqualFold(key, want) {
				return true
			}
		}
	}
	return false
}

func path(list string, i int, inner string, j int) string {
	return list + "[" + strconv.Itoa(i) + "]." + inner + "[" + strconv.Itoa(j) + "]"
}

// complete checks what the reference asks of each type of template.
func complete(req any) []alimedia.Violation {
	r := req.(CreateCustomTemplateRequest)
	config := r.TemplateConfig
	if config.Raw != "" {
		return nil
	}
	var found violations
	needs := func(name, value string) {
		if value == "" && !states(config.Extra, name) {
			found.add("TemplateConfig."+name, "required")
		}
	}
	switch r.Type {
	case TemplateSnapshot:
		needs("Type", config.Type)
	case TemplateAnimatedImage, TemplateSubtitle:
		needs("Format", config.Format)
	}
	return found
}
