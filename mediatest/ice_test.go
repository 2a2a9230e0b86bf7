package mediatest_test

import (
	"encoding/base64"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/alimedia/alimedia-go/mediatest"
)

func TestICE_UploadMedia(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := mediatest.New(t, mediatest.InMemory(), mediatest.Processing(2*time.Second))
		srv.CreateBucket("own")
		c := callerOf(srv, iceVersion)
		a := c.ok(t, "CreateUploadMedia",
			"FileInfo", `{"Type":"video","Name":"clip","Size":5,"Ext":"mp4"}`,
			"MediaMetaData", `{"Title":"Clip","Description":"D","BusinessType":"opening","Tags":"a,b","CateId":3}`,
			"UploadTargetConfig", `{"StorageType":"oss","StorageLocation":"`+srv.StorageBucket()+`.oss-cn-shanghai.aliyuncs.com"}`)
		id := a.str("MediaId")
		basic := func() map[string]any {
			return at(t, c.ok(t, "GetMediaInfo", "MediaId", id), "MediaInfo", "MediaBasicInfo").(map[string]any)
		}
		require.Equal(t, "Init", basic()["Status"])
		to := put(t, srv, a, "hello")
		require.Equal(t, a.str("FileURL"), srv.ObjectURL(to.Bucket, to.FileName))
		require.Equal(t, "Preparing", basic()["Status"])
		require.Empty(t, at(t, c.ok(t, "GetMediaInfo", "MediaId", id), "MediaInfo", "FileInfoList")) // not yet known
		time.Sleep(2 * time.Second)
		info := basic()
		require.Equal(t, "Normal", info["Status"])
		require.Equal(t, "Clip", info["Title"])
		require.Equal(t, "opening", info["BusinessType"])
		require.Equal(t, "a,b", info["MediaTags"])
		require.Equal(t, 3.0, info["CateId"])
		require.Equal(t, "vod", info["Source"])
		file := at(t, c.ok(t, "GetMediaInfo", "InputURL", a.str("FileURL")), "MediaInfo", "FileInfoList", 0, "FileBasicInfo").(map[string]any)
		require.Equal(t, "5", file["FileSize"]) // numbers are strings
		require.Equal(t, a.str("FileURL"), file["FileUrl"])

		fresh := c.ok(t, "RefreshUploadMedia", "MediaId", id)
		require.Equal(t, id, fresh.str("MediaId"))
		require.Equal(t, to.FileName, targetOf(t, fresh).FileName)
		put(t, srv, fresh, "other bytes") // replaces the source file of the same asset
		m, _ := srv.Media(id)
		require.EqualValues(t, 11, m.Size)
		require.Equal(t, "Preparing", m.Status)

		playlist := targetOf(t, c.ok(t, "CreateUploadMedia", "FileInfo", `{"Type":"video","Name":"l","Ext":"m3u8"}`))
		require.True(t, strings.HasPrefix(playlist.FileName, playlist.ObjectPrefix))
		require.NotEmpty(t, playlist.ObjectPrefix)

		c.ok(t, "CreateUploadMedia")
		c.fails(t, 404, "ResourceNotFound", "RefreshUploadMedia", "MediaId", "nobody")
		c.fails(t, 400, "InvalidParameter", "CreateUploadMedia", "FileInfo", "{")
		c.fails(t, 400, "InvalidParameter", "CreateUploadMedia", "FileInfo", `{"Name":"x"}`)
		c.fails(t, 400, "InvalidParameter", "CreateUploadMedia", "MediaMetaData", `{"Title":"`+strings.Repeat("口", 129)+`"}`)
		c.fails(t, 400, "InvalidParameter", "CreateUploadMedia", "UploadTargetConfig", `{"StorageLocation":"own.oss-cn-shanghai.aliyuncs.com"}`)
		c.fails(t, 404, "InvalidStorage.NotFound", "CreateUploadMedia", "UploadTargetConfig", `{"StorageLocation":"nobody"}`)
	})
}

