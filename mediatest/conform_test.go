package mediatest_test

import (
	"bytes"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/alimedia/alimedia-go"
	"github.com/alimedia/alimedia-go/internal/catalogue"
	"github.com/alimedia/alimedia-go/mediatest"
)

// world is a server in which everything exists that a valid request may name.
type world struct {
	srv     *mediatest.Server
	service string
	client  any
	raw     *recorder
	ids     map[string]string // by the name of the parameter
}

// recorder keeps the last answer as it came.
type recorder struct {
	next http.RoundTripper
	last []byte
	head http.Header
}

func (r *recorder) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := r.next.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	r.last, err = io.ReadAll(resp.Body)
	if err != nil {
		return nil, err
	}
	r.head = resp.Header
	resp.Body = io.NopCloser(bytes.NewReader(r.last))
	return resp, nil
}

// emptyWorld has no assets.
func emptyWorld(t testing.TB, service string, opts ...mediatest.Option) *world {
	w := &world{srv: mediatest.New(t, opts...), service: service, raw: &recorder{}, ids: map[string]string{}}
	w.raw.next = w.srv.HTTPClient().Transport
	cfg := w.srv.Config()
	cfg.HTTPClient = &http.Client{Transport: w.raw}
	w.client = clientOf(t, service, cfg)
	s := w.srv
	s.CreateBucket("example-bucket")
	for _, key := range []string{"example.mp4", "video.mp4"} {
		s.PutObject("example-bucket", key, []byte("bytes"))
	}
	from, to := time.Now().Add(-time.Hour).UTC().Format("2006-01-02T15:04:05Z"), time.Now().Add(time.Hour).UTC().Format("2006-01-02T15:04:05Z")
	for _, name := range []string{"StartTime", "StartOfCreateTime", "CreateTimeStart", "StartOfJobCreatedTimeRange"} {
		w.ids[name] = from
	}
	for _, name := range []string{"EndTime", "EndOfCreateTime", "CreateTimeEnd", "EndOfJobCreatedTimeRange"} {
		w.ids[name] = to
	}
	w.ids["StorageLocation"] = strings.TrimSuffix(strings.TrimPrefix(s.ObjectURL(s.StorageBucket(), ""), "http://"), "/")
	return w
}

// newWorld fills both libraries by the operations themselves.
func newWorld(t testing.TB, service string, opts ...mediatest.Option) *world {
	w := emptyWorld(t, service, opts...)
	w.fillVOD(t)
	if service == "ice" {
		w.fillICE(t)
	}
	return w
}

// category adds a category with one below it.
func (w *world) category(t testing.TB, c caller) {
	id := func(a answer) string {
		return strconv.FormatFloat(a.body["Category"].(map[string]any)["CateId"].(float64), 'f', -1, 64)
	}
	top := id(c.ok(t, "AddCategory", "CateName", "films"))
	w.ids["CateId"] = id(c.ok(t, "AddCategory", "CateName", "short films", "ParentId", top))
	c.ok(t, "AddCategory", "CateName", "very short films", "ParentId", w.ids["CateId"])
	w.ids["ParentId"] = top
}

