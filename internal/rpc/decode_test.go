package rpc

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/alimedia/alimedia-go"
)

type nested struct {
	JobId string
	Sizes []int64
}

type responseBody struct {
	RequestId string
	MediaId   string
	MediaIds  []string
	Title     string
	Size      int64
	Small     int32
	Ratio     float64
	Ok        bool
	List      []nested
	One       nested
	Frames    string `json:"Nb_frames"`
	Doc       alimedia.JSON
	Free      any
	Map       map[string]string
	Failed    []string `rpc:",unfold"`

	UploadAuth alimedia.Secret
	Pointer    *nested
	Own        own
}

func TestDecode(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, body string
		want       responseBody
	}{
		{"as documented", `{"MediaId":"m","Size":3,"List":[{"JobId":"j","Sizes":[1]}],"Nb_frames":"7"}`,
			responseBody{MediaId: "m", Size: 3, List: []nested{{"j", []int64{1}}}, Frames: "7"}},
		{"numbers as strings", `{"Size":"12","Small":"3","Ratio":"0.5","Ok":"true","List":[{"Sizes":["4","5"]}]}`,
			responseBody{Size: 12, Small: 3, Ratio: 0.5, Ok: true, List: []nested{{Sizes: []int64{4, 5}}}}},
		{"strings as numbers", `{"Title":12.50,"MediaId":9007199254740993,"Nb_frames":true,"Ok":1}`,
			responseBody{Title: "12.50", MediaId: "9007199254740993", Frames: "true", Ok: true}},
		{"fractions and exponents for integers", `{"Size":12.0,"Small":"3.9"}`, responseBody{Size: 12, Small: 3}},
		{"empty strings for anything", `{"Size":"","Ratio":"","Ok":"","One":"","List":"","Title":1}`, responseBody{Title: "1"}},
		{"null", `{"MediaId":null,"List":null,"Size":null}`, responseBody{}},
		{"everything else still decodes when one field is odd", `{"MediaId":"m","Size":"1","One":{"JobId":5},"Map":{"a":1}}`,
			responseBody{MediaId: "m", Size: 1, One: nested{JobId: "5"}, Map: map[string]string{"a": "1"}}},
		{"unknown fields", `{"New":[{}],"MediaId":"m"}`, responseBody{MediaId: "m"}},
		{"inner document as text", `{"Doc":"{\"a\":1}"}`, responseBody{Doc: `{"a":1}`}},
		{"inner document, unquoted", `{"Doc":{"a":1},"Title":7}`, responseBody{Doc: `{"a":1}`, Title: "7"}},
		{"broken inner document", `{"Doc":"{\"a\":"}`, responseBody{Doc: `{"a":`}},
		{"free-form value", `{"Free":{"a":[1,"x"]},"Title":1}`, responseBody{Free: map[string]any{"a": []any{json.Number("1"), "x"}}, Title: "1"}},
		{"ids are trimmed", `{"RequestId":" r ","MediaId":"****b5a856828dc2****\n","MediaIds":["a\n"," b"],"Title":" kept ","List":[{"JobId":"j\t"}],"One":{"JobId":"\nk"}}`,
			responseBody{RequestId: "r", MediaId: "****b5a856828dc2****", MediaIds: []string{"a", "b"}, Title: " kept ", List: []nested{{JobId: "j"}}, One: nested{JobId: "k"}}},
		{"lists in lists are unfolded", `{"Failed":["x","[\"http://b/3.mp4\",\"http://b/4.mp4\"]","[not json","y"]}`,
			responseBody{Failed: []string{"x", "http://b/3.mp4", "http://b/4.mp4", "[not json", "y"}}},
		{"names in another case", `{"mediaid":"m","SIZE":"4"}`, responseBody{MediaId: "m", Size: 4}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var got responseBody
			require.NoError(t, Decode([]byte(tt.body), &got))
			require.Equal(t, tt.want, got)
		})
	}
}

