package webupload

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/alimedia/alimedia-go"
	"github.com/alimedia/alimedia-go/ice"
	"github.com/alimedia/alimedia-go/internal/redact"
	"github.com/alimedia/alimedia-go/vod"
)

// serviceTime bounds the calls of a request to the service and its hooks.
const serviceTime = 30 * time.Second

var errUploaded = Refuse(http.StatusConflict, "AlreadyUploaded", "This file is uploaded already.")

var errNotHere = Refuse(http.StatusNotFound, "NotConfigured", "This kind of upload is not available.")

func (h *Handler) create(ctx context.Context, c call) (reply, error) {
	if h.cfg.Policy == nil {
		return reply{}, errNotHere
	}
	r, err := decodeCreate(c.body)
	if err != nil {
		return reply{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, serviceTime)
	defer cancel()
	r.Owner, r.HTTP = c.owner, c.Request
	target, err := h.cfg.Policy(ctx, r)
	switch {
	case err != nil:
		return reply{}, err
	case target == nil:
		return reply{}, errors.New("webupload: Config.Policy returned no target")
	}
	made, err := target.create(ctx, h)
	if err != nil {
		return reply{}, err
	}
	token := h.tokens.issue(c.owner, claim{Kind: target.kind(), Id: made.id, Size: r.FileSize})
	return reply{status: http.StatusOK, body: made.body, token: token}, nil
}

// claimed is what the request proves: the ID of its body and the token belong
// together and to the owner.
func (h *Handler) claimed(c call) (claim, error) {
	if h.cfg.Policy == nil {
		return claim{}, errNotHere
	}
	id, err := decodeId(c.body)
	if err != nil {
		return claim{}, err
	}
	proved, err := h.tokens.verify(c.owner, id, c.Header.Get(tokenHeader))
	if err != nil {
		return claim{}, err
	}
	return proved, h.ready(proved.Kind)
}

// refresh asks for the state first: a new credential for an asset that has its file
// would let its owner replace it.
func (h *Handler) refresh(ctx context.Context, c call) (reply, error) {
	proved, err := h.claimed(c)
	if err != nil {
		return reply{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, serviceTime)
	defer cancel()
	asset, err := h.state(ctx, proved)
	switch {
	case err != nil:
		return reply{}, err
	case asset.stored() || asset.processing():
		return reply{}, errUploaded
	}
	body, err := h.renew(ctx, proved)
	return reply{status: http.StatusOK, body: body}, err
}

// Asset is an upload as the service reports it.
type Asset struct {
	Owner string // result of Config.Owner
	Kind  Kind
	Id    string // VideoId, ImageId or MediaId
	Title string

	// Status is the state of the asset: vod.VideoStatusNormal and so on, or
	// ice.MediaStatusNormal and so on. A video whose file has arrived can be in
	// UploadSucc, Transcoding, TranscodeFail, checking or Blocked as well.
	Status string

	// Size is that of the file in bytes. It is zero for a KindAttachedMedia, whose
	// size the service does not report.
	Size int64

	// DeclaredSize is the FileSize that the browser sent to Create. Size is not larger.
	DeclaredSize int64
}

// stored reports whether the service has the file.
func (a *Asset) stored() bool {
	switch a.Kind {
	case KindVideo:
		return a.Status != "" && a.Status != vod.VideoStatusUploading && a.Status != vod.VideoStatusUploadFail
	case KindMedia:
		return a.Status == ice.MediaStatusNormal
	}
	return a.Status == vod.VideoStatusNormal
}

// processing reports whether the service has a file that it does not know yet.
func (a *Asset) processing() bool { return a.Kind == KindMedia && a.Status == ice.MediaStatusPreparing }

func (a *Asset) failed() bool {
	return a.Status == vod.VideoStatusUploadFail || a.Kind == KindMedia && a.Status == ice.MediaStatusPrepareFail
}

// sized reports whether the size is known, or never will be.
func (a *Asset) sized() bool { return a.Size > 0 || a.Kind == KindAttachedMedia }

// completion is what the handler remembers of an asset.
type completion struct{ running, done bool }

// begin lets one request at a time complete an asset.
func (h *Handler) begin(c claim) (*completion, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	k := h.completed.use(string(c.Kind)+"/"+c.Id, func() *completion { return new(completion) })
	if k.running {
		busy := Refuse(http.StatusConflict, "UploadBusy", "This upload is being completed.")
		busy.retry = 1
		return nil, busy
	}
	k.running = true
	return k, nil
}

func (h *Handler) end(k *completion, done bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	k.running, k.done = false, k.done || done
}

func (h *Handler) complete(ctx context.Context, c call) (reply, error) {
	proved, err := h.claimed(c)
	if err != nil {
		return reply{}, err
	}
	k, err := h.begin(proved)
	if err != nil {
		return reply{}, err
	}
	done := false
	defer func() { h.end(k, done) }()
	ctx, cancel := context.WithTimeout(ctx, serviceTime)
	defer cancel()
	asset, err := h.state(ctx, proved)
	asset.Owner = c.owner
	switch {
	case err != nil:
		return reply{}, err
	case asset.failed():
		return reply{}, Refuse(http.StatusConflict, "UploadFailed", "The media service could not use this file.")
	case !asset.stored() || !asset.sized():
		return asset.reply(http.StatusAccepted), nil
	case k.done:
		return asset.reply(http.StatusOK), nil
	}
	if err := h.settle(ctx, asset); err != nil {
		return reply{}, err
	}
	done = true
	return asset.reply(http.StatusOK), nil
}

// settle tells the application of an asset, and deletes one that is refused.
func (h *Handler) settle(ctx context.Context, asset Asset) error {
	var err error
	if asset.Size > asset.DeclaredSize {
		err = Refuse(http.StatusRequestEntityTooLarge, "FileTooLarge", "The file is larger than the page said. It was deleted.")
	} else if h.cfg.Completed != nil {
		err = h.cfg.Completed(ctx, asset)
	}
	if refused(err) == nil {
		return err
	}
	// Even if the browser has gone.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), serviceTime)
	defer cancel()
	if failed := h.remove(ctx, asset); failed != nil {
		return fmt.Errorf("webupload: %s %s was refused and not deleted: %w", asset.Kind, redact.Bounded(asset.Id, 128), failed)
	}
	return err
}

// cancel is not for an asset that has its file: the application knows of it.
func (h *Handler) cancel(ctx context.Context, c call) (reply, error) {
	proved, err := h.claimed(c)
	if err != nil {
		return reply{}, err
	}
	k, err := h.begin(proved)
	if err != nil {
		return reply{}, err
	}
	defer h.end(k, false)
	ctx, cancel := context.WithTimeout(ctx, serviceTime)
	defer cancel()
	asset, err := h.state(ctx, proved)
	gone := reply{status: http.StatusOK, body: map[string]any{proved.Kind.idName(): proved.Id}}
	switch {
	case alimedia.IsNotFound(err):
		return gone, nil
	case err != nil:
		return reply{}, err
	case asset.stored() || asset.processing():
		return reply{}, errUploaded
	}
	if proved.Kind == KindVideo {
		_, err := h.cfg.VOD.DeleteMultipartUpload(ctx, vod.DeleteMultipartUploadRequest{MediaId: proved.Id, MediaType: "video"})
		if err != nil && !alimedia.IsNotFound(err) {
			return reply{}, err
		}
	}
	if err := h.remove(ctx, asset); err != nil && !alimedia.IsNotFound(err) {
		return reply{}, err
	}
	return gone, nil
}

func (k Kind) idName() string {
	switch k {
	case KindVideo:
		return "VideoId"
	case KindImage:
		return "ImageId"
	}
	return "MediaId"
}

func (a *Asset) reply(status int) reply {
	r := reply{status: status, body: map[string]any{a.Kind.idName(): a.Id, "Status": a.Status, "Size": a.Size}}
	if status == http.StatusAccepted {
		r.retry = 1
	}
	return r
}
