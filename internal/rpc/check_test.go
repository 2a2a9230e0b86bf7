package rpc

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/alimedia/alimedia-go"
)

type checked struct {
	FileURL   string       `check:"required,bytes=12,ext"`
	Title     string       `check:"bytes=6"`
	Name      string       `check:"runes=3"`
	Tags      string       `check:"tags=2x3B"`
	CharTags  string       `check:"tags=2x2R"`
	Ref       string       `check:"pattern=referenceId"`
	Quality   string       `check:"in=FD|LD"`
	HDR       string       `check:"fold=HDR10|SDR+"`
	Size      int64        `check:"min=2,max=5"`
	Items     []checkedRow `rpc:",json" check:"items=2"`
	List      []string     `rpc:",comma" check:"items=2,in=a|b|c"`
	TagList   []string     `rpc:",comma" check:"tags=2x3B"`
	Priority  string       `check:"max=10"`
	InputURL  string       `check:"url=oss"`
	AnyURL    string       `check:"url=media"`
	WebURL    string       `check:"url=http"`
	Doc       any          `rpc:",json" check:"bytes=10"`
	MediaId   string
	Optional  *checkedRow `rpc:",json"`
	Recursive *checkedLoop
}

type checkedLoop struct {
	Loop []checkedLoop
	Name string `check:"bytes=1"`
}

type checkedRow struct {
	Title string        `check:"required,bytes=2"`
	Raw   alimedia.JSON `json:"-"`
}

func fieldsBroken(t *testing.T, op Op, region string, in any) []string {
	t.Helper()
	err := validate(op, region, in)
	if err == nil {
		return nil
	}
	var v *alimedia.ValidationError
	require.ErrorAs(t, err, &v)
	var fields []string
	for _, f := range v.Violations {
		fields = append(fields, f.Field)
	}
	return fields
}

