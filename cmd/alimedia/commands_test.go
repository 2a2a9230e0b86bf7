package main

import (
	"encoding/json"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/alimedia/alimedia-go"
	"github.com/alimedia/alimedia-go/credentials"
	"github.com/alimedia/alimedia-go/mediatest"
)

// on makes a user whose commands work on a server of the test.
func on(t *testing.T, srv *mediatest.Server, keys credentials.Credentials, env ...string) *user {
	t.Helper()
	u := newUser(t, env...)
	u.env = append(u.env, "ALIMEDIA_DEMO=0", "ALIBABA_CLOUD_REGION_ID=cn-shanghai", "ALIBABA_CLOUD_ECS_METADATA_DISABLED=true",
		"ALIBABA_CLOUD_ACCESS_KEY_ID="+keys.AccessKeyId, "ALIBABA_CLOUD_ACCESS_KEY_SECRET="+keys.AccessKeySecret)
	u.flags = []string{"--endpoint", srv.URL}
	return u
}

// allowed makes a user with the permissions of nothing but the actions.
func allowed(t *testing.T, srv *mediatest.Server, actions ...string) *user {
	t.Helper()
	policy, err := alimedia.RAMPolicy(actions...)
	require.NoError(t, err)
	return on(t, srv, srv.NewUser(policy))
}

// ok runs a command that succeeds, and returns what it printed.
func (u *user) ok(args ...string) string {
	u.t.Helper()
	return u.okWith("", args...)
}

func (u *user) okWith(stdin string, args ...string) string {
	u.t.Helper()
	out, err, code := u.runWith(stdin, args...)
	require.Equal(u.t, 0, code, "%v\n%s\n%s", args, out, err)
	require.NotContains(u.t, out+err, "\x1b", "a stream that is no terminal gets no control characters")
	return out
}

// fails runs a command that fails, and returns what it complained.
func (u *user) fails(code int, args ...string) string {
	u.t.Helper()
	return u.failsWith(code, "", args...)
}

func (u *user) failsWith(code int, stdin string, args ...string) string {
	u.t.Helper()
	out, err, got := u.runWith(stdin, args...)
	require.Equal(u.t, code, got, "%v\n%s\n%s", args, out, err)
	require.NotEmpty(u.t, err, "it says why")
	return err
}

// objects reads lines of JSON.
func objects(t *testing.T, text string) []map[string]any {
	t.Helper()
	var all []map[string]any
	for line := range strings.Lines(text) {
		var o map[string]any
		require.NoError(t, json.Unmarshal([]byte(line), &o), line)
		all = append(all, o)
	}
	return all
}

// hostile is a title that wants to control the terminal.
const hostile = "Evil\x1b]0;owned\a\u009b31m\u202ered"

// film adds an asset whose file is there.
func film(srv *mediatest.Server, m mediatest.Media) string {
	m.Bucket, m.Key = srv.StorageBucket(), "sv/x.mp4"
	m.URL = "http://" + m.Bucket + ".oss-cn-shanghai.aliyuncs.com/sv/x.mp4"
	return srv.AddMedia(m)
}

func TestCall(t *testing.T) {
	t.Parallel()
	srv := mediatest.New(t)
	u := on(t, srv, srv.Credentials())
	id := film(srv, mediatest.Media{Title: hostile})

	out := u.ok("call", "VOD", "getvideoinfo", "videoid="+id)
	var response struct {
		Video struct{ VideoId, Title string }
	}
	require.NoError(t, json.Unmarshal([]byte(out), &response))
	require.Equal(t, id, response.Video.VideoId)
	require.Equal(t, hostile, response.Video.Title, "it is the same text, escaped")
	require.Equal(t, id+"\n", u.ok("call", "vod", "GetVideoInfo", "VideoId="+id, "--query", "Video.VideoId", "--raw"))
	require.Contains(t, u.ok("call", "vod", "GetVideoInfo", "VideoId="+id, "--query", "Video.Title", "-r"), `Evil\x1b]0;owned`)

	masked := u.ok("call", "vod", "CreateUploadVideo", "Title=T", "FileName=a.mp4")
	require.Contains(t, masked, `"UploadAuth": "***"`)
	require.NotContains(t, masked, "eyJTZWN1", "no document with a secret")
	require.Contains(t, u.ok("call", "vod", "CreateUploadVideo", "Title=T", "FileName=a.mp4", "--show-secrets"), `"UploadAuth": "eyJ`)

	// Values from files and standard input; documents by their parts.
	require.NoError(t, os.WriteFile(filepath.Join(u.dir, "title.txt"), []byte("From a file\n"), 0o600))
	u.okWith("From standard input\n", "call", "vod", "UpdateVideoInfo", "VideoId="+id, "Title=@title.txt", "Description=@-", "Tags=a,b")
	media, _ := srv.Media(id)
	require.Equal(t, "From a file", media.Title)
	require.Equal(t, "From standard input", media.Params.Get("Description"))
	u.ok("call", "ice", "RegisterMediaInfo", "InputURL=vod://"+id, "UserData.Extend.k=1", "--json")
}