func (w *world) fillVOD(t testing.TB) {
	c := callerOf(w.srv, vodVersion)
	w.category(t, c)
	made := func(action, id string, pairs ...string) string {
		a := c.ok(t, action, append(pairs, "Title", "the title", "Description", "all of it", "Tags", "a,b", "CateId", w.ids["CateId"], "CateIds", w.ids["CateId"],
			"UserData", `{"Extend":"x"}`, "CoverURL", "https://example.com/cover.jpg")...)
		target := targetOf(t, a)
		w.srv.PutObject(target.Bucket, target.FileName, []byte("the bytes of a file"))
		return a.str(id)
	}
	w.ids["ImageId"] = made("CreateUploadImage", "ImageId", "ImageType", "default", "OriginalFileName", "a.png")
	w.ids["AttachedMediaId"] = made("CreateUploadAttachedMedia", "MediaId", "BusinessType", "watermark")
	video := made("CreateUploadVideo", "VideoId", "FileName", "a.mp4", "ReferenceId", "reference-1", "TemplateGroupId", "group")
	w.ids["VideoId"], w.ids["MediaId"], w.ids["ReferenceId"] = video, video, "reference-1"
	half := targetOf(t, c.ok(t, "CreateUploadVideo", "FileName", "b.mp4", "Title", "half"))
	_, err := ossBucket(t, w.srv, half.Bucket, half.keys()).InitiateMultipartUpload(half.FileName)
	require.NoError(t, err)
	for _, m := range w.srv.Medias() {
		if m.Title == "half" {
			w.ids["HalfId"] = m.MediaId
		}
	}
	task := c.ok(t, "SubmitTranscodeJobs", "VideoId", video, "TemplateGroupId", "group")
	w.ids["TranscodeTaskId"] = task.str("TranscodeTaskId")
	w.ids["JobId"] = task.body["TranscodeJobs"].(map[string]any)["TranscodeJob"].([]any)[0].(map[string]any)["JobId"].(string)
	c.ok(t, "SubmitSnapshotJob", "VideoId", video)
	c.ok(t, "SubmitDynamicImageJob", "VideoId", video, "DynamicImageTemplateId", "template")
	c.ok(t, "CreateAudit", "AuditContent", `[{"VideoId":"`+video+`","Status":"Normal","Reason":"r","Comment":"c"}]`)
	job := c.ok(t, "UploadMediaByURL", "UploadURLs", "https://www.example.com/b.mp4", "UserData", "mine").body["UploadJobs"].([]any)[0].(map[string]any)
	w.srv.Outcome(mediatest.Outcome{Operation: "UploadMediaByURL", Duration: time.Hour, Times: 1})
	c.ok(t, "UploadMediaByURL", "UploadURLs", "https://www.example.com/long.mp4")
	w.ids["AIJobId"] = c.ok(t, "SubmitAIJob", "MediaId", video, "Types", "AIVideoTag").body["AIJobList"].(map[string]any)["AIJob"].([]any)[0].(map[string]any)["JobId"].(string)
	w.ids["URLJobId"], w.ids["FileURL"] = job["JobId"].(string), w.srv.ObjectURL("example-bucket", "video.mp4")
	c.ok(t, "SetMessageCallback", "CallbackType", "MNS", "CallbackURL", "https://example.com/", "MnsEndpoint", "https://1.mns.example.com/", "MnsQueueName", "queue",
		"EventTypeList", "ALL", "AuthSwitch", "on", "AuthKey", "Key12345678")
}

func (w *world) fillICE(t testing.TB) {
	c := callerOf(w.srv, iceVersion)
	w.category(t, c)
	w.ids["MediaId"] = c.ok(t, "RegisterMediaInfo", "InputURL", w.srv.ObjectURL("example-bucket", "example.mp4"), "Title", "the title", "Description", "all of it", "MediaTags", "a,b",
		"CateId", w.ids["CateId"], "BusinessType", "general", "ReferenceId", "reference-3", "UserData", `{"Extend":"x"}`, "CoverURL", "https://example.com/cover.jpg").str("MediaId")
	delete(w.ids, "ReferenceId")
	c.ok(t, "RegisterMediaStream", "MediaId", w.ids["MediaId"], "InputURL", w.srv.ObjectURL("example-bucket", "video.mp4"), "StreamTags", `{"a":"b"}`)
	w.ids["MediaMarkIds"] = c.ok(t, "AddMediaMarks", "MediaId", w.ids["MediaId"], "MediaMarks", `[{"MarkTitle":"a"}]`).str("MediaMarkIds")
	c.ok(t, "InsertMediaToSearchLib", "MediaId", w.ids["MediaId"], "Input", "oss://example-bucket/example.mp4", "SearchLibName", "library", "MsgBody", `{"customFields":{"strField1":"x","intField1":7}}`)
	w.ids["SearchLibName"] = "library"
	c.ok(t, "SetEventCallback", "CallbackType", "HTTP", "CallbackURL", "https://example.com/", "CallbackQueueName", "ice-callback-a", "EventTypeList", "ALL", "AuthSwitch", "on", "AuthKey", "Key12345678")
	job := c.ok(t, "UploadMediaByURL", "UploadURLs", "https://www.example.com/b.mp4", "UserData", "mine").body["UploadJobs"].([]any)[0].(map[string]any)
	w.ids["URLJobId"] = job["JobId"].(string)
	w.ids["YikeId"] = c.ok(t, "RegisterYikeAssetMediaInfo", "InputURL", w.srv.ObjectURL("example-bucket", "video.mp4"), "FolderId", "folder", "ProductionId", "production", "MediaType", "video").str("MediaId")
	c.ok(t, "UpdateMediaInfo", "MediaId", w.ids["YikeId"], "Title", "the title", "Description", "all of it", "MediaTags", "a,b", "CateId", w.ids["CateId"],
		"BusinessType", "general", "ReferenceId", "reference-4", "UserData", `{"Extend":"x"}`, "CoverURL", "https://example.com/cover.jpg")
	c.ok(t, "SetContentAnalyzeConfig", "Auto", "true", "SaveType", "TEXT", "TemplateId", "template")
}

