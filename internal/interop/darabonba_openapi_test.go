package interop

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	openapi "github.com/alibabacloud-go/darabonba-openapi/v2/client"
	openapiutil "github.com/alibabacloud-go/darabonba-openapi/v2/utils"
	"github.com/alibabacloud-go/tea/dara"
	"github.com/alibabacloud-go/tea/tea"
	"github.com/stretchr/testify/require"

	"github.com/alimedia/alimedia-go/mediatest"
)

const (
	vodVersion = "2017-03-21"
	iceVersion = "2020-11-09"
)

// step is a call as Alibaba's generated clients make it.
type step struct {
	version string
	action  string
	// params are name, value, name, value... In a value, {x} is what a step before
	// kept as x.
	params []string
	form   []string // names of the parameters that go into the body
	wants  []any    // path, value, path, value... of the response
	keep   string   // "x=path": keeps the value at the path as x
	code   string   // of the error that is expected
	wait   time.Duration
}

func vodCall(action string, params ...string) step {
	return step{version: vodVersion, action: action, params: params}
}

func iceCall(action string, params ...string) step {
	return step{version: iceVersion, action: action, params: params}
}

func (s step) want(pairs ...any) step        { s.wants = pairs; return s }
func (s step) keeps(what string) step        { s.keep = what; return s }
func (s step) fails(code string) step        { s.code = code; return s }
func (s step) after(wait time.Duration) step { s.wait = wait; return s }
func (s step) inBody(names ...string) step   { s.form = names; return s }

// vodSteps are the life of a video.
var vodSteps = []step{
	vodCall("AddCategory", "CateName", "films").want("Category.CateName", "films", "Category.Level", 0).keeps("cate=Category.CateId"),
	vodCall("AddCategory", "CateName", "trailers", "ParentId", "{cate}").want("Category.Level", 1),
	vodCall("GetCategories", "CateId", "{cate}").want("SubTotal", 1, "SubCategories.Category.0.CateName", "trailers"),
	vodCall("UpdateCategory", "CateId", "{cate}", "CateName", "movies"),
	vodCall("CreateUploadVideo", "Title", "Launch & more", "FileName", "launch.mp4", "CateId", "{cate}", "Tags", "a,b").keeps("video=VideoId"),
	vodCall("RefreshUploadVideo", "VideoId", "{video}").want("VideoId", "{video}"),
	vodCall("GetVideoInfo", "VideoId", "{video}").want("Video.Title", "Launch & more", "Video.Status", "Uploading", "Video.CateId", "{cate}"),
	vodCall("UpdateVideoInfo", "VideoId", "{video}", "Title", "发布会", "Description", "a b+c").inBody("VideoId", "Title", "Description"),
	vodCall("GetVideoInfos", "VideoIds", "{video},none").want("VideoList.0.Title", "发布会", "VideoList.0.Description", "a b+c", "NonExistVideoIds.0", "none"),
	vodCall("GetVideoList", "PageSize", "1").want("Total", 2, "VideoList.Video.0.VideoId", "{video}"),
	vodCall("SearchMedia", "Match", "Title = '发布会'", "SearchType", "video").want("Total", 1, "MediaList.0.MediaId", "{video}"),
	vodCall("SearchMedia", "Match", "Title ==").fails("ErrorMatchSyntax"),
	vodCall("AddTranscodeTemplateGroup", "Name", "two", "TranscodeTemplateList", `[{"Definition":"LD"},{"Definition":"HD"}]`).keeps("group=TranscodeTemplateGroupId"),
	vodCall("GetTranscodeTemplateGroup", "TranscodeTemplateGroupId", "{group}").want("TranscodeTemplateGroup.Name", "two"),
	vodCall("SubmitTranscodeJobs", "VideoId", "{asset}", "TemplateGroupId", "{group}").keeps("task=TranscodeTaskId"),
	vodCall("GetTranscodeTask", "TranscodeTaskId", "{task}").want("TranscodeTask.TaskStatus", "Processing"),
	vodCall("GetTranscodeTask", "TranscodeTaskId", "{task}").after(time.Minute).want("TranscodeTask.TaskStatus", "CompleteAllSucc"),
	vodCall("GetPlayInfo", "VideoId", "{asset}").want("VideoBase.VideoId", "{asset}", "PlayInfoList.PlayInfo.1.Status", "Normal"),
	vodCall("GetVideoPlayAuth", "VideoId", "{asset}").want("VideoMeta.VideoId", "{asset}"),
	vodCall("GetMezzanineInfo", "VideoId", "{asset}").want("Mezzanine.VideoId", "{asset}"),
	vodCall("SubmitSnapshotJob", "VideoId", "{asset}", "Count", "3"),
	vodCall("ListSnapshots", "VideoId", "{asset}").after(time.Minute).want("MediaSnapshot.Total", 3),
	vodCall("AddWatermark", "Name", "logo", "Type", "Text", "WatermarkConfig", `{"Content":"x"}`).keeps("mark=WatermarkInfo.WatermarkId"),
	vodCall("ListWatermark").want("WatermarkInfos.0.WatermarkId", "{mark}"),
	vodCall("SetMessageCallback", "CallbackType", "HTTP", "CallbackURL", "https://example.com/cb", "EventTypeList", "FileUploadComplete"),
	vodCall("GetMessageCallback").want("MessageCallback.CallbackURL", "https://example.com/cb"),
	vodCall("DeleteVideo", "VideoIds", "{video}"),
	vodCall("GetVideoInfo", "VideoId", "{video}").fails("InvalidVideo.NotFound"),
	vodCall("GetVideoInfo").fails("MissingParameter"),
	vodCall("NoSuchOperation").fails("InvalidApi.NotFound"),
}