func TestCall_FollowsPages(t *testing.T) {
	t.Parallel()
	srv := mediatest.New(t)
	u := on(t, srv, srv.Credentials())
	for range 130 {
		srv.AddMedia(mediatest.Media{Service: "ice"})
	}
	lines := objects(t, u.ok("call", "ice", "ListMediaBasicInfos", "MaxResults=50", "--all", "--query", "{id: MediaId}"))
	require.Len(t, lines, 130)
	require.Len(t, objects(t, u.ok("call", "ice", "ListMediaBasicInfos", "--all", "--limit", "7")), 7)
	require.Contains(t, u.fails(2, "call", "vod", "GetVideoInfo", "VideoId=x", "--all"), "does not return pages")
}

func TestCall_Mistakes(t *testing.T) {
	t.Parallel()
	srv := mediatest.New(t)
	u := on(t, srv, srv.Credentials())
	for _, test := range []struct {
		args []string
		want string
	}{
		{[]string{"call"}, "call needs a product and an operation"},
		{[]string{"call", "oss", "X"}, `there is no product "oss": it is ice or vod`},
		{[]string{"call", "vod", "GetVidoInfo"}, "did you mean GetVideoInfo"},
		{[]string{"call", "vod", "GetVideoInfo"}, "VideoId or ReferenceId is required"},
		{[]string{"call", "vod", "GetVideoInfo", "VideoID2=x"}, `GetVideoInfo has no parameter "VideoID2"`},
		{[]string{"call", "vod", "CreateUploadVideo", "Title=" + strings.Repeat("x", 129), "FileName=a.mp4"}, "Title must be at most 128 characters"},
		{[]string{"call", "vod", "SearchMedia", "PageSize=ten"}, "PageSize must be a whole number"},
		{[]string{"call", "vod", "SetMessageCallback", "AuthKey=Planted123secret"}, "AuthKey is secret and must not be on the command line"},
		{[]string{"call", "vod", "SearchMedia", "--query", "a["}, "--query"},
		{[]string{"call", "vod", "SearchMedia", "--raw"}, "--raw needs --query"},
		{[]string{"call", "vod", "UpdateVideoInfo", "VideoId=x", "Title=@missing.txt"}, "missing.txt: no such file"},
	} {
		said := u.fails(2, test.args...)
		require.Contains(t, said, test.want)
		require.NotContains(t, said, "Planted123secret")
	}
	u.flags, u.env = nil, append(u.env, "ALIBABA_CLOUD_REGION_ID=ap-southeast-1")
	require.Contains(t, u.fails(2, "call", "ice", "CreateUploadMedia"), "is offered only in cn-shanghai, cn-beijing, cn-shenzhen")
	u.flags, u.env = []string{"--endpoint", srv.URL}, append(u.env, "ALIBABA_CLOUD_REGION_ID=cn-shanghai")
	require.Empty(t, srv.Requests(), "nothing was sent")
	require.Contains(t, u.fails(4, "call", "vod", "GetVideoInfo", "VideoId=00000000000000000000000000000000"), "InvalidVideo.NotFound")
}

// A secret is taken from a file, and never printed.
func TestCall_SecretFromFile(t *testing.T) {
	t.Parallel()
	srv := mediatest.New(t)
	u := on(t, srv, srv.Credentials())
	u.okWith("Planted123secret\n", "call", "vod", "SetMessageCallback", "CallbackType=HTTP", "CallbackURL=http://h.example.com/c", "AuthSwitch=on", "AuthKey=@-")
	out := u.ok("call", "vod", "GetMessageCallback")
	require.NotContains(t, out, "Planted123secret")
	require.Contains(t, u.ok("call", "vod", "GetMessageCallback", "--show-secrets"), "Planted123secret")
}

// Reads are repeated after failures that pass, and a failed one does not sound
// as if something might have been done.
func TestCall_RepeatsReads(t *testing.T) {
	t.Parallel()
	srv := mediatest.New(t)
	u := on(t, srv, srv.Credentials())
	srv.Fault(mediatest.Fault{Operation: "SearchMedia", Status: 503, Code: "ServiceUnavailable"})
	u.ok("call", "vod", "SearchMedia")
	srv.Fault(mediatest.Fault{Operation: "SearchMedia", Status: 503, Code: "ServiceUnavailable", Times: mediatest.Always})
	require.NotContains(t, u.fails(6, "call", "vod", "SearchMedia"), "may have been carried out")
	srv.Fault(mediatest.Fault{Operation: "AddCategory", Status: 503, Code: "ServiceUnavailable"})
	require.Contains(t, u.fails(6, "call", "vod", "AddCategory", "CateName=c"), "may have been carried out")
}

