package mediatest_test

import (
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/alimedia/alimedia-go/mediatest"
)

// at walks into a decoded answer: names of objects, indices of arrays.
func at(t testing.TB, a answer, path ...any) any {
	t.Helper()
	var v any = a.body
	for _, step := range path {
		switch s := step.(type) {
		case string:
			object, ok := v.(map[string]any)
			require.True(t, ok, "%v of %s", path, a.raw)
			v = object[s]
		case int:
			array, ok := v.([]any)
			require.True(t, ok && s < len(array), "%v of %s", path, a.raw)
			v = array[s]
		}
	}
	return v
}

func put(t testing.TB, srv *mediatest.Server, a answer, data string) target {
	t.Helper()
	to := targetOf(t, a)
	require.NoError(t, ossBucket(t, srv, to.Bucket, to.keys()).PutObject(to.FileName, strings.NewReader(data)))
	return to
}

func TestVOD_VideoLife(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := mediatest.New(t, mediatest.InMemory(), mediatest.Processing(time.Minute))
		c := callerOf(srv, vodVersion)
		a := c.ok(t, "CreateUploadVideo", "FileName", "movie.MP4", "Title", "T", "Tags", "a,b", "CateId", "12", "ReferenceId", "ref-000001", "FileSize", "10", "UserData", "{}")
		id := a.str("VideoId")
		require.Len(t, id, 32)
		status := func() any { return at(t, c.ok(t, "GetVideoInfo", "VideoId", id), "Video", "Status") }
		require.Equal(t, "Uploading", status())
		details := c.ok(t, "GetUploadDetails", "MediaIds", id+",nobody")
		require.Equal(t, "Uploading", at(t, details, "UploadDetails", 0, "UploadStatus"))
		require.Equal(t, "nobody", at(t, details, "NonExistMediaIds", 0))

		b := ossBucket(t, srv, srv.StorageBucket(), srv.Credentials())
		imur, err := b.InitiateMultipartUpload(targetOf(t, a).FileName)
		require.NoError(t, err)
		_, err = b.UploadPart(imur, strings.NewReader("12345"), 5, 1)
		require.NoError(t, err)
		details = c.ok(t, "GetUploadDetails", "MediaIds", id)
		require.Equal(t, 0.5, at(t, details, "UploadDetails", 0, "UploadRatio"))
		require.Equal(t, 5.0, at(t, details, "UploadDetails", 0, "UploadSize"))
		require.NoError(t, b.AbortMultipartUpload(imur))

		to := put(t, srv, a, "12345678")
		require.True(t, strings.HasSuffix(to.FileName, ".mp4"))
		require.Equal(t, "Transcoding", status())
		time.Sleep(time.Minute)
		require.Equal(t, "Normal", status())
		info := at(t, c.ok(t, "GetVideoInfo", "ReferenceId", "ref-000001"), "Video").(map[string]any)
		require.Equal(t, id, info["VideoId"])
		require.Equal(t, 8.0, info["Size"])
		require.Equal(t, 12.0, info["CateId"])
		require.Equal(t, "a,b", info["Tags"])
		require.Equal(t, srv.StorageBucket()+".oss-cn-shanghai.aliyuncs.com", info["StorageLocation"])
		mezzanine := at(t, c.ok(t, "GetMezzanineInfo", "VideoId", id), "Mezzanine").(map[string]any)
		require.Equal(t, "http://"+to.Bucket+".oss-cn-shanghai.aliyuncs.com/"+to.FileName, mezzanine["FileURL"])
		details = c.ok(t, "GetUploadDetails", "MediaIds", id)
		require.Equal(t, "UploadSucc", at(t, details, "UploadDetails", 0, "UploadStatus"))

		c.fails(t, 400, "InvalidParameter", "CreateUploadVideo", "FileName", "b.mp4", "Title", "T", "ReferenceId", "ref-000001") // in use
		require.True(t, srv.SetStatus(id, "TranscodeFail"))
		require.False(t, srv.SetStatus("nobody", "x"))
		require.Equal(t, "TranscodeFail", status())

		a = c.ok(t, "DeleteVideo", "VideoIds", id+",nobody")
		require.Equal(t, "nobody", at(t, a, "NonExistVideoIds", 0))
		c.fails(t, 404, "InvalidVideo.NotFound", "GetVideoInfo", "VideoId", id)
		c.fails(t, 404, "InvalidVideo.NotFound", "DeleteVideo", "ReferenceIds", "ref-000001")
		require.Empty(t, srv.Objects(srv.StorageBucket()))
		c.fails(t, 404, "InvalidVideo.NotFound", "RefreshUploadVideo", "VideoId", id)
	})
}