// What does not fit costs only itself, and is named by its path.
func TestDecode_LeavesOutWhatDoesNotFit(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, body string
		want       responseBody
		lost       []string
	}{
		{"words for a number", `{"MediaId":"m","Size":"many"}`, responseBody{}, []string{"Size"}},
		{"not a number", `{"MediaId":"m","Size":"NaN","Small":"Infinity","Ratio":"-Inf"}`, responseBody{}, []string{"Size", "Small", "Ratio"}},
		{"beyond floats", `{"MediaId":"m","Size":"1e999","Small":1e999,"Ratio":1e999}`, responseBody{}, []string{"Size", "Small", "Ratio"}},
		{"beyond integers", `{"MediaId":"m","Small":99999999999,"Size":9223372036854775808}`, responseBody{}, []string{"Small", "Size"}},
		{"beyond integers, as text", `{"MediaId":"m","Size":"1e300"}`, responseBody{}, []string{"Size"}},
		{"other notations", `{"MediaId":"m","Size":"0x10","Small":"1_0","Ratio":"0x1p-2"}`, responseBody{}, []string{"Size", "Small", "Ratio"}},
		{"a date for a number", `{"MediaId":"m","Size":"2021-11-26 21:47:37"}`, responseBody{}, []string{"Size"}},
		{"object for a number", `{"MediaId":"m","Size":{}}`, responseBody{}, []string{"Size"}},
		{"object for an id", `{"MediaId":"m","One":{"JobId":{"a":1}}}`, responseBody{}, []string{"One.JobId"}},
		{"object for a plain text", `{"MediaId":"m","Title":{"a":1}}`, responseBody{}, []string{"Title"}},
		{"object for a secret", `{"MediaId":"m","UploadAuth":{"a":1}}`, responseBody{}, []string{"UploadAuth"}},
		{"list for an object", `{"MediaId":"m","One":[1,2]}`, responseBody{}, []string{"One"}},
		{"text for an object", `{"MediaId":"m","One":"x"}`, responseBody{}, []string{"One"}},
		{"text for a list of objects", `{"MediaId":"m","List":"x"}`, responseBody{}, []string{"List"}},
		{"object for a list of numbers", `{"MediaId":"m","One":{"Sizes":{"a":1,"b":2}}}`, responseBody{}, []string{"One.Sizes"}},
		{"number for a map", `{"MediaId":"m","Map":7}`, responseBody{}, []string{"Map"}},
		{"neither true nor false", `{"MediaId":"m","Ok":"maybe"}`, responseBody{}, []string{"Ok"}},
		{"in a list", `{"MediaId":"m","List":[{"JobId":"j","Sizes":[1,"x",3]},7]}`,
			responseBody{List: []nested{{"j", []int64{1, 0, 3}}, {}}}, []string{"List[0].Sizes[1]", "List[1]"}},
		{"in a map", `{"MediaId":"m","Map":{"a":{},"b":"c"}}`, responseBody{Map: map[string]string{"b": "c"}}, []string{"Map.a"}},
		{"a key that is no name", `{"MediaId":"m","Map":{"the secret!":{}}}`, responseBody{Map: map[string]string{}}, []string{"Map.*"}},
		{"a pointer", `{"MediaId":"m","Pointer":"x"}`, responseBody{}, []string{"Pointer"}},
		{"a type that reads itself", `{"MediaId":"m","Own":{"a":1}}`, responseBody{}, []string{"Own"}},
		{"JSON text of another form", `{"MediaId":"m","One":"[1,2]"}`, responseBody{}, []string{"One"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var got responseBody
			d := decoder{body: []byte(tt.body)}
			require.NoError(t, d.decode(&got))
			tt.want.MediaId = "m"
			require.Equal(t, tt.want, got)
			require.Equal(t, tt.lost, d.lost)
			require.Equal(t, len(tt.lost), d.losses)
			require.NoError(t, Decode([]byte(tt.body), new(responseBody)))
		})
	}
}

// own reads itself, and fails.
type own struct{ text string }

func (o *own) UnmarshalJSON(data []byte) error {
	o.text = "half"
	if data[0] == '{' {
		return errors.New("no")
	}
	return nil
}

// wrap is a list in an object, as VOD has many.
type wrap struct{ Item []nested }

type links struct{ Url []string }

