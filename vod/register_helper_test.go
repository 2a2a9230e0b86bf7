package vod_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"sync/atomic"

	"github.com/alimedia/alimedia-go/credentials"
	"github.com/alimedia/alimedia-go/vod"
)

type roundTrips func(*http.Request) (*http.Response, error)

func (f roundTrips) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

var (
	mediatestKeys = credentials.Static("id", "secret", "")
	registrations atomic.Int64
)

// answerRegistrations registers whatever it is asked to.
func answerRegistrations(r *http.Request) *http.Response {
	values := r.URL.Query()
	if r.Body != nil {
		body, _ := io.ReadAll(r.Body)
		if form, err := url.ParseQuery(string(body)); err == nil {
			for name, v := range form {
				values[name] = v
			}
		}
	}
	var files []struct{ FileURL string }
	_ = json.Unmarshal([]byte(values.Get("RegisterMetadatas")), &files)
	out := vod.RegisterMediaResponse{RequestId: "r"}
	for _, f := range files {
		registrations.Add(1)
		out.RegisteredMediaList = append(out.RegisteredMediaList, vod.RegisteredMedia{FileURL: f.FileURL, MediaId: "m" + f.FileURL[len(f.FileURL)-12:], NewRegister: true})
	}
	text, _ := json.Marshal(out)
	return &http.Response{StatusCode: 200, Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(bytes.NewReader(text)), Request: r}
}
