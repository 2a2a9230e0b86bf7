package library

import (
	"errors"
	"fmt"
	"iter"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/alimedia/alimedia-go/ice"
	"github.com/alimedia/alimedia-go/mediatest"
	"github.com/alimedia/alimedia-go/vod"
)

func list(err error, times ...int) iter.Seq2[Asset, error] {
	return func(yield func(Asset, error) bool) {
		for _, n := range times {
			if !yield(Asset{MediaId: fmt.Sprint(n), Created: time.Unix(int64(n), 0).UTC().Format(time.RFC3339)}, nil) {
				return
			}
		}
		if err != nil {
			yield(Asset{}, err)
		}
	}
}

func TestMerge(t *testing.T) {
	t.Parallel()
	collect := func(oldest bool, most int, sources ...iter.Seq2[Asset, error]) (ids string, failed error) {
		count := 0
		for a, err := range Merge(sources, oldest) {
			if err != nil {
				failed = err
				continue
			}
			ids += a.MediaId + " "
			if count++; count == most {
				break
			}
		}
		return ids, failed
	}
	ids, err := collect(false, 0, list(nil, 9, 5, 1), list(nil, 8, 5, 4), list(nil))
	require.NoError(t, err)
	require.Equal(t, "9 8 5 4 1 ", ids)
	ids, err = collect(true, 0, list(nil, 1, 5), list(nil, 2, 3))
	require.NoError(t, err)
	require.Equal(t, "1 2 3 5 ", ids)
	broken := errors.New("broken")
	ids, err = collect(false, 0, list(broken, 9), list(nil, 8, 4))
	require.ErrorIs(t, err, broken)
	require.Equal(t, "9 8 4 ", ids, "the other goes on")
	ids, err = collect(false, 2, list(nil, 9, 5, 1), list(broken, 8))
	require.NoError(t, err)
	require.Equal(t, "9 8 ", ids, "no more is read than is taken")
}

// The kinds of jobs are those of both services, and ids that are none are not
// waited for.
func TestWaitAnyJob(t *testing.T) {
	t.Parallel()
	srv := mediatest.New(t)
	v, err := vod.New(srv.Config())
	require.NoError(t, err)
	i, err := ice.New(srv.Config())
	require.NoError(t, err)
	l := Library{VOD: v, ICE: i}
	began := time.Now()
	_, _, err = l.WaitAnyJob(t.Context(), "nosuchjob")
	require.ErrorIs(t, err, ErrNotFound)
	require.Less(t, time.Since(began), 20*time.Second)
	_, err = Library{VOD: v}.WaitJob(t.Context(), "ice:snapshot", "x")
	require.ErrorIs(t, err, ErrNoService)
	for _, kind := range Jobs() {
		service, _, ok := strings.Cut(kind, ":")
		require.True(t, ok)
		require.Contains(t, []string{"vod", "ice"}, service)
	}

	srv.CreateBucket("films")
	srv.PutObject("films", "a.mp4", []byte("x"))
	out, err := v.UploadMediaByURL(t.Context(), vod.UploadMediaByURLRequest{UploadURLs: []string{srv.ObjectURL("films", "a.mp4")}})
	require.NoError(t, err)
	kind, _, err := l.WaitAnyJob(t.Context(), out.UploadJobs[0].JobId)
	require.Equal(t, "vod:url-upload", kind)
	_ = err // how it ends is the simulator's
}

func TestGet_BatchesAndOrder(t *testing.T) {
	t.Parallel()
	srv := mediatest.New(t)
	v, err := vod.New(srv.Config())
	require.NoError(t, err)
	var ids []string
	for n := range 45 {
		ids = append(ids, srv.AddMedia(mediatest.Media{Title: fmt.Sprint(n)}))
	}
	ids = append(ids, "nosuch", ids[3])
	found := Library{VOD: v}.Get(t.Context(), ids)
	require.Len(t, found, len(ids))
	for n, f := range found {
		require.Equal(t, ids[n], f.Id)
		if f.Id == "nosuch" {
			require.ErrorIs(t, f.Err, ErrNotFound)
			continue
		}
		require.NoError(t, f.Err)
		require.Equal(t, f.Id, f.Asset.MediaId)
	}
	require.Equal(t, 3, srv.Calls("GetVideoInfos"))
}