func TestDeniedAndThrottled(t *testing.T) {
	t.Parallel()
	srv := mediatest.New(t)
	id := film(srv, mediatest.Media{})
	none := allowed(t, srv, "vod:GetCategories")
	for _, args := range [][]string{
		{"call", "vod", "GetVideoInfo", "VideoId=" + id}, {"ls"}, {"search", "word"}, {"info", id}, {"wait", id}, {"rm", "--yes", id}, {"play", id},
	} {
		require.Contains(t, none.fails(5, args...), "NoPermission", args)
	}
	require.Len(t, srv.Medias(), 1)
	all := on(t, srv, srv.Credentials())
	srv.Fault(mediatest.Fault{Throttling: true, Times: mediatest.Always})
	for _, args := range [][]string{{"call", "vod", "GetVideoInfo", "VideoId=" + id}, {"info", "--service", "vod", id}} {
		require.Contains(t, all.fails(6, args...), "Throttling", args)
	}
}

func TestLs(t *testing.T) {
	t.Parallel()
	srv := mediatest.New(t)
	u := on(t, srv, srv.Credentials())
	for _, m := range []mediatest.Media{
		{Title: "Video one"}, {Title: "Song", Type: "audio"}, {Title: "Picture", Type: "image"}, {Title: hostile, Service: "ice"},
		{Title: "Broken", Status: "UploadFail"},
	} {
		film(srv, m)
	}
	out := u.ok("ls")
	for _, want := range []string{"MEDIAID", "Video one", "Song", "Picture", `Evil\x1b]0;owned`, "Broken", "UploadFail", "ice video", "vod audio"} {
		require.Contains(t, out, want)
	}
	require.Len(t, objects(t, u.ok("ls", "--json")), 5)
	require.Len(t, objects(t, u.ok("ls", "--json", "--limit", "0")), 5)
	require.Equal(t, "Song", objects(t, u.ok("ls", "--json", "--type", "audio"))[0]["title"])
	require.Equal(t, "Broken", objects(t, u.ok("ls", "--json", "--status", "uploadfail"))[0]["title"])
	require.Len(t, objects(t, u.ok("ls", "--json", "--service", "vod")), 4)
	for _, o := range objects(t, u.ok("ls", "--json", "--service", "ice")) {
		require.Equal(t, "ice", o["service"], "which has the assets of VOD, too")
	}
	require.Equal(t, "Broken", objects(t, u.ok("ls", "--json", "--sort", "title"))[0]["title"])
	first, second := objects(t, u.ok("ls", "--json", "-n", "3")), objects(t, u.ok("ls", "--json", "-n", "3", "--page", "2"))
	require.Len(t, first, 3)
	require.Len(t, second, 2)
	seen := map[any]bool{}
	for _, o := range append(first, second...) {
		seen[o["mediaId"]] = true
	}
	require.Len(t, seen, 5, "pages do not overlap")
	_, told, _ := u.run("ls", "-n", "3")
	require.Contains(t, told, "--page 2")
	require.Empty(t, u.ok("ls", "--since", "2999-01-01"))
	require.Contains(t, u.fails(2, "ls", "--since", "yesterday"), "--since")
	require.Contains(t, u.fails(2, "ls", "--type", "film"), "is not one of video")
	require.Contains(t, u.fails(2, "ls", "--sort", "x"), "--sort")

	asJSON := u.terminal(200, 60, append(u.flags, "ls", "--json")...)
	asJSON.ends(0)
	require.NotContains(t, asJSON.Raw(), "\u009b")
	require.NotContains(t, asJSON.Raw(), "\u202e")
	narrow := u.terminal(40, 60, append(u.flags, "ls")...)
	screen := narrow.ends(0)
	require.LessOrEqual(t, widest(screen), 40)
	require.Contains(t, screen, "Video one")
	require.NotContains(t, narrow.Raw(), "\x1b]0;owned")
}

// A service that cannot be read does not hide the other.
func TestLs_OneServiceDenied(t *testing.T) {
	t.Parallel()
	srv := mediatest.New(t)
	film(srv, mediatest.Media{Title: "Visible"})
	out, said, code := allowed(t, srv, "vod:SearchMedia").run("ls")
	require.Equal(t, 3, code)
	require.Contains(t, out, "Visible")
	require.Contains(t, said, "ListMediaBasicInfos")
}

func TestSearch(t *testing.T) {
	t.Parallel()
	srv := mediatest.New(t)
	u := on(t, srv, srv.Credentials())
	film(srv, mediatest.Media{Title: "Launch of the rocket"})
	film(srv, mediatest.Media{Title: "Another launch", Service: "ice"})
	film(srv, mediatest.Media{Title: "Cats"})
	require.Contains(t, u.ok("search", "Cats"), "Cats")
	require.Empty(t, u.ok("search", "nothing-has-this"))
	require.Contains(t, u.ok("search", "--service", "vod", "--match", "Title = 'Cats'"), "Cats")
	require.Contains(t, u.fails(2, "search", "--match", "Title = 'x'"), "--match needs --service")
	require.Contains(t, u.fails(2, "search"), "either words or --match")
	require.Contains(t, u.fails(2, "search", `both ' and "`), "cannot be expressed")
	for _, r := range srv.Requests() {
		require.NotContains(t, r.Params.Get("Match"), " or 1=1", "words stay values")
	}
	u.ok("search", "x' or 1=1")
}

