package rpc

import (
	"encoding/json"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/alimedia/alimedia-go"
)

type inner struct {
	Bucket string `json:",omitzero"`
	ClipId int64  `json:"clipId,omitzero"`
	Flag   *bool  `json:",omitzero"`
	Deeper deeper `json:",omitzero"`
}

type deeper struct {
	Text string `json:",omitzero"`
}

type everything struct {
	Text     string
	Small    int32
	Big      int64
	Rate     float64
	Flag     *bool
	Count    *int32
	Renamed  string            `rpc:"wireName"`
	Ids      []string          // flattened
	Tags     []inner           // flattened
	Labels   map[string]string // flattened
	Doc      inner             `rpc:",json"`
	Docs     []inner           `rpc:",json"`
	Any      any               `rpc:",json"`
	Raw      alimedia.JSON     `rpc:",json"`
	Joined   []string          `rpc:",comma"`
	Numbers  []int64           `rpc:",comma"`
	URLs     []string          `rpc:",escape"`
	InBody   string            `rpc:",form"`
	DocBody  inner             `rpc:"Body,json,form"`
	Left     string            `rpc:"-"`
	unmarked string
}

func TestEncode(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name        string
		in          any
		query, form string
	}{
		{"nothing set", everything{}, "", ""},
		{"nil", nil, "", ""},
		{"nil pointer", (*everything)(nil), "", ""},
		{"scalars", everything{Text: "a", Small: -1, Big: 1 << 40, Rate: 0.5, Left: "x", unmarked: "x"}, "Big=1099511627776&Rate=0.5&Small=-1&Text=a", ""},
		{"pointer to the request", &everything{Text: "a"}, "Text=a", ""},
		{"pointers send zero", everything{Flag: alimedia.Ptr(false), Count: alimedia.Ptr[int32](0)}, "Count=0&Flag=false", ""},
		{"renamed", everything{Renamed: "x"}, "wireName=x", ""},
		{"flattened", everything{Ids: []string{"a", "b"}, Tags: []inner{{Bucket: "x", ClipId: 3}, {Deeper: deeper{"t"}}}, Labels: map[string]string{"k2": "2", "k1": "1"}},
			"Ids.1=a&Ids.2=b&Labels.k1=1&Labels.k2=2&Tags.1.Bucket=x&Tags.1.clipId=3&Tags.2.Deeper.Text=t", ""},
		{"documents", everything{Doc: inner{ClipId: 7, Flag: alimedia.Ptr(false)}, Docs: []inner{{Bucket: "a<b>&"}}},
			`Doc={"clipId":7,"Flag":false}&Docs=[{"Bucket":"a<b>&"}]`, ""},
		{"empty list is said", everything{Docs: []inner{}}, "Docs=[]", ""},
		{"any: struct", everything{Any: inner{Bucket: "b"}}, `Any={"Bucket":"b"}`, ""},
		{"any: text", everything{Any: `{"a": 1}`}, `Any={"a": 1}`, ""},
		{"any: raw", everything{Any: json.RawMessage(`[1]`)}, `Any=[1]`, ""},
		{"any: JSON", everything{Any: alimedia.JSON(`{}`), Raw: `{"x":1}`}, `Any={}&Raw={"x":1}`, ""},
		{"any: its own marshaler", everything{Any: ownJSON(`{"a":  1}`)}, `Any={"a":  1}`, ""},
		{"any: map", everything{Any: map[string]any{"b": 1, "a": "x"}}, `Any={"a":"x","b":1}`, ""},
		{"comma", everything{Joined: []string{"a", "b"}, Numbers: []int64{1, 2}}, "Joined=a,b&Numbers=1,2", ""},
		{"escaped before joined", everything{URLs: []string{"http://h/a,b c.mp4", "http://h/2.mp4"}}, "URLs=http%3A%2F%2Fh%2Fa%2Cb%20c.mp4,http%3A%2F%2Fh%2F2.mp4", ""},
		{"comma, nothing in it", everything{Joined: []string{}}, "", ""},
		{"body", everything{Text: "q", InBody: "b", DocBody: inner{Bucket: "x"}}, "Text=q", `Body={"Bucket":"x"}&InBody=b`},
		{"map", map[string]any{"A": 1, "B": true, "C": []string{"x"}, "D": map[string]any{"e": "f"}, "E": nil}, "A=1&B=true&C.1=x&D.e=f", ""},
		{"url.Values", url.Values{"A": {"1"}}, "A.1=1", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p, err := Encode(tt.in)
			require.NoError(t, err)
			require.Equal(t, tt.query, canonical(p.query))
			require.Equal(t, tt.form, canonical(p.form))
		})
	}
}

