package upload

import (
	"cmp"
	"context"

	"github.com/alimedia/alimedia-go"
	"github.com/alimedia/alimedia-go/upload/internal/checkpoint"
	"github.com/alimedia/alimedia-go/upload/internal/mediatype"
	"github.com/alimedia/alimedia-go/vod"
)

// VODVideo creates a video or audio asset in ApsaraVideo VOD (CreateUploadVideo).
// If FileName, Title and FileSize are empty, they are filled in from the source.
type VODVideo vod.CreateUploadVideoRequest

// bind uses key as the ReferenceId, if it is a valid one.
func (t VODVideo) bind(u *Uploader, key string) binding {
	if t.ReferenceId == "" && referenceID.MatchString(key) {
		t.ReferenceId = key
	}
	return vodVideo{VODVideo: t, u: u}
}

// vodVideo is a VODVideo with the clients of an Uploader.
type vodVideo struct {
	VODVideo
	segmentTarget
	u *Uploader
}

func (vodVideo) name() string { return "VODVideo" }

func (t vodVideo) create(ctx context.Context, file fileInfo) (destination, error) {
	req := vod.CreateUploadVideoRequest(t.VODVideo)
	req.FileName = cmp.Or(req.FileName, file.name)
	req.Title = cmp.Or(req.Title, clipRunes(file.title(), 128))
	var err error
	if req.FileSize, err = declared(req.FileSize, file); err != nil {
		return destination{}, err
	}
	switch {
	case t.u.cfg.VOD == nil:
		return destination{}, needs("VODVideo", "Config.VOD")
	case mediatype.Extension(req.FileName) == "":
		return destination{}, noExtension("VODVideo.FileName")
	}
	out, err := t.u.cfg.VOD.CreateUploadVideo(ctx, req)
	if err != nil {
		return destination{}, err
	}
	p := t.place(out.VideoId, out.RequestId)
	return t.u.withCredential(p, out.UploadAddress, string(out.UploadAuth), t.refresh(p.mediaID))
}

func (t vodVideo) describe(_ fileInfo, k *checkpoint.Key) {
	k.App, k.Storage, k.ReferenceID = cmp.Or(t.AppId, defaultApp), t.StorageLocation, t.ReferenceId
}

func (t vodVideo) signer() signer     { return t.u.vodSigner() }
func (t vodVideo) status() statusFunc { return t.u.videoState }

func (t vodVideo) resume(ctx context.Context, _ fileInfo, was destination, stored bool) (destination, error) {
	switch {
	case stored:
		return was, nil
	case t.u.cfg.VOD == nil:
		return was, needs("VODVideo", "Config.VOD")
	}
	was.exists, was.removeUploads = t.arrived(was.mediaID), t.sweep(was.mediaID)
	return t.u.resumeAt(ctx, was, t.refresh(was.mediaID))
}

func (t vodVideo) lookup() lookupFunc {
	if t.ReferenceId == "" {
		return nil
	}
	return t.find
}

// find finds the asset with the ReferenceId. An asset that has its file is
// completed.
func (t vodVideo) find(ctx context.Context, file fileInfo) (destination, bool, error) {
	if t.u.cfg.VOD == nil {
		return destination{}, false, needs("VODVideo", "Config.VOD")
	}
	out, err := t.u.cfg.VOD.RefreshUploadVideo(ctx, vod.RefreshUploadVideoRequest{ReferenceId: t.ReferenceId})
	if alimedia.IsNotFound(err) {
		return destination{}, false, nil
	}
	var p destination
	if err == nil {
		p = t.place(out.VideoId, out.RequestId)
		p, err = t.u.withCredential(p, out.UploadAddress, string(out.UploadAuth), t.refresh(p.mediaID))
	}
	// An asset that was not made by an upload may have no upload credential.
	info, unknown := t.u.cfg.VOD.GetVideoInfo(ctx, vod.GetVideoInfoRequest{ReferenceId: t.ReferenceId})
	switch {
	case unknown != nil:
		return p, false, cmp.Or(err, unknown)
	case info.Video.Status == vod.VideoStatusUploading || info.Video.Status == vod.VideoStatusUploadFail:
		return p, err == nil, err
	}
	p.mediaID = info.Video.VideoId
	p.completed = &Result{
		MediaId: p.mediaID, FileURL: p.fileURL, RequestId: info.RequestId,
		Bucket: p.address.Bucket, Key: p.address.Key, Size: cmp.Or(info.Video.Size, max(file.size, 0)),
		AlreadyUploaded: true,
	}
	return p, true, nil
}

func (t vodVideo) reopen() reopenFunc { return t.open }

// open returns the destination of an asset that exists.
func (t vodVideo) open(ctx context.Context, mediaID string) (destination, error) {
	if t.u.cfg.VOD == nil {
		return destination{}, needs("VODVideo", "Config.VOD")
	}
	return t.u.withFreshCredential(ctx, t.place(mediaID, ""), t.refresh(mediaID))
}

// place is the destination of a video without its address.
func (t vodVideo) place(videoID, requestID string) destination {
	return destination{mediaID: videoID, requestID: requestID, exists: t.arrived(videoID), removeUploads: t.sweep(videoID)}
}

func (t vodVideo) refresh(videoID string) refreshFunc {
	return func(ctx context.Context) (string, string, error) {
		out, err := t.u.cfg.VOD.RefreshUploadVideo(ctx, vod.RefreshUploadVideoRequest{VideoId: videoID})
		if err != nil {
			return "", "", err
		}
		return out.UploadAddress, string(out.UploadAuth), nil
	}
}

// sweep removes the multipart uploads of a video.
func (t vodVideo) sweep(videoID string) func(context.Context) error {
	return func(ctx context.Context) error {
		_, err := t.u.cfg.VOD.DeleteMultipartUpload(ctx, vod.DeleteMultipartUploadRequest{MediaId: videoID, MediaType: "video"})
		return err
	}
}

// arrived asks the service whether it has the file of a video.
func (t vodVideo) arrived(videoID string) func(context.Context) (bool, error) {
	return func(ctx context.Context) (bool, error) {
		out, err := t.u.cfg.VOD.GetVideoInfo(ctx, vod.GetVideoInfoRequest{VideoId: videoID})
		if err != nil {
			return false, err
		}
		return out.Video.Status != vod.VideoStatusUploading && out.Video.Status != vod.VideoStatusUploadFail, nil
	}
}

func (u *Uploader) videoState(ctx context.Context, id string) (state, error) {
	out, err := u.cfg.VOD.GetVideoInfo(ctx, vod.GetVideoInfoRequest{VideoId: id})
	if err != nil {
		return state{}, err
	}
	s := state{status: out.Video.Status}
	switch s.status {
	case vod.VideoStatusNormal:
		s.done = true
	case vod.VideoStatusUploadFail, vod.VideoStatusTranscodeFail, vod.VideoStatusBlocked:
		s.failed = true
	}
	return s, nil
}

// storedVideoState is the state of a video that is not transcoded.
func (u *Uploader) storedVideoState(ctx context.Context, id string) (state, error) {
	s, err := u.videoState(ctx, id)
	s.done = s.done || s.status == vod.VideoStatusUploadSucc
	return s, err
}