func TestVOD_ProcessingPolls(t *testing.T) {
	t.Parallel()
	srv := mediatest.New(t, mediatest.ProcessingPolls(2))
	c := callerOf(srv, vodVersion)
	a := c.ok(t, "CreateUploadVideo", "FileName", "a.mp4", "Title", "T")
	c.ok(t, "GetVideoInfo", "VideoId", a.str("VideoId")) // does not count yet
	put(t, srv, a, "x")
	var seen []any
	for range 4 {
		seen = append(seen, at(t, c.ok(t, "GetVideoInfo", "VideoId", a.str("VideoId")), "Video", "Status"))
	}
	require.Equal(t, []any{"Transcoding", "Transcoding", "Normal", "Normal"}, seen)
}

func TestVOD_Create(t *testing.T) {
	t.Parallel()
	srv := mediatest.New(t)
	srv.CreateBucket("own")
	c := callerOf(srv, vodVersion)
	tests := []struct {
		action string
		params []string
		status int // 0: fine
		code   string
		ext    string
		kind   string
	}{
		{action: "CreateUploadVideo", params: []string{"FileName", "a.mp3", "Title", "t"}, ext: ".mp3", kind: "audio"},
		{action: "CreateUploadVideo", params: []string{"FileName", "noext", "Title", "t"}, status: 400, code: "InvalidFileName.Extension"},
		{action: "CreateUploadVideo", params: []string{"FileName", "dot.", "Title", "t"}, status: 400, code: "InvalidFileName.Extension"},
		{action: "CreateUploadVideo", params: []string{"FileName", "a.mp4", "Title", strings.Repeat("口", 128)}, ext: ".mp4", kind: "video"},
		{action: "CreateUploadVideo", params: []string{"FileName", "a.mp4", "Title", strings.Repeat("口", 129)}, status: 400, code: "LengthExceededMax"},
		{action: "CreateUploadVideo", params: []string{"FileName", "a.mp4", "Title", "t", "StorageLocation", "own.oss-cn-shanghai.aliyuncs.com"}, ext: ".mp4", kind: "video"},
		{action: "CreateUploadVideo", params: []string{"FileName", "a.mp4", "Title", "t", "StorageLocation", "nobody"}, status: 404, code: "InvalidStorage.NotFound"},
		{action: "CreateUploadImage", params: []string{"ImageType", "default"}, ext: ".png", kind: "image"},
		{action: "CreateUploadImage", params: []string{"ImageType", "cover", "ImageExt", "JPG", "OriginalFileName", "x.jpg"}, ext: ".jpg", kind: "image"},
		{action: "CreateUploadImage", params: []string{"ImageType", "cover", "ImageExt", "exe"}, status: 400, code: "InvalidParameter"},
		{action: "CreateUploadImage", params: []string{"ImageType", "photo"}, status: 400, code: "InvalidParameter"},
		{action: "CreateUploadImage", params: []string{"ImageType", "cover", "StorageLocation", "nobody"}, status: 404, code: "InvalidStorage.NotFound"},
		{action: "CreateUploadAttachedMedia", params: []string{"BusinessType", "watermark"}, ext: ".png", kind: "attached"},
		{action: "CreateUploadAttachedMedia", params: []string{"BusinessType", "subtitle", "MediaExt", "vtt"}, ext: ".vtt", kind: "attached"},
		{action: "CreateUploadAttachedMedia", params: []string{"BusinessType", "material", "FileName", "x.zip"}, ext: ".zip", kind: "attached"},
		{action: "CreateUploadAttachedMedia", params: []string{"BusinessType", "subtitle", "MediaExt", "mp4"}, status: 400, code: "InvalidParameter"},
		{action: "CreateUploadAttachedMedia", params: []string{"BusinessType", "other"}, status: 400, code: "InvalidParameter"},
		{action: "CreateUploadAttachedMedia", params: []string{"BusinessType", "watermark", "StorageLocation", "nobody"}, status: 404, code: "InvalidStorage.NotFound"},
	}
	for _, test := range tests {
		if test.status != 0 {
			c.fails(t, test.status, test.code, test.action, test.params...)
			continue
		}
		a := c.ok(t, test.action, test.params...)
		to := put(t, srv, a, "x")
		id := a.str("VideoId") + a.str("ImageId") + a.str("MediaId")
		m, ok := srv.Media(id)
		require.True(t, ok, test)
		require.Equal(t, test.kind, m.Type)
		require.Equal(t, "Normal", m.Status)
		require.True(t, strings.HasSuffix(to.FileName, test.ext), to.FileName)
		if test.action != "CreateUploadVideo" {
			require.Equal(t, m.URL, a.str("FileURL"))
			require.Equal(t, m.URL, a.str("ImageURL")+a.str("MediaURL"))
		}
	}
}

