package main

import (
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/alimedia/alimedia-go"
	"github.com/alimedia/alimedia-go/mediatest"
)

func TestDemoKeepsItsStateForThisUserOnly(t *testing.T) {
	t.Parallel()
	u := newUser(t)
	u.file("a.mp4", 1000)
	u.uploads("a.mp4")
	dir := filepath.Join(u.home(), "state", "alimedia", "demo")
	info, err := os.Stat(filepath.Join(dir, "services.state"))
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode().Perm())
	folder, err := os.Stat(dir)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o700), folder.Mode().Perm())
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Len(t, entries, 3, "the state, the lock, the checkpoints, and no temporary file: %v", entries)

	out, errs, code := u.run("demo", "reset")
	require.Equal(t, 0, code, errs)
	require.Empty(t, out)
	require.Equal(t, 0, u.assets())
	require.NotContains(t, u.uploads("a.mp4")[0], "alreadyUploaded", "the checkpoints are gone too")
}

func TestDemoTakesTurns(t *testing.T) {
	t.Parallel()
	u := newUser(t)
	u.file("a.mp4", 3<<20)
	u.file("b.mp4", 100)
	s := u.terminal(80, 24, "upload", "--limit-rate", "2MB", "a.mp4")
	s.seeThat(func(screen string) bool { return bar.MatchString(screen) }, "the first command at work")
	_, errs, code := u.run("upload", "b.mp4")
	require.Equal(t, 0, code, errs)
	require.Contains(t, errs, "another command is using the demo; waiting for it")
	s.ends(0)
	require.Equal(t, 2, u.assets(), "neither has overwritten the other's state")
}

func TestDemoWithDamagedState(t *testing.T) {
	t.Parallel()
	u := newUser(t)
	u.file("a.mp4", 100)
	u.uploads("a.mp4")
	file := filepath.Join(u.home(), "state", "alimedia", "demo", "services.state")
	require.NoError(t, os.WriteFile(file, []byte("rubbish"), 0o600))
	_, errs, code := u.run("upload", "a.mp4")
	require.Equal(t, 1, code)
	require.Contains(t, errs, "'alimedia demo reset' begins anew")
	kept, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, "rubbish", string(kept), "a state that cannot be read is not overwritten")
	_, errs, code = u.run("demo", "reset")
	require.Equal(t, 0, code, errs)
	u.uploads("a.mp4")
}

// real is a user of services at an address, as a real account is used.
func real(t *testing.T, srv *mediatest.Server, keys ...string) *user {
	u := newUser(t)
	creds := srv.Credentials()
	if len(keys) == 0 {
		keys = []string{creds.AccessKeyId, creds.AccessKeySecret}
	}
	u.env = append(u.env, "ALIMEDIA_DEMO=0", "ALIBABA_CLOUD_ACCESS_KEY_ID="+keys[0], "ALIBABA_CLOUD_ACCESS_KEY_SECRET="+keys[1], "ALIBABA_CLOUD_REGION_ID=cn-shanghai")
	return u
}

func TestExitCodes(t *testing.T) {
	t.Parallel()
	srv := mediatest.New(t)
	u := real(t, srv)
	u.file("a.mp4", 1000)
	upload := func(u *user, args ...string) (string, int) {
		_, errs, code := u.run(append([]string{"upload", "--endpoint", srv.URL}, args...)...)
		return errs, code
	}
	errs, code := upload(u, "a.mp4")
	require.Equal(t, 0, code, errs)
	require.NotContains(t, errs, "demo")
	require.Len(t, srv.Medias(), 1)

	srv.Fault(mediatest.Fault{Operation: "CreateUploadVideo", Throttling: true, Times: 4})
	u.file("b.mp4", 1000)
	errs, code = upload(u, "b.mp4")
	require.Equal(t, 6, code, errs)
	require.Contains(t, errs, "Throttling.User")

	errs, code = upload(u, "--media-id", "00000000000000000000000000000000", "b.mp4")
	require.Equal(t, 4, code, errs)

	errs, code = upload(real(t, srv, srv.Credentials().AccessKeyId, "not-the-secret-of-the-key"), filepath.Join(u.dir, "b.mp4"))
	require.Equal(t, 5, code, errs)
	require.NotContains(t, errs, "not-the-secret-of-the-key")

	poor := srv.NewUser(`{"Version":"1","Statement":[{"Effect":"Allow","Action":"vod:GetVideoInfo","Resource":"*"}]}`)
	errs, code = upload(real(t, srv, poor.AccessKeyId, poor.AccessKeySecret), filepath.Join(u.dir, "b.mp4"))
	require.Equal(t, 5, code, errs)
	require.Contains(t, errs, "vod:CreateUploadVideo", "what to allow")

	srv.Handle("vod", "CreateUploadVideo", func(url.Values) (any, error) {
		return nil, &alimedia.Error{StatusCode: 400, Code: "InvalidTitle.Length", Message: "\x1b[2Jnot good"}
	})
	errs, code = upload(u, "--title", "x", "b.mp4")
	require.Equal(t, 1, code, errs)
	require.NotContains(t, errs, "\x1b", "text of the service does not control the terminal")
}