func TestDecode_Conversions(t *testing.T) {
	t.Parallel()
	type body struct {
		Ids      []string
		Urls     []string
		Numbers  []int64
		Items    []nested
		Wrapped  wrap
		Links    links
		One      nested
		Tags     string
		MediaIds string
		UserData string
		Title    string
		Ok       bool
		Size     int64
		Unsigned uint32
		Map      map[string]nested
		Any      any
		Doc      alimedia.JSON
		Pointer  *nested
		Sorted   [2]int
	}
	j := nested{JobId: "j"}
	tests := []struct {
		name, body string
		want       body
	}{
		{"text for a list", `{"Ids":"a","Urls":"http://h/a,b","Numbers":"5"}`, body{Ids: []string{"a"}, Urls: []string{"http://h/a,b"}, Numbers: []int64{5}}},
		{"text with commas for a list of ids", `{"Ids":"a, b,,c"}`, body{Ids: []string{"a", "b", "c"}}},
		{"number and boolean for a list", `{"Ids":7,"Numbers":8,"Urls":true}`, body{Ids: []string{"7"}, Numbers: []int64{8}, Urls: []string{"true"}}},
		{"JSON text for a list", `{"Urls":" [\"x\",\"y\"]","Items":"[{\"JobId\":\"j\"}]","Numbers":"[1,\"2\"]"}`,
			body{Urls: []string{"x", "y"}, Items: []nested{j}, Numbers: []int64{1, 2}}},
		{"JSON text in JSON text", `{"Items":"\"[{\\\"JobId\\\":\\\"j\\\"}]\""}`, body{Items: []nested{j}}},
		{"one object for a list", `{"Items":{"JobId":"j"}}`, body{Items: []nested{j}}},
		{"JSON text of one object for a list", `{"Items":"{\"JobId\":\"j\"}"}`, body{Items: []nested{j}}},
		{"a wrapped list for a bare one", `{"Items":{"Item":[{"JobId":"j"}]},"Urls":{"Url":["x","y"]}}`, body{Items: []nested{j}, Urls: []string{"x", "y"}}},
		{"a wrapped element for a bare list", `{"Items":{"Item":{"JobId":"j"}},"Urls":{"Url":"x"}}`, body{Items: []nested{j}, Urls: []string{"x"}}},
		{"a bare list for a wrapped one", `{"Wrapped":[{"JobId":"j"}],"Links":["x"]}`, body{Wrapped: wrap{[]nested{j}}, Links: links{[]string{"x"}}}},
		{"the only element for a wrapped list", `{"Wrapped":{"JobId":"j"},"Links":"x"}`, body{Wrapped: wrap{[]nested{j}}, Links: links{[]string{"x"}}}},
		{"JSON text for a wrapped list", `{"Wrapped":"{\"Item\":[{\"JobId\":\"j\"}]}","Links":{"Url":"[\"x\"]"}}`, body{Wrapped: wrap{[]nested{j}}, Links: links{[]string{"x"}}}},
		{"JSON text for an object", `{"One":"{\"JobId\":\"j\"}","Pointer":"{\"JobId\":\"j\"}","Map":"{\"k\":{\"JobId\":\"j\"}}"}`,
			body{One: j, Pointer: &j, Map: map[string]nested{"k": j}}},
		{"a list of one for an element", `{"One":[{"JobId":"j"}],"Title":["t"],"Size":["5"],"Ok":[true],"Map":[{"k":{"JobId":"j"}}]}`,
			body{One: j, Title: "t", Size: 5, Ok: true, Map: map[string]nested{"k": j}}},
		{"lists of one in a list", `{"Ids":[["a"],["b"]]}`, body{Ids: []string{"a", "b"}}},
		{"empty lists and objects for absent values", `{"One":[],"Title":[],"Size":[],"Map":[],"Items":{},"Urls":{},"Pointer":[]}`, body{Pointer: &nested{}}},
		{"empty text for absent values", `{"One":" ","Map":"","Items":"","Wrapped":"","Numbers":" ","Size":" ","Ok":""}`, body{}},
		{"a list for text with commas", `{"Tags":["a",7],"MediaIds":["x","y"]}`, body{Tags: "a,7", MediaIds: "x,y"}},
		{"JSON for free text", `{"UserData":{"a": [1]},"Tags":"t"}`, body{UserData: `{"a": [1]}`, Tags: "t"}},
		{"JSON for a document", `{"Doc":{"a": [1]}}`, body{Doc: `{"a": [1]}`}},
		{"booleans", `{"Ok":2}`, body{Ok: true}},
		{"booleans in words", `{"Ok":"Yes"}`, body{Ok: true}},
		{"booleans in digits", `{"Ok":"1.0"}`, body{Ok: true}},
		{"booleans that are false", `{"Ok":"No","Size":false,"Unsigned":true}`, body{Unsigned: 1}},
		{"integers keep their digits", `{"Size":"9007199254740993.0"}`, body{Size: 9007199254740993}},
		{"integers with exponents", `{"Size":922337203685477580.7e1}`, body{Size: math.MaxInt64}},
		{"negative integers with exponents", `{"Size":"-90071992547409.93e2"}`, body{Size: -9007199254740993}},
		{"small numbers", `{"Size":1e-400,"Unsigned":"0.9"}`, body{}},
		{"signs", `{"Size":"+5","Unsigned":"-0"}`, body{Size: 5}},
		{"null in a list", `{"Ids":["a",null],"Items":[null,{"JobId":"j"}],"Map":{"k":null}}`,
			body{Ids: []string{"a", ""}, Items: []nested{{}, j}, Map: map[string]nested{"k": {}}}},
		{"numbers in free-form values", `{"Any":{"n":9007199254740993,"f":0.10,"l":[1e999]}}`,
			body{Any: map[string]any{"n": json.Number("9007199254740993"), "f": json.Number("0.10"), "l": []any{json.Number("1e999")}}}},
		{"everything in free-form values", `{"Any":[null,true,false,"\u00e4\ud83d\ude00",{},[]]}`,
			body{Any: []any{nil, true, false, "ä😀", map[string]any{}, []any{}}}},
		{"the last of a key counts", `{"Title":"a","Title":"b","Items":[{"JobId":"x","Sizes":[1]}],"Items":[{"JobId":"j"}],"One":{"JobId":"x"},"One":{"Sizes":[1]}}`,
			body{Title: "b", Items: []nested{j}, One: nested{Sizes: []int64{1}}}},
		{"an exact name wins", `{"title":"a","Title":"b","TITLE":"c"}`, body{Title: "b"}},
		{"another case", `{"userdata":"a","MEDIAIDS":"b","size":1}`, body{UserData: "a", MediaIds: "b", Size: 1}},
		{"a name with escapes", `{"Ti\u0074le":"a"}`, body{Title: "a"}},
		{"text that is not UTF-8", "{\"Title\":\"a\xffb\"}", body{Title: "a\ufffdb"}},
		{"a byte order mark", "\xef\xbb\xbf {\"Title\":\"a\"}\n", body{Title: "a"}},
		{"text after the document", `{"Title":"a"} <!-- gateway -->`, body{Title: "a"}},
		{"what encoding/json reads", `{"Sorted":[1,2]}`, body{Sorted: [2]int{1, 2}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got := body{Title: "of the attempt before"}
			d := decoder{body: []byte(tt.body)}
			require.NoError(t, d.decode(&got))
			require.Equal(t, tt.want, got)
			require.Empty(t, d.lost)
		})
	}
}