func registerParams(t testing.TB, files ...map[string]any) string {
	t.Helper()
	text, err := json.Marshal(files)
	require.NoError(t, err)
	return string(text)
}

func TestVOD_RegisterMedia(t *testing.T) {
	t.Parallel()
	srv := mediatest.New(t)
	for _, key := range []string{"a.mp4", "b 口+.mp4", "noext", "c.mp3"} {
		srv.PutObject("own", key, []byte(key))
	}
	srv.PutObject("two", "a.mp4", []byte("x"))
	c := callerOf(srv, vodVersion)
	file := func(key string) map[string]any {
		return map[string]any{"FileURL": srv.ObjectURL("own", key), "Title": key}
	}
	register := func(files ...map[string]any) answer {
		return c.ok(t, "RegisterMedia", "RegisterMetadatas", registerParams(t, files...), "TemplateGroupId", "VOD_NO_TRANSCODE")
	}

	a := register(file("a.mp4"), file("missing.mp4"), file("b 口+.mp4"), file("noext"))
	require.Len(t, at(t, a, "RegisteredMediaList"), 2)
	require.Equal(t, []any{srv.ObjectURL("own", "missing.mp4"), srv.ObjectURL("own", "noext")}, at(t, a, "FailedFileURLs"))
	require.Equal(t, true, at(t, a, "RegisteredMediaList", 0, "NewRegister"))
	require.Equal(t, srv.ObjectURL("own", "a.mp4"), at(t, a, "RegisteredMediaList", 0, "FileURL"))
	id := at(t, a, "RegisteredMediaList", 0, "MediaId").(string)
	m, _ := srv.Media(id)
	require.Equal(t, "Normal", m.Status)
	require.EqualValues(t, 5, m.Size)

	a = register(file("a.mp4")) // a repeat
	require.Equal(t, false, at(t, a, "RegisteredMediaList", 0, "NewRegister"))
	require.Equal(t, id, at(t, a, "RegisteredMediaList", 0, "MediaId"))
	require.Equal(t, []any{}, at(t, a, "FailedFileURLs"))

	// What becomes of it depends on the template.
	a = c.ok(t, "RegisterMedia", "RegisterMetadatas", registerParams(t, map[string]any{
		"FileURL": srv.ObjectURL("own", "c.mp3"), "Title": "C", "CateId": 7, "Tags": "x", "ReferenceId": "ref-00001",
	}))
	m, _ = srv.Media(at(t, a, "RegisteredMediaList", 0, "MediaId").(string))
	require.Equal(t, "UploadSucc", m.Status)
	require.Equal(t, "audio", m.Type)
	require.Equal(t, "7", m.Params.Get("CateId"))
	srv.PutObject("own", "d.mp4", nil)
	a = c.ok(t, "RegisterMedia", "RegisterMetadatas", registerParams(t, file("d.mp4")), "WorkflowId", "w")
	m, _ = srv.Media(at(t, a, "RegisteredMediaList", 0, "MediaId").(string))
	require.Equal(t, "Normal", m.Status)

	// oss:// is not for VOD; a ReferenceId is good for one asset.
	a = register(map[string]any{"FileURL": "oss://own/a.mp4", "Title": "t"}, map[string]any{"FileURL": "oss://own/d.mp4", "Title": "t"})
	require.Len(t, at(t, a, "FailedFileURLs"), 2)
	srv.PutObject("own", "e.mp4", nil)
	a = register(map[string]any{"FileURL": srv.ObjectURL("own", "e.mp4"), "Title": "t", "ReferenceId": "ref-00001"})
	require.Len(t, at(t, a, "FailedFileURLs"), 1)

	long := strings.Repeat("口", 43)
	for name, text := range map[string]string{
		"not JSON":      "x",
		"object":        `{}`,
		"empty":         `[]`,
		"eleven":        registerParams(t, make([]map[string]any, 11)...),
		"two locations": registerParams(t, file("a.mp4"), map[string]any{"FileURL": srv.ObjectURL("two", "a.mp4"), "Title": "t"}),
		"title":         registerParams(t, map[string]any{"FileURL": srv.ObjectURL("own", "a.mp4"), "Title": long}),
		"reference":     registerParams(t, map[string]any{"FileURL": srv.ObjectURL("own", "a.mp4"), "Title": "t", "ReferenceId": "short"}),
	} {
		t.Run(name, func(t *testing.T) {
			c.fails(t, 400, "InvalidParameter", "RegisterMedia", "RegisterMetadatas", text)
		})
	}
	c.fails(t, 400, "MissingParameter", "RegisterMedia", "RegisterMetadatas", registerParams(t, map[string]any{"Title": "t"}))
	c.fails(t, 400, "MissingParameter", "RegisterMedia", "RegisterMetadatas", registerParams(t, map[string]any{"FileURL": "u"}))
}

