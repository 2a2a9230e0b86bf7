package upload

import (
	"cmp"
	"context"
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/alimedia/alimedia-go"
	"github.com/alimedia/alimedia-go/credentials"
	"github.com/alimedia/alimedia-go/ice"
	"github.com/alimedia/alimedia-go/internal/retry"
	"github.com/alimedia/alimedia-go/upload/internal/mediatype"
	"github.com/alimedia/alimedia-go/upload/internal/ossobject"
	"github.com/alimedia/alimedia-go/upload/internal/transfer"
	"github.com/alimedia/alimedia-go/vod"
)

// Target says what an upload becomes: [VODVideo], [VODImage],
// [VODAttachedMedia], [ICEMedia], [ICEStream], [YikeAsset] or [Bucket].
//
// A target is the request of the operation that creates the asset. What is
// left empty there and can be told from the source is filled in: file name,
// extension, size, title.
type Target interface {
	// begin asks the service for a place. When it fails after something was
	// created, the place has its ids all the same.
	begin(ctx context.Context, u *Uploader, file subject) (place, error)

	// resume goes on with the place of an earlier run. stored tells that the
	// bytes are there; credentials are not needed then.
	resume(ctx context.Context, u *Uploader, file subject, was place, stored bool) (place, error)

	// describe fills in what makes the asset another one.
	describe(u *Uploader, file subject, k *uploadKey)

	// signer is who signs for the asset.
	signer(u *Uploader) signer

	// asking is how the service is asked for the state of the asset, nil
	// where there is no asset.
	asking(u *Uploader) asking
}

// plain is the target, and its registration, where pointers to them were given.
func plain(t Target) Target {
	t, _ = pointed(t).(Target)
	if b, ok := t.(Bucket); ok {
		b.Register, _ = pointed(b.Register).(Registration)
		return b
	}
	return t
}

// pointed is what a pointer leads to, and v itself where it is none.
func pointed(v any) any {
	p := reflect.ValueOf(v)
	switch {
	case p.Kind() != reflect.Pointer:
		return v
	case p.IsNil():
		return nil
	}
	return p.Elem().Interface()
}

// subject is what is known of the source before anything is created.
type subject struct {
	name  string
	size  int64  // UnknownSize for a stream
	token string // the same for all runs with one checkpoint, empty without

	// What is not to be registered twice: when an earlier run last asked for
	// it, and how to record that it is asked for now. Zero without.
	asked time.Time
	note  func(time.Time) error

	began    time.Time // when the first run of the upload began
	repeated bool      // an earlier run may have registered the object
}

func (f subject) ext() string { return mediatype.Extension(f.name) }

// title is the name without its extension.
func (f subject) title() string {
	if ext := f.ext(); ext != "" {
		return f.name[:len(f.name)-len(ext)-1]
	}
	return f.name
}

// place is where a target lets the bytes go.
type place struct {
	address   ossobject.Address
	prefix    string // of the slices of a playlist; empty where they have no place
	keys      credentials.Provider
	tolerant  bool              // of a refreshed credential for another object
	headers   ossobject.Headers // of the object
	segments  ossobject.Headers // of the segments of a playlist
	mediaId   string
	fileURL   string
	mediaURL  string
	requestId string
	arrived   func(context.Context) (bool, error) // see transfer.Destination
	sweep     func(context.Context) error         // see transfer.Destination
	whole     bool                                // the object is stored, the service says
	done      *Result                             // the service has the asset with its file

	// finish makes an asset of the stored object and completes the result.
	// Nil where the object's arrival is enough.
	finish func(context.Context, *Result) error
}

// renewal asks the service for new credentials of the same asset.
type renewal func(context.Context) (uploadAddress, uploadAuth string, err error)