// conforms compares an answer with what the documentation says of it, and
// returns the documented fields that are empty wherever they stand.
func conforms(t testing.TB, op *catalogue.Operation, body []byte) (empty []string) {
	t.Helper()
	var answer map[string]any
	require.NoError(t, json.Unmarshal(body, &answer))
	delete(answer, "RequestId")
	filled := map[string]bool{}
	var check func(at string, v any, f *catalogue.Field)
	object := func(at string, o map[string]any, documented []*catalogue.Field) {
		for _, name := range slices.Sorted(maps.Keys(o)) {
			i := slices.IndexFunc(documented, func(f *catalogue.Field) bool { return f.Name == name })
			if i < 0 {
				t.Errorf("%s answers %s%s, which is not documented", op.Action, at, name)
				continue
			}
			check(at+name, o[name], documented[i])
		}
		for _, f := range documented {
			if _, has := o[f.Name]; !has && f.Name != "RequestId" {
				filled[at+f.Name] = filled[at+f.Name] || false
			}
		}
	}
	check = func(at string, v any, f *catalogue.Field) {
		fits := true
		switch v := v.(type) {
		case []any:
			elem := *f
			elem.Type = f.Elem()
			for _, item := range v {
				check(at, item, &elem)
			}
			fits = f.List()
			filled[at] = filled[at] || len(v) > 0
		case map[string]any:
			fits = f.Type == "object" || f.Type == "any" || strings.HasPrefix(f.Type, "map<")
			if len(f.Fields) > 0 {
				object(at+".", v, f.Fields)
			}
			filled[at] = true
		case string:
			fits = f.Type == "string" || f.Type == "any"
			filled[at] = filled[at] || v != ""
		case bool:
			fits = f.Type == "bool"
			filled[at] = true
		case float64:
			fits = strings.HasPrefix(f.Type, "float") || strings.HasPrefix(f.Type, "int") && v == float64(int64(v))
			filled[at] = filled[at] || v != 0
		}
		if !fits {
			t.Errorf("%s: %s is %v, documented as %s", op.Action, at, v, f.Type)
		}
	}
	object("", answer, op.Response)
	for _, at := range slices.Sorted(maps.Keys(filled)) {
		if !filled[at] {
			empty = append(empty, at)
		}
	}
	return empty
}

// mayBeEmpty are fields that say nothing of what the world has: of things that
// did not happen, that are zero, or that a request in it does not set.
var mayBeEmpty = strings.Fields(`
	AIJobDetail SnapshotJobDetail WorkflowTaskDetail TranscodeJobInfoList AiRoughData AiData
	State Encrypt Volume Level StartMode SubTotal SrtPbkeyLen Retcode StatusCode
	DeletedTime SpriteImages Category RestoreExpiration RestoreStatus EncryptType EncryptMode Encryption HDRType JobExt WatermarkId WatermarkIdList
	DanMuURL FileMD5 CustomMediaInfo AuditBlockedLabel ThumbURL240P ThumbURLWebp SubtitleStreamInfoList DeviceModel RegisteredMediaId
	CreationJobId MediaAssetSubType SourceId SourceName Prompt ImagesInput Namespace StreamStatus VisionDescription
	BusinessStatus OssFile TranscodeTemplateList
	InputConfig OutputConfig InputAttachments OutputGroups OutputMediaConfig MediaProduceConfig LiveStreamConfig ProcessConfig Config Input Source
	AttachedMedia Audio Image Video
	ice.DetectAudioForCustomizedVoiceJob:Reason ice.GetPlayInfo:Definition ice.GetPlayInfo:JobId ice.GetLiveTranscodeJob:Status ice.ListLiveTranscodeJobs:Status ice.GetVideoList:Snapshots
	ice.GetProjectExportJob:ProjectId ice.BatchGetMediaInfos:Data
`)

