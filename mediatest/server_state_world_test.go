package mediatest_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/alimedia/alimedia-go"
	"github.com/alimedia/alimedia-go/mediatest"
)

var (
	reads = regexp.MustCompile(`^(Get|List|Query|Describe|Search|BatchGet|Detect)`)
	takes = regexp.MustCompile(`^(Delete|Drop|Cancel|Batch|Remove|Stop)`)

	// passing answers differ from one call to the next.
	passing = []string{"GetVideoPlayAuth", "GetUploadDetails"}
)

// question is a call that reads.
type question struct {
	action  string
	request reflect.Value
}

// populate makes one of every kind and does everything else that changes the
// world and takes nothing away; it returns what can be asked.
func populate(t *testing.T, w *world) []question {
	var asked []question
	inFamily := map[string]bool{}
	for _, f := range mediatest.Families() {
		if f.Service != w.service {
			continue
		}
		for _, action := range slices.Concat(f.Create, f.Get, f.List, f.Update, f.Delete, f.Set) {
			inFamily[action] = true
		}
		var made reflect.Value
		for _, create := range f.Create {
			made = w.request(create)
			for _, name := range []string{"ProjectId", "JobId", f.ID} { // nothing that exists already
				if field := made.FieldByName(name); name != "" && f.Key == "" && field.IsValid() && field.Kind() == reflect.String {
					field.SetString("")
				}
			}
			_, err := invoke(w.client, create, made)
			require.NoError(t, err, create)
		}
		ids := w.srv.IDs(f.Service, f.Kind)
		require.NotEmpty(t, ids, f.Kind)
		for _, action := range append(f.Update, f.Set...) {
			_, err := invoke(w.client, action, naming(w.client, action, f, ids[len(ids)-1], reflect.Value{}))
			require.NoError(t, err, action)
		}
		for _, id := range ids {
			for _, action := range f.Get {
				asked = append(asked, question{action, naming(w.client, action, f, id, reflect.Value{})})
			}
		}
		for _, action := range f.List {
			asked = append(asked, question{action, naming(w.client, action, f, ids[len(ids)-1], made)})
		}
	}
	levels := mediatest.Levels(w.service)
	for _, action := range slices.Sorted(maps.Keys(levels)) {
		switch {
		case levels[action] != mediatest.Behavior || inFamily[action] || takes.MatchString(action):
		case reads.MatchString(action):
			if !slices.Contains(passing, action) {
				asked = append(asked, question{action, w.request(action)})
			}
		default:
			_, err := invoke(w.client, action, w.request(action))
			if err != nil { // what is there already, or was changed before
				require.ErrorAs(t, err, new(*alimedia.Error), action)
			}
		}
	}
	return asked
}

// answers are what a server says to the questions.
func (w *world) answers(t *testing.T, asked []question) map[string]string {
	all := map[string]string{}
	for i, q := range asked {
		_, err := invoke(w.client, q.action, q.request)
		var body map[string]any
		require.NoError(t, json.Unmarshal(w.raw.last, &body), q.action)
		delete(body, "RequestId")
		delete(body, "HostId")
		delete(body, "Recommend")
		all[fmt.Sprintf("%s.%s %d", w.service, q.action, i)] = dump(t, body)
		if err != nil {
			require.ErrorAs(t, err, new(*alimedia.Error), q.action)
		}
	}
	return all
}

// at is the same world on another server.
func (w *world) at(t *testing.T, srv *mediatest.Server) *world {
	other := &world{srv: srv, service: w.service, raw: &recorder{next: srv.HTTPClient().Transport}, ids: w.ids}
	cfg := srv.Config()
	cfg.HTTPClient = &http.Client{Transport: other.raw}
	other.client = clientOf(t, w.service, cfg)
	return other
}

func TestState_AWorldOfEverythingAnswersTheSameElsewhere(t *testing.T) {
	t.Parallel()
	for _, service := range []string{"ice", "vod"} {
		t.Run(service, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) { answersTheSame(t, service) }) // some answers say what time it is
		})
	}
}

