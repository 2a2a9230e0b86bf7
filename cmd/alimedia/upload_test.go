package main

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// uploads uploads with --json and returns the objects of the files.
func (u *user) uploads(args ...string) []map[string]any {
	u.t.Helper()
	out, errs, code := u.run(append([]string{"upload", "--json"}, args...)...)
	require.Equal(u.t, 0, code, "%s%s", out, errs)
	return lines(u.t, out)
}

func TestUploadJSON(t *testing.T) {
	t.Parallel()
	u := newUser(t)
	u.file("a.mp4", 1000)
	u.file("b.mp4", 2000)
	out, errs, code := u.run("upload", "--json", "--concurrency", "1", "a.mp4", "missing.mp4", "b.mp4")
	require.Equal(t, 3, code)
	all := lines(t, out)
	require.Len(t, all, 3, "one line for each file")
	missing, a, b := all[0], all[1], all[2]
	require.Equal(t, "uploaded", a["event"])
	require.Equal(t, "a.mp4", a["name"])
	require.Regexp(t, `^[0-9a-f]{32}$`, a["mediaId"])
	require.Regexp(t, `^\d+$`, a["crc64"])
	require.Equal(t, float64(2000), b["size"])
	require.Equal(t, "failed", missing["event"])
	failure := missing["error"].(map[string]any)
	require.Equal(t, float64(4), failure["exitCode"])
	require.Equal(t, "no such file or directory", failure["message"])
	for _, note := range lines(t, errs) {
		require.Contains(t, note, "note", "standard error has objects too: %v", note)
	}

	out, errs, code = u.run("upload", "--json", "missing.mp4")
	require.Equal(t, 4, code, "the code of the only file")
	require.Len(t, lines(t, out), 1)
	require.NotContains(t, errs, "failed;")
}

func TestUploadTargets(t *testing.T) {
	t.Parallel()
	u := newUser(t)
	u.file("a.mp4", 1000)
	u.file("b.mp4", 1000)
	u.file("p.jpg", 500)
	movie := u.uploads("--target", "ice", "--title", "The {name}", "--tags", "x,y", "a.mp4")[0]
	id := movie["mediaId"].(string)
	require.NotEmpty(t, id)
	out, errs, code := u.run("call", "ice", "GetMediaInfo", "MediaId="+id, "--json")
	require.Equal(t, 0, code, errs)
	require.Contains(t, out, `"Title":"The a"`)
	require.Contains(t, out, `"MediaTags":"x,y"`)

	stream := u.uploads("--target", "stream", "--media-id", id, "--definition", "HD", "b.mp4")[0]
	require.Equal(t, id, stream["mediaId"])
	require.NotEmpty(t, u.uploads("--target", "yike", "b.mp4")[0]["mediaId"])
	require.NotEmpty(t, u.uploads("--target", "vod-image", "p.jpg")[0]["mediaId"])

	object := u.uploads("--target", "oss://films/2026", "--meta", "shot=7", "a.mp4")[0]
	require.Equal(t, "films", object["bucket"])
	require.Equal(t, "2026/a.mp4", object["key"])
	require.NotContains(t, object, "mediaId")
	require.Equal(t, "2026/x/A.mp4", u.uploads("--target", "oss://films/2026/", "--object", "x/A.{ext}", "a.mp4")[0]["key"])

	for _, with := range []string{"--register", "--register=ice", "--register=vod"} {
		name := "r" + strings.TrimPrefix(with, "--register=") + ".mp4"
		u.file(name, 700)
		require.NotEmpty(t, u.uploads("--target", "oss://films", with, name)[0]["mediaId"], with)
	}
	u.file("stream.mp4", 600)
	require.Equal(t, id, u.uploads("--target", "oss://films", "--register=stream", "--media-id", id, "stream.mp4")[0]["mediaId"])

	replaced := u.uploads("--target", "ice", "--media-id", id, "b.mp4")[0]
	require.Equal(t, id, replaced["mediaId"], "the file of the asset is replaced")
}

