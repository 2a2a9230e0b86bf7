package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"github.com/alimedia/alimedia-go"
	"github.com/alimedia/alimedia-go/cmd/alimedia/internal/library"
	"github.com/alimedia/alimedia-go/cmd/alimedia/internal/screen"
	"github.com/alimedia/alimedia-go/ice"
	"github.com/alimedia/alimedia-go/vod"
)

// removal is one run of rm.
type removal struct {
	*app
	service    string
	yes, files bool
}

func newRmCommand(a *app) *cobra.Command {
	r := &removal{app: a}
	cmd := &cobra.Command{
		Use:   "rm MEDIAID...",
		Short: "Delete media assets",
		Long: `rm lists the assets with their titles and asks before it deletes them. With -
it reads IDs from standard input, one a line, and needs --yes.

An asset of VOD is deleted for good, with its source file and all streams. An
asset of ICE is removed from the library; --files deletes its file, too.

An asset that cannot be read is not deleted, whatever the reason.`,
		Example: `  alimedia rm 93ab850b4f6f46e91d24d81d4a5b5c5d
  alimedia ls --status UploadFail --json | jq -r .mediaId | alimedia rm --yes -`,
		ValidArgsFunction: noFiles,
		RunE:              func(_ *cobra.Command, args []string) error { return r.run(args) },
	}
	cmd.Flags().BoolVarP(&r.yes, "yes", "y", false, "do not ask")
	cmd.Flags().BoolVar(&r.files, "files", false, "delete the files of ICE assets, too")
	a.serviceFlag(cmd, &r.service)
	return cmd
}

func (r *removal) run(args []string) error {
	if err := checkService(r.service); err != nil {
		return err
	}
	ids, err := r.idsOf(args, "MediaId")
	if err != nil {
		return err
	}
	l, err := r.libraryOf(r.service)
	if err != nil {
		return err
	}
	assets, failed, err := r.found(l, ids)
	if len(assets) == 0 {
		if failed > 0 && r.ctx.Err() == nil {
			return partly(failed, len(ids), err)
		}
		return err
	}
	assets = distinct(assets)
	if !r.flags.json && (!r.yes || !r.flags.quiet) {
		if err := r.list(assets); err != nil {
			return err
		}
	}
	if err := r.confirm(r.question(assets), r.yes); err != nil {
		return err
	}
	gone, last := r.remove(l, assets)
	if last != nil {
		err = last
	}
	failed += len(assets) - gone
	if failed > 0 {
		if r.ctx.Err() != nil {
			return r.ctx.Err()
		}
		return partly(failed, failed+gone, err)
	}
	return nil
}

// distinct leaves out an asset that was named twice, by its id and its URL.
func distinct(assets []library.Asset) []library.Asset {
	seen := map[string]bool{}
	return slices.DeleteFunc(assets, func(a library.Asset) bool {
		again := seen[a.MediaId]
		seen[a.MediaId] = true
		return again
	})
}

// list shows what is going to be deleted. It goes to standard error with the
// question, so that standard output has results only.
func (r *removal) list(assets []library.Asset) error {
	bold := func(s string) string { return r.term.Paint(r.term.Err, screen.Bold, s) }
	return assetTable(assets).Write(r.err, r.term.Err.Width(), bold)
}

func (r *removal) question(assets []library.Asset) string {
	inVOD := 0
	for _, a := range assets {
		if a.Service == "vod" {
			inVOD++
		}
	}
	what := fmt.Sprintf("%d assets", len(assets))
	if len(assets) == 1 {
		what = "this asset"
	}
	switch {
	case inVOD == len(assets) || r.files:
		return "Delete " + what + " with all files, for good?"
	case inVOD == 0:
		return "Remove " + what + " from the library and keep the files?"
	}
	return fmt.Sprintf("Delete %s (%d of VOD with all files, for good; the files of %d of ICE are kept)?", what, inVOD, len(assets)-inVOD)
}

const deleteBatch = 20 // ids of one request

// remove deletes assets and tells of each. gone is the number of those deleted.
func (r *removal) remove(l library.Library, assets []library.Asset) (gone int, last error) {
	groups := map[string][]library.Asset{}
	for _, a := range assets {
		kind := "ice"
		if a.Service == "vod" {
			kind = "vod video"
			if a.Type == "image" || a.Type == "attached" {
				kind = "vod " + a.Type
			}
		}
		groups[kind] = append(groups[kind], a)
	}
	for _, kind := range []string{"vod video", "vod image", "vod attached", "ice"} {
		for group := range slices.Chunk(groups[kind], deleteBatch) {
			if r.ctx.Err() != nil {
				return gone, r.ctx.Err()
			}
			left, err := r.delete(l, kind, group)
			for _, a := range group {
				why := err
				if err == nil {
					why = left[a.MediaId]
				}
				if why != nil {
					last = why
					r.complain(a.MediaId, why)
					continue
				}
				gone++
				if err := r.told(a); err != nil {
					return gone, err
				}
			}
		}
	}
	return gone, last
}

func (r *removal) told(a library.Asset) error {
	if r.flags.json {
		return r.emit(map[string]any{"mediaId": a.MediaId, "service": a.Service, "title": a.Title, "deleted": true})
	}
	_, err := fmt.Fprintf(r.out, "deleted %s  %s\n", clean([]any{a.MediaId, a.Title})...)
	return err
}

var errForbidden = &failure{code: exitDenied, err: errors.New("the service did not delete it: no permission for this asset")}

// delete deletes up to 20 assets of a kind. left has the reasons for those that
// the service left alone.
func (r *removal) delete(l library.Library, kind string, group []library.Asset) (left map[string]error, err error) {
	ids := make([]string, len(group))
	for i, a := range group {
		ids[i] = a.MediaId
	}
	left = map[string]error{}
	mark := func(ids []string, why error) {
		for _, id := range ids {
			left[id] = why
		}
	}
	gone := notFoundf("it does not exist any more")
	ctx := context.WithoutCancel(r.ctx) // a deletion that was sent is waited for
	switch kind {
	case "vod video":
		out, e := l.VOD.DeleteVideo(ctx, vod.DeleteVideoRequest{VideoIds: ids})
		if err = e; err == nil {
			mark(out.ForbiddenVideoIds, errForbidden)
			mark(out.NonExistVideoIds, gone)
		}
	case "vod image":
		_, err = l.VOD.DeleteImage(ctx, vod.DeleteImageRequest{DeleteImageType: "ImageId", ImageIds: ids})
	case "vod attached":
		out, e := l.VOD.DeleteAttachedMedia(ctx, vod.DeleteAttachedMediaRequest{MediaIds: ids})
		if err = e; err == nil {
			mark(out.NonExistMediaIds, gone)
		}
	default:
		req := ice.DeleteMediaInfosRequest{MediaIds: ids}
		if r.files {
			req.DeletePhysicalFiles = alimedia.Ptr(true)
		}
		out, e := l.ICE.DeleteMediaInfos(ctx, req)
		if err = e; err == nil {
			mark(out.ForbiddenList, errForbidden)
			mark(out.IgnoredList, gone)
		}
	}
	return left, err
}