// iceSteps are the life of a media asset and of what is made of it.
var iceSteps = []step{
	iceCall("RegisterMediaInfo", "InputURL", "oss://own/source.mp4", "Title", "source", "MediaType", "video").keeps("media=MediaId"),
	iceCall("RegisterMediaInfo", "InputURL", "oss://own/source.mp4").fails("MediaAlreadyExist"),
	iceCall("GetMediaInfo", "MediaId", "{media}").want("MediaInfo.MediaBasicInfo.Title", "source"),
	iceCall("UpdateMediaInfo", "MediaId", "{media}", "Title", "新 title").inBody("MediaId", "Title"),
	iceCall("BatchGetMediaInfos", "MediaIds", "{media}").want("MediaInfos.0.MediaBasicInfo.Title", "新 title"),
	iceCall("ListMediaBasicInfos", "MaxResults", "1").want("TotalCount", 1, "MediaInfos.0.MediaId", "{media}"),
	iceCall("SearchMedia", "Match", "Title = '新 title'").want("Total", 1),
	iceCall("CreateUploadMedia", "FileInfo", `{"Type":"video","Name":"a","Ext":"mp4","Size":10}`, "MediaMetaData", `{"Title":"a","BusinessType":"general"}`).keeps("upload=MediaId"),
	iceCall("AddCategory", "CateName", "films").want("Category.CateName", "films"),
	iceCall("CreateEditingProject", "Title", "cut", "Timeline", `{"VideoTracks":[]}`).inBody("Timeline").want("Project.Title", "cut").keeps("project=Project.ProjectId"),
	iceCall("GetEditingProject", "ProjectId", "{project}").want("Project.Title", "cut"),
	iceCall("UpdateEditingProject", "ProjectId", "{project}", "Title", "final cut"),
	iceCall("SearchEditingProject").want("TotalCount", 1, "ProjectList.0.Title", "final cut"),
	iceCall("AddTemplate", "Name", "t", "Type", "Timeline", "Config", `{"a":1}`).inBody("Config").keeps("template=Template.TemplateId"),
	iceCall("GetTemplate", "TemplateId", "{template}").want("Template.Name", "t"),
	iceCall("CreatePipeline", "Name", "fast", "Speed", "Standard").want("Pipeline.Name", "fast").keeps("pipe=Pipeline.PipelineId"),
	iceCall("SubmitMediaProducingJob", "ProjectId", "{project}", "OutputMediaConfig", `{"MediaURL":"https://own.oss-cn-shanghai.aliyuncs.com/out.mp4"}`).keeps("job=JobId"),
	iceCall("GetMediaProducingJob", "JobId", "{job}").after(time.Minute).want("MediaProducingJob.Status", "Success"),
	// Structures flattened or as JSON, as the generated clients shrink them.
	iceCall("SubmitSnapshotJob", "Input", `{"Type":"Media","Media":"{media}"}`, "Output", `{"Type":"OSS","Media":"oss://own/{Count}.jpg"}`, "TemplateConfig", `{"TemplateId":"{template}","OverwriteParams":{"Type":"Normal","Count":1}}`).keeps("snap=JobId"),
	iceCall("GetSnapshotJob", "JobId", "{snap}").after(time.Minute).want("SnapshotJob.Status", "Success"),
	iceCall("SubmitTranscodeJob", "InputGroup", `[{"Type":"Media","Media":"{media}"}]`, "OutputGroup",
		`[{"Output":{"Type":"OSS","Media":"oss://own/t.mp4"},"ProcessConfig":{"Transcode":{"TemplateId":"{template}"}}}]`).keeps("transcode=TranscodeParentJob.ParentJobId"),
	iceCall("GetTranscodeJob", "ParentJobId", "{transcode}").after(time.Minute).want("TranscodeParentJob.Status", "Success"),
	iceCall("DeleteEditingProjects", "ProjectIds", "{project}"),
	iceCall("GetEditingProject", "ProjectId", "{project}").fails("ResourceNotFound"),
	iceCall("DeleteMediaInfos", "MediaIds", "{media}"),
	iceCall("GetMediaInfo", "MediaId", "{media}").fails("ResourceNotFound"),
	iceCall("CreatePipeline", "Name", "fast").fails("MissingParameter"),
}