func TestInfo(t *testing.T) {
	t.Parallel()
	srv := mediatest.New(t)
	u := on(t, srv, srv.Credentials())
	inVOD, inICE := film(srv, mediatest.Media{Title: hostile, Size: 1234567}), film(srv, mediatest.Media{Title: "In ICE", Service: "ice"})
	image := film(srv, mediatest.Media{Title: "Picture", Type: "image"})
	out := u.ok("info", inVOD, inICE, image)
	for _, want := range []string{inVOD, inICE, image, `Evil\x1b]0;owned`, "In ICE", "Service       ice", "Type          image", "Streams"} {
		require.Contains(t, out, want)
	}
	require.NotContains(t, out, "auth_key")
	lines := objects(t, u.okWith("# ids\n"+inVOD+"\n\n"+inICE+"\n"+inVOD+"\n", "info", "--json", "-"))
	require.Len(t, lines, 2)
	out, said, code := u.run("info", inVOD, "nosuchid")
	require.Equal(t, 3, code)
	require.Contains(t, out, inVOD)
	require.Contains(t, said, "nosuchid: no asset with this ID was found")
	u.fails(4, "info", "nosuchid")
	require.Contains(t, u.failsWith(2, "", "info"), "standard input is empty")
}

func TestWait(t *testing.T) {
	t.Parallel()
	srv := mediatest.New(t, mediatest.ProcessingPolls(2))
	u := on(t, srv, srv.Credentials())
	ready, failed := film(srv, mediatest.Media{Title: hostile}), film(srv, mediatest.Media{Title: "Bad", Status: "TranscodeFail"})
	require.Equal(t, ready+"  Normal  "+`Evil\x1b]0;owned\x07\u009b31m\u202ered`+"\n", u.ok("wait", ready))
	require.Contains(t, u.fails(1, "wait", failed), "TranscodeFail")
	out, said, code := u.run("wait", "--json", ready, failed)
	require.Equal(t, 3, code)
	require.Len(t, objects(t, out), 2)
	require.Contains(t, said, "TranscodeFail")
	require.Contains(t, u.fails(4, "wait", "nosuchid"), "no asset and no job with this ID")

	stuck := film(srv, mediatest.Media{Status: "Transcoding"})
	require.Contains(t, u.fails(7, "wait", "--timeout", "1s", stuck), "still Transcoding")

	// A job: found by itself, and by its kind.
	job := objects(t, u.ok("call", "vod", "SubmitTranscodeJobs", "VideoId="+ready, "TemplateGroupId=VOD_NO_TRANSCODE", "--json"))
	if task, ok := job[0]["TranscodeTaskId"].(string); ok && task != "" {
		require.Contains(t, u.ok("wait", task), "Success")
		require.Contains(t, u.ok("wait", "--job", "vod:transcode-task", task), "Success")
	}
	require.Contains(t, u.fails(2, "wait", "--job", "tea", "x"), "--job")
}

// rm asks, and lists what it is about to delete.
func TestRm(t *testing.T) {
	t.Parallel()
	srv := mediatest.New(t)
	u := on(t, srv, srv.Credentials())
	video, inICE := film(srv, mediatest.Media{Title: "First film"}), film(srv, mediatest.Media{Title: "Second film", Service: "ice"})
	image, attached := film(srv, mediatest.Media{Title: "Third", Type: "image"}), film(srv, mediatest.Media{Title: "Fourth", Type: "attached"})

	require.Contains(t, u.fails(2, "rm", video), "add --yes", "no terminal to ask at")
	s := u.terminal(80, 24, append(u.flags, "rm", video, inICE)...)
	screen := s.see("Delete 2 assets", "[y/N]")
	require.Contains(t, screen, "First film")
	require.Contains(t, screen, "Second film")
	s.Send("\r")
	require.Contains(t, s.ends(1), "nothing was done")
	require.Len(t, srv.Medias(), 4)

	s = u.terminal(40, 40, append(u.flags, "rm", video)...)
	screen = s.see("[y/N]")
	require.LessOrEqual(t, widest(screen), 40)
	require.Contains(t, screen, "First film")
	s.Send("y\r")
	require.Contains(t, s.ends(0), "deleted "+video)
	require.Len(t, srv.Medias(), 3)

	out := u.okWith(inICE+"\n"+image+"\n"+attached+"\n", "rm", "--yes", "--json", "-")
	require.Len(t, objects(t, out), 3)
	require.Empty(t, srv.Medias())
	require.Contains(t, u.fails(4, "rm", "--yes", video), "no asset with this ID was found")
}

// More than one request takes.
func TestRm_Many(t *testing.T) {
	t.Parallel()
	srv := mediatest.New(t)
	var ids strings.Builder
	for range 45 {
		ids.WriteString(film(srv, mediatest.Media{Title: "Film"}) + "\n")
	}
	out := on(t, srv, srv.Credentials()).okWith(ids.String(), "rm", "--yes", "-q")
	require.Equal(t, 45, strings.Count(out, "deleted "))
	require.Empty(t, srv.Medias())
	require.Equal(t, 3, srv.Calls("DeleteVideo"))
}