// Every rule at its limit and one past it; 接 has three bytes, 😀 four.
func TestValidate_Rules(t *testing.T) {
	t.Parallel()
	good := func(change func(*checked)) checked {
		c := checked{FileURL: "a.mp4"}
		change(&c)
		return c
	}
	tests := []struct {
		name string
		in   checked
		want string // field that breaks; empty: none
	}{
		{"required is there", good(func(*checked) {}), ""},
		{"required is missing", checked{}, "FileURL"},
		{"bytes at the limit", good(func(c *checked) { c.Title = "接接" }), ""},
		{"bytes past it", good(func(c *checked) { c.Title = "接接a" }), "Title"},
		{"characters at the limit", good(func(c *checked) { c.Name = "接接😀" }), ""},
		{"characters past it", good(func(c *checked) { c.Name = "接接😀a" }), "Name"},
		{"tags at the limit", good(func(c *checked) { c.Tags = "接,abc" }), ""},
		{"one tag too long", good(func(c *checked) { c.Tags = "接,😀" }), "Tags"},
		{"one tag too many", good(func(c *checked) { c.Tags = "a,b,c" }), "Tags"},
		{"character tags at the limit", good(func(c *checked) { c.CharTags = "接接,😀😀" }), ""},
		{"character tags past it", good(func(c *checked) { c.CharTags = "接接接" }), "CharTags"},
		{"reference id, 6", good(func(c *checked) { c.Ref = "a-_Z09" }), ""},
		{"reference id, 64", good(func(c *checked) { c.Ref = strings.Repeat("a", 64) }), ""},
		{"reference id, 5", good(func(c *checked) { c.Ref = "abcde" }), "Ref"},
		{"reference id, 65", good(func(c *checked) { c.Ref = strings.Repeat("a", 65) }), "Ref"},
		{"reference id, other letters", good(func(c *checked) { c.Ref = "äbcdef" }), "Ref"},
		{"reference id, line end", good(func(c *checked) { c.Ref = "abcdef\n" }), "Ref"},
		{"token", good(func(c *checked) { c.Quality = "LD" }), ""},
		{"tokens in a list", good(func(c *checked) { c.Quality = "LD,FD" }), ""},
		{"token in another case", good(func(c *checked) { c.Quality = "ld" }), "Quality"},
		{"folded token", good(func(c *checked) { c.HDR = "sdr+" }), ""},
		{"unknown folded token", good(func(c *checked) { c.HDR = "SDR" }), "HDR"},
		{"number at both limits", good(func(c *checked) { c.Size = 2 }), ""},
		{"number below", good(func(c *checked) { c.Size = 1 }), "Size"},
		{"number above", good(func(c *checked) { c.Size = 6 }), "Size"},
		{"list at the limit", good(func(c *checked) { c.Items = []checkedRow{{Title: "a"}, {Title: "b"}} }), ""},
		{"list past it", good(func(c *checked) { c.Items = []checkedRow{{Title: "a"}, {Title: "b"}, {Title: "c"}} }), "Items"},
		{"inside a list", good(func(c *checked) { c.Items = []checkedRow{{Title: "a"}, {Title: "接"}} }), "Items[1].Title"},
		{"required inside a list", good(func(c *checked) { c.Items = []checkedRow{{}} }), "Items[0].Title"},
		{"a raw document is the caller's word", good(func(c *checked) { c.Items = []checkedRow{{Raw: `{}`}} }), ""},
		{"inside a pointer", good(func(c *checked) { c.Optional = &checkedRow{} }), "Optional.Title"},
		{"strings in a list", good(func(c *checked) { c.List = []string{"a", "b", "c"} }), "List"},
		{"tokens in a list of strings", good(func(c *checked) { c.List = []string{"a", "c"} }), ""},
		{"another token in a list of strings", good(func(c *checked) { c.List = []string{"a", "d"} }), "List"},
		{"tags in a list of strings", good(func(c *checked) { c.TagList = []string{"接", "abc"} }), ""},
		{"a tag too long in a list of strings", good(func(c *checked) { c.TagList = []string{"接a"} }), "TagList"},
		{"number as text at the limit", good(func(c *checked) { c.Priority = "10" }), ""},
		{"number as text past it", good(func(c *checked) { c.Priority = "11" }), "Priority"},
		{"text that is no number", good(func(c *checked) { c.Priority = "high" }), "Priority"},
		{"oss URL", good(func(c *checked) { c.InputURL = "oss://b/k" }), ""},
		{"https URL", good(func(c *checked) { c.InputURL = "https://b.oss-cn-shanghai.aliyuncs.com/k.mp4" }), ""},
		{"no key", good(func(c *checked) { c.InputURL = "oss://b" }), "InputURL"},
		{"vod where oss is asked", good(func(c *checked) { c.InputURL = "vod://id" }), "InputURL"},
		{"vod", good(func(c *checked) { c.AnyURL = "vod://id" }), ""},
		{"a path is no URL", good(func(c *checked) { c.AnyURL = "/tmp/x" }), "AnyURL"},
		{"web", good(func(c *checked) { c.WebURL = "http://h" }), ""},
		{"not web", good(func(c *checked) { c.WebURL = "oss://b/k" }), "WebURL"},
		{"document at the limit", good(func(c *checked) { c.Doc = `{"a":"bc"}` }), ""},
		{"document past it", good(func(c *checked) { c.Doc = map[string]string{"a": "bcd"} }), "Doc"},
		{"extension", checked{FileURL: "x.m3u8"}, ""},
		{"no extension", checked{FileURL: "movie"}, "FileURL"},
		{"a dot is not an extension", checked{FileURL: "movie."}, "FileURL"},
		{"a hidden file has none", checked{FileURL: ".mp4"}, "FileURL"},
		{"a type in itself", good(func(c *checked) { c.Recursive = &checkedLoop{Name: "ab"} }), "Recursive.Name"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got := fieldsBroken(t, Op{Action: "X"}, "", tt.in)
			if tt.want == "" {
				require.Empty(t, got)
			} else {
				require.Equal(t, []string{tt.want}, got)
			}
		})
	}
}

func TestValidate_AnEmptyListIsNoListOutsideOfDocuments(t *testing.T) {
	t.Parallel()
	type clip struct {
		Parts []string `json:",omitzero" check:"required"`
	}
	type request struct {
		Ids  []string `rpc:",comma" check:"required"`
		Flat clip
		Doc  clip   `rpc:",json"`
		List []clip `rpc:",json" check:"required"`
	}
	nothing := []string{}
	require.Equal(t, []string{"Ids", "List"}, fieldsBroken(t, Op{}, "", request{Ids: nothing}))
	require.Equal(t, []string{"Flat.Parts", "List"}, fieldsBroken(t, Op{}, "", request{Ids: []string{"a"}, Flat: clip{nothing}}))
	require.Equal(t, []string{"List[0].Parts"}, fieldsBroken(t, Op{}, "", request{Ids: []string{"a"}, Doc: clip{nothing}, List: []clip{{}}}))
	require.Empty(t, fieldsBroken(t, Op{}, "", request{Ids: []string{"a"}, Doc: clip{nothing}, List: []clip{}}))

	oneOf := Op{OneOf: "Ids|List"}
	type either struct {
		Ids  []string
		List []clip `rpc:",json"`
	}
	require.Equal(t, []string{"Ids or List"}, fieldsBroken(t, oneOf, "", either{Ids: nothing}))
	require.Empty(t, fieldsBroken(t, oneOf, "", either{List: []clip{}}))
}

