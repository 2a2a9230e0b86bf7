package ice

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/alimedia/alimedia-go"
	"github.com/alimedia/alimedia-go/credentials"
	"github.com/alimedia/alimedia-go/internal/wiretest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// wire answers every call with the next of its answers, the last one again
// and again, and keeps what was sent.
type wire struct {
	mu        sync.Mutex
	responses []string
	actions   []string
	sent      []url.Values
}

func (w *wire) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	form, _ := url.ParseQuery(string(body))
	w.mu.Lock()
	defer w.mu.Unlock()
	sent := r.URL.Query()
	for key, values := range form {
		sent[key] = values
	}
	w.actions, w.sent = append(w.actions, r.Header.Get("X-Acs-Action")), append(w.sent, sent)
	rw.Header().Set("Content-Type", "application/json")
	_, _ = io.WriteString(rw, w.responses[0])
	if len(w.responses) > 1 {
		w.responses = w.responses[1:]
	}
}

// success is the response to whatever is asked in tests that look at requests.
const success = `{"RequestId":"r","MediaId":"m","JobId":"j","UploadAddress":"a","UploadAuth":"b"}`

func newClient(t *testing.T, region string, responses ...string) (*Client, *wire) {
	t.Helper()
	w := &wire{responses: responses}
	srv := httptest.NewServer(w)
	t.Cleanup(srv.Close)
	c, err := New(alimedia.Config{
		Region:      region,
		Endpoint:    srv.URL,
		Credentials: credentials.Static("id", "secret", ""),
		HTTPClient:  srv.Client(),
	})
	require.NoError(t, err)
	return c, w
}

// broken are the fields that a refused call names; the call must not be sent.
func broken(t *testing.T, w *wire, err error) []string {
	t.Helper()
	if err == nil {
		require.NotEmpty(t, w.sent)
		return nil
	}
	var invalid *alimedia.ValidationError
	require.ErrorAs(t, err, &invalid)
	require.Empty(t, w.sent)
	var fields []string
	for _, v := range invalid.Violations {
		fields = append(fields, v.Field)
	}
	return fields
}

func TestClient_HasEveryOperationOfTheCatalogue(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile("../api/ice.json")
	require.NoError(t, err)
	var catalogue struct {
		Operations map[string]struct{ Params []struct{ Name string } }
	}
	require.NoError(t, json.Unmarshal(data, &catalogue))
	require.Len(t, catalogue.Operations, 400)
	client := reflect.TypeFor[*Client]()
	for action, op := range catalogue.Operations {
		method, ok := client.MethodByName(action)
		require.True(t, ok, action)
		in := 2 // the client and the context
		if slices.ContainsFunc(op.Params, func(p struct{ Name string }) bool { return !wiretest.IsOfGateway(p.Name) }) {
			in = 3
			require.Equal(t, action+"Request", method.Type.In(2).Name())
		}
		require.Equal(t, in, method.Type.NumIn(), action)
		response := method.Type.Out(0).Elem()
		require.Equal(t, action+"Response", response.Name())
		require.Equal(t, "RequestId", response.Field(0).Name, action)
	}
}

