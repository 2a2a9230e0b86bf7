package rpc

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/alimedia/alimedia-go"
)

type nested struct {
	JobId string
	Sizes []int64
}

type answerBody struct {
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
}

func TestDecode(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, body string
		want       answerBody
	}{
		{"as documented", `{"MediaId":"m","Size":3,"List":[{"JobId":"j","Sizes":[1]}],"Nb_frames":"7"}`,
			answerBody{MediaId: "m", Size: 3, List: []nested{{"j", []int64{1}}}, Frames: "7"}},
		{"numbers as strings", `{"Size":"12","Small":"3","Ratio":"0.5","Ok":"true","List":[{"Sizes":["4","5"]}]}`,
			answerBody{Size: 12, Small: 3, Ratio: 0.5, Ok: true, List: []nested{{Sizes: []int64{4, 5}}}}},
		{"strings as numbers", `{"Title":12.50,"MediaId":9007199254740993,"Nb_frames":true,"Ok":1}`,
			answerBody{Title: "12.50", MediaId: "9007199254740993", Frames: "true", Ok: true}},
		{"fractions and exponents for integers", `{"Size":12.0,"Small":"3.9"}`, answerBody{Size: 12, Small: 3}},
		{"empty strings for anything", `{"Size":"","Ratio":"","Ok":"","One":"","List":"","Title":1}`, answerBody{Title: "1"}},
		{"null", `{"MediaId":null,"List":null,"Size":null}`, answerBody{}},
		{"everything else still decodes when one field is odd", `{"MediaId":"m","Size":"1","One":{"JobId":5},"Map":{"a":1}}`,
			answerBody{MediaId: "m", Size: 1, One: nested{JobId: "5"}, Map: map[string]string{"a": "1"}}},
		{"unknown fields", `{"New":[{}],"MediaId":"m"}`, answerBody{MediaId: "m"}},
		{"inner document as text", `{"Doc":"{\"a\":1}"}`, answerBody{Doc: `{"a":1}`}},
		{"inner document, unquoted", `{"Doc":{"a":1},"Title":7}`, answerBody{Doc: `{"a":1}`, Title: "7"}},
		{"broken inner document", `{"Doc":"{\"a\":"}`, answerBody{Doc: `{"a":`}},
		{"free-form value", `{"Free":{"a":[1,"x"]},"Title":1}`, answerBody{Free: map[string]any{"a": []any{1.0, "x"}}, Title: "1"}},
		{"ids are trimmed", `{"RequestId":" r ","MediaId":"****b5a856828dc2****\n","MediaIds":["a\n"," b"],"Title":" kept ","List":[{"JobId":"j\t"}],"One":{"JobId":"\nk"}}`,
			answerBody{RequestId: "r", MediaId: "****b5a856828dc2****", MediaIds: []string{"a", "b"}, Title: " kept ", List: []nested{{JobId: "j"}}, One: nested{JobId: "k"}}},
		{"lists in lists are unfolded", `{"Failed":["x","[\"http://b/3.mp4\",\"http://b/4.mp4\"]","[not json","y"]}`,
			answerBody{Failed: []string{"x", "http://b/3.mp4", "http://b/4.mp4", "[not json", "y"}}},
		{"names in another case", `{"mediaid":"m","SIZE":"4"}`, answerBody{MediaId: "m", Size: 4}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var got answerBody
			require.NoError(t, Decode([]byte(tt.body), &got))
			require.Equal(t, tt.want, got)
		})
	}
}

func TestDecode_Refuses(t *testing.T) {
	t.Parallel()
	for name, body := range map[string]string{
		"nothing":             ``,
		"half":                `{"MediaId":"x`,
		"words for a number":  `{"Size":"many"}`,
		"object for a number": `{"Size":{}}`,
		"too big":             `{"Small":99999999999}`,
		"too big, as text":    `{"Size":"1e300"}`,
		"array for an object": `{"One":[1]}`,
		"text for an object":  `{"One":"x"}`,
		"maybe":               `{"Ok":"maybe"}`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			require.Error(t, Decode([]byte(body), new(answerBody)))
		})
	}
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte(`{"Size":"12","List":[{"JobId":1,"Sizes":["4"]}],"Doc":{"a":1},"Free":[1],"Map":{"a":true},"Failed":["[\"a\"]"]}`))
	f.Add([]byte(`{"MediaId":"a\n","One":"","Ok":0}`))
	f.Add([]byte(`[[[[`))
	f.Fuzz(func(t *testing.T, body []byte) {
		var a, b answerBody
		if Decode(body, &a) == nil {
			require.NoError(t, Decode(body, &b))
			require.Equal(t, a, b)
		}
	})
}

func FuzzAPIError(f *testing.F) {
	f.Add(400, []byte(`{"Code":"SignatureDoesNotMatch","Message":"server string to sign is: x"}`))
	f.Add(502, []byte("<html>\xff</html>"))
	f.Fuzz(func(t *testing.T, status int, body []byte) {
		a := &attempt{Client: &Client{}, status: status}
		a.keys.SecurityToken = "the-token"
		err := a.apiError(body)
		var e *alimedia.Error
		require.ErrorAs(t, err, &e)
		require.NotContains(t, e.Message, "the-token")
	})
}
