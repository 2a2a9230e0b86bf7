package vod

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
const success = `{"RequestId":"r","VideoId":"v","UploadAddress":"a","UploadAuth":"b","RegisteredMediaList":[{"MediaId":"m"}],
	"TranscodeTaskId":"t","SnapshotJob":{"JobId":"j"},"TranscodeTemplateGroupId":"g","WatermarkInfo":{"WatermarkId":"w"}}`

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
	data, err := os.ReadFile("../api/vod.json")
	require.NoError(t, err)
	var catalogue struct {
		Operations map[string]struct{ Params []struct{ Name string } }
	}
	require.NoError(t, json.Unmarshal(data, &catalogue))
	require.Len(t, catalogue.Operations, 186)
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

func TestSample_RegisterMedia(t *testing.T) {
	t.Parallel()
	c, w := newClient(t, "cn-shanghai", `{
		"RequestId": "14F43C5C-8033-448B-AD04F64E5098****",
		"FailedFileURLs": [
			"[\"http://****.oss-cn-shanghai.aliyuncs.com/vod_sample_03.mp4\"]"
		],
		"RegisteredMediaList": [
			{
				"NewRegister": false,
				"FileURL": "http://****.oss-cn-shanghai.aliyuncs.com/vod_sample_01.mp4",
				"MediaId": "d97af32828084d1896683b1aa38****"
			}
		]
	}`)
	out, err := c.RegisterMedia(context.Background(), RegisterMediaRequest{
		RegisterMetadatas: []RegisterMetadata{
			{FileURL: "https://example.oss-cn-shanghai.aliyuncs.com/vod_sample_01.mp4", Title: "VideoName"},
			{FileURL: "https://example.oss-cn-shanghai.aliyuncs.com/vod_sample_03.mp4", Title: "Other", CateId: 7},
		},
		TemplateGroupId: NoTranscode,
		UserData:        UserData{Extend: map[string]string{"localId": "x"}},
	})
	require.NoError(t, err)
	require.Equal(t, &RegisterMediaResponse{
		RequestId:      "14F43C5C-8033-448B-AD04F64E5098****",
		FailedFileURLs: []string{"http://****.oss-cn-shanghai.aliyuncs.com/vod_sample_03.mp4"},
		RegisteredMediaList: []RegisteredMedia{{
			FileURL: "http://****.oss-cn-shanghai.aliyuncs.com/vod_sample_01.mp4",
			MediaId: "d97af32828084d1896683b1aa38****",
		}},
	}, out)
	require.Equal(t, "VOD_NO_TRANSCODE", w.sent[0].Get("TemplateGroupId"))
	require.JSONEq(t, `[
		{"FileURL":"https://example.oss-cn-shanghai.aliyuncs.com/vod_sample_01.mp4","Title":"VideoName"},
		{"FileURL":"https://example.oss-cn-shanghai.aliyuncs.com/vod_sample_03.mp4","Title":"Other","CateId":7}
	]`, w.sent[0].Get("RegisterMetadatas"))
	require.JSONEq(t, `{"Extend":{"localId":"x"}}`, w.sent[0].Get("UserData"))
}

// A Chinese character has three bytes: 128 bytes are 42 of them and two more.
var (
	bytes128  = strings.Repeat("标", 42) + "ab"
	bytes32   = strings.Repeat("标", 10) + "ab"
	bytes1024 = strings.Repeat("标", 341) + "a"
	tags16    = strings.TrimSuffix(strings.Repeat(bytes32+",", 16), ",")
)

// urlOf is an OSS URL of n bytes.
func urlOf(n int) string {
	const before, after = "http://b.oss-cn-shanghai.aliyuncs.com/", ".mp4"
	return before + strings.Repeat("x", n-len(before)-len(after)) + after
}