// What cannot be read is not deleted.
func TestRm_UnreadIsKept(t *testing.T) {
	t.Parallel()
	srv := mediatest.New(t)
	video, inICE := film(srv, mediatest.Media{Title: "Readable"}), film(srv, mediatest.Media{Service: "ice"})
	u := allowed(t, srv, "vod:GetVideoInfos", "vod:GetImageInfos", "vod:GetAttachedMediaInfo", "vod:DeleteVideo", "ice:DeleteMediaInfos")
	out, said, code := u.run("rm", "--yes", video, inICE)
	require.Equal(t, 3, code)
	require.Contains(t, out, "deleted "+video)
	require.Contains(t, said, "BatchGetMediaInfos")
	require.Len(t, srv.Medias(), 1)

	// Read, but not deleted by the service.
	video = film(srv, mediatest.Media{Title: "Kept"})
	u = allowed(t, srv, "vod:GetVideoInfos")
	require.Contains(t, u.fails(5, "rm", "--yes", "--service", "vod", video), "NoPermission")
	require.Len(t, srv.Medias(), 2)
}

func TestPlay(t *testing.T) {
	t.Parallel()
	srv := mediatest.New(t)
	id := film(srv, mediatest.Media{Title: "Film"})
	u := on(t, srv, srv.Credentials(), "ALIMEDIA_PLAY_KEY=Planted1234567890")
	url := strings.TrimSpace(u.ok("play", id))
	require.Regexp(t, `^https?://\S+\.mp4`, url)
	signed := u.ok("play", id, "--sign", "a")
	require.Regexp(t, `\?auth_key=\d{10}-[0-9a-f]{32}-0-[0-9a-f]{32}\n$`, signed)
	require.NotContains(t, signed, "Planted")
	require.Regexp(t, `^https://h/\d{12}/[0-9a-f]{32}/v\.mp4\n$`, u.ok("play", "--sign", "B", "https://h/v.mp4"))
	require.Regexp(t, `^https://h/[0-9a-f]{32}/[0-9a-fA-F]{8}/v\.mp4\n$`, u.ok("play", "--sign", "C", "--valid", "2h", "https://h/v.mp4"))
	require.Equal(t, id, objects(t, u.ok("play", id, "--json"))[0]["mediaId"])
	require.Contains(t, u.ok("play", id, "--all"), "QUALITY")
	opener := filepath.Join(u.dir, "xdg-open")
	require.NoError(t, os.WriteFile(opener, []byte("#!/bin/sh\necho \"$@\" > "+u.dir+"/opened\n"), 0o755))
	path := u.env
	u.env = append(slices.Clone(u.env), "PATH="+u.dir+":"+os.Getenv("PATH"))
	u.ok("play", id, "--open")
	require.Eventually(t, func() bool {
		opened, _ := os.ReadFile(filepath.Join(u.dir, "opened"))
		return string(opened) == url+"\n"
	}, patience, 10*time.Millisecond)
	u.env = path
	u.fails(4, "play", id, "--definition", "4K")
	u.fails(4, "play", "nosuchid")
	require.Contains(t, u.fails(2, "play", "https://h/v.mp4"), "needs --sign")
	require.Contains(t, u.fails(2, "play", "--sign", "D", id), "is not one of A, B, C")
	u.env = append(u.env, "ALIMEDIA_PLAY_KEY=")
	require.Contains(t, u.fails(2, "play", "--sign", "A", "https://h/v.mp4"), "ALIMEDIA_PLAY_KEY")
	require.Contains(t, u.fails(1, "play", film(srv, mediatest.Media{Status: "Transcoding"})), "has the status Transcoding")
}

func TestRegister(t *testing.T) {
	t.Parallel()
	srv := mediatest.New(t)
	srv.CreateBucket("films")
	for _, key := range []string{"a.mp4", "b.mp4", "c c.mp4"} {
		srv.PutObject("films", key, []byte("content"))
	}
	u := on(t, srv, srv.Credentials())
	out := u.okWith("oss://films/b.mp4\n# a comment\n\noss://films/c c.mp4\tTitle of C\n", "register", "--title", "{name}!", "oss://films/a.mp4", "-")
	require.Equal(t, 3, strings.Count(out, "registered  "))
	require.Contains(t, out, "oss://films/a.mp4", "as the user wrote it")
	titles := map[string]bool{}
	for _, m := range srv.Medias() {
		titles[m.Title] = true
	}
	require.Equal(t, map[string]bool{"a!": true, "b!": true, "Title of C": true}, titles)
	require.Contains(t, u.ok("register", "oss://films/a.mp4"), "known ")
	require.Len(t, srv.Medias(), 3)
	_, note, code := u.run("wait", "--timeout", "1s", srv.Medias()[0].MediaId)
	require.Equal(t, 7, code)
	require.Contains(t, note, "keeps it if no template group")

	require.NoError(t, os.WriteFile(filepath.Join(u.dir, "urls"), []byte("oss://films/a.mp4\noss://films/missing.mp4\n"), 0o600))
	out, said, code := u.run("register", "--json", "--from", "urls")
	require.Equal(t, 3, code)
	require.Len(t, objects(t, out), 1)
	require.Contains(t, said, "missing.mp4")

	ice := on(t, srv, srv.Credentials())
	lines := objects(t, ice.ok("register", "--as", "ice", "--json", "oss://films/a.mp4", "oss://films/b.mp4"))
	require.Len(t, lines, 2)
	require.Equal(t, true, lines[0]["new"])
	again := objects(t, ice.ok("register", "--as", "ice", "--json", "oss://films/a.mp4"))
	require.Equal(t, false, again[0]["new"])
	require.Contains(t, ice.ok("register", "--as", "stream", "--media-id", again[0]["mediaId"].(string), "oss://films/b.mp4"), "registered")
	require.Contains(t, u.fails(2, "register", "--as", "stream", "oss://films/b.mp4"), "needs --media-id")
	require.Contains(t, u.fails(2, "register", "--overwrite", "oss://films/b.mp4"), "has no meaning")
	u.failsWith(2, "", "register")
	require.Contains(t, allowed(t, srv, "vod:GetVideoInfo").fails(5, "register", "oss://films/a.mp4"), "NoPermission")
}

