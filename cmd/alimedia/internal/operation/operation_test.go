package operation

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/alimedia/alimedia-go/internal/catalogue"
	"github.com/alimedia/alimedia-go/internal/rpc"
)

func TestFind(t *testing.T) {
	t.Parallel()
	op, err := Find("ice", "registermediainfo")
	require.NoError(t, err)
	require.Equal(t, "RegisterMediaInfo", op.Action)
	for name, want := range map[string]string{
		"RegisterMedaInfo": "did you mean RegisterMediaInfo",
		"GetVideoInfo":     "but vod has",
		"Qqqqqqqqqqqqqqq":  `ice has no operation "Qqqqqqqqqqqqqqq"`,
	} {
		_, err := Find("ice", name)
		require.ErrorContains(t, err, want)
	}
	for name, want := range map[string]string{"ICE": "ice", "ims": "ice", "Vod": "vod"} {
		product, err := Product(name)
		require.NoError(t, err)
		require.Equal(t, want, product)
	}
	_, err = Product("oss")
	require.ErrorContains(t, err, "it is ice or vod")
}

func noRead(string) (string, error) { return "", errors.New("nothing to read") }

func op() *catalogue.Operation {
	return &catalogue.Operation{Action: "Op", OneOf: "MediaId|InputURL", Params: []*catalogue.Field{
		{Name: "MediaId", Type: "string"}, {Name: "InputURL", Type: "string", Check: "url=media"},
		{Name: "Title", Type: "string", Check: "bytes=5"}, {Name: "Count", Type: "int32", Check: "min=1,max=9"},
		{Name: "Fast", Type: "bool"}, {Name: "Ids", Type: "string", Enc: "comma"}, {Name: "Tag", Type: "array<object>", Enc: "flat"},
		{Name: "Body", Type: "string", Body: true}, {Name: "UserData", Type: "string", JSON: true},
		{Name: "Config", Type: "object", Enc: "json", Fields: []*catalogue.Field{
			{Name: "On", Type: "bool"}, {Name: "Name", Type: "string"}, {Name: "Sizes", Type: "array<int32>"},
			{Name: "Sub", Type: "array<object>", Fields: []*catalogue.Field{{Name: "Key", Type: "string"}}},
		}},
	}}
}

func TestParse(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		args []string
		want map[string]string
	}{
		"plain":     {[]string{"MediaId=a=b", "count=3", "fast=true"}, map[string]string{"MediaId": "a=b", "Count": "3", "Fast": "true"}},
		"comma":     {[]string{"MediaId=a", "Ids.1=x", "Ids.2=y"}, map[string]string{"MediaId": "a", "Ids": "x,y"}},
		"flat":      {[]string{"MediaId=a", "Tag.1.Key=k", "Tag.1.Value=v"}, map[string]string{"MediaId": "a", "Tag.1.Key": "k", "Tag.1.Value": "v"}},
		"document":  {[]string{"MediaId=a", `Config={"On":true}`}, map[string]string{"MediaId": "a", "Config": `{"On":true}`}},
		"parts":     {[]string{"MediaId=a", "Config.on=true", "Config.Name=7", "Config.Sizes.1=4", "Config.Sub.1.Key=<k>"}, map[string]string{"MediaId": "a", "Config": `{"Name":"7","On":true,"Sizes":[4],"Sub":[{"Key":"<k>"}]}`}},
		"free JSON": {[]string{"MediaId=a", "UserData.N=5", "UserData.Id=\"5\"", "UserData.L.1=x"}, map[string]string{"MediaId": "a", "UserData": `{"Id":"5","L":["x"],"N":5}`}},
		"file":      {[]string{"MediaId=a", "UserData=@f"}, map[string]string{"MediaId": "a", "UserData": `{"f":1}`}},
		"at sign":   {[]string{"MediaId=@@a"}, map[string]string{"MediaId": "@a"}},
		"empty":     {[]string{"MediaId=a", "Title="}, map[string]string{"MediaId": "a", "Title": ""}},
	} {
		p, err := Parse(op(), test.args, func(string) (string, error) { return `{"f":1}`, nil })
		require.NoError(t, err, name)
		require.Equal(t, test.want, p.values, name)
	}
}

