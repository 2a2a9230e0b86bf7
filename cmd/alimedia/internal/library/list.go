package library

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/alimedia/alimedia-go"
	"github.com/alimedia/alimedia-go/ice"
	"github.com/alimedia/alimedia-go/search"
	"github.com/alimedia/alimedia-go/vod"
)

// Library reads the libraries of the services that are there.
type Library struct {
	VOD *vod.Client // nil leaves it out
	ICE *ice.Client
}

// Types are the types of assets, and the services that have them.
var Types = []string{"video", "audio", "image", "text", "attached"}

var (
	vodTypes    = []string{"video", "audio", "image", "attached"}
	iceTypes    = []string{"video", "audio", "image", "text"}
	vodStatuses = []string{"Normal", "Uploading", "UploadFail", "UploadSucc", "Transcoding", "TranscodeFail", "Blocked"}
	iceStatuses = []string{"Normal", "Init", "Preparing", "PrepareFail"}
)

// Statuses are the statuses of assets of either service.
func Statuses() []string {
	all := slices.Concat(vodStatuses, iceStatuses)
	slices.Sort(all)
	return slices.Compact(all)
}

// Filter says which assets are listed. Empty fields select all.
type Filter struct {
	Type   string
	Status string
	Since  time.Time
	Words  []string // each in the title, the description or the tags
	Match  string   // an expression of one service, in place of Words
	Oldest bool     // the oldest first, and not the newest
}

// Check canonicalizes the names in the filter.
func (f *Filter) Check() error {
	var err error
	if f.Type, err = oneOf("type", f.Type, Types); err != nil {
		return err
	}
	f.Status, err = oneOf("status", f.Status, Statuses())
	return err
}

func oneOf(what, name string, known []string) (string, error) {
	if name == "" {
		return "", nil
	}
	for _, k := range known {
		if strings.EqualFold(k, name) {
			return k, nil
		}
	}
	return "", fmt.Errorf("%s %.40q is not one of %s", what, name, strings.Join(known, ", "))
}

// Sources are the lists that have assets of the filter, each sorted by time.
// They are read when they are ranged over.
func (l Library) Sources(ctx context.Context, f Filter) ([]iter.Seq2[Asset, error], error) {
	var all []iter.Seq2[Asset, error]
	if l.VOD != nil && has(vodStatuses, f.Status) {
		match, err := f.vodMatch()
		if err != nil {
			return nil, err
		}
		for _, typ := range vodTypes {
			if f.Type == "" || f.Type == typ {
				all = append(all, l.searchVOD(ctx, typ, match, f.Oldest))
			}
		}
	}
	if l.ICE != nil && has(iceTypes, f.Type) && has(iceStatuses, f.Status) {
		if len(f.Words) == 0 && f.Match == "" {
			return append(all, l.listICE(ctx, f)), nil
		}
		match, err := f.iceMatch()
		if err != nil {
			return nil, err
		}
		all = append(all, l.searchICE(ctx, match, f.Oldest))
	}
	return all, nil
}

func has(known []string, name string) bool { return name == "" || slices.Contains(known, name) }

func (f Filter) vodMatch() (string, error) {
	if f.Match != "" {
		return f.Match, nil
	}
	var parts []search.Expression
	for _, word := range f.Words {
		parts = append(parts, search.Or(search.Eq("Title", word), search.Eq("Description", word), search.Eq("Tags", word)))
	}
	if f.Status != "" {
		parts = append(parts, search.Eq("Status", f.Status))
	}
	if !f.Since.IsZero() {
		parts = append(parts, search.From("CreationTime", f.Since))
	}
	return search.And(parts...).Match()
}

// iceNumbers are the values of status in expressions of ICE.
var iceNumbers = map[string]int{"Init": 0, "Preparing": 1, "PrepareFail": 2, "Normal": 3}

func (f Filter) iceMatch() (string, error) {
	if f.Match != "" {
		return f.Match, nil
	}
	var parts []search.Expression
	for _, word := range f.Words {
		parts = append(parts, search.Or(search.Eq("title", word), search.Eq("description", word), search.AnyOf("tagList", word)))
	}
	if f.Status != "" {
		parts = append(parts, search.Exact("status", iceNumbers[f.Status]))
	}
	if f.Type != "" {
		parts = append(parts, search.Exact("mediaType", f.Type))
	}
	if !f.Since.IsZero() {
		parts = append(parts, search.From("utcCreate", f.Since))
	}
	return search.And(parts...).Match()
}