func TestPolicyOfWhatWasRecorded(t *testing.T) {
	t.Parallel()
	srv := mediatest.New(t)
	id := film(srv, mediatest.Media{Title: "Film"})
	u := on(t, srv, srv.Credentials())
	u.ok("--record", "ops", "info", id)
	u.ok("--record", "ops", "ls")
	policy := u.ok("policy", "--recorded", "ops")
	for _, want := range []string{`"vod:GetVideoInfos"`, `"vod:GetPlayInfo"`, `"vod:SearchMedia"`, `"ice:ListMediaBasicInfos"`} {
		require.Contains(t, policy, want)
	}
	least := on(t, srv, srv.NewUser(policy))
	least.ok("info", id)
	least.ok("ls")
	require.Equal(t, 2, strings.Count(u.ok("policy", "vod:GetVideoInfo", "ice:GetMediaInfo", "vod:GetVideoInfo"), `:Get`))
	require.Contains(t, u.ok("policy", "GetVideoInfo", "oss:PutObject@b/f"), `"acs:oss:*:*:b/f/*"`)
	require.Contains(t, u.ok("policy", "vod:GetVideo*"), "vod:GetVideoPlayAuth")
	require.Contains(t, u.okWith("vod:GetVideoInfo\n", "policy", "-"), "vod:GetVideoInfo")
	for name, want := range map[string]string{
		"GetPlayInfo": "both services have", "vod:GetVideInfo": "did you mean", "ecs:X": "there is no product", "vod:Zzz*": "no operation matches",
		"oss:PutObject": "needs a place", "oss:Fly@b": "is not one of",
	} {
		require.Contains(t, u.fails(2, "policy", name), want)
	}
	require.NoError(t, os.WriteFile(filepath.Join(u.dir, "bad"), []byte("x\n"), 0o600))
	require.Contains(t, u.fails(2, "policy", "--recorded", "bad"), "line 1")
}

func TestDecodeAuth(t *testing.T) {
	t.Parallel()
	srv := mediatest.New(t, mediatest.CredentialLife(time.Hour))
	u := on(t, srv, srv.Credentials())
	response := u.ok("call", "vod", "CreateUploadVideo", "Title=T", "FileName=a.mp4", "--show-secrets")
	var r struct{ UploadAddress, UploadAuth, VideoId string }
	require.NoError(t, json.Unmarshal([]byte(response), &r))
	for _, text := range []string{response, r.UploadAuth + "\n" + r.UploadAddress, "UploadAddress: " + r.UploadAddress + "\nUploadAuth: " + r.UploadAuth} {
		out := u.okWith(text, "decode-auth")
		for _, want := range []string{"Bucket        " + srv.StorageBucket(), "AccessKeySecret ***, SecurityToken ***", "Expires", "Allows        PutObject"} {
			require.Contains(t, out, want)
		}
	}
	grant := objects(t, u.okWith(response, "decode-auth", "--json"))[0]
	require.Equal(t, r.VideoId, grant["mediaId"])
	require.Equal(t, true, grant["usable"])
	require.NotContains(t, grant, "accessKeySecret")
	require.Contains(t, u.failsWith(2, u.ok("call", "vod", "CreateUploadVideo", "Title=T", "FileName=a.mp4"), "decode-auth"), "--show-secrets")
	require.Contains(t, u.failsWith(1, r.UploadAddress, "decode-auth"), "AccessKeySecret, SecurityToken missing")
	require.Contains(t, u.failsWith(2, "hello", "decode-auth"), "neither a response")
	require.Contains(t, u.fails(2, "decode-auth", r.UploadAuth), "can be seen by other users")
	old := mediatest.EncodeBase64(map[string]string{
		"Endpoint": "https://oss-cn-shanghai.aliyuncs.com", "Bucket": "b", "FileName": "f", "AccessKeyId": "i", "AccessKeySecret": "Planted1", "SecurityToken": "Planted2",
		"ExpireUTCTime": "2020-01-01T00:00:00Z",
	})
	said := u.failsWith(1, old, "decode-auth")
	require.Contains(t, said, "it has expired")
	require.NotContains(t, said, "Planted")
}

