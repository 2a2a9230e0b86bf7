package webupload_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/alimedia/alimedia-go"
	"github.com/alimedia/alimedia-go/ice"
	"github.com/alimedia/alimedia-go/mediatest"
	"github.com/alimedia/alimedia-go/vod"
	"github.com/alimedia/alimedia-go/webupload"
)

const (
	oldKey = alimedia.Secret("an old key of thirty-two bytes..")
	newKey = alimedia.Secret("a new key of thirty-two bytes...")
)

// desk is a handler on a simulator, with what its hooks were told.
type desk struct {
	*webupload.Handler
	srv *mediatest.Server
	log syncBuffer

	mu        sync.Mutex
	asked     []webupload.Request
	completed []webupload.Asset
	target    webupload.Target // what the policy returns; nil: a video
	refusal   error            // of the policy
	fail      error            // of Completed
}

type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *syncBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *syncBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

func newDesk(t *testing.T, change func(*webupload.Config), opts ...mediatest.Option) *desk {
	t.Helper()
	d := &desk{srv: mediatest.New(t, opts...)}
	cfg := d.srv.Config()
	video, err := vod.New(cfg)
	require.NoError(t, err)
	media, err := ice.New(cfg)
	require.NoError(t, err)
	config := webupload.Config{
		VOD: video, ICE: media, Keys: []alimedia.Secret{newKey},
		Owner: func(r *http.Request) (string, error) { return r.Header.Get("X-User"), nil },
		Policy: func(_ context.Context, r webupload.Request) (webupload.Target, error) {
			d.mu.Lock()
			defer d.mu.Unlock()
			d.asked = append(d.asked, r)
			if d.target == nil && d.refusal == nil {
				return webupload.Video{Title: "of " + r.Owner, FileName: "upload." + r.Extension, FileSize: r.FileSize}, nil
			}
			return d.target, d.refusal
		},
		Completed: func(_ context.Context, a webupload.Asset) error {
			d.mu.Lock()
			defer d.mu.Unlock()
			d.completed = append(d.completed, a)
			return d.fail
		},
		ClientRate: webupload.Rate{PerSecond: -1}, TotalRate: webupload.Rate{PerSecond: -1},
		Logger: slog.New(slog.NewTextHandler(&d.log, nil)),
	}
	if change != nil {
		change(&config)
	}
	d.Handler, err = webupload.New(config)
	require.NoError(t, err)
	return d
}

// answer is a response with its body as an object.
type answer struct {
	*http.Response
	text string
	body map[string]any
}

func (a answer) str(name string) string { s, _ := a.body[name].(string); return s }

// post sends a body as the user, with changes to the request.
func post(t *testing.T, h http.HandlerFunc, user, body string, changes ...func(*http.Request)) answer {
	t.Helper()
	r := httptest.NewRequest(http.MethodPost, "https://backend.example.com/uploads", strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("X-User", user)
	for _, change := range changes {
		change(r)
	}
	w := httptest.NewRecorder()
	h(w, r)
	a := answer{Response: w.Result()}
	b, err := io.ReadAll(a.Body)
	require.NoError(t, err)
	a.text = string(b)
	require.Equal(t, "no-store", a.Header.Get("Cache-Control"))
	if a.StatusCode != http.StatusNoContent {
		require.Equal(t, "application/json", a.Header.Get("Content-Type"), a.text)
		require.NoError(t, json.Unmarshal(b, &a.body), a.text)
	}
	return a
}

func set(name, value string) func(*http.Request) {
	return func(r *http.Request) { r.Header.Set(name, value) }
}

func token(value string) func(*http.Request) { return set("Upload-Token", value) }

const movie = `{"FileName":"movie.MP4","FileSize":5,"ContentType":"video/mp4","Title":"My film","Tags":["a","b"],"Target":"video","Metadata":{"album":"7"}}`

// create starts an upload of a user and returns its ID and token.
func (d *desk) create(t *testing.T, user, body string) (id, proof string) {
	t.Helper()
	a := post(t, d.Create, user, body)
	require.Equal(t, http.StatusOK, a.StatusCode, a.text)
	return a.str("VideoId") + a.str("MediaId") + a.str("ImageId"), a.Header.Get("Upload-Token")
}

// store puts the file of an asset, as a browser does.
func (d *desk) store(t *testing.T, id, text string) {
	t.Helper()
	m, ok := d.srv.Media(id)
	require.True(t, ok)
	d.srv.PutObject(m.Bucket, m.Key, []byte(text))
}

func requireRefused(t *testing.T, a answer, status int, code string) {
	t.Helper()
	require.Equal(t, status, a.StatusCode, a.text)
	require.Equal(t, code, a.str("code"), a.text)
	require.NotEmpty(t, a.str("message"))
}
