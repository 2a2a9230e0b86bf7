package mediatest_test

import (
	"context"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/alimedia/alimedia-go"
	"github.com/alimedia/alimedia-go/ice"
	"github.com/alimedia/alimedia-go/mediatest"
	"github.com/alimedia/alimedia-go/vod"
)

// clientOf opens the typed client of a service.
func clientOf(t testing.TB, service string, cfg alimedia.Config) any {
	t.Helper()
	var (
		client any
		err    error
	)
	if service == "ice" {
		client, err = ice.New(cfg)
	} else {
		client, err = vod.New(cfg)
	}
	require.NoError(t, err)
	return client
}

// invoke calls an operation by its method.
func invoke(client any, action string, request reflect.Value) (reflect.Value, error) {
	in := []reflect.Value{reflect.ValueOf(context.Background())}
	if request.IsValid() {
		in = append(in, request)
	}
	out := reflect.ValueOf(client).MethodByName(action).Call(in)
	err, _ := out[1].Interface().(error)
	return out[0].Elem(), err
}

// requestOf makes a request of an operation, by a maker of its value; invalid
// for an operation without parameters.
func requestOf(client any, action string, make func(reflect.Type) reflect.Value) reflect.Value {
	method := reflect.ValueOf(client).MethodByName(action).Type()
	if method.NumIn() < 2 {
		return reflect.Value{}
	}
	return make(method.In(1))
}

// valid fills a request with what its checks let pass.
func valid(t reflect.Type) reflect.Value { return validValue(t, "", "") }

// documents are those that come back in answers, whole.
var documents = map[string]string{
	"ChannelOutputConfig": `{"ChannelName":"a","Format":"HLS","ManifestName":"b","ManifestSettings":{"WindowDuration":60},"PlaybackUrl":"https://www.example.com/b.m3u8","SourceGroupName":"c"}`,
	"ProgramAdBreak": `{"ChannelName":"a","ProgramName":"b","MessageType":"SPLICE_INSERT","OffsetMillis":1000,"SourceLocationName":"c","SourceName":"d",
		"SpliceInsertSettings":{"SpliceEventID":1},"TimeSignalSettings":{"Type":"a"}}`,
}

func validValue(t reflect.Type, name, check string) reflect.Value {
	v := reflect.New(t).Elem()
	rules := map[string]string{}
	for rule := range strings.SplitSeq(check, ",") {
		rule, arg, _ := strings.Cut(rule, "=")
		rules[rule] = arg
	}
	token, _, _ := strings.Cut(rules["in"]+rules["fold"], "|")
	switch t.Kind() {
	case reflect.Struct:
		if raw := v.FieldByName("Raw"); raw.IsValid() {
			raw.SetString(`{"Title":"a"}`)
			if whole, ok := documents[t.Name()]; ok {
				raw.SetString(whole)
			}
			return v
		}
		for i := range t.NumField() {
			sf := t.Field(i)
			if sf.IsExported() && sf.Tag.Get("json") != "-" && !pages(sf.Name) {
				v.Field(i).Set(validValue(sf.Type, sf.Name, sf.Tag.Get("check")))
			}
		}
	case reflect.Pointer:
		v.Set(reflect.New(t.Elem()))
		v.Elem().Set(validValue(t.Elem(), name, check))
	case reflect.Slice:
		v.Set(reflect.MakeSlice(t, 1, 1))
		v.Index(0).Set(validValue(t.Elem(), strings.TrimSuffix(name, "s"), check))
	case reflect.Map:
		v.Set(reflect.MakeMap(t))
	case reflect.Interface:
		v.Set(reflect.ValueOf(map[string]any{"Name": name}))
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Float32, reflect.Float64:
		v.SetFloat(validNumber(rules, token))
	case reflect.String:
		v.SetString(validText(t, name, rules, token))
	default:
		v.SetInt(int64(validNumber(rules, token)))
	}
	return v
}

// pages finds the tokens of a page, which only the service can give.
func pages(name string) bool {
	return slices.Contains([]string{"NextToken", "NextPageToken", "ScrollToken"}, name)
}

func validNumber(rules map[string]string, token string) float64 {
	for _, text := range []string{token, rules["min"]} {
		if n, err := strconv.ParseFloat(text, 64); err == nil {
			return n
		}
	}
	return 1
}

