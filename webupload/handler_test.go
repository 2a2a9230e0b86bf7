package webupload_test

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/alimedia/alimedia-go/ice"
	"github.com/alimedia/alimedia-go/mediatest"
	"github.com/alimedia/alimedia-go/webupload"
)

func keys(m map[string]any) []string {
	var names []string
	for name := range m {
		names = append(names, name)
	}
	return names
}

// One upload from its creation to its end: the shapes of the responses, and what
// the hooks are told.
func TestHandler_Video(t *testing.T) {
	t.Parallel()
	d := newDesk(t, nil)
	made := post(t, d.Create, "ann", movie)
	require.Equal(t, http.StatusOK, made.StatusCode, made.text)
	require.ElementsMatch(t, []string{"RequestId", "VideoId", "UploadAddress", "UploadAuth"}, keys(made.body))
	for _, name := range []string{"UploadAddress", "UploadAuth"} {
		text, err := base64.StdEncoding.DecodeString(made.str(name))
		require.NoError(t, err)
		require.True(t, json.Valid(text), "%s is undecoded", name)
	}
	proof, id := made.Header.Get("Upload-Token"), made.str("VideoId")
	asked := d.asked[0]
	require.Equal(t, "ann", asked.Owner)
	require.Equal(t, "movie.MP4", asked.FileName)
	require.Equal(t, "mp4", asked.Extension)
	require.EqualValues(t, 5, asked.FileSize)
	require.Equal(t, "video/mp4", asked.ContentType)
	require.Equal(t, []string{"a", "b"}, asked.Tags)
	require.Equal(t, map[string]string{"album": "7"}, asked.Metadata)
	require.Equal(t, "https", asked.HTTP.URL.Scheme)
	media, _ := d.srv.Media(id)
	require.Equal(t, "of ann", media.Title, "what the policy says is sent, not what the browser says")

	body := `{"VideoId":"` + id + `"}`
	fresh := post(t, d.Refresh, "ann", body, token(proof))
	require.Equal(t, http.StatusOK, fresh.StatusCode, fresh.text)
	require.ElementsMatch(t, []string{"RequestId", "VideoId", "UploadAddress", "UploadAuth"}, keys(fresh.body))
	require.Equal(t, id, fresh.str("VideoId"))
	require.Equal(t, made.str("UploadAddress"), fresh.str("UploadAddress"))
	require.NotEqual(t, made.str("UploadAuth"), fresh.str("UploadAuth"))

	early := post(t, d.Complete, "ann", body, token(proof))
	require.Equal(t, http.StatusAccepted, early.StatusCode, early.text)
	require.Equal(t, "Uploading", early.str("Status"))
	require.Equal(t, "1", early.Header.Get("Retry-After"))
	require.Empty(t, d.completed, "nothing has arrived")

	d.store(t, id, "movie")
	done := post(t, d.Complete, "ann", body, token(proof))
	require.Equal(t, http.StatusOK, done.StatusCode, done.text)
	require.Equal(t, map[string]any{"VideoId": id, "Status": "Normal", "Size": 5.0}, done.body)
	require.Equal(t, []webupload.Asset{{
		Owner: "ann", Kind: webupload.KindVideo, Id: id, Title: "of ann", Status: "Normal", Size: 5, DeclaredSize: 5,
	}}, d.completed)
	requireRefused(t, post(t, d.Refresh, "ann", body, token(proof)), 409, "AlreadyUploaded")
	require.Equal(t, 1, d.srv.Calls("RefreshUploadVideo"), "a stored file cannot be replaced")
}

// The other targets have their own IDs and URLs.
func TestHandler_OtherTargets(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		target  webupload.Target
		members string
		refresh int
		kind    webupload.Kind
		size    int64
	}{
		"image":    {webupload.Image{ImageType: "default", ImageExt: "png", Title: "T"}, "ImageId ImageURL FileURL", 422, webupload.KindImage, 5},
		"attached": {webupload.AttachedMedia{BusinessType: "subtitle", MediaExt: "srt", Title: "T"}, "MediaId MediaURL FileURL", 422, webupload.KindAttachedMedia, 0},
		"media": {webupload.Media{
			FileInfo: ice.UploadFileInfo{Type: "video", Name: "n", Ext: "mp4", Size: 5}, MediaMetaData: ice.MediaMetaData{Title: "T", BusinessType: "general"},
		}, "MediaId MediaURL FileURL", 200, webupload.KindMedia, 5},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newDesk(t, nil)
			d.target = tt.target
			made := post(t, d.Create, "ann", `{"FileName":"a.x","FileSize":5}`)
			require.Equal(t, http.StatusOK, made.StatusCode, made.text)
			require.ElementsMatch(t, append(strings.Fields(tt.members), "RequestId", "UploadAddress", "UploadAuth"), keys(made.body))
			idName := strings.Fields(tt.members)[0]
			id, proof := made.str(idName), made.Header.Get("Upload-Token")
			body := `{"` + idName + `":"` + id + `"}`
			fresh := post(t, d.Refresh, "ann", body, token(proof))
			require.Equal(t, tt.refresh, fresh.StatusCode, fresh.text)
			if tt.refresh == 200 {
				require.ElementsMatch(t, []string{"RequestId", "MediaId", "UploadAddress", "UploadAuth"}, keys(fresh.body))
			}
			require.Equal(t, http.StatusAccepted, post(t, d.Complete, "ann", body, token(proof)).StatusCode)
			d.store(t, id, "12345")
			done := post(t, d.Complete, "ann", body, token(proof))
			require.Equal(t, http.StatusOK, done.StatusCode, done.text)
			require.Equal(t, id, done.str(idName))
			require.Equal(t, []webupload.Asset{{Owner: "ann", Kind: tt.kind, Id: id, Title: "T", Status: "Normal", Size: tt.size, DeclaredSize: 5}}, d.completed)
		})
	}
}