func TestParse_SaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	const secret = "HiddenValue123"
	for name, test := range map[string]struct {
		args []string
		want []string
	}{
		"unknown":         {[]string{"MediaID2=" + secret}, []string{`Op has no parameter "MediaID2": did you mean MediaId?`}},
		"letters swapped": {[]string{"Titel=" + secret}, []string{`did you mean Title?`}},
		"no value":        {[]string{"MediaId"}, []string{`"MediaId" is not of the form key=value`}},
		"twice":           {[]string{"MediaId=a", "MediaId=" + secret}, []string{"MediaId is given twice"}},
		"one of":          {nil, []string{"MediaId or InputURL is required"}},
		"all at once":     {[]string{"MediaId=a", "Title=" + secret, "Count=" + secret, "Fast=" + secret}, []string{"Title must be at most 5 bytes", "Count must be a whole number", "Fast must be true or false"}},
		"limits":          {[]string{"InputURL=" + secret, "Count=12"}, []string{"InputURL must be an OSS URL", "Count must be at most 9"}},
		"no document":     {[]string{"MediaId=a", "Config=" + secret}, []string{"Config must be a JSON object of the documented form"}},
		"member":          {[]string{"MediaId=a", "Config.Nme=x"}, []string{`Config: there is no "Nme" in it: did you mean Name?`}},
		"whole, parts":    {[]string{"MediaId=a", "Config={}", "Config.On=true"}, []string{"Config is given as a whole and by its parts"}},
		"gap":             {[]string{"MediaId=a", "Ids.1=a", "Ids.3=b"}, []string{"Ids: the items of a list are numbered from 1"}},
		"no parts":        {[]string{"MediaId=a", "Count.1=x"}, []string{"Count: it is a int32 and has no parts"}},
		"part of part":    {[]string{"MediaId=a", "Config.Name=x", "Config.Name.y=x"}, []string{"a part of it is given as a whole too"}},
		"unreadable":      {[]string{"MediaId=@f"}, []string{"MediaId: nothing to read"}},
		"secret part":     {[]string{"MediaId=a", "UserData.AuthKey=" + secret}, []string{"UserData.AuthKey is secret and must not be on the command line"}},
		"at, no file":     {[]string{"MediaId=@"}, []string{"@ needs the name of a file"}},
		"comma in item":   {[]string{"MediaId=a", "Ids.1=a,b"}, []string{"which separates the items"}},
	} {
		_, err := Parse(op(), test.args, noRead)
		for _, want := range test.want {
			require.ErrorContains(t, err, want, name)
		}
		require.NotContains(t, err.Error(), secret, name)
	}
}

// Parameters of the form travel in the form, and empty values are sent.
func TestRequest(t *testing.T) {
	t.Parallel()
	p, err := Parse(op(), []string{"MediaId=a", "Body=b", "Title=", "Tag.1.Key=k"}, noRead)
	require.NoError(t, err)
	encoded, err := rpc.Encode(p.Request())
	require.NoError(t, err)
	require.Equal(t, "&{[{MediaId a} {Tag.1.Key k} {Title }] [{Body b}] 0", fmt.Sprint(encoded)[:len("&{[{MediaId a} {Tag.1.Key k} {Title }] [{Body b}] 0")])
}

// Long values do not make a URL too long.
func TestRequest_LongValues(t *testing.T) {
	t.Parallel()
	p, err := Parse(op(), []string{"MediaId=a", `UserData={"k":"` + strings.Repeat("x", 5000) + `"}`}, noRead)
	require.NoError(t, err)
	encoded, err := rpc.Encode(p.Request())
	require.NoError(t, err)
	require.Contains(t, fmt.Sprint(encoded), "&{[{MediaId a}] [{UserData ")
}