// overrides are the parameters of single operations that no rule gives.
var overrides = map[string]map[string]any{
	"ice.CreateUploadMedia":           {"FileInfo": `{"Type":"video","Name":"a","Ext":"mp4"}`, "UploadTargetConfig": nil},
	"ice.RegisterYikeAssetMediaInfo":  {"InputURL": "oss://example-bucket/example.mp4"},
	"ice.RegisterMediaInfo":           {"InputURL": "oss://example-bucket/video.mp4", "ReferenceId": nil},
	"ice.UploadMediaByURL":            {"UploadURLs": "https://www.example.com/a.mp4", "MediaMetaData": nil},
	"ice.SetDefaultStorageLocation":   {"Bucket": "example-bucket"},
	"ice.SearchMedia":                 {"Match": "title = 'the title'", "CustomFilters": nil, "SortBy": "utcCreate:Desc", "SearchLibName": "library"},
	"ice.UpdateMediaInfo":             {"BusinessType": "general", "ReferenceId": nil},
	"vod.CreateUploadVideo":           {"ReferenceId": "reference-2"},
	"vod.CreateUploadImage":           {"ImageExt": "png"},
	"vod.CreateUploadAttachedMedia":   {"MediaExt": "png", "BusinessType": "watermark"},
	"vod.UploadMediaByURL":            {"UploadURLs": "https://www.example.com/a.mp4", "UploadMetadatas": nil},
	"vod.GetPlayInfo":                 {"Definition": "HD", "Formats": "mp4"},
	"ice.SubmitMediaAiAnalysisJob":    {"Input": "$MediaId"},
	"ice.GetYikeAssetMediaInfo":       {"MediaId": "$YikeId"},
	"vod.UpdateVideoInfos":            {"UpdateContent": `[{"VideoId":"$VideoId","Title":"b"}]`},
	"ice.BatchGetYikeAssetMediaInfos": {"MediaIds": "$YikeId"},
	"ice.BatchGetMediaInfos":          {"AdditionType": "FileInfo,DynamicMetaData"},
	"ice.SubmitLiveEditingJob":        {"ProjectId": nil},
	"vod.SearchMedia":                 {"Match": "Title = 'the title'", "SortBy": "CreationTime:Desc", "Fields": "Title,CateName,CoverURL,Status,Tags,Size,Duration,Snapshots"},
	"vod.DeleteMultipartUpload":       {"MediaId": "$HalfId"},
	"vod.ListAIJob":                   {"JobIds": "$AIJobId"},
	"vod.SubmitAIJob":                 {"Types": "AIVideoTag"},
	"vod.AddVodDomain":                {"Sources": `[{"content":"192.0.2.1","type":"ipaddr","priority":"20","port":80}]`},
	"vod.AddTranscodeTemplateGroup":   {"TranscodeTemplateList": `[{"Definition":"HD","TemplateName":"a"}]`},
	"vod.GetTranscodeTask":            {"JobIds": nil},
	"vod.CreateAudit":                 {"AuditContent": `[{"VideoId":"$VideoId","Status":"Blocked"}]`},
	"vod.UpdateImageInfos":            {"UpdateContent": `[{"ImageId":"$ImageId","Title":"b"}]`},
	"vod.UpdateAttachedMediaInfos":    {"UpdateContent": `[{"MediaId":"$AttachedMediaId","Title":"b"}]`},
	"vod.RegisterMedia":               {"RegisterMetadatas": `[{"FileURL":"$FileURL","Title":"b"}]`},
	"vod.GetAttachedMediaInfo":        {"MediaIds": "$AttachedMediaId"},
	"vod.DeleteAttachedMedia":         {"MediaIds": "$AttachedMediaId"},
	"vod.CancelUrlUploadJobs":         {"JobIds": nil, "UploadUrls": "https://www.example.com/long.mp4"},
	"vod.GetURLUploadInfos":           {"JobIds": "$URLJobId", "UploadURLs": nil},
	"ice.GetUrlUploadInfos":           {"JobIds": "$URLJobId", "UploadURLs": nil},
	"ice.UpdateMediaMarks":            {"MediaMarks": `[{"MediaMarkId":"$MediaMarkIds","MarkTitle":"b"}]`},
	"ice.DeleteMediaMarks":            {"MediaMarkIds": "$MediaMarkIds"},
	"ice.GetStorageList":              {"StorageType": nil, "Status": nil},
	"ice.ListMediaBasicInfos":         {"Source": nil, "MediaType": "video", "Status": "Normal", "BusinessType": "general"},
	"ice.GetVideoList":                {"Status": "Normal"},
	"vod.GetVideoList":                {"Status": "Normal"},
	"ice.GetPlayInfo":                 {"InputURL": nil},
	"ice.SubmitMediaConvertJob":       {"Config": `{"JobName":"a","Inputs":[{"Name":"b"}]}`},
}