func TestUploadFolder(t *testing.T) {
	t.Parallel()
	u := newUser(t)
	u.file("f/a.mp4", 100)
	u.file("f/sub/b.mp4", 200)
	u.file("f/.hidden.mp4", 100)
	u.file("f/c.tmp", 100)
	require.NoError(t, os.Symlink("/etc/passwd", filepath.Join(u.dir, "f", "link.mp4")))
	u.file("f/hls/0.ts", 188)
	u.file("f/hls/1.ts", 188)
	u.file("f/hls/other.ts", 188)
	write := func(name, text string) {
		require.NoError(t, os.WriteFile(filepath.Join(u.dir, name), []byte(text), 0o644))
	}
	write("f/hls/low.m3u8", "#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXTINF:4,\n0.ts\n#EXTINF:4,\n1.ts\n#EXT-X-ENDLIST\n")
	write("f/hls/index.m3u8", "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=100000\nlow.m3u8\n")

	_, errs, code := u.run("upload", "f")
	require.Equal(t, 2, code)
	require.Contains(t, errs, "f: is a folder: add -r to upload the files in it")

	names := func(objects []map[string]any, field string) (all []string) {
		for _, o := range objects {
			all = append(all, o[field].(string))
		}
		return all
	}
	got := u.uploads("-r", "f", "--exclude", "*.tmp", "--title", "{dir}-{name}-{n}")
	require.ElementsMatch(t, []string{"f/a.mp4", "f/sub/b.mp4", "f/hls/index.m3u8", "f/hls/other.ts"}, names(got, "name"),
		"a playlist goes with its files, and hidden files, links and what is excluded stay")
	out, _, _ := u.run("call", "vod", "SearchMedia", "SearchType=video", "Fields=Title", "--json")
	require.Contains(t, out, `"sub-b-4"`)

	got = u.uploads("-r", "f", "--exclude", "*.tmp", "--target", "oss://films/p")
	require.ElementsMatch(t, []string{
		"p/a.mp4", "p/sub/b.mp4", "p/hls/0.ts", "p/hls/1.ts", "p/hls/other.ts", "p/hls/low.m3u8", "p/hls/index.m3u8",
	}, names(got, "key"), "the objects of a bucket are as the files are")

	got = u.uploads("f/*.mp4", "f/sub/b.mp4")
	require.Equal(t, true, got[0]["alreadyUploaded"], "a pattern that no shell has expanded")
	require.Contains(t, names(got, "name"), "f/a.mp4")

	_, errs, code = u.run("upload", "f/*.mov")
	require.Equal(t, 4, code)
	require.Contains(t, errs, "f/*.mov: no file matches the pattern")
	u.file("odd[1].mp4", 10)
	require.Equal(t, "odd[1].mp4", u.uploads("odd[1].mp4")[0]["name"], "a name that looks like a pattern")
}

func TestUploadCircularPlaylistsAreReported(t *testing.T) {
	t.Parallel()
	u := newUser(t)
	u.file("f/x.mp4", 10)
	for name, other := range map[string]string{"a": "b", "b": "a"} {
		text := "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\n" + other + ".m3u8\n"
		require.NoError(t, os.WriteFile(filepath.Join(u.dir, "f", name+".m3u8"), []byte(text), 0o644))
	}
	_, errs, code := u.run("upload", "-r", "f")
	require.Equal(t, 3, code)
	require.Contains(t, errs, "f/a.m3u8:")
	require.Contains(t, errs, "f/b.m3u8:")
}

func TestUploadStandardInput(t *testing.T) {
	t.Parallel()
	u := newUser(t)
	out, errs, code := u.runWith("bytes of a movie", "upload", "-", "--name", "x.mp4", "--json")
	require.Equal(t, 0, code, errs)
	require.Equal(t, float64(16), lines(t, out)[0]["size"])

	for range 2 {
		out, errs, code = u.runWith("bytes of a movie", "upload", "-", "--name", "x.mp4", "--key", "job-4711", "--json")
		require.Equal(t, 0, code, errs)
	}
	require.Equal(t, true, lines(t, out)[0]["alreadyUploaded"], "a key is recognized")
	require.Equal(t, 2, u.assets())

	_, errs, code = u.runWith("x", "upload", "-")
	require.Equal(t, 2, code)
	require.Contains(t, errs, "standard input needs --name")
	s := u.terminal(80, 24, "upload", "-", "--name", "x.mp4")
	require.Contains(t, s.ends(2), "standard input is a terminal")
}