func validText(t reflect.Type, name string, rules map[string]string, token string) string {
	switch {
	case token != "":
		return token
	case t == reflect.TypeFor[alimedia.JSON]():
		return `{"Name":"` + name + `"}`
	case rules["url"] == "oss" || rules["url"] == "media":
		return "oss://example-bucket/example.mp4"
	case rules["url"] == "http":
		return "https://example.com/example.mp4"
	case rules["pattern"] == "clientToken":
		return strings.Repeat("a1", 16)
	case strings.HasSuffix(name, "Time") && name != "StartTime" && name != "EndTime":
		return "2024-03-01T08:00:00Z"
	case rules["min"] != "" || rules["max"] != "":
		return strconv.FormatFloat(validNumber(rules, token), 'f', -1, 64)
	}
	if _, ext := rules["ext"]; ext {
		return "example.mp4"
	}
	if rules["bytes"] == "" && rules["runes"] == "" && rules["tags"] == "" && rules["items"] == "" {
		return name + "-1234567"
	}
	most := 12
	for _, limit := range []string{rules["bytes"], rules["runes"]} {
		if n, err := strconv.Atoi(limit); err == nil {
			most = min(most, n)
		}
	}
	text := name + "-12345678901"
	return text[:min(most, len(text))]
}

// neverFilled are the fields of a successful answer that stay empty: reasons
// of failures, and lists of what was not found.
func neverFilled(name string) bool {
	for _, part := range []string{"NonExist", "Forbidden", "Ignored", "Failed", "Error", "NextToken", "NextPageToken", "ScrollToken", "UnRemove", "AccessDenied"} {
		if strings.Contains(name, part) {
			return true
		}
	}
	return name == "Message" || name == "Code" || name == "RetCode" || name == "Retcode"
}

// broken is a request without its required parameters, in so far as it has any.
func TestSurface_EveryOperationRefusesABrokenRequest(t *testing.T) {
	t.Parallel()
	for _, service := range []string{"ice", "vod"} {
		srv := mediatest.New(t, mediatest.Strict())
		cfg := srv.Config()
		cfg.SkipValidation = true
		client := clientOf(t, service, cfg)
		do := client.(interface {
			Do(ctx context.Context, action string, in, out any) error
		}).Do
		for action := range mediatest.Levels(service) {
			t.Run(service+"/"+action, func(t *testing.T) {
				request := requestOf(client, action, valid)
				if request.IsValid() && hasRequired(request.Type()) {
					_, err := invoke(client, action, reflect.Zero(request.Type()))
					require.True(t, alimedia.HasCode(err, "MissingParameter"), "%v", err)
				}
				err := do(t.Context(), action, map[string]any{"NoSuchParameter": "1"}, nil)
				require.True(t, alimedia.HasCode(err, "MissingParameter") || alimedia.HasCode(err, "InvalidParameter"), "%v", err)
			})
		}
	}
}

// hasRequired reports whether a parameter is required whose zero value is not
// sent.
func hasRequired(t reflect.Type) bool {
	for i := range t.NumField() {
		sf := t.Field(i)
		if strings.HasPrefix(sf.Tag.Get("check"), "required") && sf.Type.Kind() == reflect.String {
			return true
		}
	}
	return false
}

func TestSurface_StrictNamesWhatHasNoBehavior(t *testing.T) {
	t.Parallel()
	srv := mediatest.New(t, mediatest.Strict())
	video, err := vod.New(srv.Config())
	require.NoError(t, err)
	_, err = video.DescribeVodRefreshQuota(t.Context())
	require.ErrorContains(t, err, "mediatest has no behavior for DescribeVodRefreshQuota yet; use Server.Handle")
}

func TestSurface_ShapeIsMarkedDeterministicAndNamesWhatWasAsked(t *testing.T) {
	t.Parallel()
	srv := mediatest.New(t)
	c := callerOf(srv, vodVersion)
	first := c.call(t, "DescribeVodDomainHitRateData", "DomainName", "play.example.org")
	require.Equal(t, "shape", first.header.Get("X-Mediatest-Level"))
	require.Contains(t, first.raw, `"DomainName":"play.example.org"`)
	again := c.call(t, "DescribeVodDomainHitRateData", "DomainName", "play.example.org")
	delete(first.body, "RequestId")
	delete(again.body, "RequestId")
	require.Equal(t, first.body, again.body)
	require.Equal(t, "behavior", c.call(t, "SearchMedia").header.Get("X-Mediatest-Level"))
}

func TestSurface_ShapePagesEnd(t *testing.T) {
	t.Parallel()
	srv := mediatest.New(t)
	video, err := vod.New(srv.Config())
	require.NoError(t, err)
	n := 0
	for _, err := range video.ListLiveRecordVideoIter(t.Context(), vod.ListLiveRecordVideoRequest{PageSize: 2}) {
		require.NoError(t, err)
		n++
	}
	require.Equal(t, 3, n)
	require.Equal(t, 2, srv.Calls("ListLiveRecordVideo"))
}
