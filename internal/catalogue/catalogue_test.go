package catalogue

import (
	"net/url"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestCheck(t *testing.T) {
	t.Parallel()
	op := &Operation{
		OneOf: "A|B",
		Params: []*Field{
			{Name: "A", Type: "string", Check: "runes=3"},
			{Name: "B", Type: "int32", Check: "min=1,max=5"},
			{Name: "Doc", Type: "object", Enc: "json", Fields: []*Field{{Name: "N", Type: "int64", Required: true}}},
			{Name: "Form", Type: "bool", Body: true},
			{Name: "Ids", Type: "array<string>", Enc: "flat", Required: true},
			{Name: "Tags", Type: "string", Check: "tags=2x3B"},
			{Name: "Text", Type: "string", JSON: true},
		},
	}
	for _, test := range []struct {
		query, form string
		strict      bool
		want        *Problem
	}{
		{query: "A=äöü&Ids.1=x"},
		{query: "A=abcd&Ids.1=x", want: &Problem{Invalid, "A"}},
		{query: "B=6&Ids.1=x", want: &Problem{Invalid, "B"}},
		{query: "B=99999999999&Ids.1=x", want: &Problem{Invalid, "B"}},
		{query: "B=5", want: &Problem{Missing, "Ids"}},
		{query: "Ids.1=x", want: &Problem{Missing, "A"}},
		{query: `A=a&Ids.1=x&Doc={"N":"7"}`},
		{query: `A=a&Ids.1=x&Doc={"N":"x"}`, want: &Problem{Invalid, "Doc"}},
		{query: `A=a&Ids.1=x&Doc={}`, want: &Problem{Invalid, "Doc"}},
		{query: `A=a&Ids.1=x&Doc=[]`, want: &Problem{Invalid, "Doc"}},
		{query: "A=a&Ids.1=x&Tags=abc,abcd", want: &Problem{Invalid, "Tags"}},
		{query: "A=a&Ids.1=x&Tags=a,b,c", want: &Problem{Invalid, "Tags"}},
		{query: "A=a&Ids.1=x&Text={", want: &Problem{Invalid, "Text"}},
		{query: "A=a&Ids.1=x&Text=plain"},
		{query: "A=a&Ids.1=x&Form=yes", want: &Problem{Invalid, "Form"}},
		{query: "A=a&Ids.1=x&Form=true&Other=1"},
		{query: "A=a&Ids.1=x&Form=true", strict: true, want: &Problem{Position, "Form"}},
		{query: "Action=X&A=a&Ids.1=x&Other=1", strict: true, want: &Problem{Unknown, "Other"}},
		{query: "Action=X&A=a&Ids.1=x", form: "Form=true", strict: true},
	} {
		query, err := url.ParseQuery(test.query)
		require.NoError(t, err)
		form, err := url.ParseQuery(test.form)
		require.NoError(t, err)
		require.Equal(t, test.want, op.Check(query, form, test.strict), "%s | %s", test.query, test.form)
	}
}

func TestAnswer_NamesWhatWasAskedAndIsTheSameAgain(t *testing.T) {
	t.Parallel()
	op := Find("ice", "BatchGetMediaInfos")
	params := url.Values{"MediaIds": {"a1,b2,c3"}}
	answer := op.Answer(params)
	infos := answer["MediaInfos"].([]any)
	require.Len(t, infos, 3)
	require.Equal(t, "b2", infos[1].(Object)["MediaId"])
	require.Equal(t, answer, op.Answer(params))
	require.NotContains(t, answer, "RequestId")
}

func TestAnswer_EveryOperationCanBeMadeUp(t *testing.T) {
	t.Parallel()
	n := 0
	for _, service := range []string{"ice", "vod"} {
		for _, action := range Actions(service) {
			n++
			op := Find(service, action)
			require.Equal(t, op.Answer(nil), op.Answer(nil), action)
			if op.Page != nil && op.Page.Items != "" {
				require.NotNil(t, op.At(op.Page.Items), action)
			}
		}
	}
	require.Equal(t, 586, n)
}

func TestIsSecret(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]bool{
		"UploadAuth": true, "SecurityToken": true, "AccessKeySecret": true, "PlayAuth": true, "AuthKey": true, "SSLPri": true,
		"Auth": false, "AuthSwitch": false, "MediaId": false, "UploadAddress": false, "NextToken": false, "ClientToken": false,
	} {
		require.Equal(t, want, IsSecret(name), name)
	}
}

func TestFind_SaysWhatAnOperationIsFor(t *testing.T) {
	t.Parallel()
	op := Find("ice", "RegisterMediaInfo")
	require.Contains(t, op.Doc, "RegisterMediaInfo ")
	require.Contains(t, op.Link, "https://")
	require.Contains(t, op.Link, "registermediainfo")
	require.NotEmpty(t, op.Param("InputURL").Doc)
	for _, service := range []string{"ice", "vod"} {
		for _, action := range Actions(service) {
			op := Find(service, action)
			require.NotEmpty(t, op.Doc, action)
			require.Contains(t, []string{"Read", "Idempotent", "Tokened", "Unsafe"}, op.Class, action)
			if op.Successor != "" {
				require.NotNil(t, Find(service, op.Successor), "%s: %s", action, op.Successor)
			}
		}
	}
}
