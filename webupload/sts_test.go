package webupload_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/alimedia/alimedia-go"
	"github.com/alimedia/alimedia-go/credentials"
	"github.com/alimedia/alimedia-go/mediatest"
	"github.com/alimedia/alimedia-go/vod"
	"github.com/alimedia/alimedia-go/webupload"
)

// stsDesk is a desk with the STS mode.
func stsDesk(t *testing.T, change func(*webupload.STS)) *desk {
	t.Helper()
	srv := mediatest.New(t)
	sts := &webupload.STS{
		Source: srv.Config().Credentials,
		Role:   credentials.AssumeRoleOptions{RoleArn: "acs:ram::" + srv.Account().Id() + ":role/uploader", Endpoint: srv.URL, HTTPClient: srv.HTTPClient()},
		Allow: func(_ context.Context, owner string) error {
			if owner == "eve" {
				return webupload.Refuse(403, "NotAllowed", "You may not upload.")
			}
			return nil
		},
	}
	if change != nil {
		change(sts)
	}
	d := newDesk(t, func(c *webupload.Config) { c.STS = sts })
	d.srv = srv
	return d
}

// Each user gets a session of their own, which creates uploads and nothing else.
func TestCredentials(t *testing.T) {
	t.Parallel()
	d := stsDesk(t, nil)
	a := post(t, d.Credentials, "ann", `{}`)
	require.Equal(t, http.StatusOK, a.StatusCode, a.text)
	require.ElementsMatch(t, []string{"AccessKeyId", "AccessKeySecret", "SecurityToken", "Expiration"}, keys(a.body))
	ends, err := time.Parse(time.RFC3339, a.str("Expiration"))
	require.NoError(t, err)
	require.WithinDuration(t, time.Now().Add(15*time.Minute), ends, time.Minute, "15 minutes unless more is asked for")
	require.NotEqual(t, a.str("AccessKeyId"), post(t, d.Credentials, "ann", `{}`).str("AccessKeyId"), "handed out once")

	keys := credentials.Static(a.str("AccessKeyId"), a.str("AccessKeySecret"), a.str("SecurityToken"))
	who, err := credentials.GetCallerIdentity(t.Context(), keys, credentials.CallerIdentityOptions{Endpoint: d.srv.URL, HTTPClient: d.srv.HTTPClient()})
	require.NoError(t, err)
	require.True(t, strings.HasSuffix(who.Arn, "/uploader/ann"), "the audit log tells who: %s", who.Arn)
	cfg := d.srv.Config()
	cfg.Credentials = keys
	client, err := vod.New(cfg)
	require.NoError(t, err)
	made, err := client.CreateUploadVideo(t.Context(), vod.CreateUploadVideoRequest{Title: "t", FileName: "a.mp4"})
	require.NoError(t, err)
	_, err = client.RefreshUploadVideo(t.Context(), vod.RefreshUploadVideoRequest{VideoId: made.VideoId})
	require.True(t, alimedia.IsAccessDenied(err), "videos of others cannot be replaced: %v", err)
	_, err = client.DeleteVideo(t.Context(), vod.DeleteVideoRequest{VideoIds: []string{made.VideoId}})
	require.True(t, alimedia.IsAccessDenied(err), "%v", err)
	require.NotContains(t, d.log.String(), a.str("SecurityToken"))
}

func TestCredentials_Refused(t *testing.T) {
	t.Parallel()
	d := stsDesk(t, nil)
	requireRefused(t, post(t, d.Credentials, "eve", `{}`), 403, "NotAllowed")
	requireRefused(t, post(t, d.Credentials, "", `{}`), 401, "Unauthorized")
	requireRefused(t, post(t, d.Credentials, "ann", `{"Policy":"x"}`), 400, "InvalidRequest")
	requireRefused(t, post(t, d.Credentials, "ann", `{}`, set("Sec-Fetch-Site", "cross-site")), 403, "OriginNotAllowed")
	require.Zero(t, d.srv.Calls("AssumeRole"))
	requireRefused(t, post(t, newDesk(t, nil).Credentials, "ann", `{}`), 404, "NotConfigured")

	d.srv.Fault(mediatest.Fault{Operation: "AssumeRole", Status: 403, Code: "NoPermission", Message: "role uploader", Times: mediatest.Always})
	a := post(t, d.Credentials, "ann", `{}`)
	requireRefused(t, a, 502, "ServiceError")
	require.NotContains(t, a.text, "uploader")
	require.Contains(t, d.log.String(), "NoPermission")
}

// A name that is no session name is hashed, and more may be permitted.
func TestCredentials_Settings(t *testing.T) {
	t.Parallel()
	d := stsDesk(t, func(s *webupload.STS) { s.Actions = []string{"vod:CreateUploadVideo", "vod:RefreshUploadVideo"} })
	a := post(t, d.Credentials, "ann of 上海", `{}`)
	keys := credentials.Static(a.str("AccessKeyId"), a.str("AccessKeySecret"), a.str("SecurityToken"))
	who, err := credentials.GetCallerIdentity(t.Context(), keys, credentials.CallerIdentityOptions{Endpoint: d.srv.URL, HTTPClient: d.srv.HTTPClient()})
	require.NoError(t, err)
	require.Regexp(t, `/uploader/web-[0-9a-f]{32}$`, who.Arn)
	cfg := d.srv.Config()
	cfg.Credentials = keys
	client, err := vod.New(cfg)
	require.NoError(t, err)
	made, err := client.CreateUploadVideo(t.Context(), vod.CreateUploadVideoRequest{Title: "t", FileName: "a.mp4"})
	require.NoError(t, err)
	_, err = client.RefreshUploadVideo(t.Context(), vod.RefreshUploadVideoRequest{VideoId: made.VideoId})
	require.NoError(t, err)

	for want, change := range map[string]func(*webupload.STS){
		"RoleArn":                    func(s *webupload.STS) { s.Role.RoleArn = "" },
		"between 15 minutes and":     func(s *webupload.STS) { s.Role.Duration = 2 * time.Hour },
		"between 15 minutes and one": func(s *webupload.STS) { s.Role.Duration = time.Minute },
		"without wildcards":          func(s *webupload.STS) { s.Actions = []string{"vod:*"} },
	} {
		sts := webupload.STS{Role: credentials.AssumeRoleOptions{RoleArn: "r"}, Allow: func(context.Context, string) error { return nil }}
		change(&sts)
		_, err := webupload.New(webupload.Config{Owner: func(*http.Request) (string, error) { return "", nil }, STS: &sts})
		require.ErrorContains(t, err, want)
	}
}
