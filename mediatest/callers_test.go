package mediatest_test

import (
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/alimedia/alimedia-go/internal/catalogue"
	"github.com/alimedia/alimedia-go/mediatest"
	"github.com/alimedia/alimedia-go/vod"
)

func TestServer_ManyCallersAtOnce(t *testing.T) {
	t.Parallel()
	srv := mediatest.New(t)
	client, err := vod.New(srv.Config())
	require.NoError(t, err)
	c := callerOf(srv, vodVersion)
	var wg sync.WaitGroup
	for i := range 16 {
		wg.Go(func() {
			ctx := t.Context()
			for range 5 {
				id := srv.AddMedia(mediatest.Media{Title: "t", Bucket: srv.StorageBucket(), Key: "a.mp4"})
				_, err := client.SubmitTranscodeJobs(ctx, vod.SubmitTranscodeJobsRequest{VideoId: id, TemplateGroupId: "g"})
				if err == nil {
					_, err = client.GetPlayInfo(ctx, vod.GetPlayInfoRequest{VideoId: id})
				}
				if err == nil {
					_, err = client.UpdateVideoInfo(ctx, vod.UpdateVideoInfoRequest{VideoId: id, Title: "u"})
				}
				if err == nil {
					_, err = client.SearchMedia(ctx, vod.SearchMediaRequest{Match: "Title = 'u'", Fields: "Title"})
				}
				if err == nil && i%2 == 0 {
					_, err = client.DeleteVideo(ctx, vod.DeleteVideoRequest{VideoIds: []string{id}})
				}
				if err != nil {
					t.Error(err)
					return
				}
				srv.Events()
				srv.Medias()
				srv.Requests()
				srv.Clock().Advance(0)
			}
		})
	}
	wg.Wait()
	require.Len(t, srv.Medias(), 40)
	require.Equal(t, 40.0, c.ok(t, "GetVideoList").body["Total"])
}

// TestSurface_EveryTypedParameterIsChecked breaks the parameters of a valid
// request one by one.
func TestSurface_EveryTypedParameterIsChecked(t *testing.T) {
	t.Parallel()
	broken := 0
	for _, service := range []string{"ice", "vod"} {
		w := newWorld(t, service)
		c := callerOf(w.srv, map[string]string{"ice": iceVersion, "vod": vodVersion}[service])
		for action := range mediatest.Levels(service) {
			broken += breakEach(t, w, c, action)
		}
	}
	require.Greater(t, broken, 600)
}

func breakEach(t *testing.T, w *world, c caller, action string) (broken int) {
	_, _ = invoke(w.client, action, w.request(action)) // its request is of interest, not its answer
	requests := w.srv.Requests()
	sent := requests[len(requests)-1]
	require.Equal(t, action, sent.Operation)
	for name, bad := range brokenParams(w.service, action) {
		if !sent.Params.Has(name) {
			continue
		}
		p := url.Values{}
		for other, values := range sent.Params {
			p[other] = values
		}
		p.Set(name, bad)
		var pairs []string
		for other := range p {
			pairs = append(pairs, other, p.Get(other))
		}
		a := c.call(t, action, pairs...)
		require.Equal(t, http.StatusBadRequest, a.status, "%s %s=%s: %s", action, name, bad, a.raw)
		require.Contains(t, a.str("Message"), name, action)
		broken++
	}
	return broken
}

// brokenParams are values that the documentation does not allow: a word for a
// number, half a document, an unknown token.
func brokenParams(service, action string) map[string]string {
	bad := map[string]string{}
	for _, f := range catalogue.Find(service, action).Params {
		switch {
		case strings.HasPrefix(f.Type, "int"), strings.HasPrefix(f.Type, "float"), f.Type == "bool":
			bad[f.Name] = "neither"
		case f.Enc == "json":
			bad[f.Name] = `{"half`
		case strings.HasPrefix(f.Check, "in=") || strings.Contains(f.Check, ",in="):
			bad[f.Name] = "no-such-token"
		}
	}
	return bad
}