func TestPreflight_RegisterMedia(t *testing.T) {
	t.Parallel()
	file := func(change func(*RegisterMetadata)) RegisterMediaRequest {
		m := RegisterMetadata{FileURL: urlOf(64), Title: "title"}
		change(&m)
		return RegisterMediaRequest{RegisterMetadatas: []RegisterMetadata{m}}
	}
	files := func(n int) RegisterMediaRequest {
		var req RegisterMediaRequest
		for i := range n {
			req.RegisterMetadatas = append(req.RegisterMetadatas, RegisterMetadata{FileURL: urlOf(64 + i), Title: "title"})
		}
		return req
	}
	buckets := func(urls ...string) RegisterMediaRequest {
		var req RegisterMediaRequest
		for _, u := range urls {
			req.RegisterMetadatas = append(req.RegisterMetadatas, RegisterMetadata{FileURL: u, Title: "title"})
		}
		return req
	}
	const first = "RegisterMetadatas[0]."
	for _, tt := range []struct {
		name string
		req  RegisterMediaRequest
		want []string
	}{
		{"everything at its limit", file(func(m *RegisterMetadata) {
			*m = RegisterMetadata{
				FileURL: urlOf(1024), Title: bytes128, Description: bytes1024, Tags: tags16,
				CoverURL: urlOf(1024), ReferenceId: strings.Repeat("a", 64),
			}
		}), nil},
		{"nothing", RegisterMediaRequest{}, []string{"RegisterMetadatas"}},
		{"ten files", files(10), nil},
		{"eleven files", files(11), []string{"RegisterMetadatas"}},
		{"no FileURL", file(func(m *RegisterMetadata) { m.FileURL = "" }), []string{first + "FileURL"}},
		{"FileURL too long", file(func(m *RegisterMetadata) { m.FileURL = urlOf(1025) }), []string{first + "FileURL"}},
		{"FileURL without extension", file(func(m *RegisterMetadata) { m.FileURL = "http://b.oss-cn-shanghai.aliyuncs.com/a" }), []string{first + "FileURL"}},
		{"no Title", file(func(m *RegisterMetadata) { m.Title = "" }), []string{first + "Title"}},
		{"Title", file(func(m *RegisterMetadata) { m.Title = bytes128 + "c" }), []string{first + "Title"}},
		{"Description", file(func(m *RegisterMetadata) { m.Description = bytes1024 + "c" }), []string{first + "Description"}},
		{"CoverURL", file(func(m *RegisterMetadata) { m.CoverURL = urlOf(1025) }), []string{first + "CoverURL"}},
		{"one tag too many", file(func(m *RegisterMetadata) { m.Tags = tags16 + ",a" }), []string{first + "Tags"}},
		{"one tag too long", file(func(m *RegisterMetadata) { m.Tags = bytes32 + "c" }), []string{first + "Tags"}},
		{"shortest ReferenceId", file(func(m *RegisterMetadata) { m.ReferenceId = "12-_aB" }), nil},
		{"ReferenceId too short", file(func(m *RegisterMetadata) { m.ReferenceId = "12345" }), []string{first + "ReferenceId"}},
		{"ReferenceId too long", file(func(m *RegisterMetadata) { m.ReferenceId = strings.Repeat("a", 65) }), []string{first + "ReferenceId"}},
		{"one location by two schemes", buckets("oss://b/a.mp4", "https://b.oss-cn-shanghai.aliyuncs.com/b.mp4"), nil},
		{"two locations", buckets("oss://b/a.mp4", "https://c.oss-cn-shanghai.aliyuncs.com/b.mp4"), []string{"RegisterMetadatas"}},
		{"no bucket in the host", buckets("oss://b/a.mp4", "https://media.cn-shanghai.aliyuncs.com/b.mp4"), nil},
		{"a domain of one's own", buckets("oss://b/a.mp4", "https://media.example.com/b.mp4"), nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c, w := newClient(t, "cn-shanghai", success)
			_, err := c.RegisterMedia(context.Background(), tt.req)
			require.Equal(t, tt.want, broken(t, w, err))
		})
	}
}