// request is a valid request that names what there is in the world.
func (w *world) request(action string) reflect.Value {
	special := map[string]any{}
	for name, value := range overrides[w.service+"."+action] {
		if text, ok := value.(string); ok {
			for id, known := range w.ids {
				text = strings.ReplaceAll(text, "$"+id, known)
			}
			value = text
		}
		special[name] = value
	}
	return requestOf(w.client, action, func(t reflect.Type) reflect.Value {
		v := valid(t)
		for i := range v.NumField() {
			name, field := t.Field(i).Name, v.Field(i)
			value, known := special[name]
			if !known {
				value, known = w.ids[name], w.ids[name] != ""
			}
			if !known {
				value, known = w.ids[strings.TrimSuffix(name, "s")], w.ids[strings.TrimSuffix(name, "s")] != ""
			}
			if known {
				setField(field, value)
			}
		}
		return v
	})
}

func setField(field reflect.Value, value any) {
	text, _ := value.(string)
	switch {
	case value == nil:
		field.SetZero()
	case field.Kind() == reflect.Pointer:
		field.Set(reflect.New(field.Type().Elem()))
		setField(field.Elem(), value)
	case field.Kind() == reflect.Struct:
		field.SetZero()
		field.FieldByName("Raw").SetString(text)
	case field.Kind() == reflect.String:
		field.SetString(text)
	case field.Kind() == reflect.Slice && field.Type().Elem().Kind() == reflect.String:
		field.Set(reflect.ValueOf([]string{text}).Convert(field.Type()))
	case field.Kind() == reflect.Slice:
		if !strings.HasPrefix(text, "[") {
			text = "[" + text + "]"
		}
		if err := json.Unmarshal([]byte(text), field.Addr().Interface()); err != nil {
			panic(err)
		}
	case field.Kind() == reflect.Interface:
		field.Set(reflect.ValueOf(alimedia.JSON(text)))
	case field.CanFloat() || field.Kind() == reflect.Bool:
		panic("no rule for " + field.Type().String())
	case field.CanInt():
		if n, err := strconv.ParseInt(text, 10, 64); err == nil {
			field.SetInt(n)
		}
	}
}

// perform calls an operation with a valid request, of a family after its creation.
func (w *world) perform(t testing.TB, action string) (reflect.Value, error) {
	for _, f := range mediatest.Families() {
		if f.Service != w.service || len(f.Create) == 0 {
			continue
		}
		others := slices.Concat(f.Get, f.List, f.Update, f.Delete, f.Set)
		creates := slices.Contains(f.Create, action)
		if !creates && !slices.Contains(others, action) {
			continue
		}
		create := action
		if !creates {
			create = f.Create[0]
		}
		request := w.request(create)
		for _, name := range []string{"ProjectId", "JobId", f.ID} { // nothing that exists already
			if field := request.FieldByName(name); name != "" && f.Key == "" && field.IsValid() && field.Kind() == reflect.String {
				field.SetString("")
			}
		}
		out, err := invoke(w.client, create, request)
		if creates || err != nil {
			return out, err
		}
		ids := w.srv.IDs(f.Service, f.Kind)
		made := reflect.Value{}
		if slices.Contains(f.List, action) {
			made = request
		}
		return invoke(w.client, action, naming(w.client, action, f, ids[len(ids)-1], made))
	}
	return invoke(w.client, action, w.request(action))
}

func TestSurface_EveryOperationDoesWhatAValidRequestAsks(t *testing.T) {
	t.Parallel()
	total := 0
	for _, service := range []string{"ice", "vod"} {
		for action, level := range mediatest.Levels(service) {
			total++
			t.Run(service+"/"+action, func(t *testing.T) {
				t.Parallel()
				w := emptyWorld(t, service)
				if level == mediatest.Behavior {
					w = newWorld(t, service)
				}
				out, err := w.perform(t, action)
				require.NoError(t, err)
				require.NotEmpty(t, out.FieldByName("RequestId").String())
				require.Equal(t, level, w.raw.head.Get("X-Mediatest-Level"))
				empty := slices.DeleteFunc(conforms(t, catalogue.Find(service, action), w.raw.last), func(at string) bool {
					return slices.ContainsFunc(strings.Split(at, "."), func(part string) bool {
						return neverFilled(part) || slices.Contains(mayBeEmpty, part) || slices.Contains(mayBeEmpty, service+"."+action+":"+part)
					})
				})
				require.Empty(t, empty, "%.2000s", w.raw.last)
			})
		}
	}
	require.Equal(t, 586, total)
}