// granted decodes the answer of a Create operation into p. renew is nil where
// the service cannot renew.
func (u *Uploader) granted(p place, uploadAddress, uploadAuth string, renew renewal) (place, error) {
	got, err := ossobject.Decode(uploadAddress, uploadAuth, u.api)
	if err == nil && u.cfg.OSSEndpoint == "" {
		err = u.trust.Check(got.Endpoint)
	}
	if err != nil {
		return p, err
	}
	var refresh func(context.Context) (transfer.Issued, error)
	if renew != nil {
		refresh = func(ctx context.Context) (transfer.Issued, error) {
			uploadAddress, uploadAuth, err := renew(ctx)
			if err != nil {
				return transfer.Issued{}, err
			}
			fresh, err := ossobject.Decode(uploadAddress, uploadAuth, u.api)
			if err != nil {
				err = retry.Permanent(err)
			}
			return fresh.Issued, err
		}
	}
	p.address, p.prefix = got.Address, got.Prefix
	p.fileURL = cmp.Or(p.fileURL, got.FileURL())
	p.keys = transfer.NewRefreshingCredential(got.Issued, refresh, p.tolerant, u.log)
	return p, nil
}

// VODVideo makes a video or audio asset of ApsaraVideo VOD (CreateUploadVideo).
// FileName, Title and FileSize are taken from the source where they are empty.
type VODVideo vod.CreateUploadVideoRequest

func (t VODVideo) begin(ctx context.Context, u *Uploader, file subject) (place, error) {
	req := vod.CreateUploadVideoRequest(t)
	req.FileName = cmp.Or(req.FileName, file.name)
	req.Title = cmp.Or(req.Title, clipRunes(file.title(), 128))
	var err error
	if req.FileSize, err = declared(req.FileSize, file); err != nil {
		return place{}, err
	}
	switch {
	case u.cfg.VOD == nil:
		return place{}, needs("VODVideo", "Config.VOD")
	case mediatype.Extension(req.FileName) == "":
		return place{}, noExtension("VODVideo.FileName")
	}
	out, err := u.cfg.VOD.CreateUploadVideo(ctx, req)
	if err != nil {
		return place{}, err
	}
	p := u.videoPlace(out.VideoId, out.RequestId)
	return u.granted(p, out.UploadAddress, string(out.UploadAuth), u.refreshVideo(p.mediaId))
}

func (t VODVideo) describe(_ *Uploader, _ subject, k *uploadKey) {
	k.App, k.Storage, k.Reference = cmp.Or(t.AppId, defaultApp), t.StorageLocation, t.ReferenceId
}

func (VODVideo) signer(u *Uploader) signer { return u.vodSigner() }
func (VODVideo) asking(u *Uploader) asking { return u.videoState }

// VODImage makes an image asset of ApsaraVideo VOD (CreateUploadImage).
// ImageExt, OriginalFileName and Title are taken from the source where they are
// empty; ImageType is "default" then. The credential cannot be refreshed: the
// upload has to be through within 3000 seconds.
type VODImage vod.CreateUploadImageRequest

func (t VODImage) begin(ctx context.Context, u *Uploader, file subject) (place, error) {
	req := vod.CreateUploadImageRequest(t)
	req.ImageType = cmp.Or(req.ImageType, vod.ImageTypeDefault)
	req.ImageExt = cmp.Or(req.ImageExt, strings.ToLower(file.ext()))
	req.OriginalFileName = cmp.Or(req.OriginalFileName, file.name)
	req.Title = cmp.Or(req.Title, clipRunes(file.title(), 128))
	switch {
	case u.cfg.VOD == nil:
		return place{}, needs("VODImage", "Config.VOD")
	case req.ImageExt == "":
		return place{}, noExtension("VODImage.ImageExt")
	}
	out, err := u.cfg.VOD.CreateUploadImage(ctx, req)
	if err != nil {
		return place{}, err
	}
	p := place{mediaId: out.ImageId, fileURL: out.FileURL, mediaURL: out.ImageURL, requestId: out.RequestId}
	return u.granted(p, out.UploadAddress, string(out.UploadAuth), nil)
}