func TestICE_Streams(t *testing.T) {
	t.Parallel()
	srv := mediatest.New(t)
	c := callerOf(srv, iceVersion)
	id := srv.AddMedia(mediatest.Media{Service: "ice", Title: "t"})
	a := c.ok(t, "CreateUploadStream", "MediaId", id, "Definition", "4K", "FileExtension", "MP4", "HDRType", "dolbyvision", "UserData", "{}")
	require.Equal(t, id, a.str("MediaId"))
	stream := func(n int) mediatest.Stream {
		m, _ := srv.Media(id)
		require.Greater(t, len(m.Streams), n)
		return m.Streams[n]
	}
	require.False(t, stream(0).Complete)
	put(t, srv, a, "123")
	require.Equal(t, mediatest.Stream{Definition: "4K", HDRType: "dolbyvision", URL: a.str("FileURL"), Complete: true}, stream(0))

	srv.PutObject("own", "dir/s 1.aac", []byte("1234"))
	require.Equal(t, id, c.ok(t, "RegisterMediaStream", "MediaId", id, "InputURL", "oss://own/dir/s 1.aac", "StreamTags", `{"k":"v"}`).str("MediaId"))
	require.Equal(t, mediatest.Stream{StreamTags: `{"k":"v"}`, URL: srv.ObjectURL("own", "dir/s 1.aac"), Complete: true}, stream(1))
	c.ok(t, "RegisterMediaStream", "MediaId", id, "InputURL", srv.ObjectURL("own", "dir/s 1.aac"))
	files := at(t, c.ok(t, "GetMediaInfo", "MediaId", id), "MediaInfo", "FileInfoList").([]any)
	require.Len(t, files, 3)
	require.Equal(t, "transcode_file", at(t, c.ok(t, "GetMediaInfo", "MediaId", id), "MediaInfo", "FileInfoList", 0, "FileBasicInfo", "FileType"))

	c.fails(t, 404, "InvalidMaterial.NotFound", "RegisterMediaStream", "MediaId", id, "InputURL", "oss://own/missing.aac")
	c.fails(t, 404, "ResourceNotFound", "RegisterMediaStream", "MediaId", "nobody", "InputURL", "oss://own/dir/s 1.aac")
	c.fails(t, 400, "InvalidParameter", "RegisterMediaStream", "MediaId", id, "InputURL", "ftp://x")
	c.fails(t, 400, "InvalidParameter", "RegisterMediaStream", "MediaId", id, "InputURL", "oss://own/dir/s 1.aac", "StreamTags", "[]")
	c.fails(t, 400, "InvalidParameter", "CreateUploadStream", "MediaId", id, "Definition", "8K")
	c.fails(t, 400, "InvalidParameter", "CreateUploadStream", "MediaId", id, "HDRType", "LDR")
	c.fails(t, 404, "ResourceNotFound", "CreateUploadStream", "MediaId", "nobody")

	// Without a MediaId the stream makes an asset of its own.
	a = c.ok(t, "CreateUploadStream")
	put(t, srv, a, "1")
	m, _ := srv.Media(a.str("MediaId"))
	require.Equal(t, "Normal", m.Status)
}