func TestSamples(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	t.Run("RegisterMediaStream", func(t *testing.T) {
		t.Parallel()
		c, w := newClient(t, "cn-shanghai", `{
			"RequestId": "******11-DB8D-4A9A-875B-275798******",
			"MediaId": "5e778ec0027b71ed80a8909598506302"
		}`)
		out, err := c.RegisterMediaStream(ctx, RegisterMediaStreamRequest{
			InputURL:   "oss://example-bucket/example.mp4",
			MediaId:    "5e778ec0027b71ed80a8909598506302",
			StreamTags: map[string]string{"key1": "value1"},
			UserData: UserData{
				MessageCallback: MessageCallback{CallbackURL: "http://test.test.com"},
				Extend:          map[string]string{"localId": "xxx", "test": "www"},
			},
		})
		require.NoError(t, err)
		require.Equal(t, &RegisterMediaStreamResponse{
			RequestId: "******11-DB8D-4A9A-875B-275798******", MediaId: "5e778ec0027b71ed80a8909598506302",
		}, out)
		require.Equal(t, []string{"RegisterMediaStream"}, w.actions)
		require.Equal(t, "oss://example-bucket/example.mp4", w.sent[0].Get("InputURL"))
		require.JSONEq(t, `{"MessageCallback":{"CallbackURL":"http://test.test.com"},"Extend":{"localId":"xxx","test":"www"}}`, w.sent[0].Get("UserData"))
		require.JSONEq(t, `{"key1":"value1"}`, w.sent[0].Get("StreamTags"))
	})
	t.Run("CreateUploadStream", func(t *testing.T) {
		t.Parallel()
		c, w := newClient(t, "cn-shanghai", `{
			"RequestId": "******11-DB8D-4A9A-875B-275798******",
			"MediaId": "****c469e944b5a856828dc2****",
			"FileURL": "http://outin-***.oss-cn-shanghai.aliyuncs.com/stream/48555e8b-181dd5a8c07/48555e8b-181dd5a8c07.mp4",
			"UploadAddress": "eyJTZWN1cml0a2VuIjoiQ0FJU3p3TjF****",
			"UploadAuth": "eyJFbmRwb2ludCI6Imm****"
		}`)
		out, err := c.CreateUploadStream(ctx, CreateUploadStreamRequest{Definition: DefinitionHD, HDRType: "hdr10", FileExtension: "MP4"})
		require.NoError(t, err)
		require.Equal(t, &CreateUploadStreamResponse{
			RequestId:     "******11-DB8D-4A9A-875B-275798******",
			MediaId:       "****c469e944b5a856828dc2****",
			FileURL:       "http://outin-***.oss-cn-shanghai.aliyuncs.com/stream/48555e8b-181dd5a8c07/48555e8b-181dd5a8c07.mp4",
			UploadAddress: "eyJTZWN1cml0a2VuIjoiQ0FJU3p3TjF****",
			UploadAuth:    "eyJFbmRwb2ludCI6Imm****",
		}, out)
		require.Equal(t, url.Values{"Definition": {"HD"}, "HDRType": {"hdr10"}, "FileExtension": {"MP4"}}, w.sent[0])
	})
	t.Run("RegisterYikeAssetMediaInfo", func(t *testing.T) {
		t.Parallel()
		c, _ := newClient(t, "cn-shanghai", `{
			"RequestId": "******3B-0E1A-586A-AC29-742247******",
			"MediaId": "****c469e944b5a856828dc2****\n"
		}`)
		out, err := c.RegisterYikeAssetMediaInfo(ctx, RegisterYikeAssetMediaInfoRequest{
			InputURL: "http://example-bucket.oss-cn-shanghai.aliyuncs.com/example.mp4", MediaType: MediaTypeVideo,
		})
		require.NoError(t, err)
		require.Equal(t, "****c469e944b5a856828dc2****", out.MediaId)
	})
	t.Run("UpdateMediaInfo", func(t *testing.T) {
		t.Parallel()
		c, w := newClient(t, "cn-shanghai", `{
			"RequestId": "******11-DB8D-4A9A-875B-275798******",
			"MediaId": "****20b48fb04483915d4f2cd8ac****"
		}`)
		out, err := c.UpdateMediaInfo(ctx, UpdateMediaInfoRequest{
			MediaId: "****20b48fb04483915d4f2cd8ac****", AppendTags: alimedia.Ptr(false), UserData: "userData", CateId: 3048,
		})
		require.NoError(t, err)
		require.Equal(t, "****20b48fb04483915d4f2cd8ac****", out.MediaId)
		require.Equal(t, url.Values{
			"MediaId": {"****20b48fb04483915d4f2cd8ac****"}, "AppendTags": {"false"}, "UserData": {"userData"}, "CateId": {"3048"},
		}, w.sent[0])
	})
}