func TestNothingIsSentWithoutRegionOrCredentials(t *testing.T) {
	t.Parallel()
	u := newUser(t)
	u.env = append(u.env, "ALIMEDIA_DEMO=", "ALIBABA_CLOUD_ECS_METADATA_DISABLED=true")
	u.file("a.mp4", 10)
	_, errs, code := u.run("upload", "a.mp4")
	require.Equal(t, 2, code)
	require.Contains(t, errs, "no region: give --region, set ALIBABA_CLOUD_REGION_ID, or put region_id into the profile")
	_, errs, code = u.run("upload", "--region", "cn-shanghai", "a.mp4")
	require.Equal(t, 5, code, errs)
	require.Contains(t, errs, "ALIBABA_CLOUD_ACCESS_KEY_ID")
}

func TestRegionAndKeysOfAProfile(t *testing.T) {
	t.Parallel()
	srv := mediatest.New(t)
	creds := srv.Credentials()
	u := newUser(t)
	u.env = append(u.env, "ALIMEDIA_DEMO=", "ALIBABA_CLOUD_ECS_METADATA_DISABLED=true")
	require.NoError(t, os.MkdirAll(filepath.Join(u.home(), ".aliyun"), 0o700))
	config := `{"current":"other","profiles":[
		{"name":"other","mode":"AK","access_key_id":"LTAIother","access_key_secret":"wrong","region_id":"cn-beijing"},
		{"name":"work","mode":"AK","access_key_id":"` + creds.AccessKeyId + `","access_key_secret":"` + creds.AccessKeySecret + `","region_id":"cn-shanghai"}]}`
	require.NoError(t, os.WriteFile(filepath.Join(u.home(), ".aliyun", "config.json"), []byte(config), 0o600))
	u.file("a.mp4", 10)
	_, errs, code := u.run("upload", "--endpoint", srv.URL, "--profile", "work", "a.mp4")
	require.Equal(t, 0, code, errs)
	_, errs, code = u.run("upload", "--endpoint", srv.URL, "--no-resume", "a.mp4")
	require.Equal(t, 5, code, errs)
	out, _, _ := u.run("__complete", "upload", "--profile", "")
	require.Contains(t, out, "other\nwork\n")
}

func TestHelpTopics(t *testing.T) {
	t.Parallel()
	u := newUser(t)
	for _, topic := range []string{"exit-codes", "environment", "credentials", "targets", "resuming"} {
		out, errs, code := u.run("help", topic)
		require.Equal(t, 0, code, errs)
		require.Greater(t, strings.Count(out, "\n"), 8, topic)
		for _, line := range strings.Split(out, "\n") {
			require.LessOrEqual(t, len(line), 100, "%s: %q", topic, line)
		}
		again, _, _ := u.run(topic, "--help")
		require.Equal(t, out, again)
	}
	out, _, code := u.run("help", "upload")
	require.Equal(t, 0, code)
	require.Contains(t, out, "--template-group")
	_, errs, code := u.run("help", "nothing")
	require.Equal(t, 2, code)
	require.Contains(t, errs, `there is no command or topic "nothing"`)
	_, errs, code = u.run("uplod")
	require.Equal(t, 2, code)
	require.Contains(t, errs, "upload", "a suggestion")
	out, _, code = u.run("--version")
	require.Equal(t, 0, code)
	require.Regexp(t, `^alimedia \S+`, out)

	out, _, _ = u.run("__complete", "upload", "--target", "")
	require.Contains(t, out, "vod-image\n")
	out, _, code = u.run("completion", "bash")
	require.Equal(t, 0, code)
	require.Contains(t, out, "__start_alimedia")
}

func TestManualPages(t *testing.T) {
	t.Parallel()
	u := newUser(t)
	_, errs, code := u.run("help", "--man", "man1")
	require.Equal(t, 0, code, errs)
	pages, err := filepath.Glob(filepath.Join(u.dir, "man1", "*.1"))
	require.NoError(t, err)
	var names []string
	for _, page := range pages {
		names = append(names, filepath.Base(page))
	}
	require.Subset(t, names, []string{"alimedia.1", "alimedia-upload.1", "alimedia-demo-reset.1", "alimedia-exit-codes.1", "alimedia-resuming.1"})
	page, err := os.ReadFile(filepath.Join(u.dir, "man1", "alimedia-exit-codes.1"))
	require.NoError(t, err)
	require.Contains(t, string(page), "130  interrupted by Ctrl\\-C")
	if man, err := exec.LookPath("man"); err == nil {
		cmd := exec.Command(man, "-P", "cat", filepath.Join(u.dir, "man1", "alimedia-upload.1"))
		shown, err := cmd.CombinedOutput()
		require.NoError(t, err, "%s", shown)
		require.Contains(t, string(shown), "template")
	}
}