// Every operation of the catalogue can be called with the values it needs.
func TestParse_EveryOperation(t *testing.T) {
	t.Parallel()
	count := 0
	for _, product := range Products {
		for _, action := range catalogue.Actions(product) {
			op := catalogue.Find(product, action)
			count++
			for _, f := range op.Params {
				for _, token := range first(f.Tokens()) {
					require.Empty(t, f.Explain(token), "%s.%s=%s", action, f.Name, token)
				}
				require.NotEmpty(t, f.Kind())
			}
			_, err := Parse(op, []string{"NoSuchParameter=1"}, noRead)
			require.ErrorContains(t, err, "NoSuchParameter")
		}
	}
	require.Equal(t, 586, count)
}

func first(tokens []string, _ bool) []string { return tokens }

func pages(t *testing.T, op *catalogue.Operation, args []string, answers ...string) ([]any, []map[string]string, error) {
	t.Helper()
	p, err := Parse(op, args, noRead)
	require.NoError(t, err)
	var asked []map[string]string
	send := func(context.Context, any) (map[string]any, error) {
		copied := map[string]string{}
		for k, v := range p.values {
			copied[k] = v
		}
		asked = append(asked, copied)
		var v map[string]any
		require.LessOrEqual(t, len(asked), len(answers), "it ends")
		require.NoError(t, json.Unmarshal([]byte(answers[len(asked)-1]), &v))
		if v["Total"] != nil {
			v["Total"] = json.Number(fmt.Sprint(v["Total"]))
		}
		return v, nil
	}
	var items []any
	for item, err := range p.All(t.Context(), send) {
		if err != nil {
			return items, asked, err
		}
		items = append(items, item)
	}
	return items, asked, nil
}

func TestAll(t *testing.T) {
	t.Parallel()
	tokens := &catalogue.Operation{Action: "List", Params: []*catalogue.Field{{Name: "NextToken", Type: "string"}},
		Page: &catalogue.Page{Token: "NextToken", Next: "NextToken", Items: "L"}}
	items, asked, err := pages(t, tokens, nil, `{"L":[1,2],"NextToken":"x"}`, `{"L":[],"NextToken":"y"}`, `{"L":[3]}`)
	require.NoError(t, err)
	require.Len(t, items, 3)
	require.Equal(t, "y", asked[2]["NextToken"])
	_, _, err = pages(t, tokens, nil, `{"L":[1],"NextToken":"x"}`, `{"L":[2],"NextToken":"x"}`)
	require.ErrorContains(t, err, "repeated a page token")

	numbers := &catalogue.Operation{Action: "List", Params: []*catalogue.Field{{Name: "PageNo", Type: "int32"}},
		Page: &catalogue.Page{Page: "PageNo", Items: "W.L", Total: "Total"}}
	items, asked, err = pages(t, numbers, []string{"PageNo=2"}, `{"W":{"L":[1,2]},"Total":5}`, `{"W":{"L":[3]},"Total":5}`)
	require.NoError(t, err)
	require.Len(t, items, 3)
	require.Equal(t, "3", asked[1]["PageNo"])
	items, _, err = pages(t, numbers, nil, `{"W":{"L":[1,2]}}`, `{"W":{"L":[1,2]}}`)
	require.NoError(t, err)
	require.Len(t, items, 4, "without a total the walk ends at a page that repeats")

	search := catalogue.Find("vod", "SearchMedia")
	_, asked, err = pages(t, search, nil, `{"MediaList":[1],"Total":2,"ScrollToken":"s"}`, `{"MediaList":[2],"Total":2}`)
	require.NoError(t, err)
	require.Equal(t, map[string]string{"PageNo": "2", "ScrollToken": "s"}, asked[1])

	_, _, err = pages(t, catalogue.Find("vod", "GetVideoInfo"), []string{"VideoId=x"}, `{}`)
	require.ErrorIs(t, err, ErrPages)
}
