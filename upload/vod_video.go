package upload

import (
	"cmp"
	"context"

	"github.com/alimedia/alimedia-go"
	"github.com/alimedia/alimedia-go/upload/internal/mediatype"
	"github.com/alimedia/alimedia-go/vod"
)

// VODVideo makes a video or audio asset of ApsaraVideo VOD (CreateUploadVideo).
// FileName, Title and FileSize are taken from the source where they are empty.
type VODVideo vod.CreateUploadVideoRequest

// bind makes the name that the user gives the upload its ReferenceId, if it can
// be one.
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

func (t vodVideo) create(ctx context.Context, file subject) (place, error) {
	req := vod.CreateUploadVideoRequest(t.VODVideo)
	req.FileName = cmp.Or(req.FileName, file.name)
	req.Title = cmp.Or(req.Title, clipRunes(file.title(), 128))
	var err error
	if req.FileSize, err = declared(req.FileSize, file); err != nil {
		return place{}, err
	}
	switch {
	case t.u.cfg.VOD == nil:
		return place{}, needs("VODVideo", "Config.VOD")
	case mediatype.Extension(req.FileName) == "":
		return place{}, noExtension("VODVideo.FileName")
	}
	out, err := t.u.cfg.VOD.CreateUploadVideo(ctx, req)
	if err != nil {
		return place{}, err
	}
	p := t.u.videoPlace(out.VideoId, out.RequestId)
	return t.u.granted(p, out.UploadAddress, string(out.UploadAuth), t.u.refreshVideo(p.mediaId))
}

func (t vodVideo) describe(_ subject, k *uploadKey) {
	k.App, k.Storage, k.Reference = cmp.Or(t.AppId, defaultApp), t.StorageLocation, t.ReferenceId
}

func (t vodVideo) signer() signer     { return t.u.vodSigner() }
func (t vodVideo) status() statusFunc { return t.u.videoState }

func (t vodVideo) resume(ctx context.Context, _ subject, was place, stored bool) (place, error) {
	switch {
	case stored:
		return was, nil
	case t.u.cfg.VOD == nil:
		return was, needs("VODVideo", "Config.VOD")
	}
	was.arrived, was.sweep = t.u.videoArrived(was.mediaId), t.u.sweepVideo(was.mediaId)
	return t.u.resumed(ctx, was, t.u.refreshVideo(was.mediaId))
}

func (t vodVideo) lookup() lookupFunc {
	if t.ReferenceId == "" {
		return nil
	}
	return t.find
}

// find finds the asset with the ReferenceId. An asset that has its file is done.
func (t vodVideo) find(ctx context.Context, file subject) (place, bool, error) {
	u := t.u
	if u.cfg.VOD == nil {
		return place{}, false, needs("VODVideo", "Config.VOD")
	}
	out, err := u.cfg.VOD.RefreshUploadVideo(ctx, vod.RefreshUploadVideoRequest{ReferenceId: t.ReferenceId})
	if alimedia.IsNotFound(err) {
		return place{}, false, nil
	}
	if err != nil {
		return place{}, false, err
	}
	p := u.videoPlace(out.VideoId, out.RequestId)
	p, err = u.granted(p, out.UploadAddress, string(out.UploadAuth), u.refreshVideo(p.mediaId))
	if err != nil {
		return p, false, err
	}
	info, err := u.cfg.VOD.GetVideoInfo(ctx, vod.GetVideoInfoRequest{VideoId: p.mediaId})
	if err != nil {
		return p, false, err
	}
	switch info.Video.Status {
	case vod.VideoStatusUploading, vod.VideoStatusUploadFail:
		return p, true, nil
	}
	p.done = &Result{
		MediaId: p.mediaId, FileURL: p.fileURL, RequestId: info.RequestId,
		Bucket: p.address.Bucket, Key: p.address.Key, Size: cmp.Or(info.Video.Size, max(file.size, 0)),
		AlreadyUploaded: true,
	}
	return p, true, nil
}

func (t vodVideo) reopen() reopenFunc { return t.open }

// open uploads into an asset that exists.
func (t vodVideo) open(ctx context.Context, mediaId string) (place, error) {
	u := t.u
	if u.cfg.VOD == nil {
		return place{}, needs("VODVideo", "Config.VOD")
	}
	return u.intoAsset(ctx, u.videoPlace(mediaId, ""), u.refreshVideo(mediaId))
}

func (u *Uploader) videoPlace(videoId, requestId string) place {
	return place{mediaId: videoId, requestId: requestId, arrived: u.videoArrived(videoId), sweep: u.sweepVideo(videoId)}
}

func (u *Uploader) refreshVideo(videoId string) renewal {
	return func(ctx context.Context) (string, string, error) {
		out, err := u.cfg.VOD.RefreshUploadVideo(ctx, vod.RefreshUploadVideoRequest{VideoId: videoId})
		if err != nil {
			return "", "", err
		}
		return out.UploadAddress, string(out.UploadAuth), nil
	}
}

func (u *Uploader) sweepVideo(videoId string) func(context.Context) error {
	return func(ctx context.Context) error {
		_, err := u.cfg.VOD.DeleteMultipartUpload(ctx, vod.DeleteMultipartUploadRequest{MediaId: videoId, MediaType: "video"})
		return err
	}
}

func (u *Uploader) videoArrived(videoId string) func(context.Context) (bool, error) {
	return func(ctx context.Context) (bool, error) {
		out, err := u.cfg.VOD.GetVideoInfo(ctx, vod.GetVideoInfoRequest{VideoId: videoId})
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

// storedVideoState is for a video of which nothing is to be made.
func (u *Uploader) storedVideoState(ctx context.Context, id string) (state, error) {
	s, err := u.videoState(ctx, id)
	s.done = s.done || s.status == vod.VideoStatusUploadSucc
	return s, err
}
