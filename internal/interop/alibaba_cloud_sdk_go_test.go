package interop

import (
	"strings"
	"testing"
	"time"

	"github.com/aliyun/alibaba-cloud-sdk-go/sdk"
	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/auth"
	authcredentials "github.com/aliyun/alibaba-cloud-sdk-go/sdk/auth/credentials"
	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/errors"
	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/requests"
	"github.com/aliyun/alibaba-cloud-sdk-go/services/sts"
	"github.com/aliyun/alibaba-cloud-sdk-go/services/vod"
	"github.com/stretchr/testify/require"

	"github.com/alimedia/alimedia-go/credentials"
	"github.com/alimedia/alimedia-go/mediatest"
)

// olderVOD is Alibaba's generated client of the older SDK, which signs by
// HMAC-SHA1.
func olderVOD(t *testing.T, srv *mediatest.Server, keys credentials.Credentials) *vod.Client {
	t.Helper()
	var credential auth.Credential = authcredentials.NewAccessKeyCredential(keys.AccessKeyId, keys.AccessKeySecret)
	if keys.SecurityToken != "" {
		credential = authcredentials.NewStsTokenCredential(keys.AccessKeyId, keys.AccessKeySecret, keys.SecurityToken)
	}
	client, err := vod.NewClientWithOptions(region, sdk.NewConfig().WithScheme("HTTP"), credential)
	require.NoError(t, err)
	client.Domain = strings.TrimPrefix(srv.URL, "http://")
	return client
}

func requireOlderError(t *testing.T, err error, status int, code string) {
	t.Helper()
	e, ok := err.(errors.Error)
	require.True(t, ok, "%v", err)
	require.Equal(t, code, e.ErrorCode(), err.Error())
	require.Equal(t, status, e.HttpStatus())
}

func TestAlibabaCloudSDKGo_VOD(t *testing.T) {
	t.Parallel()
	for name, token := range map[string]bool{"keys": false, "token": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			srv := mediatest.New(t, mediatest.Processing(30*time.Second))
			keys := srv.Credentials()
			if token {
				keys = srv.IssueCredentials()
			}
			c := olderVOD(t, srv, keys)

			category := vod.CreateAddCategoryRequest()
			category.CateName = "films"
			added, err := c.AddCategory(category)
			require.NoError(t, err)
			require.Equal(t, "films", added.Category.CateName)

			upload := vod.CreateCreateUploadVideoRequest()
			upload.Title, upload.FileName, upload.CateId, upload.Tags = "发布会 & +", "a b.mp4", requests.NewInteger64(added.Category.CateId), "a,b"
			created, err := c.CreateUploadVideo(upload)
			require.NoError(t, err)
			require.NotEmpty(t, created.UploadAuth)
			info := vod.CreateGetVideoInfoRequest()
			info.VideoId = created.VideoId
			got, err := c.GetVideoInfo(info)
			require.NoError(t, err)
			require.Equal(t, "发布会 & +", got.Video.Title)
			require.Equal(t, "Uploading", got.Video.Status)
			require.Equal(t, "films", got.Video.CateName)

			asset := srv.AddMedia(mediatest.Media{Title: "asset", Bucket: srv.StorageBucket(), Key: "a.mp4"})
			jobs := vod.CreateSubmitTranscodeJobsRequest()
			jobs.VideoId, jobs.TemplateGroupId = asset, "VOD_NO_TRANSCODE"
			_, err = c.SubmitTranscodeJobs(jobs)
			require.NoError(t, err)
			play := vod.CreateGetPlayInfoRequest()
			play.VideoId = asset
			played, err := c.GetPlayInfo(play)
			require.NoError(t, err)
			require.NotEmpty(t, played.PlayInfoList.PlayInfo[0].PlayURL)

			list := vod.CreateGetVideoListRequest()
			list.PageSize = requests.NewInteger(1)
			listed, err := c.GetVideoList(list)
			require.NoError(t, err)
			require.Equal(t, 2, listed.Total)
			require.Len(t, listed.VideoList.Video, 1)

			remove := vod.CreateDeleteVideoRequest()
			remove.VideoIds = created.VideoId
			_, err = c.DeleteVideo(remove)
			require.NoError(t, err)
			_, err = c.GetVideoInfo(info)
			requireOlderError(t, err, 404, "InvalidVideo.NotFound")
		})
	}
}

func TestAlibabaCloudSDKGo_Errors(t *testing.T) {
	t.Parallel()
	srv := mediatest.New(t)
	keys := srv.IssueCredentials()
	c := olderVOD(t, srv, keys)
	srv.Fault(mediatest.Fault{Operation: "GetVideoList", Throttling: true})
	_, err := c.GetVideoList(vod.CreateGetVideoListRequest())
	requireOlderError(t, err, 400, "Throttling.User")
	srv.ExpireCredentials()
	_, err = c.GetVideoList(vod.CreateGetVideoListRequest())
	requireOlderError(t, err, 400, "InvalidSecurityToken.Expired")
	keys = srv.Credentials()
	keys.AccessKeySecret += "x"
	_, err = olderVOD(t, srv, keys).GetVideoList(vod.CreateGetVideoListRequest())
	requireOlderError(t, err, 400, "SignatureDoesNotMatch")
}

// The generic request of the older SDK, for a service that it has no client of.
func TestAlibabaCloudSDKGo_CommonRequest(t *testing.T) {
	t.Parallel()
	srv := serverWithBucket(t)
	srv.PutObject(bucket, "a.mp4", []byte("film"))
	keys := srv.Credentials()
	client, err := sdk.NewClientWithAccessKey(region, keys.AccessKeyId, keys.AccessKeySecret)
	require.NoError(t, err)
	for _, method := range []string{"GET", "POST"} {
		request := requests.NewCommonRequest()
		request.Method, request.Scheme, request.Domain = method, "http", strings.TrimPrefix(srv.URL, "http://")
		request.Version, request.ApiName = iceVersion, "RegisterMediaInfo"
		request.QueryParams["InputURL"] = "oss://own/a.mp4"
		request.QueryParams["Overwrite"] = "true"
		response, err := client.ProcessCommonRequest(request)
		require.NoError(t, err)
		require.Contains(t, response.GetHttpContentString(), `"MediaId"`)
	}
}

func TestAlibabaCloudSDKGo_STS(t *testing.T) {
	t.Parallel()
	srv := mediatest.New(t)
	keys := srv.Credentials()
	client, err := sts.NewClientWithOptions(region, sdk.NewConfig().WithScheme("HTTP"), authcredentials.NewAccessKeyCredential(keys.AccessKeyId, keys.AccessKeySecret))
	require.NoError(t, err)
	client.Domain = strings.TrimPrefix(srv.URL, "http://")
	request := sts.CreateAssumeRoleRequest()
	request.RoleArn, request.RoleSessionName = "acs:ram::"+srv.Account().Id()+":role/backend", "session-1"
	request.Scheme = "http"
	assumed, err := client.AssumeRole(request)
	require.NoError(t, err)
	_, err = olderVOD(t, srv, credentials.Credentials{
		AccessKeyId: assumed.Credentials.AccessKeyId, AccessKeySecret: assumed.Credentials.AccessKeySecret, SecurityToken: assumed.Credentials.SecurityToken,
	}).GetVideoList(vod.CreateGetVideoListRequest())
	require.NoError(t, err)
}