func (t VODImage) describe(_ *Uploader, _ subject, k *uploadKey) {
	k.App, k.Storage, k.Use = cmp.Or(t.AppId, defaultApp), t.StorageLocation, cmp.Or(t.ImageType, vod.ImageTypeDefault)
}

func (VODImage) signer(u *Uploader) signer { return u.vodSigner() }
func (VODImage) asking(u *Uploader) asking { return u.imageState }

// VODAttachedMedia makes a watermark, subtitle or material of ApsaraVideo VOD
// (CreateUploadAttachedMedia); BusinessType says which. MediaExt, FileName,
// FileSize and Title are taken from the source where they are empty. The
// credential cannot be refreshed: the upload has to be through within 3000
// seconds.
type VODAttachedMedia vod.CreateUploadAttachedMediaRequest

func (t VODAttachedMedia) begin(ctx context.Context, u *Uploader, file subject) (place, error) {
	req := vod.CreateUploadAttachedMediaRequest(t)
	req.MediaExt = cmp.Or(req.MediaExt, strings.ToLower(file.ext()))
	req.FileName = cmp.Or(req.FileName, file.name)
	req.Title = cmp.Or(req.Title, clipBytes(file.title(), 128))
	if req.FileSize == "" && file.size != UnknownSize {
		req.FileSize = strconv.FormatInt(file.size, 10)
	}
	switch {
	case u.cfg.VOD == nil:
		return place{}, needs("VODAttachedMedia", "Config.VOD")
	case req.MediaExt == "":
		return place{}, noExtension("VODAttachedMedia.MediaExt")
	}
	out, err := u.cfg.VOD.CreateUploadAttachedMedia(ctx, req)
	if err != nil {
		return place{}, err
	}
	p := place{mediaId: out.MediaId, fileURL: out.FileURL, mediaURL: out.MediaURL, requestId: out.RequestId}
	return u.granted(p, out.UploadAddress, string(out.UploadAuth), nil)
}

func (t VODAttachedMedia) describe(_ *Uploader, _ subject, k *uploadKey) {
	k.App, k.Storage, k.Use = cmp.Or(t.AppId, defaultApp), t.StorageLocation, t.BusinessType
}

func (VODAttachedMedia) signer(u *Uploader) signer { return u.vodSigner() }
func (VODAttachedMedia) asking(u *Uploader) asking { return u.attachedState }

// ICEMedia makes an asset of Intelligent Media Services in VOD storage
// (CreateUploadMedia). FileInfo and, in MediaMetaData, Title and BusinessType
// are taken from the source where they are empty.
type ICEMedia ice.CreateUploadMediaRequest

func (t ICEMedia) begin(ctx context.Context, u *Uploader, file subject) (place, error) {
	if u.cfg.ICE == nil {
		return place{}, needs("ICEMedia", "Config.ICE")
	}
	req := ice.CreateUploadMediaRequest(t)
	if info := &req.FileInfo; info.Raw == "" {
		info.Ext = cmp.Or(info.Ext, file.ext())
		info.Type = cmp.Or(info.Type, kindOf(info.Ext))
		info.Name = cmp.Or(info.Name, file.title())
		var err error
		if info.Size, err = declared(info.Size, file); err != nil {
			return place{}, err
		}
		if info.Ext == "" {
			return place{}, noExtension("ICEMedia.FileInfo.Ext")
		}
	}
	if meta := &req.MediaMetaData; meta.Raw == "" {
		meta.Title = cmp.Or(meta.Title, clipRunes(file.title(), 128))
		meta.BusinessType = cmp.Or(meta.BusinessType, businessType(req.FileInfo.Type, req.FileInfo.Ext))
	}
	out, err := u.cfg.ICE.CreateUploadMedia(ctx, req)
	if err != nil {
		return place{}, err
	}
	p := place{mediaId: out.MediaId, fileURL: out.FileURL, mediaURL: out.MediaURL, requestId: out.RequestId}
	p.arrived = u.mediaArrived(p.mediaId)
	return u.granted(p, out.UploadAddress, string(out.UploadAuth), u.refreshMedia(p.mediaId))
}