// A key that the service stated as null or "" is in Extra.
func TestValidate_AKeyInExtraIsStated(t *testing.T) {
	t.Parallel()
	type doc struct {
		Name  string                     `json:"name,omitzero" check:"required"`
		Extra map[string]json.RawMessage `json:"-"`
	}
	type request struct {
		Doc doc `rpc:",json"`
	}
	require.Equal(t, []string{"Doc.Name"}, fieldsBroken(t, Op{}, "", request{doc{Extra: map[string]json.RawMessage{"Name": nil}}}))
	require.Empty(t, fieldsBroken(t, Op{}, "", request{doc{Extra: map[string]json.RawMessage{"name": json.RawMessage(`""`)}}}))
}

func TestValidate_ExtensionsOfURLs(t *testing.T) {
	t.Parallel()
	type request struct {
		Name string `check:"ext"`
	}
	for name, ok := range map[string]bool{
		"a.mp4": true, "A.MP4": true, "https://b.example/a.mp4?Expires=1&v=1.2/3": true, "https://b.example/100%.mp4?x=1": true,
		"oss://b/dir.d/a.M3U8": true, "a": false, "https://b.example/a?name=b.mp4": false, "https://b.example/100%/a?name=b.mp4": false, "dir.d/a": false,
	} {
		require.Equal(t, ok, len(fieldsBroken(t, Op{}, "", request{name})) == 0, name)
	}
}

func TestValidate_OperationRules(t *testing.T) {
	t.Parallel()
	op := Op{Action: "UpdateMediaInfo", OneOf: "MediaId|InputURL", Regions: "cn-shanghai cn-beijing"}
	in := checked{FileURL: "a.mp4"}
	require.Equal(t, []string{"MediaId or InputURL"}, fieldsBroken(t, op, "cn-shanghai", in))
	in.MediaId = "m"
	require.Empty(t, fieldsBroken(t, op, "cn-shanghai", &in))
	require.Empty(t, fieldsBroken(t, op, "", in))
	require.Equal(t, []string{"Region"}, fieldsBroken(t, op, "cn-hangzhou", in))
	require.ErrorContains(t, validate(op, "cn-hangzhou", in), "offered only in cn-shanghai, cn-beijing")

	op.Check = func(req any) []alimedia.Violation {
		return []alimedia.Violation{{Field: "FileURL", Rule: "something special: " + req.(checked).MediaId}}
	}
	require.ErrorContains(t, validate(op, "", in), "something special: m")
}

func TestValidate_ReportsAllAtOnceWithoutValues(t *testing.T) {
	t.Parallel()
	err := validate(Op{Action: "RegisterMedia"}, "", checked{FileURL: "confidential.mp4", Title: "confidential"})
	require.EqualError(t, err, "alimedia: RegisterMedia: not sent: FileURL: at most 12 bytes, has 16; Title: at most 6 bytes, has 12")
}

func TestDo_ValidationCanBeSkipped(t *testing.T) {
	t.Parallel()
	c, s := scripted(t, ok())
	_, err := call(t, c, readOp, checked{})
	var v *alimedia.ValidationError
	require.True(t, errors.As(err, &v))
	require.Empty(t, s.seen)
	_, err = call(t, c.With(func(cfg *alimedia.Config) { cfg.SkipValidation = true }), readOp, checked{})
	require.NoError(t, err)
	require.Len(t, s.seen, 1)
}

func TestValidate_BadTagIsAnError(t *testing.T) {
	t.Parallel()
	for name, in := range map[string]any{
		"unknown rule": struct {
			A string `check:"byte=1"`
		}{"x"},
		"no number": struct {
			A string `check:"bytes=x"`
		}{"x"},
		"no pattern": struct {
			A string `check:"pattern=nope"`
		}{"x"},
		"tags": struct {
			A string `check:"tags=16x32X"`
		}{"x"},
		"url": struct {
			A string `check:"url=ftp"`
		}{"x"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			require.Error(t, validate(Op{}, "", in))
		})
	}
}