// A Chinese character has three bytes: 128 bytes are 42 of them and two more.
var (
	bytes128  = strings.Repeat("标", 42) + "ab"
	bytes64   = strings.Repeat("标", 21) + "a"
	bytes32   = strings.Repeat("标", 10) + "ab"
	bytes1024 = strings.Repeat("标", 341) + "a"
	tags16    = strings.TrimSuffix(strings.Repeat(bytes32+",", 16), ",")
)

func TestPreflight_UpdateMediaInfo(t *testing.T) {
	t.Parallel()
	const id = "0123456789abcdef"
	for _, tt := range []struct {
		name string
		req  UpdateMediaInfoRequest
		want []string
	}{
		{"everything at its limit", UpdateMediaInfoRequest{
			MediaId: id, Title: bytes128, Description: bytes1024, UserData: bytes1024, Category: bytes64,
			CoverURL: "http://a/" + strings.Repeat("x", 119), MediaTags: tags16, ReferenceId: strings.Repeat("a", 64),
		}, nil},
		{"neither id nor URL", UpdateMediaInfoRequest{Title: "a"}, []string{"MediaId or InputURL"}},
		{"URL instead of the id", UpdateMediaInfoRequest{InputURL: "oss://bucket/a.mp4"}, nil},
		{"VOD asset", UpdateMediaInfoRequest{InputURL: "vod://" + id}, nil},
		{"no URL", UpdateMediaInfoRequest{InputURL: "a.mp4"}, []string{"InputURL"}},
		{"Title", UpdateMediaInfoRequest{MediaId: id, Title: bytes128 + "c"}, []string{"Title"}},
		{"Description", UpdateMediaInfoRequest{MediaId: id, Description: bytes1024 + "c"}, []string{"Description"}},
		{"UserData", UpdateMediaInfoRequest{MediaId: id, UserData: bytes1024 + "c"}, []string{"UserData"}},
		{"Category", UpdateMediaInfoRequest{MediaId: id, Category: bytes64 + "c"}, []string{"Category"}},
		{"CoverURL", UpdateMediaInfoRequest{MediaId: id, CoverURL: "http://a/" + strings.Repeat("x", 120)}, []string{"CoverURL"}},
		{"one tag too many", UpdateMediaInfoRequest{MediaId: id, MediaTags: tags16 + ",a"}, []string{"MediaTags"}},
		{"one tag too long", UpdateMediaInfoRequest{MediaId: id, MediaTags: "a," + bytes32 + "c"}, []string{"MediaTags"}},
		{"shortest ReferenceId", UpdateMediaInfoRequest{MediaId: id, ReferenceId: "12-_aB"}, nil},
		{"ReferenceId too short", UpdateMediaInfoRequest{MediaId: id, ReferenceId: "12345"}, []string{"ReferenceId"}},
		{"ReferenceId too long", UpdateMediaInfoRequest{MediaId: id, ReferenceId: strings.Repeat("a", 65)}, []string{"ReferenceId"}},
		{"ReferenceId with another character", UpdateMediaInfoRequest{MediaId: id, ReferenceId: "标标标标标标"}, []string{"ReferenceId"}},
		{"all at once", UpdateMediaInfoRequest{Title: bytes128 + "c", ReferenceId: "a"}, []string{"MediaId or InputURL", "ReferenceId", "Title"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c, w := newClient(t, "cn-shanghai", success)
			_, err := c.UpdateMediaInfo(context.Background(), tt.req)
			require.Equal(t, tt.want, broken(t, w, err))
		})
	}
}

func TestPreflight_CreateUploadStream(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, region string
		req          CreateUploadStreamRequest
		want         []string
	}{
		{"nothing is required", "cn-beijing", CreateUploadStreamRequest{}, nil},
		{"every token", "cn-shenzhen", CreateUploadStreamRequest{Definition: Definition2K, HDRType: "SDR+"}, nil},
		{"any case", "cn-shanghai", CreateUploadStreamRequest{HDRType: "dolbyVISION"}, nil},
		{"case of Definition matters", "cn-shanghai", CreateUploadStreamRequest{Definition: "hd"}, []string{"Definition"}},
		{"unknown Definition", "cn-shanghai", CreateUploadStreamRequest{Definition: "8K"}, []string{"Definition"}},
		{"unknown HDRType", "cn-shanghai", CreateUploadStreamRequest{HDRType: "SDR"}, []string{"HDRType"}},
		{"other region", "ap-southeast-1", CreateUploadStreamRequest{}, []string{"Region"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c, w := newClient(t, tt.region, success)
			_, err := c.CreateUploadStream(context.Background(), tt.req)
			require.Equal(t, tt.want, broken(t, w, err))
		})
	}
}

