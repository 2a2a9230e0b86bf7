package upload

import (
	"cmp"
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/alimedia/alimedia-go"
	"github.com/alimedia/alimedia-go/ice"
	"github.com/alimedia/alimedia-go/upload/internal/checkpoint"
)

// YikeAsset creates an asset of a Yike production: CreateYikeAssetUpload, then
// RegisterYikeAssetMediaInfo after the file is stored. If FileExt and MediaType
// are empty, they are filled in from the source. The upload credential cannot be
// refreshed: the upload must finish within 3000 seconds.
type YikeAsset struct {
	FileExt  string
	FileType string

	MediaType    string
	ProductionId string // empty means the default production
	FolderId     string
}

func (t YikeAsset) bind(u *Uploader, _ string) binding { return yikeAsset{YikeAsset: t, u: u} }

// yikeAsset is a YikeAsset with the clients of an Uploader.
type yikeAsset struct {
	YikeAsset
	fileTarget
	u *Uploader
}

func (yikeAsset) name() string { return "YikeAsset" }

func (t yikeAsset) create(ctx context.Context, file fileInfo) (destination, error) {
	if t.u.cfg.ICE == nil {
		return destination{}, needs("YikeAsset", "Config.ICE")
	}
	asset, err := t.complete(file)
	if err != nil {
		return destination{}, err
	}
	out, err := t.u.cfg.ICE.CreateYikeAssetUpload(ctx, ice.CreateYikeAssetUploadRequest{FileExt: asset.FileExt, FileType: asset.FileType})
	if err != nil {
		return destination{}, err
	}
	p := destination{fileURL: out.FileURL, requestID: out.RequestId, register: asset.finish(t.u, file)}
	return t.u.withCredential(p, out.UploadAddress, string(out.UploadAuth), nil)
}

func (t yikeAsset) describe(_ fileInfo, k *checkpoint.Key) {
	k.App, k.Use = t.ProductionId, t.FileType
}

func (t yikeAsset) signer() signer     { return t.u.iceSigner() }
func (t yikeAsset) status() statusFunc { return t.u.yikeState }

func (t yikeAsset) resume(_ context.Context, file fileInfo, was destination, stored bool) (destination, error) {
	switch {
	case !stored:
		return was, ErrNotResumable
	case t.u.cfg.ICE == nil:
		return was, needs("YikeAsset", "Config.ICE")
	}
	asset, err := t.complete(file)
	if err != nil {
		return was, err
	}
	was.register = asset.finish(t.u, file)
	return was, nil
}

// complete fills in empty fields from the source.
func (t YikeAsset) complete(file fileInfo) (YikeAsset, error) {
	if t.FileExt = cmp.Or(t.FileExt, strings.ToLower(file.ext())); t.FileExt == "" {
		return t, noExtension("YikeAsset.FileExt")
	}
	if t.MediaType = cmp.Or(t.MediaType, kindOf(t.FileExt)); t.MediaType == "other" {
		return t, fmt.Errorf("YikeAsset needs MediaType: the extension %q does not tell it", t.FileExt)
	}
	return t, nil
}

// finish registers the stored file.
func (t YikeAsset) finish(u *Uploader, file fileInfo) func(context.Context, *Result) error {
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

func (u *Uploader) yikeState(ctx context.Context, id string) (state, error) {
	out, err := u.cfg.ICE.GetYikeAssetMediaInfo(ctx, ice.GetYikeAssetMediaInfoRequest{MediaId: id})
	if err != nil {
		return state{}, err
	}
	return mediaState(out.MediaInfo.MediaBasicInfo.Status), nil
}