func TestVOD_Quirks(t *testing.T) {
	t.Parallel()
	srv := mediatest.New(t, mediatest.Quirks())
	srv.PutObject("own", "a.mp4", nil)
	a := callerOf(srv, vodVersion).ok(t, "RegisterMedia", "RegisterMetadatas", registerParams(t,
		map[string]any{"FileURL": srv.ObjectURL("own", "a.mp4"), "Title": "t"}, map[string]any{"FileURL": srv.ObjectURL("own", "b.mp4"), "Title": "t"}))
	require.Equal(t, []any{`["` + srv.ObjectURL("own", "b.mp4") + `"]`}, at(t, a, "FailedFileURLs"))
	require.Len(t, at(t, a, "RegisteredMediaList"), 1)
}

func TestVOD_Lists(t *testing.T) {
	t.Parallel()
	srv := mediatest.New(t)
	start := time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)
	for i := range 25 {
		srv.AddMedia(mediatest.Media{
			MediaId: fmt.Sprintf("m%02d", i), Title: fmt.Sprintf("Title %d", i), CreateTime: start.Add(time.Duration(i) * time.Hour),
			Params: url.Values{"CateId": {fmt.Sprint(i % 2)}, "Tags": {"x,t" + fmt.Sprint(i%5)}, "ReferenceId": {fmt.Sprintf("ref-%06d", i)}},
		})
	}
	srv.AddMedia(mediatest.Media{MediaId: "song", Type: "audio", Status: "Transcoding", Title: "Song"})
	srv.AddMedia(mediatest.Media{MediaId: "pic", Type: "image"})
	srv.AddMedia(mediatest.Media{MediaId: "sub", Type: "attached"})
	srv.AddMedia(mediatest.Media{MediaId: "ice", Service: "ice"})
	c := callerOf(srv, vodVersion)

	var ids []string
	for page := 1; ; page++ {
		a := c.ok(t, "GetVideoList", "PageNo", fmt.Sprint(page), "PageSize", "10", "SortBy", "CreationTime:Asc")
		require.Equal(t, 26.0, at(t, a, "Total"))
		videos := at(t, a, "VideoList", "Video").([]any)
		if len(videos) == 0 {
			break
		}
		for _, v := range videos {
			ids = append(ids, v.(map[string]any)["VideoId"].(string))
		}
	}
	require.Len(t, ids, 26)
	require.Equal(t, "m00", ids[0])
	require.Equal(t, "song", ids[25])
	require.Equal(t, "song", at(t, c.ok(t, "GetVideoList"), "VideoList", "Video", 0, "VideoId")) // the latest first
	for filter, want := range map[[2]string]float64{
		{"Status", "Normal"}: 25, {"Status", "Normal,Transcoding"}: 26, {"Status", "Blocked"}: 0, {"CateId", "1"}: 12,
		{"ReferenceIds", "ref-000001,ref-000002,x"}: 2, {"StartTime", "2024-01-01T20:00:00Z"}: 5, {"EndTime", "2024-01-01T20:00:00Z"}: 21,
	} {
		require.Equal(t, want, at(t, c.ok(t, "GetVideoList", filter[0], filter[1]), "Total"), filter)
	}
	for _, bad := range [][2]string{{"PageNo", "0"}, {"PageNo", "x"}, {"PageSize", "101"}, {"StartTime", "now"}} {
		c.fails(t, 400, "InvalidParameter", "GetVideoList", bad[0], bad[1])
	}

	for match, want := range map[string]float64{
		"": 25, "Title = 'Title 7'": 1, `Title in ("Title 3", "Title 4") and Status = 'Normal'`: 2, "CateId = 1": 12, "CateId in (0,1)": 25,
		"Status in ('Blocked')": 0, "Tags = 't1' AND CateId = '1'": 3, "VideoId = 'm03'": 1,
		"CreationTime = ('2024-01-01T03:00:00Z','2024-01-01T05:00:00Z')": 1, "CreationTime = ['2024-01-01T03:00:00Z','2024-01-01T05:00:00Z']": 3,
	} {
		require.Equal(t, want, at(t, c.ok(t, "SearchMedia", "Match", match), "Total"), match)
	}
	for _, match := range []string{"nonsense", "Title = 'a", "Title = 'a' or", "(Title = 'a'", "Title in 'a'", "Nothing = 'a'", "CreationTime = [1,2", "= 'a'"} {
		c.fails(t, 400, "ErrorMatchSyntax", "SearchMedia", "Match", match)
	}
	for kind, want := range map[string]string{"audio": "song", "image": "pic", "attached": "sub"} {
		a := c.ok(t, "SearchMedia", "SearchType", kind)
		require.Equal(t, 1.0, at(t, a, "Total"))
		require.Equal(t, want, at(t, a, "MediaList", 0, "MediaId"))
		name := map[string]string{"audio": "Audio", "image": "Image", "attached": "AttachedMedia"}[kind]
		require.Equal(t, want, at(t, a, "MediaList", 0, name, map[string]string{"audio": "AudioId", "image": "ImageId", "attached": "MediaId"}[kind]))
	}
	c.fails(t, 400, "InvalidParameter", "SearchMedia", "SearchType", "x")
}