// A result of a caller may be any type that encoding/json takes.
func TestDecode_ResultsOfCallers(t *testing.T) {
	t.Parallel()
	type Base struct {
		A string
		B string
	}
	type inner struct{ C string }
	type result struct {
		Base
		*inner2
		inner
		B       int    `json:"b2,omitempty"`
		Skipped string `json:"-"`
		When    time.Time
		Raw     json.RawMessage
		Bytes   []byte
		Numbers map[int]string
		Number  json.Number
		Next    *result
	}
	var got result
	require.NoError(t, Decode([]byte(`{"A":"a","B":"b","C":"c","b2":"7","Skipped":"x","When":"2026-01-02T03:04:05Z","Raw":{"x": 1},
		"Bytes":"YQ==","Numbers":{"1":"x"},"Number":1.50,"Next":{"A":"n"}}`), &got))
	require.Equal(t, result{Base: Base{"a", "b"}, inner: inner{"c"}, B: 7, When: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC),
		Raw: json.RawMessage(`{"x": 1}`), Bytes: []byte("a"), Numbers: map[int]string{1: "x"}, Number: "1.50", Next: &result{Base: Base{A: "n"}}}, got)

	var hidden any = &inner{}
	require.NoError(t, Decode([]byte(`{"C":"c"}`), &hidden))
	require.Equal(t, &inner{"c"}, hidden)

	var free map[string]any
	require.NoError(t, Decode([]byte(`{"n":12345678901234567890}`), &free))
	require.Equal(t, map[string]any{"n": json.Number("12345678901234567890")}, free)
	for _, out := range []any{nil, result{}, (*result)(nil)} {
		if out != nil {
			require.ErrorContains(t, Decode([]byte(`{}`), out), "pointer that is not nil")
		}
	}
}