func (t ICEMedia) describe(_ *Uploader, _ subject, k *uploadKey) {
	storage := t.UploadTargetConfig
	if storage.Raw != "" {
		_ = storage.Raw.Decode(&storage) // what cannot be read the service refuses
	}
	k.App, k.Storage = cmp.Or(t.AppId, defaultApp), storage.StorageLocation
}

func (ICEMedia) signer(u *Uploader) signer { return u.iceSigner() }
func (ICEMedia) asking(u *Uploader) asking { return u.mediaState }

// ICEStream adds a media stream to the asset MediaId (CreateUploadStream).
// FileExtension is taken from the source where it is empty.
type ICEStream ice.CreateUploadStreamRequest

func (t ICEStream) begin(ctx context.Context, u *Uploader, file subject) (place, error) {
	req := ice.CreateUploadStreamRequest(t)
	req.FileExtension = cmp.Or(req.FileExtension, file.ext())
	switch {
	case u.cfg.ICE == nil:
		return place{}, needs("ICEStream", "Config.ICE")
	case req.MediaId == "":
		return place{}, needs("ICEStream", "MediaId, the asset that the stream is for")
	case req.FileExtension == "":
		return place{}, noExtension("ICEStream.FileExtension")
	}
	out, err := u.cfg.ICE.CreateUploadStream(ctx, req)
	if err != nil {
		return place{}, err
	}
	p := place{mediaId: cmp.Or(out.MediaId, req.MediaId), fileURL: out.FileURL, requestId: out.RequestId}
	p.tolerant = true // RefreshUploadMedia may be for the asset's own file
	return u.granted(p, out.UploadAddress, string(out.UploadAuth), u.refreshMedia(p.mediaId))
}

func (t ICEStream) describe(_ *Uploader, _ subject, k *uploadKey) {
	k.Asset, k.Use = t.MediaId, t.Definition
}

func (ICEStream) signer(u *Uploader) signer { return u.iceSigner() }
func (ICEStream) asking(u *Uploader) asking { return u.mediaState }

func (u *Uploader) refreshMedia(mediaId string) renewal {
	return func(ctx context.Context) (string, string, error) {
		out, err := u.cfg.ICE.RefreshUploadMedia(ctx, ice.RefreshUploadMediaRequest{MediaId: mediaId})
		if err != nil {
			return "", "", err
		}
		return out.UploadAddress, string(out.UploadAuth), nil
	}
}

// YikeAsset makes an asset of a Yike production: CreateYikeAssetUpload, and
// RegisterYikeAssetMediaInfo when the file is there. FileExt and MediaType are
// taken from the source where they are empty. The credential cannot be
// refreshed: the upload has to be through within 3000 seconds.
type YikeAsset struct {
	FileExt  string
	FileType string

	MediaType    string
	ProductionId string // empty means the default production
	FolderId     string
}

func (t YikeAsset) begin(ctx context.Context, u *Uploader, file subject) (place, error) {
	if u.cfg.ICE == nil {
		return place{}, needs("YikeAsset", "Config.ICE")
	}
	t, err := t.complete(file)
	if err != nil {
		return place{}, err
	}
	out, err := u.cfg.ICE.CreateYikeAssetUpload(ctx, ice.CreateYikeAssetUploadRequest{FileExt: t.FileExt, FileType: t.FileType})
	if err != nil {
		return place{}, err
	}
	p := place{fileURL: out.FileURL, requestId: out.RequestId, finish: t.finish(u, file)}
	return u.granted(p, out.UploadAddress, string(out.UploadAuth), nil)
}

func (t YikeAsset) describe(_ *Uploader, _ subject, k *uploadKey) {
	k.App, k.Use = t.ProductionId, t.FileType
}

func (YikeAsset) signer(u *Uploader) signer { return u.iceSigner() }
func (YikeAsset) asking(u *Uploader) asking { return u.yikeState }