// Beyond 5000 items only a ScrollToken leads on, in short steps forward.
func TestVOD_SearchScrolls(t *testing.T) {
	t.Parallel()
	srv := mediatest.New(t)
	for i := range 5150 {
		srv.AddMedia(mediatest.Media{MediaId: fmt.Sprintf("m%04d", i)})
	}
	c := callerOf(srv, vodVersion)
	search := func(page string, token ...string) []string {
		p := []string{"PageSize", "100", "PageNo", page, "SortBy", "CreationTime:Asc"}
		if len(token) > 0 {
			p = append(p, "ScrollToken", token[0])
		}
		return p
	}
	a := c.ok(t, "SearchMedia", search("50")...)
	require.Equal(t, "m4900", at(t, a, "MediaList", 0, "MediaId"))
	c.fails(t, 400, "InvalidParameter", "SearchMedia", search("51")...)
	token := a.str("ScrollToken")
	require.Len(t, token, 32)
	next := c.ok(t, "SearchMedia", search("51", token)...)
	require.Equal(t, "m5000", at(t, next, "MediaList", 0, "MediaId"))
	c.fails(t, 400, "InvalidParameter", "SearchMedia", search("52", token)...) // too far
	c.fails(t, 400, "InvalidParameter", "SearchMedia", search("50", token)...) // backward
	c.fails(t, 400, "InvalidParameter", "SearchMedia", search("51", "x")...)
	last := c.ok(t, "SearchMedia", search("52", next.str("ScrollToken"))...)
	require.Len(t, at(t, last, "MediaList"), 50)
}