func answersTheSame(t *testing.T, service string) {
	w := newWorld(t, service, mediatest.InMemory())
	asked := populate(t, w)
	require.Greater(t, len(asked), 40)
	before := w.answers(t, asked)
	require.Equal(t, before, w.answers(t, asked), "answers that pass prove nothing")
	refusals := 0
	for _, text := range before {
		if strings.HasPrefix(text, `{"Code":`) {
			refusals++
		}
	}
	require.Less(t, refusals, len(asked)/10)

	other := w.at(t, moved(t, w.srv, mediatest.InMemory()))
	require.Equal(t, string(saved(t, w.srv)), string(saved(t, other.srv)))
	require.Equal(t, before, other.answers(t, asked))
	require.Equal(t, w.srv.Medias(), other.srv.Medias())
	require.Equal(t, w.srv.Jobs(), other.srv.Jobs())
	require.Equal(t, w.srv.Events(), other.srv.Events())
	require.Equal(t, w.srv.Uploads(), other.srv.Uploads())
	for _, bucket := range []string{"example-bucket", w.srv.StorageBucket()} {
		require.NotEmpty(t, w.srv.Objects(bucket))
		require.Equal(t, w.srv.Objects(bucket), other.srv.Objects(bucket))
		for _, key := range w.srv.Objects(bucket) {
			want, _ := w.srv.Object(bucket, key)
			got, _ := other.srv.Object(bucket, key)
			require.Equal(t, want, got)
			require.Equal(t, w.srv.ObjectHeader(bucket, key), other.srv.ObjectHeader(bucket, key))
		}
	}
	// What belongs to families is still found and deleted.
	for _, f := range mediatest.Families() {
		ids := w.srv.IDs(f.Service, f.Kind)
		require.Equal(t, ids, other.srv.IDs(f.Service, f.Kind))
		for _, action := range f.Delete {
			if f.Service == service {
				_, err := invoke(other.client, action, naming(other.client, action, f, ids[0], reflect.Value{}))
				require.NoError(t, err, action)
			}
		}
	}
}

// TestState_TimersGoOn is in no bubble: both servers live by the clock of this
// machine.
func TestState_TimersGoOn(t *testing.T) {
	t.Parallel()
	srv := mediatest.New(t, mediatest.Processing(time.Hour))
	c := callerOf(srv, vodVersion)
	id := c.ok(t, "UploadMediaByURL", "UploadURLs", "https://www.example.com/a.mp4").body["UploadJobs"].([]any)[0].(map[string]any)["JobId"].(string)
	video := srv.AddMedia(mediatest.Media{Status: "Uploading"})
	m, _ := srv.Media(video)
	srv.PutObject(m.Bucket, m.Key, []byte("movie"))
	state := saved(t, srv)

	other := mediatest.New(t)
	require.NoError(t, other.Load(bytes.NewReader(state)))
	require.Equal(t, srv.Jobs(), other.Jobs(), "due at the same time, though this server processes nothing")
	status := func() (string, string) {
		got, _ := other.Media(video)
		return other.Jobs()[0].State, got.Status
	}
	job, asset := status()
	require.Equal(t, [2]string{"RUNNING", "Transcoding"}, [2]string{job, asset})
	other.Clock().Advance(59 * time.Minute)
	job, asset = status()
	require.Equal(t, [2]string{"RUNNING", "Transcoding"}, [2]string{job, asset})
	other.Clock().Advance(2 * time.Minute)
	job, asset = status()
	require.Equal(t, [2]string{"SUCCESS", "Normal"}, [2]string{job, asset})
	require.Equal(t, id, other.Jobs()[0].JobId)
	made, _ := other.Media(other.Jobs()[0].Params["MediaId"])
	data, ok := other.Object(made.Bucket, made.Key)
	require.True(t, ok)
	require.Contains(t, string(data), "https://www.example.com/a.mp4")
}