func TestCallbackVerify(t *testing.T) {
	t.Parallel()
	u := newUser(t, "ALIMEDIA_CALLBACK_KEY=test123")
	text := "X-VOD-TIMESTAMP: 1519375990\nX-VOD-SIGNATURE: c72b60894140fa98920f1279219b7ed4\n"
	out := u.okWith(text, "callback", "verify", "--url", "https://www.example.com/your/callback")
	require.Contains(t, out, "ok    signature")
	require.NotContains(t, out, "test123")
	out, said, code := u.runWith(text, "callback", "verify", "--url", "http://www.example.com/your/callback")
	require.Equal(t, 1, code)
	require.Contains(t, out, "fail  URL         the request is signed for https://www.example.com/your/callback (https and not http)")
	require.Contains(t, said, "is not genuine")
	out, _, code = u.runWith(text, "callback", "verify", "--json", "--url", "http://x/")
	require.Equal(t, 1, code)
	require.Equal(t, false, objects(t, out)[0]["valid"])
	require.Contains(t, u.failsWith(2, text, "callback", "verify"), "--url")
	require.Contains(t, u.failsWith(2, "", "callback", "verify", "--url", "http://x"), "there is no request")
	require.Contains(t, newUser(t).failsWith(2, text, "callback", "verify", "--url", "http://x"), "ALIMEDIA_CALLBACK_KEY")
}

var listens = regexp.MustCompile(`http://127\.0\.0\.1:\d+`)

func TestCallbackListen(t *testing.T) {
	t.Parallel()
	demo := newUser(t)
	out := demo.ok("callback", "listen", "--addr", "127.0.0.1:0", "--count", "2")
	require.Contains(t, out, "vod  FileUploadComplete  93ab850b4f6f46e91d24d81d4a5b5c5d  success")
	require.Contains(t, out, "ice  RegisterMediaComplete")
	require.Len(t, objects(t, demo.ok("callback", "listen", "--addr", "127.0.0.1:0", "--count", "2", "--json")), 2)

	u := newUser(t, "ALIMEDIA_DEMO=0", "ALIMEDIA_CALLBACK_KEY=Planted123")
	s := u.terminal(100, 20, "callback", "listen", "--addr", "127.0.0.1:0", "--url", "https://h.example.com/cb")
	address := listens.FindString(s.see("listening on http://"))
	send := func(key alimedia.Secret, body string) int {
		req, err := mediatest.Callback{Service: "vod", URL: "https://h.example.com/cb", AuthKey: key, Body: body}.Request()
		require.NoError(t, err)
		return post(t, address, req.Header, body)
	}
	require.Equal(t, 200, send("Planted123", `{"EventType":"StreamTranscodeComplete","VideoId":"v-77","Status":"fail","ErrorCode":"Bad\u001b[31m"}`))
	screen := s.see("StreamTranscodeComplete", "v-77", `Bad\x1b[31m`)
	require.NotContains(t, screen, "Planted123")
	require.Equal(t, 403, send("other", `{"EventType":"X"}`))
	s.see("answered with 403")
	s.Interrupt()
	require.Contains(t, s.ends(0), "received 1 events")

	require.Contains(t, newUser(t, "ALIMEDIA_DEMO=0").fails(2, "callback", "listen"), "ALIMEDIA_CALLBACK_KEY")
	require.Contains(t, u.fails(2, "callback", "listen"), "needs --url")
	u.fails(7, "--timeout", "1s", "callback", "listen", "--addr", "127.0.0.1:0", "--url", "http://h/")
}

func TestDoctor(t *testing.T) {
	t.Parallel()
	out := newUser(t).ok("doctor")
	for _, want := range []string{"ok    version", "ok    region", "ok    keys", "ok    account", "ok    clock", "ok    oss", "ok    state", "SearchMedia is allowed", "ListMediaBasicInfos is allowed"} {
		require.Contains(t, out, want)
	}
	srv := mediatest.New(t)
	u := allowed(t, srv, "vod:*")
	out, said, code := u.run("doctor")
	require.Equal(t, 1, code)
	require.Contains(t, out, "ListMediaBasicInfos is denied (NoPermission): 'alimedia policy ice:ListMediaBasicInfos'")
	require.Contains(t, out, "ok    vod         SearchMedia is allowed")
	require.Contains(t, said, "2 checks failed")

	srv.SetClockSkew(10 * time.Minute)
	out, _, _ = on(t, srv, srv.Credentials()).run("doctor")
	require.Contains(t, out, "warn  clock       10m0s behind the service's")

	keys := srv.Credentials()
	keys.AccessKeySecret = "PlantedWrongSecret"
	out, _, code = on(t, srv, keys).run("doctor")
	require.Equal(t, 1, code)
	require.Contains(t, out, "SignatureDoesNotMatch")
	require.NotContains(t, out, "PlantedWrongSecret")

	bare := newUser(t, "ALIMEDIA_DEMO=0", "ALIBABA_CLOUD_ECS_METADATA_DISABLED=true", "HTTPS_PROXY=http://me:Planted@127.0.0.1:1")
	out, _, code = bare.run("doctor")
	require.Equal(t, 1, code)
	require.Contains(t, out, "fail  region      none: give --region")
	require.Contains(t, out, "fail  keys")
	require.Contains(t, out, "HTTPS_PROXY=http://127.0.0.1:1")
	require.NotContains(t, out, "Planted")
	for _, o := range objects(t, newUser(t).ok("doctor", "--json")) {
		require.Contains(t, []any{"ok", "warn", "fail"}, o["level"])
	}
	narrow := newUser(t).terminal(40, 80, "doctor")
	require.LessOrEqual(t, widest(narrow.ends(0)), 40)
}