// refusals are broken requests and the codes that the reference has for them.
func TestVOD_RefusalsHaveTheDocumentedCodes(t *testing.T) {
	t.Parallel()
	text, err := filepath.Glob("../api/reference/vod/*.json")
	require.NoError(t, err)
	documented := map[string]map[string]string{}
	for _, name := range text {
		data, err := os.ReadFile(name)
		require.NoError(t, err)
		var file struct {
			Operations map[string]struct{ Errors map[string]string }
		}
		require.NoError(t, json.Unmarshal(data, &file))
		for action, op := range file.Operations {
			documented[action] = op.Errors
		}
	}
	srv := mediatest.New(t)
	c := callerOf(srv, vodVersion)
	ready := srv.AddMedia(mediatest.Media{Bucket: srv.StorageBucket(), Key: "a.mp4"})
	coming := srv.AddMedia(mediatest.Media{Status: "Uploading"})
	many := strings.TrimSuffix(strings.Repeat("a,", 21), ",")
	category := func(pairs ...string) string {
		return strconv.Itoa(int(at(t, c.ok(t, "AddCategory", append(pairs, "CateName", "a")...), "Category", "CateId").(float64)))
	}
	deep := category("ParentId", category("ParentId", category()))
	full := category()
	for range 100 {
		category("ParentId", full)
	}
	for _, test := range []struct{ code, action, params string }{
		{"InvalidCateId.NotFound", "AddCategory", "CateName=a&ParentId=1"},
		{"LevelExceededMax", "AddCategory", "CateName=a&ParentId=" + deep},
		{"SubTotalExceededMax", "AddCategory", "CateName=a&ParentId=" + full},
		{"InvalidCateId.NotFound", "DeleteCategory", "CateId=1"},
		{"InvalidCateId.NotFound", "GetCategories", "CateId=1"},
		{"ErrorMatchSyntax", "SearchMedia", "Match=Title+=="},
		{"SortByExceededMax", "SearchMedia", "SortBy=CreationTime:Desc,Title:Asc&ScrollToken=" + strings.Repeat("0", 32)},
		{"VideoListExceededMax", "GetVideoList", "PageNo=501"},
		{"ExceededMax", "GetAttachedMediaInfo", "MediaIds=" + many},
		{"LimitExceeded.MediaIds", "GetUploadDetails", "MediaIds=" + many},
		{"VideoIdsExceededMax", "DeleteVideo", "VideoIds=" + many},
		{"JobIdsExceededMax", "DeleteStream", "VideoId=" + ready + "&JobIds=" + many},
		{"InvalidStream.NotFound", "DeleteStream", "VideoId=" + ready + "&JobIds=a"},
		{"NoSuchResource", "GetImageInfo", "ImageId=a"},
		{"NoSuchResource", "GetWatermark", "WatermarkId=a"},
		{"NoSuchResource", "GetTranscodeTask", "TranscodeTaskId=a"},
		{"NoSuchResource", "ListSnapshots", "VideoId=" + ready},
		{"Forbidden.IllegalStatus", "GetPlayInfo", "VideoId=" + coming},
		{"Forbidden.IllegalStatus", "GetVideoPlayAuth", "VideoId=" + coming},
		{"Forbidden.IllegalStatus", "SubmitTranscodeJobs", "TemplateGroupId=a&VideoId=" + coming},
		{"Forbidden.IllegalStatus", "SubmitSnapshotJob", "VideoId=" + coming},
		{"Forbidden.IllegalStatus", "SubmitDynamicImageJob", "DynamicImageTemplateId=a&VideoId=" + coming},
		{"InvalidVideo.NoneStream", "GetPlayInfo", "Definition=4K&VideoId=" + ready},
		{"InvalidVideo.NotFound", "GetPlayInfo", "VideoId=a"},
		{"InvalidVideo.NotFound", "GetVideoInfos", "VideoIds=a"},
		{"InvalidVideo.NotFound", "UpdateVideoInfo", "VideoId=a"},
		{"InvalidMultipartUpload.NotFound", "DeleteMultipartUpload", "MediaType=video&MediaId=" + ready},
		{"InvalidParameter.UploadURLs", "UploadMediaByURL", "UploadURLs=ftp://a/b.mp4"},
		{"InvalidFileName.Extension", "CreateUploadVideo", "Title=a&FileName=a"},
		{"LengthExceededMax", "CreateUploadVideo", "FileName=a.mp4&Title=" + strings.Repeat("a", 129)},
		{"TagsExceededMax", "CreateUploadVideo", "FileName=a.mp4&Title=a&Tags=" + many},
		{"InvalidStorage.NotFound", "CreateUploadVideo", "FileName=a.mp4&Title=a&StorageLocation=a"},
		{"InvalidTranscodeTemplateGroup.NotFound", "GetTranscodeTemplateGroup", "TranscodeTemplateGroupId=a"},
	} {
		require.Contains(t, documented[test.action], test.code, test.action)
		values, err := url.ParseQuery(test.params)
		require.NoError(t, err)
		var pairs []string
		for name := range values {
			pairs = append(pairs, name, values.Get(name))
		}
		require.Equal(t, test.code, c.call(t, test.action, pairs...).code(), "%s %s", test.action, test.params)
	}
}