// The limits of a title are characters in one operation and bytes in another.
func TestPreflight_CharactersAndBytes(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	runes128 := strings.Repeat("标", 128)
	tags := strings.TrimSuffix(strings.Repeat(strings.Repeat("标", 32)+",", 16), ",")
	for _, tt := range []struct {
		name string
		call func(*Client) error
		want []string
	}{
		{"CreateUploadVideo at its limits", func(c *Client) error {
			_, err := c.CreateUploadVideo(ctx, CreateUploadVideoRequest{
				FileName: "a.MP4", Title: runes128, Description: strings.Repeat("标", 1024), Tags: tags,
			})
			return err
		}, nil},
		{"CreateUploadVideo past its limits", func(c *Client) error {
			_, err := c.CreateUploadVideo(ctx, CreateUploadVideoRequest{FileName: "a", Title: runes128 + "标", Tags: tags + ",a"})
			return err
		}, []string{"FileName", "Tags", "Title"}},
		{"CreateUploadAttachedMedia", func(c *Client) error {
			_, err := c.CreateUploadAttachedMedia(ctx, CreateUploadAttachedMediaRequest{
				BusinessType: BusinessTypeMaterial, Title: runes128, Tags: tags, CateIds: []int64{1, 2, 3, 4, 5, 6},
			})
			return err
		}, []string{"CateIds", "Title"}},
		{"UpdateVideoInfo at its limits", func(c *Client) error {
			_, err := c.UpdateVideoInfo(ctx, UpdateVideoInfoRequest{VideoId: "v", Title: bytes128, Description: bytes1024, Tags: tags16})
			return err
		}, nil},
		{"UpdateVideoInfo past its limits", func(c *Client) error {
			_, err := c.UpdateVideoInfo(ctx, UpdateVideoInfoRequest{VideoId: "v", Title: runes128, Tags: tags})
			return err
		}, []string{"Tags", "Title"}},
		{"UploadMediaByURL", func(c *Client) error {
			_, err := c.UploadMediaByURL(ctx, UploadMediaByURLRequest{
				UploadURLs: make([]string, 21), SessionId: strings.Repeat("a", 51), UploadMetadatas: []UploadMetadata{{Title: "a"}},
			})
			return err
		}, []string{"SessionId", "UploadMetadatas[0].SourceURL", "UploadURLs"}},
		{"DeleteVideo", func(c *Client) error {
			_, err := c.DeleteVideo(ctx, DeleteVideoRequest{})
			return err
		}, []string{"VideoIds or ReferenceIds"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c, w := newClient(t, "cn-shanghai", success)
			require.Equal(t, tt.want, broken(t, w, tt.call(c)))
		})
	}
}

func TestWire(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	c, w := newClient(t, "cn-shanghai", success)

	_, err := c.DeleteVideo(ctx, DeleteVideoRequest{VideoIds: []string{"a", "b"}})
	require.NoError(t, err)
	require.Equal(t, "a,b", w.sent[0].Get("VideoIds"))

	_, err = c.SetMessageCallback(ctx, SetMessageCallbackRequest{EventTypeList: alimedia.Ptr("")})
	require.NoError(t, err)
	require.Equal(t, url.Values{"EventTypeList": {""}}, w.sent[1])

	_, err = c.DescribeVodUserDomains(ctx, DescribeVodUserDomainsRequest{Tag: []DomainTag{{Key: "k", Value: "v"}}})
	require.NoError(t, err)
	require.Equal(t, url.Values{"Tag.1.Key": {"k"}, "Tag.1.Value": {"v"}}, w.sent[2])

	_, err = c.CreateUploadVideo(ctx, CreateUploadVideoRequest{
		FileName: "a.mp4", Title: "a", EnableFirstFrameCover: alimedia.Ptr(true), UserData: UserData{Raw: `{"Extend":1}`},
	})
	require.NoError(t, err)
	require.Equal(t, url.Values{"FileName": {"a.mp4"}, "Title": {"a"}, "EnableFirstFrameCover": {"true"}, "UserData": {`{"Extend":1}`}}, w.sent[3])

	require.NoError(t, c.Do(ctx, "SomethingNew", nil, nil))
	require.Equal(t, "SomethingNew", w.actions[4])
}

func TestIterator(t *testing.T) {
	t.Parallel()
	c, w := newClient(t, "cn-shanghai",
		`{"Total":3,"VideoList":{"Video":[{"VideoId":"a","Snapshots":{"Snapshot":["s"]}},{"VideoId":"b"}]}}`,
		`{"Total":"3","VideoList":{"Video":[{"VideoId":"c"}]}}`)
	var ids []string
	for v, err := range c.GetVideoListIter(context.Background(), GetVideoListRequest{PageSize: 2}) {
		require.NoError(t, err)
		ids = append(ids, v.VideoId)
	}
	require.Equal(t, []string{"a", "b", "c"}, ids)
	require.Len(t, w.sent, 2)
}

func TestClient_With(t *testing.T) {
	t.Parallel()
	c, _ := newClient(t, "cn-shanghai", success)
	require.Equal(t, "cn-beijing", c.With(func(cfg *alimedia.Config) { cfg.Region = "cn-beijing" }).Region())
	_, err := New(alimedia.Config{Region: "nowhere"})
	require.Error(t, err)
}

func TestDocuments_KeepWhatTheyDoNotKnow(t *testing.T) {
	t.Parallel()
	for _, doc := range []any{new(UserData), new(MessageCallback), new(AccelerateConfig), new(RegisterMetadata), new(UploadMetadata)} {
		require.NoError(t, json.Unmarshal([]byte(`{"SomethingNew":{"a":[1]}}`), doc))
		again, err := json.Marshal(doc)
		require.NoError(t, err)
		require.JSONEq(t, `{"SomethingNew":{"a":[1]}}`, string(again))
	}
}
