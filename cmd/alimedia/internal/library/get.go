package library

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/alimedia/alimedia-go"
	"github.com/alimedia/alimedia-go/ice"
	"github.com/alimedia/alimedia-go/vod"
)

// ErrNotFound means that no service has an asset.
var ErrNotFound = errors.New("no asset with this ID was found")

// Found is what became of one id.
type Found struct {
	Id    string
	Asset Asset
	Err   error // ErrNotFound, or why it could not be looked for
}

const batch = 20 // ids of one request

// Get reads assets by their ids, or those of ICE by the URL they were
// registered with. The results are in the order of ids. ICE is asked for what
// VOD does not have.
func (l Library) Get(ctx context.Context, ids []string) []Found {
	all := make([]Found, len(ids))
	open := map[string][]int{} // of ids without a result
	for i, id := range ids {
		all[i] = Found{Id: id, Err: ErrNotFound}
		open[id] = append(open[id], i)
	}
	settle := func(id string, a Asset) {
		for _, i := range open[id] {
			all[i].Asset, all[i].Err = a, nil
		}
		delete(open, id)
	}
	for _, ask := range l.lookups() {
		missing := remaining(ids, open)
		for group := range slices.Chunk(missing, batch) {
			assets, err := ask(ctx, group)
			if err != nil && !alimedia.IsNotFound(err) {
				for _, id := range group {
					for _, i := range open[id] {
						if all[i].Err == ErrNotFound || !alimedia.IsAccessDenied(err) {
							all[i].Err = err
						}
					}
				}
				continue
			}
			for _, a := range assets {
				if _, asked := open[a.MediaId]; asked {
					settle(a.MediaId, a)
				}
			}
		}
	}
	if l.ICE != nil {
		for i, id := range ids {
			if strings.Contains(id, "://") {
				all[i].Asset, all[i].Err = l.byURL(ctx, id)
			}
		}
	}
	return all
}

// remaining are the ids without a result, each once. A URL is no id.
func remaining(ids []string, open map[string][]int) []string {
	var missing []string
	for _, id := range ids {
		if _, is := open[id]; is && !strings.Contains(id, "://") && !slices.Contains(missing, id) {
			missing = append(missing, id)
		}
	}
	return missing
}

type lookup func(ctx context.Context, ids []string) ([]Asset, error)

// lookups are the operations that find assets, the likeliest first.
func (l Library) lookups() []lookup {
	var all []lookup
	if l.VOD != nil {
		all = append(all, l.videos, l.images, l.attached)
	}
	if l.ICE != nil {
		all = append(all, l.infos)
	}
	return all
}

func (l Library) videos(ctx context.Context, ids []string) ([]Asset, error) {
	out, err := l.VOD.GetVideoInfos(ctx, vod.GetVideoInfosRequest{VideoIds: ids})
	if err != nil {
		return nil, err
	}
	return mapped(out.VideoList, fromVideo), nil
}

func (l Library) images(ctx context.Context, ids []string) ([]Asset, error) {
	out, err := l.VOD.GetImageInfos(ctx, vod.GetImageInfosRequest{ImageIds: ids})
	if err != nil {
		return nil, err
	}
	return mapped(out.ImageInfo, fromImage), nil
}

func (l Library) attached(ctx context.Context, ids []string) ([]Asset, error) {
	out, err := l.VOD.GetAttachedMediaInfo(ctx, vod.GetAttachedMediaInfoRequest{MediaIds: ids})
	if err != nil {
		return nil, err
	}
	return mapped(out.AttachedMediaList, fromAttached), nil
}

func (l Library) infos(ctx context.Context, ids []string) ([]Asset, error) {
	out, err := l.ICE.BatchGetMediaInfos(ctx, ice.BatchGetMediaInfosRequest{MediaIds: ids, AdditionType: "FileInfo"})
	if err != nil {
		return nil, err
	}
	return mapped(out.MediaInfos, fromICE), nil
}

func (l Library) byURL(ctx context.Context, url string) (Asset, error) {
	out, err := l.ICE.GetMediaInfo(ctx, ice.GetMediaInfoRequest{InputURL: url})
	if alimedia.IsNotFound(err) {
		return Asset{}, ErrNotFound
	}
	if err != nil {
		return Asset{}, err
	}
	return fromICE(out.MediaInfo), nil
}

func mapped[T any](items []T, asset func(T) Asset) []Asset {
	all := make([]Asset, len(items))
	for i, item := range items {
		all[i] = asset(item)
	}
	return all
}

// Streams reads the streams that can be played. It corrects the type of an audio
// asset, which GetVideoInfos does not tell.
func (l Library) Streams(ctx context.Context, a *Asset) ([]Stream, error) {
	switch {
	case a.Service == "vod" && (a.Type == "video" || a.Type == "audio"):
		out, err := l.VOD.GetPlayInfo(ctx, vod.GetPlayInfoRequest{VideoId: a.MediaId})
		if err != nil {
			return nil, err
		}
		if out.VideoBase.MediaType == "audio" {
			a.Type = "audio"
		}
		return mappedStreams(out.PlayInfoList.PlayInfo, func(p vod.PlayInfo) Stream {
			return Stream{
				Definition: p.Definition, Format: p.Format, Codec: p.CodecName, Width: p.Width, Height: p.Height, Bitrate: p.Bitrate,
				Size: p.Size, Duration: float(p.Duration), Encrypted: p.Encrypt != 0, URL: p.PlayURL,
			}
		}), nil
	case a.Service == "ice":
		out, err := l.ICE.GetPlayInfo(ctx, ice.GetPlayInfoRequest{MediaId: a.MediaId})
		if err != nil {
			return nil, err
		}
		return mappedStreams(out.PlayInfoList, func(p ice.PlayInfo) Stream {
			return Stream{
				Definition: p.Definition, Format: p.Format, Width: p.Width, Height: p.Height, Bitrate: p.Bitrate,
				Size: p.Size, Duration: float(p.Duration), Encrypted: p.Encrypt != 0, URL: p.PlayURL,
			}
		}), nil
	}
	return a.Streams, nil
}

func mappedStreams[T any](items []T, stream func(T) Stream) []Stream {
	all := make([]Stream, len(items))
	for i, item := range items {
		all[i] = stream(item)
	}
	return all
}