// openAPIClient is the client that Alibaba's generated ones embed.
func openAPIClient(t *testing.T, srv *mediatest.Server, algorithm string, token bool) *openapi.Client {
	t.Helper()
	keys := srv.Credentials()
	if token {
		keys = srv.IssueCredentials()
	}
	cfg := &openapiutil.Config{
		AccessKeyId: &keys.AccessKeyId, AccessKeySecret: &keys.AccessKeySecret, RegionId: tea.String(region),
		Endpoint: tea.String(strings.TrimPrefix(srv.URL, "http://")), Protocol: tea.String("HTTP"),
	}
	if token {
		cfg.SecurityToken = &keys.SecurityToken
	}
	if algorithm != "" {
		cfg.SignatureAlgorithm = &algorithm
	}
	client, err := openapi.NewClient(cfg)
	require.NoError(t, err)
	return client
}

func TestDarabonbaOpenAPI_CallApi(t *testing.T) {
	t.Parallel()
	for name, mode := range map[string]struct {
		method, algorithm string
		token             bool
	}{
		"POST":                 {method: "POST"},
		"GET":                  {method: "GET"},
		"POST security token":  {method: "POST", token: true},
		"POST older signature": {method: "POST", algorithm: "v2"},
		"GET older signature":  {method: "GET", algorithm: "v2", token: true},
	} {
		for service, steps := range map[string][]step{"vod": vodSteps, "ice": iceSteps} {
			t.Run(name+" "+service, func(t *testing.T) {
				t.Parallel()
				srv := serverWithBucket(t, mediatest.Processing(30*time.Second))
				srv.PutObject(bucket, "source.mp4", []byte("film"))
				kept := map[string]string{}
				if service == "vod" {
					kept["asset"] = srv.AddMedia(mediatest.Media{Title: "asset", Bucket: srv.StorageBucket(), Key: "a.mp4"})
				}
				client := openAPIClient(t, srv, mode.algorithm, mode.token)
				for i, s := range steps {
					srv.Clock().Advance(s.wait)
					s.run(t, fmt.Sprintf("step %d: %s", i, s.action), client, mode.method, kept)
				}
			})
		}
	}
}