func TestICE_Yike(t *testing.T) {
	t.Parallel()
	for _, quirks := range []bool{false, true} {
		var opts []mediatest.Option
		if quirks {
			opts = append(opts, mediatest.Quirks())
		}
		srv := mediatest.New(t, opts...)
		c := callerOf(srv, iceVersion)
		a := c.ok(t, "CreateYikeAssetUpload", "FileExt", "mp4", "FileType", "StoryboardInput")
		c.fails(t, 404, "InvalidMaterial.NotFound", "RegisterYikeAssetMediaInfo", "InputURL", a.str("FileURL"), "MediaType", "video")
		require.Empty(t, srv.Medias())
		put(t, srv, a, "12")
		b := c.ok(t, "RegisterYikeAssetMediaInfo", "InputURL", a.str("FileURL"), "MediaType", "video", "FolderId", "fd-1")
		id := b.str("MediaId")
		require.Equal(t, quirks, strings.HasSuffix(id, "\n"))
		m, ok := srv.Media(strings.TrimSpace(id))
		require.True(t, ok)
		require.Equal(t, "fd-1", m.Params.Get("FolderId"))
		require.EqualValues(t, 2, m.Size)
		c.fails(t, 400, "InvalidParameter", "RegisterYikeAssetMediaInfo", "InputURL", "x", "MediaType", "video")
	}
}

func TestICE_RegisterMediaInfo(t *testing.T) {
	t.Parallel()
	srv := mediatest.New(t)
	srv.PutObject("own", "a.mp3", []byte("123"))
	srv.PutObject("own", "b.srt", nil)
	c := callerOf(srv, iceVersion)
	in := srv.ObjectURL("own", "a.mp3")
	first := c.ok(t, "RegisterMediaInfo", "InputURL", in, "ClientToken", "0123456789abcdef0123456789abcdef").str("MediaId")
	require.Equal(t, first, c.ok(t, "RegisterMediaInfo", "InputURL", in, "ClientToken", "0123456789abcdef0123456789abcdef").str("MediaId"))
	c.fails(t, 409, "MediaAlreadyExist", "RegisterMediaInfo", "InputURL", in)
	c.fails(t, 409, "MediaAlreadyExist", "RegisterMediaInfo", "InputURL", "oss://own/a.mp3") // the same object
	second := c.ok(t, "RegisterMediaInfo", "InputURL", "oss://own/a.mp3", "Overwrite", "true", "Title", "T", "ReferenceId", "ref-000001").str("MediaId")
	require.NotEqual(t, first, second)
	_, ok := srv.Media(first)
	require.False(t, ok)
	m, _ := srv.Media(second)
	require.Equal(t, "audio", m.Type)
	require.Equal(t, "oss://own/a.mp3", m.InputURL)
	require.EqualValues(t, 3, m.Size)
	require.Equal(t, "oss", at(t, c.ok(t, "GetMediaInfo", "InputURL", in), "MediaInfo", "MediaBasicInfo", "Source"))

	c.fails(t, 404, "InvalidMaterial.NotFound", "RegisterMediaInfo", "InputURL", "oss://own/missing.mp4")
	c.fails(t, 404, "InvalidMaterial.NotFound", "RegisterMediaInfo", "InputURL", "oss://nobody/missing.mp4")
	c.fails(t, 400, "InvalidParameter", "RegisterMediaInfo", "InputURL", "http://example.com/a.mp4")
	c.fails(t, 400, "InvalidParameter", "RegisterMediaInfo", "InputURL", in, "MediaType", "film")
	c.fails(t, 400, "InvalidParameter", "RegisterMediaInfo", "InputURL", in, "ReferenceId", "ref-000001", "Overwrite", "true")
	c.fails(t, 400, "InvalidParameter", "RegisterMediaInfo", "InputURL", in, "Title", strings.Repeat("口", 43))
	c.fails(t, 400, "InvalidParameter", "RegisterMediaInfo", "InputURL", "oss://own/b.srt", "MediaType", "text")
	c.ok(t, "RegisterMediaInfo", "InputURL", "oss://own/b.srt", "MediaType", "text", "BusinessType", "subtitles")

	v := callerOf(srv, vodVersion)
	created := v.ok(t, "CreateUploadVideo", "FileName", "v.mp4", "Title", "V")
	third := c.ok(t, "RegisterMediaInfo", "InputURL", "vod://"+created.str("VideoId")).str("MediaId")
	require.Equal(t, "Init", at(t, c.ok(t, "GetMediaInfo", "MediaId", third), "MediaInfo", "MediaBasicInfo", "Status"))
	put(t, srv, created, "x")
	require.Equal(t, "Normal", at(t, c.ok(t, "GetMediaInfo", "MediaId", third), "MediaInfo", "MediaBasicInfo", "Status"))
	c.fails(t, 409, "MediaAlreadyExist", "RegisterMediaInfo", "InputURL", "vod://"+created.str("VideoId"))
	c.fails(t, 404, "InvalidMaterial.NotFound", "RegisterMediaInfo", "InputURL", "vod://nobody")
	v.fails(t, 404, "InvalidVideo.NotFound", "GetVideoInfo", "VideoId", third)
}