type ownJSON string

func (j ownJSON) MarshalJSON() ([]byte, error) { return []byte(j), nil }

func canonical(pairs []pair) string {
	m := map[string]*string{}
	for i := range pairs {
		m[pairs[i].key] = &pairs[i].value
	}
	var s string
	for _, k := range sortedKeys(m) {
		s += "&" + k + "=" + *m[k]
	}
	if s != "" {
		s = s[1:]
	}
	return s
}

func TestEncode_Refuses(t *testing.T) {
	t.Parallel()
	tests := map[string]any{
		"text that is not JSON":  everything{Any: `{"a":`},
		"JSON that is not JSON":  everything{Raw: `nope`},
		"RawMessage, broken":     everything{Any: json.RawMessage(`[`)},
		"a broken marshaler":     everything{Any: ownJSON(`{`)},
		"a comma in an element":  everything{Joined: []string{"a,b"}},
		"unmarshallable any":     everything{Any: func() {}},
		"neither struct nor map": 7,
		"a channel":              map[string]any{"A": make(chan int)},
		"odd parameter names":    map[string]any{"A&B": "x"},
		"non-string keys":        map[int]string{1: "x"},
		"an unknown tag option": struct {
			A string `rpc:",jsn"`
		}{"x"},
	}
	for name, in := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := Encode(in)
			require.Error(t, err)
			require.NotContains(t, err.Error(), "a,b")
		})
	}
}

func TestDocument_KeepsUnknownKeysAndTakesRaw(t *testing.T) {
	t.Parallel()
	type plain struct {
		CallbackURL string `json:",omitzero"`
		Size        int64  `json:",omitzero"`
		Raw         alimedia.JSON
		Extra       map[string]json.RawMessage `json:"-"`
	}
	var d plain
	var extra map[string]json.RawMessage
	require.NoError(t, UnmarshalDocument([]byte(`{"CallbackURL":"u","Size":"12","New":{"a":[1]}}`), &d, &extra))
	require.Equal(t, "u", d.CallbackURL)
	require.EqualValues(t, 12, d.Size)
	require.JSONEq(t, `{"a":[1]}`, string(extra["New"]))

	type out struct {
		CallbackURL string `json:",omitzero"`
	}
	data, err := MarshalDocument(out{"http://x?a=1&b=2"}, "", extra)
	require.NoError(t, err)
	require.Equal(t, `{"CallbackURL":"http://x?a=1&b=2","New":{"a":[1]}}`, string(data))

	data, err = MarshalDocument(out{"ignored"}, `{"raw": true}`, extra)
	require.NoError(t, err)
	require.Equal(t, `{"raw": true}`, string(data))
	_, err = MarshalDocument(out{}, `{"raw"`, nil)
	require.Error(t, err)

	var twice plain
	require.NoError(t, UnmarshalDocument([]byte(`"{\"CallbackURL\":\"inner\"}"`), &twice, &extra))
	require.Equal(t, "inner", twice.CallbackURL)
	require.NoError(t, UnmarshalDocument([]byte(`""`), &twice, &extra))
	require.Error(t, UnmarshalDocument([]byte(`"{"`), &twice, &extra))
}

// Whatever text a request holds, it arrives as it was, or is refused.
func FuzzEncode(f *testing.F) {
	f.Add("a&b=c d+e%~*接", "x,y", `{"a":1}`)
	f.Add("", "", "")
	f.Fuzz(func(t *testing.T, text, element, document string) {
		in := everything{Text: text, Ids: []string{element}, Joined: []string{element}, URLs: []string{element}, Any: document, InBody: text,
			Labels: map[string]string{"k": element}}
		p, err := Encode(in)
		if err != nil {
			require.True(t, strings.Contains(element, ",") || !json.Valid([]byte(document)), err)
			return
		}
		query, err := url.ParseQuery(encodePairs(p.query))
		require.NoError(t, err)
		form, err := url.ParseQuery(encodePairs(p.form))
		require.NoError(t, err)
		require.Equal(t, text, query.Get("Text"))
		require.Equal(t, text, form.Get("InBody"))
		require.Equal(t, element, query.Get("Ids.1"))
		require.Equal(t, element, query.Get("Joined"))
		require.Equal(t, element, query.Get("Labels.k"))
		require.Equal(t, document, query.Get("Any"))
		unescaped, err := url.PathUnescape(query.Get("URLs"))
		require.NoError(t, err)
		require.Equal(t, element, unescaped)
	})
}