// A reader that leaves does not make a command fail loudly, and closed streams
// are no crash.
func TestBrokenStreams(t *testing.T) {
	t.Parallel()
	srv := mediatest.New(t)
	for range 300 {
		srv.AddMedia(mediatest.Media{Service: "ice", Title: strings.Repeat("long title ", 20)})
	}
	u := on(t, srv, srv.Credentials())
	line := strings.Join(append([]string{binary}, u.flags...), " ")
	for _, command := range []string{
		line + " ls --json --limit 0 | head -n 1", line + " call ice ListMediaBasicInfos --all | head -n 1", line + " call vod | head -n 1",
		line + " info - <&-", line + " rm --yes - <&-", line + " register - <&-", line + " decode-auth <&-", line + " wait x >&-", line + " ls >&-", line + " ls 2>&-",
	} {
		cmd := exec.Command("sh", "-c", command)
		cmd.Dir, cmd.Env = u.dir, u.env
		out, _ := cmd.CombinedOutput()
		require.NotContains(t, string(out), "panic", command)
		require.NotContains(t, string(out), "goroutine ", command)
	}
	require.Len(t, srv.Medias(), 300)
}

func TestCompletion(t *testing.T) {
	t.Parallel()
	u := newUser(t)
	for line, want := range map[string][]string{
		"call ":                                  {"vod\t", "ice\t"},
		"call vod GetVideoI":                     {"GetVideoInfo\t", "GetVideoInfos\t"},
		"call ice RegisterMediaInfo ":            {"InputURL=\tstring, required", "Title=\t"},
		"call vod SearchMedia SearchType=":       {"SearchType=video", "SearchType=attached"},
		"call vod SearchMedia SearchType=video ": {"Match=\t"},
		"ls --type ":                             {"video", "attached"},
		"ls --status ":                           {"Normal", "PrepareFail"},
		"ls --sort ":                             {"newest"},
		"info --service ":                        {"vod", "ice"},
		"wait --job ":                            {"vod:transcode-task", "ice:media-producing"},
		"play --sign ":                           {"A", "CQuery"},
		"register --as ":                         {"stream"},
		"policy vod:CreateU":                     {"vod:CreateUploadVideo"},
	} {
		args := strings.Split(line, " ")
		out := u.ok(append([]string{"__complete"}, args...)...)
		for _, proposal := range want {
			require.Contains(t, out, proposal, line)
		}
	}
	require.NotContains(t, u.ok("__complete", "call", "vod", "SearchMedia", "SearchType=video", ""), "SearchType=")
}

// post sends a callback and returns the status.
func post(t *testing.T, address string, header http.Header, body string) int {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, address, strings.NewReader(body))
	require.NoError(t, err)
	req.Header = header
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	res, err := client.Do(req)
	require.NoError(t, err)
	require.NoError(t, res.Body.Close())
	return res.StatusCode
}

// A newcomer tries the examples, from one command to the next.
func TestDemo_EveryCommand(t *testing.T) {
	t.Parallel()
	u := newUser(t)
	u.file("film.mp4", 200_000)
	u.ok("upload", "film.mp4", "--target", "oss://my-bucket/films/")
	require.Contains(t, u.ok("register", "oss://my-bucket/films/film.mp4", "--title", "{name}", "--template-group", "VOD_NO_TRANSCODE"), "registered")
	require.Contains(t, u.ok("register", "oss://my-bucket/films/film.mp4"), "known")
	id := objects(t, u.ok("ls", "--json"))[0]["mediaId"].(string)
	require.Contains(t, u.ok("search", "film"), id)
	u.ok("wait", "--timeout", "60s", id)
	require.Contains(t, u.ok("info", id), "film")
	require.Contains(t, u.ok("play", id), ".mp4")
	require.Contains(t, u.ok("call", "vod", "GetVideoInfo", "VideoId="+id), id)
	require.Contains(t, u.ok("rm", "--yes", id), "deleted "+id)
	require.Empty(t, u.ok("ls", "--service", "vod"))
}