func TestICE_UpdateMediaInfo(t *testing.T) {
	t.Parallel()
	srv := mediatest.New(t)
	srv.PutObject("own", "a.mp4", nil)
	c := callerOf(srv, iceVersion)
	in := srv.ObjectURL("own", "a.mp4")
	id := c.ok(t, "RegisterMediaInfo", "InputURL", in, "Title", "old", "MediaTags", "a", "Description", "stays").str("MediaId")
	other := srv.AddMedia(mediatest.Media{Params: params("ReferenceId", "ref-000009")})
	basic := func() map[string]any {
		return at(t, c.ok(t, "GetMediaInfo", "MediaId", id), "MediaInfo", "MediaBasicInfo").(map[string]any)
	}
	require.Equal(t, id, c.ok(t, "UpdateMediaInfo", "MediaId", id, "Title", "new", "MediaTags", "b", "AppendTags", "true", "ReferenceId", "ref-000001", "CateId", "5").str("MediaId"))
	require.Equal(t, "new", basic()["Title"])
	require.Equal(t, "a,b", basic()["MediaTags"])
	require.Equal(t, "stays", basic()["Description"])
	require.Equal(t, 5.0, basic()["CateId"])
	c.ok(t, "UpdateMediaInfo", "InputURL", in, "MediaTags", "c", "AppendTags", "false")
	require.Equal(t, "c", basic()["MediaTags"])
	c.ok(t, "UpdateMediaInfo", "MediaId", id, "InputURL", "oss://x/y", "Category", "K") // MediaId wins
	require.Equal(t, "K", basic()["Category"])
	require.Equal(t, in, basic()["InputURL"])
	c.ok(t, "UpdateMediaInfo", "MediaId", id, "ReferenceId", "ref-000001") // its own

	c.fails(t, 404, "ResourceNotFound", "UpdateMediaInfo", "MediaId", "nobody", "InputURL", in)
	c.fails(t, 404, "ResourceNotFound", "UpdateMediaInfo", "InputURL", "oss://own/other.mp4")
	for name, value := range map[string]string{
		"Title": strings.Repeat("口", 43), "Description": strings.Repeat("口", 342), "Category": strings.Repeat("a", 65), "CoverURL": strings.Repeat("a", 129),
		"UserData": strings.Repeat("a", 1025), "MediaTags": strings.Repeat("a,", 17), "ReferenceId": "ref-000009", "BusinessType": "x",
	} {
		c.fails(t, 400, "InvalidParameter", "UpdateMediaInfo", "MediaId", id, name, value)
	}
	tags := strings.TrimSuffix(strings.Repeat("t,", 16), ",")
	c.ok(t, "UpdateMediaInfo", "MediaId", id, "MediaTags", tags)
	c.fails(t, 400, "InvalidParameter", "UpdateMediaInfo", "MediaId", id, "MediaTags", "one-more", "AppendTags", "true")
	m, _ := srv.Media(other)
	require.Equal(t, "ref-000009", m.Params.Get("ReferenceId"))
}

