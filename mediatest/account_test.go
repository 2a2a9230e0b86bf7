package mediatest_test

import (
	"strings"
	"testing"

	"github.com/aliyun/aliyun-oss-go-sdk/oss"
	"github.com/stretchr/testify/require"

	"github.com/alimedia/alimedia-go/credentials"
	"github.com/alimedia/alimedia-go/mediatest"
)

const stsVersion = "2015-04-01"

func as(srv *mediatest.Server, version string, keys credentials.Credentials) caller {
	c := callerOf(srv, version)
	c.keys = keys
	return c
}

func TestAccount_CallerIdentity(t *testing.T) {
	t.Parallel()
	srv := mediatest.New(t)
	other := srv.AddAccount("1234567890123456")
	require.Same(t, other, srv.AddAccount("1234567890123456"))
	require.NotEqual(t, srv.Account().Id(), other.Id())

	user := as(srv, stsVersion, other.Credentials()).ok(t, "GetCallerIdentity")
	require.Equal(t, "RAMUser", user.str("IdentityType"))
	require.Equal(t, "1234567890123456", user.str("AccountId"))
	require.Equal(t, "acs:ram::1234567890123456:user/mediatest", user.str("Arn"))
	require.NotEmpty(t, user.str("UserId"))
	require.Equal(t, user.str("UserId"), user.str("PrincipalId"))
	require.NotContains(t, user.body, "RoleId")

	rotated := as(srv, stsVersion, other.AddKeys()).ok(t, "GetCallerIdentity")
	require.Equal(t, user.str("UserId"), rotated.str("UserId"))
	require.Equal(t, other.Id(), rotated.str("AccountId"))

	first := as(srv, stsVersion, other.IssueCredentials()).ok(t, "GetCallerIdentity")
	second := as(srv, stsVersion, other.IssueCredentials()).ok(t, "GetCallerIdentity")
	require.Equal(t, "AssumedRoleUser", first.str("IdentityType"))
	require.Equal(t, other.Id(), first.str("AccountId"))
	require.Equal(t, first.str("RoleId"), second.str("RoleId"), "one role")
	require.True(t, strings.HasPrefix(first.str("PrincipalId"), first.str("RoleId")+":"), first.raw)
	require.True(t, strings.HasPrefix(first.str("Arn"), "acs:ram::1234567890123456:assumed-role/"), first.raw)
	require.NotContains(t, first.body, "UserId")

	require.Equal(t, srv.Account().Id(), callerOf(srv, stsVersion).ok(t, "GetCallerIdentity").str("AccountId"))
}

func TestAccount_Keys(t *testing.T) {
	t.Parallel()
	srv := mediatest.New(t)
	acc := srv.AddAccount("4711")
	old := acc.Credentials()
	srv.RevokeKeys(old.AccessKeyId)
	as(srv, stsVersion, old).fails(t, 404, "InvalidAccessKeyId.NotFound", "GetCallerIdentity")
	as(srv, stsVersion, acc.AddKeys()).ok(t, "GetCallerIdentity")
	wrong := acc.AddKeys()
	wrong.AccessKeySecret = "wrong"
	as(srv, stsVersion, wrong).fails(t, 400, "SignatureDoesNotMatch", "GetCallerIdentity")
	// An upload credential is for OSS only.
	created := targetOf(t, as(srv, vodVersion, acc.AddKeys()).ok(t, "CreateUploadVideo", "Title", "a", "FileName", "a.mp4"))
	as(srv, stsVersion, created.keys()).fails(t, 403, "NoPermission", "GetCallerIdentity")
}

