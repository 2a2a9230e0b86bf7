package bench

import (
	"encoding/json"
	"os"
	"strconv"
	"strings"
	"testing"

	openapiutil "github.com/alibabacloud-go/darabonba-openapi/v2/utils"
	"github.com/alibabacloud-go/tea/dara"
	"github.com/stretchr/testify/require"

	"github.com/alimedia/alimedia-go"
	"github.com/alimedia/alimedia-go/ice"
	"github.com/alimedia/alimedia-go/internal/rpc"
)

// BenchmarkDecode reads a small, a middle and the biggest response: ours by
// rpc.Decode, Alibaba's way by reading into a map and dara.Convert into a
// struct of the same shape. The responses have every field of the catalogue.
func BenchmarkDecode(b *testing.B) {
	decodeBoth[ice.RegisterMediaStreamResponse](b, "RegisterMediaStream")
	decodeBoth[ice.GetMediaInfoResponse](b, "GetMediaInfo")
	decodeBoth[ice.GetTranscodeJobResponse](b, "GetTranscodeJob")
}

func decodeBoth[T any](b *testing.B, action string) {
	response := sampleResponse(b, action)
	b.Run(action+"/ours", func(b *testing.B) {
		b.SetBytes(int64(len(response)))
		b.ReportAllocs()
		for b.Loop() {
			if err := rpc.Decode(response, new(T)); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run(action+"/official", func(b *testing.B) {
		type envelope struct {
			Headers    map[string]*string `json:"headers,omitempty"`
			StatusCode *int32             `json:"statusCode,omitempty"`
			Body       *T                 `json:"body,omitempty"`
		}
		headers := map[string]*string{"x-acs-request-id": dara.String("R")}
		b.SetBytes(int64(len(response)))
		b.ReportAllocs()
		for b.Loop() {
			body, err := dara.ReadAsJSON(strings.NewReader(string(response)))
			if err != nil {
				b.Fatal(err)
			}
			result := map[string]any{"body": body, "headers": headers, "statusCode": 200}
			if err := dara.Convert(result, new(envelope)); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// BenchmarkEncode turns a request into wire parameters: ours by rpc.Encode,
// Alibaba's way by a map of the fields and openapiutil.Query, as its generated
// methods do.
func BenchmarkEncode(b *testing.B) {
	register := ice.RegisterMediaStreamRequest{InputURL: inputURL, MediaId: mediaId, UserData: ice.UserData{Raw: userData}}
	update := ice.UpdateMediaInfoRequest{MediaId: mediaId, Title: "title", Description: "description", MediaTags: "a,b", CoverURL: "https://h/c.png",
		CateId: 7, ReferenceId: "reference", AppendTags: alimedia.Ptr(true)}
	encodeBoth(b, "RegisterMediaStream", register, func() map[string]any {
		return map[string]any{"InputURL": dara.String(inputURL), "MediaId": dara.String(mediaId), "UserData": dara.String(userData)}
	})
	encodeBoth(b, "UpdateMediaInfo", update, func() map[string]any {
		return map[string]any{"MediaId": dara.String(mediaId), "Title": dara.String("title"), "Description": dara.String("description"),
			"MediaTags": dara.String("a,b"), "CoverURL": dara.String("https://h/c.png"), "CateId": dara.Int64(7),
			"ReferenceId": dara.String("reference"), "AppendTags": dara.Bool(true)}
	})
}

func encodeBoth(b *testing.B, name string, request any, fields func() map[string]any) {
	b.Run(name+"/ours", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := rpc.Encode(request); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run(name+"/official", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if len(openapiutil.Query(fields())) == 0 {
				b.Fatal("nothing encoded")
			}
		}
	})
}

type fact struct {
	Name, Type string
	Ref        string
	JSONText   bool `json:"jsonText"`
	Fields     []fact
}

// sampleResponse is a response of an operation with every field the catalogue
// knows, each list having two elements.
func sampleResponse(b *testing.B, action string) []byte {
	b.Helper()
	data, err := os.ReadFile("../../api/ice.json")
	require.NoError(b, err)
	var catalogue struct {
		Operations map[string]struct{ Response fact }
		Models     map[string]fact
	}
	require.NoError(b, json.Unmarshal(data, &catalogue))
	var sample func(f fact) any
	sample = func(f fact) any {
		if element, ok := strings.CutPrefix(f.Type, "array<"); ok {
			f.Type = strings.TrimSuffix(element, ">")
			return []any{sample(f), sample(f)}
		}
		n := len(f.Name)*1000 + 7
		switch {
		case f.Type == "object":
			fields := f.Fields
			if f.Ref != "" {
				fields = catalogue.Models[f.Ref].Fields
			}
			object := map[string]any{}
			for _, inner := range fields {
				object[inner.Name] = sample(inner)
			}
			return object
		case f.Type == "any", strings.HasPrefix(f.Type, "map<"):
			return map[string]any{"key": "value"}
		case f.JSONText:
			return `{"inner":"` + f.Name + `"}`
		case f.Type == "string":
			return f.Name + "-" + strconv.Itoa(n)
		case f.Type == "bool":
			return true
		case strings.HasPrefix(f.Type, "float"):
			return float64(n) + 0.5
		default:
			return n
		}
	}
	response, err := json.Marshal(sample(catalogue.Operations[action].Response))
	require.NoError(b, err)
	return response
}