func TestICE_Lists(t *testing.T) {
	t.Parallel()
	srv := mediatest.New(t)
	start := time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)
	for i := range 23 {
		srv.AddMedia(mediatest.Media{Service: "ice", MediaId: fmt.Sprintf("m%02d", i), Title: fmt.Sprint("n", i), CreateTime: start.Add(time.Duration(i) * time.Hour)})
	}
	srv.AddMedia(mediatest.Media{MediaId: "v", Status: "Transcoding", Type: "audio"}) // VOD's are seen too
	c := callerOf(srv, iceVersion)
	pages := func(p ...string) (ids []string, n int) {
		token := ""
		for n = 1; ; n++ {
			a := c.ok(t, "ListMediaBasicInfos", append([]string{"NextToken", token}, p...)...)
			for _, m := range at(t, a, "MediaInfos").([]any) {
				ids = append(ids, m.(map[string]any)["MediaId"].(string))
			}
			if token = a.str("NextToken"); token == "" {
				return ids, n
			}
			if n == 1 {
				srv.AddMedia(mediatest.Media{MediaId: "late", Type: "image"}) // pages do not shift
			}
		}
	}
	ids, n := pages("SortBy", "asc", "MediaType", "video")
	require.Equal(t, 3, n)
	require.Len(t, ids, 23)
	require.Equal(t, "m00", ids[0])
	require.Equal(t, "m22", ids[22])
	ids, n = pages("MaxResults", "5", "MediaType", "video")
	require.Equal(t, 5, n)
	require.Len(t, ids, 23)
	require.Equal(t, "m22", ids[0])
	require.Equal(t, "m00", ids[22])
	ids, n = pages("MaxResults", "100")
	require.Equal(t, 1, n)
	require.Len(t, ids, 25)
	for filter, want := range map[[2]string]float64{
		{"Status", "Preparing"}: 1, {"MediaId", "m03"}: 1, {"Source", "vod"}: 2, {"BusinessType", "x"}: 0,
		{"StartTime", "2024-01-01T20:00:00Z"}: 4, {"EndTime", "2024-01-01T20:00:00Z"}: 21,
	} {
		require.Equal(t, want, at(t, c.ok(t, "ListMediaBasicInfos", filter[0], filter[1]), "TotalCount"), filter)
	}
	a := c.ok(t, "ListMediaBasicInfos", "MaxResults", "1", "MediaId", "m03", "IncludeFileBasicInfo", "true")
	require.Contains(t, at(t, a, "MediaInfos", 0), "FileInfoList")
	for _, bad := range [][2]string{{"MaxResults", "0"}, {"MaxResults", "101"}, {"NextToken", "?"}, {"NextToken", base64.URLEncoding.EncodeToString([]byte("x"))}, {"EndTime", "x"}} {
		c.fails(t, 400, "InvalidParameter", "ListMediaBasicInfos", bad[0], bad[1])
	}

	a = c.ok(t, "BatchGetMediaInfos", "MediaIds", "m01,nobody,m02", "AdditionType", "FileInfo")
	require.Len(t, at(t, a, "MediaInfos"), 2)
	require.Equal(t, []any{"nobody"}, at(t, a, "IgnoredList"))

	a = c.ok(t, "SearchMedia", "Match", "Status = 'Preparing' and MediaType = 'audio'")
	require.Equal(t, 1.0, at(t, a, "Total"))
	require.Equal(t, "v", at(t, a, "MediaInfoList", 0, "MediaId"))
	a = c.ok(t, "SearchMedia", "PageSize", "50", "PageNo", "2")
	require.Empty(t, at(t, a, "MediaInfoList"))
	require.Equal(t, 25.0, at(t, a, "Total"))
	c.fails(t, 400, "InvalidParameter", "SearchMedia", "PageSize", "51")
	c.fails(t, 400, "InvalidParameter", "SearchMedia", "CustomFilters", `{"strField9":"a"}`)
	c.fails(t, 400, "InvalidParameter", "SearchMedia", "CustomFilters", `[]`)

	srv.PutObject("own", "a.mp4", nil)
	in := srv.ObjectURL("own", "a.mp4")
	for _, physical := range []string{"false", "true"} {
		c.ok(t, "RegisterMediaInfo", "InputURL", in)
		a = c.ok(t, "DeleteMediaInfos", "InputURLs", in, "MediaIds", "m05,nobody", "DeletePhysicalFiles", physical)
		_, kept := srv.Object("own", "a.mp4")
		require.Equal(t, physical == "false", kept)
	}
	require.Equal(t, []any{"m05", "nobody"}, at(t, a, "IgnoredList")) // m05 went with the first
	c.fails(t, 404, "ResourceNotFound", "GetMediaInfo", "InputURL", in)
	c.fails(t, 400, "InvalidParameter", "DeleteMediaInfos", "MediaIds", strings.Repeat("x,", 21))
}