// complete fills in what can be told from the source.
func (t YikeAsset) complete(file subject) (YikeAsset, error) {
	if t.FileExt = cmp.Or(t.FileExt, strings.ToLower(file.ext())); t.FileExt == "" {
		return t, noExtension("YikeAsset.FileExt")
	}
	if t.MediaType = cmp.Or(t.MediaType, kindOf(t.FileExt)); t.MediaType == "other" {
		return t, fmt.Errorf("YikeAsset needs MediaType: the extension %q does not tell it", t.FileExt)
	}
	return t, nil
}

// finish registers the stored file.
func (t YikeAsset) finish(u *Uploader, file subject) func(context.Context, *Result) error {
	return func(ctx context.Context, res *Result) error {
		look := func(until time.Time) (bool, error) {
			info, err := lookUp(ctx, u.cfg.ICE, res.FileURL, until)
			switch {
			case err == nil:
				res.MediaId, res.RequestId = info.MediaInfo.MediaId, info.RequestId
			case alimedia.IsNotFound(err):
				return false, nil
			}
			return err == nil, err
		}
		return file.once(ctx, u.cfg.ICE, look, func(client *ice.Client) error {
			out, err := client.RegisterYikeAssetMediaInfo(ctx, ice.RegisterYikeAssetMediaInfoRequest{
				InputURL: res.FileURL, MediaType: t.MediaType, ProductionId: t.ProductionId, FolderId: t.FolderId,
			})
			if err == nil {
				res.MediaId, res.RequestId = out.MediaId, out.RequestId
			}
			return err
		})
	}
}

func needs(target, what string) error { return fmt.Errorf("%s needs %s", target, what) }

func noExtension(field string) error {
	return fmt.Errorf("the file name has no extension, and the service needs one: set %s", field)
}

// declared is the size to tell the service. A size given by the caller must be
// true.
func declared(size int64, file subject) (int64, error) {
	switch {
	case size != 0 && file.size != UnknownSize && size != file.size:
		return 0, fmt.Errorf("%w: the target says %d bytes, the source has %d", ErrSize, size, file.size)
	case size == 0 && file.size != UnknownSize:
		return file.size, nil
	}
	return size, nil
}

// kinds are the file types of CreateUploadMedia by extension.
var kinds = func() map[string]string {
	m := make(map[string]string)
	for kind, exts := range map[string]string{
		"video": "mp4 m4v mov qt mkv webm flv f4v avi wmv asf ts m2ts mts m2t mpg mpeg m2v vob mxf 3gp 3g2 ogv rm rmvb gxf dat m4s cmfv av1 ivf m3u8 mpd",
		"audio": "mp3 m4a m4b aac wav flac ogg oga opus wma amr ape aif aiff ac3 ac4 eac3 ec3 dts mka weba cmfa mp2",
		"image": "png apng jpg jpeg jfif gif bmp webp heic heif avif jxl jp2 ico tif tiff svg",
		"text":  "srt ass ssa vtt stl ttml dfxp lrc ttf otf ttc",
	} {
		for _, ext := range strings.Fields(exts) {
			m[ext] = kind
		}
	}
	return m
}()

// kindOf is video, audio, image, text or other.
func kindOf(ext string) string { return cmp.Or(kinds[strings.ToLower(ext)], "other") }

// businessType is what a file of a kind is for, when nobody says.
func businessType(kind, ext string) string {
	switch kind {
	case "image":
		return "default"
	case "text":
		switch strings.ToLower(ext) {
		case "ttf", "otf", "ttc":
			return "font"
		}
		return "subtitles"
	}
	return "general"
}

func clipRunes(s string, limit int) string {
	for i := range s {
		if limit == 0 {
			return s[:i]
		}
		limit--
	}
	return s
}

func clipBytes(s string, limit int) string {
	if len(s) <= limit {
		return s
	}
	for limit > 0 && !utf8.RuneStart(s[limit]) {
		limit--
	}
	return s[:limit]
}
