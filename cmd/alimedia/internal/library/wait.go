package library

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/alimedia/alimedia-go"
	"github.com/alimedia/alimedia-go/ice"
	"github.com/alimedia/alimedia-go/vod"
)

// WaitAsset waits until an asset is ready, and returns its last status.
func (l Library) WaitAsset(ctx context.Context, a Asset) (status string, err error) {
	switch {
	case a.Service == "ice":
		out, err := l.ICE.WaitMediaInfo(ctx, a.MediaId)
		if out != nil {
			status = out.MediaInfo.MediaBasicInfo.Status
		}
		return status, err
	case a.Type == "image":
		out, err := l.VOD.WaitImageInfo(ctx, a.MediaId)
		if out != nil {
			status = out.ImageInfo.Status
		}
		return status, err
	case a.Type == "attached":
		out, err := l.VOD.WaitAttachedMedia(ctx, a.MediaId)
		if out != nil {
			status = out.Status
		}
		return status, err
	}
	out, err := l.VOD.WaitVideoInfo(ctx, a.MediaId)
	if out != nil {
		status = out.Video.Status
	}
	return status, err
}

// waiters wait for jobs by their kinds.
var waiters = map[string]func(context.Context, Library, string) error{
	"vod:url-upload":          ofVOD((*vod.Client).WaitURLUpload),
	"vod:transcode-task":      ofVOD((*vod.Client).WaitTranscodeTask),
	"vod:transcode":           ofVOD((*vod.Client).WaitTranscodeJob),
	"vod:snapshot":            ofVOD((*vod.Client).WaitSnapshotJob),
	"vod:workflow":            ofVOD((*vod.Client).WaitWorkflowTask),
	"vod:ai":                  ofVOD((*vod.Client).WaitAIJob),
	"vod:ai-image":            ofVOD((*vod.Client).WaitAIImageJob),
	"vod:audit":               ofVOD((*vod.Client).WaitAIMediaAuditJob),
	"vod:editing-project":     ofVOD((*vod.Client).WaitEditingProject),
	"vod:cache-refresh":       ofVOD((*vod.Client).WaitVodRefreshTask),
	"ice:url-upload":          ofICE((*ice.Client).WaitUrlUpload),
	"ice:transcode":           ofICE((*ice.Client).WaitTranscodeJob),
	"ice:snapshot":            ofICE((*ice.Client).WaitSnapshotJob),
	"ice:media-info":          ofICE((*ice.Client).WaitMediaInfoJob),
	"ice:media-convert":       ofICE((*ice.Client).WaitMediaConvertJob),
	"ice:media-producing":     ofICE((*ice.Client).WaitMediaProducingJob),
	"ice:batch-producing":     ofICE((*ice.Client).WaitBatchMediaProducingJob),
	"ice:package":             ofICE((*ice.Client).WaitPackageJob),
	"ice:smarttag":            ofICE((*ice.Client).WaitSmarttagJob),
	"ice:smart-handle":        ofICE((*ice.Client).WaitSmartHandleJob),
	"ice:workflow":            ofICE((*ice.Client).WaitWorkflowTask),
	"ice:ai-workflow":         ofICE((*ice.Client).WaitAIWorkflowTask),
	"ice:live-editing":        ofICE((*ice.Client).WaitLiveEditingJob),
	"ice:dynamic-image":       ofICE((*ice.Client).WaitDynamicImageJob),
	"ice:iproduction":         ofICE((*ice.Client).WaitIProductionJob),
	"ice:copyright":           ofICE((*ice.Client).WaitCopyrightJob),
	"ice:dna":                 ofICE((*ice.Client).WaitDNAJob),
	"ice:avatar-training":     ofICE((*ice.Client).WaitAvatarTrainingJob),
	"ice:customized-voice":    ofICE((*ice.Client).WaitCustomizedVoiceJob),
	"ice:project-export":      ofICE((*ice.Client).WaitProjectExportJob),
	"ice:video-cognition":     ofICE((*ice.Client).WaitVideoCognitionJob),
	"ice:yike-ai-app":         ofICE((*ice.Client).WaitYikeAIAppJob),
	"ice:yike-storyboard":     ofICE((*ice.Client).WaitYikeStoryboardJob),
	"ice:media-censor":        ofICE((*ice.Client).WaitMediaCensorJob),
	"ice:template":            ofICE((*ice.Client).WaitTemplate),
	"ice:vod-packaging-asset": ofICE((*ice.Client).WaitVodPackagingAsset),
}