func TestPreflight_Registration(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	for _, tt := range []struct {
		name string
		call func(*Client) error
		want []string
	}{
		{"stream by https", func(c *Client) error {
			_, err := c.RegisterMediaStream(ctx, RegisterMediaStreamRequest{InputURL: "https://example-bucket.oss-cn-shanghai.aliyuncs.com/example.mp4"})
			return err
		}, nil},
		{"stream elsewhere", func(c *Client) error {
			_, err := c.RegisterMediaStream(ctx, RegisterMediaStreamRequest{InputURL: "vod://0123456789abcdef"})
			return err
		}, []string{"InputURL"}},
		{"Yike asset without anything", func(c *Client) error {
			_, err := c.RegisterYikeAssetMediaInfo(ctx, RegisterYikeAssetMediaInfoRequest{})
			return err
		}, []string{"InputURL", "MediaType"}},
		{"asset at its limits", func(c *Client) error {
			_, err := c.RegisterMediaInfo(ctx, RegisterMediaInfoRequest{
				InputURL: "vod://0123456789abcdef", Title: bytes128, Description: bytes1024, MediaTags: tags16, MediaType: MediaTypeText,
			})
			return err
		}, nil},
		{"asset past its limits", func(c *Client) error {
			_, err := c.RegisterMediaInfo(ctx, RegisterMediaInfoRequest{
				InputURL: "oss://b/a.mp4", Title: bytes128 + "c", MediaTags: tags16 + ",a", MediaType: "film", ClientToken: "short",
				UserData: UserData{Extend: bytes1024},
			})
			return err
		}, []string{"ClientToken", "MediaTags", "MediaType", "Title", "UserData"}},
		{"documents are checked inside", func(c *Client) error {
			_, err := c.CreateUploadMedia(ctx, CreateUploadMediaRequest{
				FileInfo:      UploadFileInfo{Type: "film", Name: "a"},
				MediaMetaData: MediaMetaData{Title: strings.Repeat("标", 129), BusinessType: BusinessTypeGeneral},
			})
			return err
		}, []string{"FileInfo.Type", "FileInfo.Ext", "MediaMetaData.Title"}},
		{"a raw document is the caller's", func(c *Client) error {
			_, err := c.CreateUploadMedia(ctx, CreateUploadMediaRequest{FileInfo: UploadFileInfo{Raw: `{"Type":"film"}`}})
			return err
		}, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c, w := newClient(t, "cn-shanghai", success)
			require.Equal(t, tt.want, broken(t, w, tt.call(c)))
		})
	}
}