func TestUploadURL(t *testing.T) {
	t.Parallel()
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "video/mp4")
		_, _ = w.Write([]byte(strings.Repeat("x", 5000)))
	}))
	t.Cleanup(web.Close)
	u := newUser(t)
	got := u.uploads("--allow-private", web.URL+"/movie.mp4?Signature=secret")[0]
	require.Equal(t, web.URL+"/movie.mp4", got["name"], "without its query")
	require.Equal(t, float64(5000), got["size"])
	out, errs, code := u.run("upload", web.URL+"/movie.mp4?Signature=secret")
	require.Equal(t, 1, code)
	require.Contains(t, errs, "not")
	require.NotContains(t, out+errs, "secret")
}

func TestUploadDryRun(t *testing.T) {
	t.Parallel()
	u := newUser(t)
	u.file("a.mp4", 1000)
	u.file("b.mp4", 2000)
	out, errs, code := u.run("upload", "--dry-run", "--target", "oss://films/2026", "a.mp4", "b.mp4")
	require.Equal(t, 0, code, errs)
	require.Regexp(t, `(?m)^a\.mp4 +1\.0 kB +oss +oss://films/2026/a\.mp4$`, out)
	require.Contains(t, errs, "dry run: 2 files, 3.0 kB; nothing was sent")
	require.NoDirExists(t, filepath.Join(u.home(), "state"), "nothing was begun")
	out, _, code = u.run("upload", "-n", "--json", "--title", "{n}. {name}", "a.mp4", "b.mp4", "c.mp4")
	require.Equal(t, 3, code)
	got := lines(t, out)
	require.Equal(t, "2. b", got[1]["title"])
	require.Equal(t, "failed", got[2]["event"])
}

func (u *user) home() string { return strings.TrimPrefix(u.env[0], "HOME=") }

func TestUploadRefusesWhatItWouldNotUse(t *testing.T) {
	t.Parallel()
	u := newUser(t)
	u.file("a.mp4", 10)
	u.file("b.mp4", 10)
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"--target", "vood", "a.mp4"}, `--target is "vood"`},
		{[]string{"--target", "oss:///x", "a.mp4"}, "has no valid bucket"},
		{[]string{"--target", "oss://b/x", "a.mp4"}, "has no valid bucket"},
		{[]string{"--target", "ice", "--register", "a.mp4"}, "--register is for --target oss://bucket/prefix"},
		{[]string{"--target", "yike", "--title", "x", "a.mp4"}, "--title has no meaning for --target yike"},
		{[]string{"--target", "oss://films", "--wait", "a.mp4"}, "--wait has no meaning for --target oss://films"},
		{[]string{"--target", "oss://films", "--register=vod", "--business-type", "general", "a.mp4"}, "--business-type has no meaning for --target oss://films --register=vod"},
		{[]string{"--target", "stream", "a.mp4"}, "needs --media-id"},
		{[]string{"--storage-class", "IA", "a.mp4"}, "--storage-class has no meaning for --target vod"},
		{[]string{"--title", "{nme}", "a.mp4"}, "--title: {nme} is none of"},
		{[]string{"--title", "{name", "a.mp4"}, "--title: { without }"},
		{[]string{"--reference-id", "my-asset", "a.mp4", "b.mp4"}, "--reference-id is for one file, and there are 2"},
		{[]string{"--name", "x.mp4", "a.mp4"}, "--name is for standard input or a URL"},
		{[]string{"--user-data", "[]", "a.mp4"}, "--user-data is not a JSON object"},
		{[]string{"--category", "films", "a.mp4"}, "--category is \"films\""},
		{[]string{"--limit-rate", "fast", "a.mp4"}, "is not a number of bytes"},
		{[]string{"--concurrency", "0", "a.mp4"}, "--concurrency is 0"},
		{[]string{"--progress", "bars", "a.mp4"}, "--progress bars needs a terminal"},
		{[]string{"--progress", "json", "a.mp4"}, "--progress json needs --json"},
		{[]string{"--no-resume", "--key", "k", "a.mp4"}, "--no-resume goes with none of"},
		{[]string{"--part-size", "1k", "a.mp4"}, "PartSize"},
		{[]string{}, "requires at least 1 arg"},
		{[]string{"--nope", "a.mp4"}, "unknown flag: --nope"},
	} {
		_, errs, code := u.run(append([]string{"upload"}, c.args...)...)
		require.Equal(t, 2, code, "%v: %s", c.args, errs)
		require.Contains(t, errs, c.want)
	}
	require.Equal(t, 0, u.assets())
}