type inner2 struct{ D string }

func TestDecode_Refuses(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct{ body, text string }{
		"nothing":        {``, "the response is not JSON"},
		"half":           {`{"MediaId":"x`, "the response is not JSON: syntax error at byte 13"},
		"a page":         {"<html>private", "the response is not JSON"},
		"words":          {"private", "the response is not JSON"},
		"a number alone": {"7", "a JSON number does not fit"},
		"a list of two":  {`[{},{}]`, "a JSON list does not fit"},
		"deep":           {strings.Repeat("[", 20_000) + strings.Repeat("]", 20_000), "the response is not JSON"},
		"deep objects":   {strings.Repeat(`{"a":`, 20_000), "the response is not JSON"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := Decode([]byte(tt.body), new(responseBody))
			require.ErrorContains(t, err, tt.text)
			require.NotContains(t, err.Error(), "private")
		})
	}
}

// A response takes memory in proportion to its length, whatever it is made of.
func TestDecode_B62_MemoryInProportion(t *testing.T) {
	type wide struct {
		Items []struct {
			Fields [90]string
			Inner  []struct{ Fields [50]string }
		}
		Wrapped struct{ Item []struct{ Fields [90]string } }
		Maps    []map[string]string
		Texts   []string
		Free    any
		Doc     alimedia.JSON
		Failed  []string `rpc:",unfold"`
		Many    map[string]struct{ Fields [90]string }
	}
	repeat := func(before, part, after string) string {
		return before + strings.Repeat(part, (1<<19)/len(part)) + part[:len(part)-1] + after
	}
	nestedText, _ := json.Marshal(repeat(`[`, `{},`, `]`))
	for name, body := range map[string]string{
		"empty objects":           repeat(`{"Items":[`, `{},`, `]}`),
		"nulls":                   repeat(`{"Items":[`, `null,`, `]}`),
		"zeroes":                  repeat(`{"Items":[`, `0,`, `]}`),
		"empty lists":             repeat(`{"Items":[`, `[],`, `]}`),
		"in a wrapped list":       repeat(`{"Wrapped":{"Item":[`, `{},`, `]}}`),
		"for a wrapped list":      repeat(`{"Wrapped":[`, `{},`, `]}`),
		"lists in a list":         repeat(`{"Items":[`, `{"Inner":[{},{},{},{},{},{},{},{}]},`, `]}`),
		"as JSON text":            `{"Items":` + string(nestedText) + `}`,
		"a key again and again":   repeat(`{`, `"Items":[{},{},{},{}],`, `}`),
		"small maps":              repeat(`{"Maps":[`, `{"":0},`, `]}`),
		"empty maps":              repeat(`{"Maps":[`, `{},`, `]}`),
		"empty strings":           repeat(`{"Texts":[`, `"",`, `]}`),
		"lists to unfold":         repeat(`{"Failed":[`, `"[\"\",\"\"]",`, `]}`),
		"free-form maps":          repeat(`{"Free":[`, `{"":0},`, `]}`),
		"free-form empty lists":   repeat(`{"Free":[`, `[],`, `]}`),
		"free-form numbers":       repeat(`{"Free":[`, `0,`, `]}`),
		"free-form nesting":       `{"Free":` + strings.Repeat(strings.Repeat(`[`, 5000)+strings.Repeat(`]`, 5000)+" ", 1) + `}`,
		"a document":              repeat(`{"Doc":[`, `{},`, `]}`),
		"fields that do not fit":  repeat(`{"Texts":[`, `{},`, `]}`),
		"unknown fields":          repeat(`{"Unknown":[`, `{},`, `]}`),
		"deep in a list of texts": `{"Texts":` + strings.Repeat(`{"a":`, 9000) + `"` + strings.Repeat("x", 1<<20) + `"` + strings.Repeat(`}`, 9000) + `}`,
		"deep in a text":          `{"Texts":["a",` + strings.Repeat(`[`, 9000) + `"` + strings.Repeat("x", 1<<20) + `"` + strings.Repeat(`]`, 9000) + `]}`,
		"deep in anything":        `{"Free":` + strings.Repeat(`[`, 9000) + `"` + strings.Repeat("x", 1<<20) + `"` + strings.Repeat(`]`, 9000) + `}`,
		"big elements of a map":   repeat(`{"Many":{`, `"":{},`, `}}`),
		"a big list for a string": repeat(`{"Texts":[[`, `1,`, `]]}`),
	} {
		t.Run(name, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			err := Decode([]byte(body), new(wide))
			runtime.ReadMemStats(&after)
			if err != nil {
				require.ErrorIs(t, err, errTooLarge)
			}
			require.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(64<<20))
		})
	}
	page := `{"Items":[` + strings.Repeat(`{"Unknown":"as short as an element gets"},`, 5000) + `{}]}`
	require.NoError(t, Decode([]byte(page), new(wide)), "5000 elements are read, large as they are")
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte(`{"Size":"12","List":[{"JobId":1,"Sizes":["4"]}],"Doc":{"a":1},"Free":[1],"Map":{"a":true},"Failed":["[\"a\"]"]}`))
	f.Add([]byte(`{"MediaId":"a\n","One":"","Ok":0}`))
	f.Add([]byte(`{"List":"[{}]","One":[[{"Sizes":{"a":"1e5"}}]],"MediaIds":"a,b","Free":{"n":1e999},"Pointer":{"JobId":null},"Size":"-.5e1"}`))
	f.Add([]byte("\xef\xbb\xbf{\"mediaid\":\"\\u00e4\\ud83d\",\"MediaId\":\"x\"} text"))
	f.Add([]byte(`[[[[`))
	f.Fuzz(func(t *testing.T, body []byte) {
		var a, b responseBody
		d := decoder{body: body}
		err := d.decode(&a)
		require.Equal(t, err == nil, (&decoder{body: body}).decode(&b) == nil)
		require.Equal(t, a, b)
		require.LessOrEqual(t, len(d.lost), maxLost)
		if err != nil && !errors.Is(err, errTooLarge) {
			require.False(t, json.Valid(bytes.TrimPrefix(body, []byte("\xef\xbb\xbf"))), "what is JSON is read")
		}
		var strict responseBody
		if err == nil && d.losses == 0 && json.Unmarshal(body, &strict) == nil {
			require.Equal(t, strings.TrimSpace(a.RequestId) == "", strings.TrimSpace(strict.RequestId) == "" || countKeys(body, "RequestId") > 1)
		}
	})
}