// What is larger than declared is deleted, of every kind whose size is known, and
// so is what the application refuses.
func TestHandler_DeletesWhatIsRefused(t *testing.T) {
	t.Parallel()
	targets := map[string]webupload.Target{
		"video": webupload.Video{FileName: "a.mp4", Title: "T"},
		"image": webupload.Image{ImageType: "default"},
		"media": webupload.Media{
			FileInfo: ice.UploadFileInfo{Type: "video", Name: "n", Ext: "mp4"}, MediaMetaData: ice.MediaMetaData{Title: "T", BusinessType: "general"},
		},
		"attached": webupload.AttachedMedia{BusinessType: "subtitle", MediaExt: "srt"},
	}
	for name, target := range targets {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newDesk(t, nil)
			d.target = target
			text, status, code := "larger than 5 bytes", 413, "FileTooLarge"
			if name == "attached" {
				d.fail, text, status, code = webupload.Refuse(422, "NotASubtitle", "This is no subtitle."), "12345", 422, "NotASubtitle"
			}
			id, proof := d.create(t, "ann", `{"FileName":"a.x","FileSize":5}`)
			d.store(t, id, text)
			idName := map[string]string{"video": "VideoId", "image": "ImageId"}[name]
			if idName == "" {
				idName = "MediaId"
			}
			requireRefused(t, post(t, d.Complete, "ann", `{"`+idName+`":"`+id+`"}`, token(proof)), status, code)
			_, there := d.srv.Media(id)
			require.False(t, there, "the asset is deleted")
			if name != "attached" {
				require.Empty(t, d.completed, "the application is not told")
			}
		})
	}
}

// A refusal that cannot be carried out is no refusal.
func TestHandler_DeletionFails(t *testing.T) {
	t.Parallel()
	d := newDesk(t, nil)
	id, proof := d.create(t, "ann", movie)
	d.store(t, id, "larger than 5 bytes")
	d.srv.Fault(mediatest.Fault{Operation: "DeleteVideo", Status: 403, Code: "Forbidden.RAM"})
	a := post(t, d.Complete, "ann", `{"VideoId":"`+id+`"}`, token(proof))
	require.Equal(t, 502, a.StatusCode, a.text)
	require.Contains(t, d.log.String(), "was refused and not deleted")
	requireRefused(t, post(t, d.Complete, "ann", `{"VideoId":"`+id+`"}`, token(proof)), 413, "FileTooLarge")
}

// A service that refuses to delete says so in a success.
func TestHandler_DeletionIsRefused(t *testing.T) {
	t.Parallel()
	d := newDesk(t, nil)
	id, proof := d.create(t, "ann", movie)
	d.store(t, id, "larger than 5 bytes")
	d.srv.Fault(mediatest.Fault{Operation: "DeleteVideo", Foreign: &mediatest.Response{Body: `{"RequestId":"r","ForbiddenVideoIds":["` + id + `"]}`}})
	requireRefused(t, post(t, d.Complete, "ann", `{"VideoId":"`+id+`"}`, token(proof)), 500, "InternalError")
	require.Contains(t, d.log.String(), "was refused and not deleted")
}

// A size that the service does not know yet is waited for; GetMezzanineInfo may know
// it earlier.
func TestHandler_UnknownSize(t *testing.T) {
	t.Parallel()
	d := newDesk(t, nil)
	id, proof := d.create(t, "ann", movie)
	body := `{"VideoId":"` + id + `"}`
	d.store(t, id, "larger than 5 bytes")
	noSize := func(_ mediatest.Request, a *mediatest.Response) {
		a.Body = regexp.MustCompile(`"Size": ?"?\d+"?`).ReplaceAllString(a.Body, `"Size":0`)
	}
	d.srv.Fault(mediatest.Fault{Operation: "GetVideoInfo", Edit: noSize, Times: 2})
	d.srv.Fault(mediatest.Fault{Operation: "GetMezzanineInfo", Edit: noSize})
	early := post(t, d.Complete, "ann", body, token(proof))
	require.Equal(t, 202, early.StatusCode, early.text)
	requireRefused(t, post(t, d.Complete, "ann", body, token(proof)), 413, "FileTooLarge")
	require.Equal(t, 2, d.srv.Calls("GetMezzanineInfo"))
	require.Empty(t, d.completed)
}