func (s step) run(t *testing.T, name string, client *openapi.Client, method string, kept map[string]string) {
	t.Helper()
	query, body := map[string]any{}, map[string]any{}
	for i := 0; i < len(s.params); i += 2 {
		to := query
		if method == "POST" && slices.Contains(s.form, s.params[i]) {
			to = body
		}
		to[s.params[i]] = filled(s.params[i+1], kept)
	}
	request := &openapiutil.OpenApiRequest{Query: openapiutil.Query(query), Body: openapiutil.ParseToMap(body)}
	response, err := client.CallApi(&openapiutil.Params{
		Action: &s.action, Version: &s.version, Protocol: tea.String("HTTPS"), Pathname: tea.String("/"), Method: &method,
		AuthType: tea.String("AK"), Style: tea.String("RPC"), ReqBodyType: tea.String("formData"), BodyType: tea.String("json"),
	}, request, &dara.RuntimeOptions{})
	if s.code != "" {
		var e *tea.SDKError
		require.ErrorAs(t, err, &e, name)
		require.Equal(t, s.code, *e.Code, name)
		require.NotEmpty(t, *e.Message, name)
		require.GreaterOrEqual(t, *e.StatusCode, 400, name)
		return
	}
	require.NoError(t, err, name)
	require.Equal(t, "200", fmt.Sprint(response["statusCode"]), name)
	require.NotEmpty(t, at(response, "body.RequestId"), name)
	for i := 0; i < len(s.wants); i += 2 {
		path := s.wants[i].(string)
		require.Equal(t, filled(fmt.Sprint(s.wants[i+1]), kept), at(response, "body."+path), "%s: %s of %v", name, path, response["body"])
	}
	if as, path, ok := strings.Cut(s.keep, "="); ok {
		kept[as] = at(response, "body."+path)
		require.NotEmpty(t, kept[as], name)
	}
}

var placeholder = regexp.MustCompile(`\{[a-z]+\}`)

func filled(text string, kept map[string]string) string {
	return placeholder.ReplaceAllStringFunc(text, func(name string) string { return kept[strings.Trim(name, "{}")] })
}

// at is the value at a path such as "a.0.b", as text; empty when there is none.
func at(v any, path string) string {
	for name := range strings.SplitSeq(path, ".") {
		switch x := v.(type) {
		case map[string]any:
			v = x[name]
		case []any:
			i, err := strconv.Atoi(name)
			if err != nil || i >= len(x) {
				return ""
			}
			v = x[i]
		default:
			return ""
		}
	}
	if v == nil {
		return ""
	}
	return fmt.Sprint(v)
}

// What a program decides by is in the error.
func TestDarabonbaOpenAPI_Errors(t *testing.T) {
	t.Parallel()
	srv := serverWithBucket(t)
	call := func(client *openapi.Client) error {
		_, err := client.CallApi(&openapiutil.Params{
			Action: tea.String("GetVideoList"), Version: tea.String(vodVersion), Protocol: tea.String("HTTPS"), Pathname: tea.String("/"), Method: tea.String("POST"),
			AuthType: tea.String("AK"), Style: tea.String("RPC"), ReqBodyType: tea.String("formData"), BodyType: tea.String("json"),
		}, &openapiutil.OpenApiRequest{}, &dara.RuntimeOptions{})
		return err
	}
	client := openAPIClient(t, srv, "", true)
	refused := func(client *openapi.Client, status int, code string) *tea.SDKError {
		var e *tea.SDKError
		require.ErrorAs(t, call(client), &e)
		require.Equal(t, []any{status, code}, []any{*e.StatusCode, *e.Code})
		return e
	}
	srv.Fault(
		mediatest.Fault{Operation: "GetVideoList", Throttling: true, RetryAfter: 2 * time.Second},
		mediatest.Fault{Operation: "GetVideoList", Nth: 2, Status: 503, Code: "ServiceUnavailable"},
	)
	refused(client, 400, "Throttling.User")
	refused(client, 503, "ServiceUnavailable")
	srv.ExpireCredentials()
	refused(client, 400, "InvalidSecurityToken.Expired")

	keys := srv.NewUser(`{"Version":"1","Statement":[{"Effect":"Allow","Action":"vod:GetVideoInfo","Resource":"*"}]}`)
	client, err := openapi.NewClient(&openapiutil.Config{
		AccessKeyId: &keys.AccessKeyId, AccessKeySecret: &keys.AccessKeySecret, Endpoint: tea.String(strings.TrimPrefix(srv.URL, "http://")), Protocol: tea.String("HTTP"),
	})
	require.NoError(t, err)
	detail := refused(client, 403, "NoPermission").AccessDeniedDetail
	require.Equal(t, "vod:GetVideoList", detail["AuthAction"])
}