func TestIterators(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	t.Run("token", func(t *testing.T) {
		t.Parallel()
		c, w := newClient(t, "cn-shanghai",
			`{"MediaInfos":[{"MediaId":"a"},{"MediaId":"b"}],"NextToken":"next"}`,
			`{"MediaInfos":[],"NextToken":"last"}`,
			`{"MediaInfos":[{"MediaId":"c"}]}`)
		var ids []string
		for m, err := range c.ListMediaBasicInfosIter(ctx, ListMediaBasicInfosRequest{MediaType: MediaTypeVideo}) {
			require.NoError(t, err)
			ids = append(ids, m.MediaId)
		}
		require.Equal(t, []string{"a", "b", "c"}, ids)
		require.Equal(t, []url.Values{
			{"MediaType": {"video"}},
			{"MediaType": {"video"}, "NextToken": {"next"}},
			{"MediaType": {"video"}, "NextToken": {"last"}},
		}, w.sent)
	})
	t.Run("page number", func(t *testing.T) {
		t.Parallel()
		c, w := newClient(t, "cn-shanghai",
			`{"SubTotal":3,"SubCategories":{"Category":[{"CateId":1},{"CateId":2}]}}`,
			`{"SubTotal":3,"SubCategories":{"Category":[{"CateId":3}]}}`)
		var ids []int64
		c = c.With(func(cfg *alimedia.Config) { cfg.SkipValidation = true }) // the service takes no page of two
		for category, err := range c.GetCategoriesIter(ctx, GetCategoriesRequest{PageSize: 2}) {
			require.NoError(t, err)
			ids = append(ids, category.CateId)
		}
		require.Equal(t, []int64{1, 2, 3}, ids)
		require.Equal(t, []url.Values{{"PageNo": {"1"}, "PageSize": {"2"}}, {"PageNo": {"2"}, "PageSize": {"2"}}}, w.sent)
	})
	t.Run("time instead of a token", func(t *testing.T) {
		t.Parallel()
		c, w := newClient(t, "cn-shanghai",
			`{"FileList":[{"OssObject":"a"}],"NextStartTime":"2026-01-01T00:00:01Z"}`,
			`{"FileList":[{"OssObject":"b"}]}`)
		var objects []string
		for file, err := range c.ListLiveSnapshotFilesIter(ctx, ListLiveSnapshotFilesRequest{
			JobId: "j", StartTime: "2026-01-01T00:00:00Z", EndTime: "2026-01-02T00:00:00Z",
		}) {
			require.NoError(t, err)
			objects = append(objects, file.OssObject)
		}
		require.Equal(t, []string{"a", "b"}, objects)
		require.Equal(t, "2026-01-01T00:00:01Z", w.sent[1].Get("StartTime"))
	})
	t.Run("the loop breaks", func(t *testing.T) {
		t.Parallel()
		c, w := newClient(t, "cn-shanghai", `{"MediaInfos":[{"MediaId":"a"},{"MediaId":"b"}],"NextToken":"next"}`)
		for range c.ListMediaBasicInfosIter(ctx, ListMediaBasicInfosRequest{}) {
			break
		}
		require.Len(t, w.sent, 1)
	})
}

func TestDo(t *testing.T) {
	t.Parallel()
	c, w := newClient(t, "cn-shanghai", `{"MediaId":"a"}`)
	var out struct{ MediaId string }
	require.NoError(t, c.Do(context.Background(), "SomethingNew", map[string]any{"InputURL": "oss://b/a"}, &out))
	require.Equal(t, "a", out.MediaId)
	require.Equal(t, []string{"SomethingNew"}, w.actions)

	elsewhere := c.With(func(cfg *alimedia.Config) { cfg.Region = "cn-beijing" })
	require.Equal(t, "cn-beijing", elsewhere.Region())
	require.Equal(t, "cn-shanghai", c.Region())

	_, err := New(alimedia.Config{Region: "nowhere"})
	require.Error(t, err)
}

func TestAnonymousAndGet(t *testing.T) {
	t.Parallel()
	var method, authorization string
	srv := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		method, authorization = r.Method, r.Header.Get("Authorization")
		_, _ = io.WriteString(rw, `{"RequestId":"r"}`)
	}))
	defer srv.Close()
	c, err := New(alimedia.Config{Endpoint: srv.URL, Credentials: credentials.Static("id", "secret", ""), HTTPClient: srv.Client()})
	require.NoError(t, err)

	_, err = c.ListAllPublicMediaTags(context.Background(), ListAllPublicMediaTagsRequest{})
	require.NoError(t, err)
	require.Equal(t, http.MethodPost, method)
	require.Empty(t, authorization)

	_, err = c.GetLiveRecordJob(context.Background(), GetLiveRecordJobRequest{JobId: "j"})
	require.NoError(t, err)
	require.Equal(t, http.MethodGet, method)
	require.NotEmpty(t, authorization)
}