func TestEncodeUpload(t *testing.T) {
	t.Parallel()
	srv := mediatest.New(t, mediatest.EncodeUpload(func(address, auth map[string]any) (string, string) {
		delete(auth, "ExpireUTCTime")
		address["Endpoint"] = strings.TrimPrefix(address["Endpoint"].(string), "http://")
		return mediatest.EncodeBase64(auth), base64.RawURLEncoding.EncodeToString([]byte(fmt.Sprint(address["Endpoint"]))) // swapped
	}))
	a := callerOf(srv, vodVersion).ok(t, "CreateUploadVideo", "FileName", "a.mp4", "Title", "t")
	text, err := base64.StdEncoding.DecodeString(a.str("UploadAddress"))
	require.NoError(t, err)
	require.Contains(t, string(text), "SecurityToken")
	require.NotContains(t, string(text), "ExpireUTCTime")
	text, err = base64.RawURLEncoding.DecodeString(a.str("UploadAuth"))
	require.NoError(t, err)
	require.Equal(t, srv.URL, "http://"+string(text))
	require.Empty(t, mediatest.EncodeBase64(func() {}))
}

func TestICE_SearchLibraryAndCustomFields(t *testing.T) {
	t.Parallel()
	srv := mediatest.New(t)
	c := callerOf(srv, iceVersion)
	for i, custom := range []string{`{"strField1":"abc","intField1":12}`, `{"strField1":"cd","intField1":20}`} {
		id := srv.AddMedia(mediatest.Media{Service: "ice", MediaId: string(rune('a' + i))})
		c.ok(t, "InsertMediaToSearchLib", "MediaId", id, "Input", "oss://own/a.mp4", "SearchLibName", "mine", "MsgBody", `{"customFields":`+custom+`}`)
	}
	srv.AddMedia(mediatest.Media{Service: "ice", MediaId: "elsewhere"})
	for filters, want := range map[string]float64{
		"": 2, `{"strField1":"abc"}`: 1, `{"strField1":["abc","cd"]}`: 2, `{"intField1":{"gte":12,"lte":13}}`: 1, `{"intField1":20,"strField1":"abc"}`: 0, `{"strField2":"abc"}`: 0,
	} {
		require.Equal(t, want, c.ok(t, "SearchMedia", "SearchLibName", "mine", "CustomFilters", filters).body["Total"], filters)
	}
	require.Equal(t, 3.0, c.ok(t, "SearchMedia").body["Total"])
	one := c.ok(t, "SearchMedia", "SearchLibName", "mine", "Match", "mediaId = 'a'")
	require.JSONEq(t, `{"strField1":"abc","intField1":12}`, at(t, one, "MediaInfoList", 0, "CustomFields").(string))
	require.Equal(t, "Success", at(t, one, "MediaInfoList", 0, "IndexStatusList", 0, "IndexStatus"))
	c.ok(t, "DeleteMediaFromSearchLib", "MediaId", "a", "SearchLibName", "mine")
	require.Equal(t, 1.0, c.ok(t, "SearchMedia", "SearchLibName", "mine").body["Total"])
}