func TestAccount_AssumeRole(t *testing.T) {
	t.Parallel()
	srv := mediatest.New(t)
	other := srv.AddAccount("4711")
	provider := credentials.AssumeRole(srv.Config().Credentials, credentials.AssumeRoleOptions{
		RoleArn: "acs:ram::4711:role/uploader", SessionName: "night", Endpoint: srv.URL, HTTPClient: srv.HTTPClient(),
	})
	keys, err := provider.Credentials(t.Context())
	require.NoError(t, err)
	require.NotEmpty(t, keys.SecurityToken)
	identity := as(srv, stsVersion, keys).ok(t, "GetCallerIdentity")
	require.Equal(t, other.Id(), identity.str("AccountId"))
	require.Equal(t, "acs:ram::4711:assumed-role/uploader/night", identity.str("Arn"))

	c := callerOf(srv, stsVersion)
	c.fails(t, 404, "EntityNotExist.Role", "AssumeRole", "RoleArn", "acs:ram::4712:role/uploader", "RoleSessionName", "night")
	c.fails(t, 400, "InvalidParameter.RoleArn", "AssumeRole", "RoleArn", "uploader", "RoleSessionName", "night")
	c.fails(t, 400, "InvalidParameter.RoleSessionName", "AssumeRole", "RoleArn", "acs:ram::4711:role/uploader", "RoleSessionName", "n")
	c.fails(t, 400, "InvalidParameter.DurationSeconds", "AssumeRole", "RoleArn", "acs:ram::4711:role/uploader", "RoleSessionName", "night", "DurationSeconds", "1")
	c.fails(t, 400, "MissingParameter", "AssumeRole", "RoleArn", "acs:ram::4711:role/uploader")
}

// What one account has, another one does not find.
func TestAccount_Apart(t *testing.T) {
	t.Parallel()
	srv := mediatest.New(t)
	other := srv.AddAccount("4711")
	mine, theirs := callerOf(srv, vodVersion), as(srv, vodVersion, other.IssueCredentials())

	a := mine.ok(t, "CreateUploadVideo", "Title", "a", "FileName", "a.mp4", "ReferenceId", "order-4711")
	theirs.fails(t, 404, "InvalidVideo.NotFound", "GetVideoInfo", "VideoId", a.str("VideoId"))
	theirs.fails(t, 404, "InvalidVideo.NotFound", "RefreshUploadVideo", "ReferenceId", "order-4711")
	theirs.fails(t, 404, "InvalidVideo.NotFound", "DeleteVideo", "VideoIds", a.str("VideoId"))
	require.Contains(t, theirs.ok(t, "GetVideoList").raw, `"Total":0`)
	b := theirs.ok(t, "CreateUploadVideo", "Title", "b", "FileName", "b.mp4", "ReferenceId", "order-4711")
	require.Len(t, srv.Medias(), 2)
	require.Len(t, other.Medias(), 1)
	require.Equal(t, "b", other.Medias()[0].Title)
	require.NotEqual(t, targetOf(t, a).Bucket, targetOf(t, b).Bucket)
	require.Equal(t, other.StorageBucket(), targetOf(t, b).Bucket)

	// Own buckets.
	other.CreateBucket("theirs")
	srv.PutObject("mine", "a.mp4", []byte("a"))
	require.NoError(t, ossBucket(t, srv, "theirs", other.Credentials()).PutObject("b.mp4", strings.NewReader("b")))
	for name, bucket := range map[string]*oss.Bucket{
		"theirs": ossBucket(t, srv, "theirs", srv.Credentials()),
		"mine":   ossBucket(t, srv, "mine", other.Credentials()),
	} {
		requireOSSError(t, bucket.PutObject("x.mp4", strings.NewReader("x")), 403, "AccessDenied")
		_, err := bucket.GetObject("a.mp4")
		requireOSSError(t, err, 403, "AccessDenied")
		require.Len(t, srv.Objects(name), 1)
	}
	ice := as(srv, iceVersion, other.Credentials())
	ice.fails(t, 404, "InvalidMaterial.NotFound", "RegisterMediaInfo", "InputURL", srv.ObjectURL("mine", "a.mp4"))
	ice.ok(t, "RegisterMediaInfo", "InputURL", srv.ObjectURL("theirs", "b.mp4"), "ClientToken", "one")
	callerOf(srv, iceVersion).fails(t, 404, "InvalidMaterial.NotFound", "RegisterMediaInfo", "InputURL", srv.ObjectURL("theirs", "b.mp4"), "ClientToken", "one")
}

func TestAccount_Misuse(t *testing.T) {
	t.Parallel()
	for name, do := range map[string]func(*mediatest.Server){
		"id":     func(s *mediatest.Server) { s.AddAccount("me") },
		"keys":   func(s *mediatest.Server) { s.RevokeKeys("nobody") },
		"bucket": func(s *mediatest.Server) { s.CreateBucket("b"); s.AddAccount("1").CreateBucket("b") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := &tb{}
			srv := mediatest.New(b)
			defer srv.Close()
			do(srv)
			require.Len(t, b.errors, 1)
		})
	}
}