func ofVOD[P any](wait func(*vod.Client, context.Context, string) (P, error)) func(context.Context, Library, string) error {
	return func(ctx context.Context, l Library, id string) error {
		_, err := wait(l.VOD, ctx, id)
		return err
	}
}

func ofICE[P any](wait func(*ice.Client, context.Context, string) (P, error)) func(context.Context, Library, string) error {
	return func(ctx context.Context, l Library, id string) error {
		_, err := wait(l.ICE, ctx, id)
		return err
	}
}

// Jobs are the kinds of jobs that can be waited for.
func Jobs() []string { return slices.Sorted(maps.Keys(waiters)) }

// ErrNoService means that the client of the job's service is left out.
var ErrNoService = errors.New("the job belongs to the other service")

// WaitJob waits for a job of a kind, and returns its final status.
func (l Library) WaitJob(ctx context.Context, kind, id string) (string, error) {
	if strings.HasPrefix(kind, "vod:") && l.VOD == nil || strings.HasPrefix(kind, "ice:") && l.ICE == nil {
		return "", ErrNoService
	}
	err := waiters[kind](ctx, l, id)
	var ended *alimedia.JobError
	switch {
	case errors.As(err, &ended):
		return ended.Status, err
	case alimedia.IsNotFound(err), err != nil && !errors.As(err, new(*alimedia.Error)) && strings.HasSuffix(err.Error(), " was not found"):
		return "", ErrNotFound
	case err != nil:
		return "", err
	}
	return "Success", nil
}

// WaitAnyJob looks among uploads by URL and transcoding for a job, and waits for
// it. The error is ErrNotFound if it is none of them.
func (l Library) WaitAnyJob(ctx context.Context, id string) (kind, status string, err error) {
	looks := []struct {
		kind string
		has  func() (bool, error)
	}{
		{"vod:url-upload", func() (bool, error) {
			out, err := l.VOD.GetURLUploadInfos(ctx, vod.GetURLUploadInfosRequest{JobIds: []string{id}})
			return err == nil && len(out.URLUploadInfoList) > 0, err
		}},
		{"vod:transcode-task", func() (bool, error) {
			out, err := l.VOD.GetTranscodeTask(ctx, vod.GetTranscodeTaskRequest{TranscodeTaskId: id})
			return err == nil && out.TranscodeTask.TranscodeTaskId != "", err
		}},
		{"ice:url-upload", func() (bool, error) {
			out, err := l.ICE.GetUrlUploadInfos(ctx, ice.GetUrlUploadInfosRequest{JobIds: []string{id}})
			return err == nil && len(out.URLUploadInfoList) > 0, err
		}},
		{"ice:media-convert", func() (bool, error) {
			out, err := l.ICE.GetMediaConvertJob(ctx, ice.GetMediaConvertJobRequest{JobId: id})
			return err == nil && out.Job.JobId != "", err
		}},
	}
	failed := ErrNotFound
	for _, look := range looks {
		if strings.HasPrefix(look.kind, "vod:") && l.VOD == nil || strings.HasPrefix(look.kind, "ice:") && l.ICE == nil {
			continue
		}
		there, err := look.has()
		switch {
		case there:
			status, err := l.WaitJob(ctx, look.kind, id)
			return look.kind, status, err
		case ctx.Err() != nil:
			return "", "", err
		case err != nil && !alimedia.IsNotFound(err) && !rejected(err):
			failed = err
		}
	}
	return "", "", failed
}

// rejected reports whether a service refused the form of an id, which is not
// one of its own then.
func rejected(err error) bool {
	var e *alimedia.Error
	return errors.As(err, &e) && e.StatusCode == http.StatusBadRequest && !alimedia.IsAccessDenied(err) && !e.Retryable()
}