// countKeys counts the members of a document that are named so in any case.
func countKeys(body []byte, name string) (n int) {
	s := scanner{src: withoutBOM(body)}
	if len(s.src) == 0 || s.src[0] != '{' {
		return 0
	}
	for more := s.open(); more; more = s.next() {
		if strings.EqualFold(unquoted(s.key()), name) {
			n++
		}
		s.skip()
	}
	return n
}

// FuzzRead gives any response of any status: nothing breaks, nothing is shown,
// everything is bounded.
func FuzzRead(f *testing.F) {
	f.Add(400, "R", "text/html", []byte(`{"Code":"SignatureDoesNotMatch","Message":"server string to sign is: x"}`))
	f.Add(502, "", "", []byte("<html>\xff<title>x</html>"))
	f.Add(200, "", "", []byte(`{"HostId":"h","Code":"X","Message":["m"],"Success":0}`))
	f.Add(200, "", "", []byte(`{"error":"{\"code\":[\"Throttling\"],\"message\":{}}"`))
	f.Add(403, "", "", []byte(`<a:Error><Code>X</Code><AccessDeniedDetail><A>b</A></AccessDeniedDetail>`))
	f.Add(403, "", "", []byte(`{"AccessDeniedDetail":"{\"a\":[{}]}","Message":"\ud83d`))
	f.Fuzz(func(t *testing.T, status int, id, kind string, body []byte) {
		const token = "the-token-of-the-account"
		for _, op := range []Op{{Action: "X", Proof: "MediaId"}, {Action: "X", Verdict: "Success"}} {
			a := &attempt{Client: &Client{cfg: alimedia.Config{Logger: slog.New(slog.DiscardHandler)}}, op: op, status: status}
			a.header = http.Header{"X-Acs-Request-Id": {id}, "Content-Type": {kind}}
			a.keys.SecurityToken = token
			out := new(responseBody)
			err := a.read(t.Context(), body, false, out)
			if err == nil {
				require.True(t, op.Proof == "" || out.MediaId != "")
				continue
			}
			require.Zero(t, *out)
			var e *alimedia.Error
			require.ErrorAs(t, err, &e)
			shown(t, err)
			require.NotContains(t, fmt.Sprintf("%+v", *e), token)
		}
	})
}