// vodFields are asked for beside the basic ones.
var vodFields = map[string]string{
	"video":    "Title,Status,Size,Duration,CoverURL,Tags,CateName,Description,StorageLocation,ReferenceId,MediaSource",
	"audio":    "Title,Status,Size,Duration,CoverURL,Tags,CateName,Description,StorageLocation,ReferenceId,MediaSource",
	"image":    "Title,Status,Tags,CateName,Description,StorageLocation,URL",
	"attached": "Title,Status,Tags,Description,StorageLocation,URL,BusinessType",
}

func (l Library) searchVOD(ctx context.Context, typ, match string, oldest bool) iter.Seq2[Asset, error] {
	req := vod.SearchMediaRequest{SearchType: typ, Match: match, Fields: vodFields[typ], PageSize: 100, SortBy: "CreationTime:Desc"}
	if oldest {
		req.SortBy = "CreationTime:Asc"
	}
	return convert(l.VOD.SearchMediaIter(ctx, req), func(m vod.Media) Asset {
		if m.MediaType == "" {
			m.MediaType = typ
		}
		return fromMedia(m)
	})
}

func (l Library) listICE(ctx context.Context, f Filter) iter.Seq2[Asset, error] {
	req := ice.ListMediaBasicInfosRequest{
		MediaType: f.Type, Status: f.Status, MaxResults: 100, SortBy: "desc", IncludeFileBasicInfo: alimedia.Ptr(true),
	}
	if f.Oldest {
		req.SortBy = "asc"
	}
	if !f.Since.IsZero() {
		req.StartTime = f.Since.Add(-time.Second).UTC().Format(time.RFC3339) // excluded
	}
	return convert(l.ICE.ListMediaBasicInfosIter(ctx, req), fromICE)
}

func (l Library) searchICE(ctx context.Context, match string, oldest bool) iter.Seq2[Asset, error] {
	req := ice.SearchMediaRequest{Match: match, PageSize: 50, SortBy: "utcCreate:Desc"}
	if oldest {
		req.SortBy = "utcCreate:Asc"
	}
	return convert(l.ICE.SearchMediaIter(ctx, req), fromICE)
}

func convert[T any](seq iter.Seq2[T, error], asset func(T) Asset) iter.Seq2[Asset, error] {
	return func(yield func(Asset, error) bool) {
		for item, err := range seq {
			if err != nil {
				yield(Asset{}, err)
				return
			}
			if !yield(asset(item), nil) {
				return
			}
		}
	}
}

// Merge is all sources in the order of their times, each asset once. A source
// that fails ends with its error; the others go on.
func Merge(sources []iter.Seq2[Asset, error], oldest bool) iter.Seq2[Asset, error] {
	return func(yield func(Asset, error) bool) {
		heads := make([]*head, 0, len(sources))
		defer func() {
			for _, h := range heads {
				h.stop()
			}
		}()
		for _, source := range sources {
			next, stop := iter.Pull2(source)
			heads = append(heads, &head{next: next, stop: stop})
		}
		seen := map[string]bool{}
		for {
			var first *head
			for _, h := range heads {
				if err := h.fill(); err != nil && !yield(Asset{}, err) {
					return
				}
				if h.full && (first == nil || h.before(first, oldest)) {
					first = h
				}
			}
			if first == nil {
				return
			}
			first.full = false
			if seen[first.asset.MediaId] {
				continue
			}
			seen[first.asset.MediaId] = true
			if !yield(first.asset, nil) {
				return
			}
		}
	}
}

// head is the first asset of a source that was not yielded.
type head struct {
	next  func() (Asset, error, bool)
	stop  func()
	asset Asset
	full  bool
	ended bool
}

func (h *head) fill() (err error) {
	if h.full || h.ended {
		return nil
	}
	asset, err, more := h.next()
	if !more || err != nil {
		h.ended = true
		return err
	}
	h.asset, h.full = asset, true
	return nil
}

func (h *head) before(other *head, oldest bool) bool {
	a, b := h.asset.createdAt(), other.asset.createdAt()
	if oldest {
		return a.Before(b)
	}
	return a.After(b)
}
