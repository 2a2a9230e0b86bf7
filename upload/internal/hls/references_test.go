package hls

import (
	"encoding/json"
	"io/fs"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Every URI in a tag is followed, or its line is refused.
func TestHLS_B39_EveryURI(t *testing.T) {
	t.Parallel()
	const assets = `{"ASSETS": [ {"URI": "ad 1.m3u8", "DURATION": 15, "X-AD-TITLE": "Title.mp4 of an ad"},
		{"DURATION": 5, "URI": "..\/ad\u0032.mp4"}],
		"SKIP-CONTROL": {"OFFSET": 2}}`
	files := folder{
		"a.ts": "1", "ads/list.json": assets, "ads/ad 1.m3u8": "#EXTM3U\nad.ts\n", "ads/ad.ts": "ad", "ad2.mp4": "ad2", "ads/none.json": `{"ASSETS":[]}`,
		"data.json": `{"x":1}`, "ads/text.json": `["x"]`, "ads/bad.json": `{"ASSETS":[{"URI":"gone.mp4"}]}`, "ads/out.json": `{"ASSETS":[{"URI":"../../x.mp4"}]}`, "ads/remote.json": "{\"ASSETS\":[\n{\"URI\":\"https://ads.test/x.m3u8\"}]}", "pic.jpg": "pic",
		"ads/deep.json": `{"ASSETS":[{"URI":"../ad2.mp4","X":` + strings.Repeat("[", 100) + strings.Repeat("]", 100) + `}]}`,
	}
	for name, tt := range map[string]struct {
		lines string
		also  folder // stored besides index.m3u8 and a.ts
		want  error
		text  string
	}{
		"asset list": {`#EXT-X-DATERANGE:ID="ad1",CLASS="com.apple.hls.interstitial",START-DATE="2026-01-01T00:00:00Z",X-ASSET-LIST="ads/list.json"`,
			folder{"list.json": strings.NewReplacer(`"ad 1.m3u8"`, `"ad_1.m3u8"`, `"..\/ad\u0032.mp4"`, `"ad2.mp4"`, `"Title.mp4 of an ad"`, `"Title.mp4 of an ad"`).Replace(assets), "ad_1.m3u8": "#EXTM3U\nad.ts\n", "ad.ts": "ad", "ad2.mp4": "ad2"}, nil, ""},
		"no assets":            {`#EXT-X-DATERANGE:ID="x",X-ASSET-LIST="ads/none.json"`, folder{"none.json": `{"ASSETS":[]}`}, nil, ""},
		"asset playlist":       {`#EXT-X-DATERANGE:ID="x",X-ASSET-URI="ads/ad%201.m3u8"`, folder{"ad_1.m3u8": "#EXTM3U\nad.ts\n", "ad.ts": "ad"}, nil, ""},
		"asset file":           {`#EXT-X-DATERANGE:ID="x",X-ASSET-URI="ad2.mp4"`, folder{"ad2.mp4": "ad2"}, nil, ""},
		"vendor":               {`#EXT-X-VENDOR:POSTER-URI="pic.jpg",N=1`, folder{"pic.jpg": "pic"}, nil, ""},
		"vendor by extension":  {`#EXT-X-VENDOR:POSTER="pic.jpg"`, folder{"pic.jpg": "pic"}, nil, ""},
		"after what is none":   {`#EXT-X-VENDOR:30,POSTER="pic.jpg"`, folder{"pic.jpg": "pic"}, nil, ""},
		"stream attribute":     {"#EXT-X-STREAM-INF:BANDWIDTH=1,X-THUMB-URL=\"pic.jpg\"\nads/ad%201.m3u8", folder{"pic.jpg": "pic", "ad_1.m3u8": "#EXTM3U\nad.ts\n", "ad.ts": "ad"}, nil, ""},
		"text":                 {"#EXT-X-SESSION-DATA:DATA-ID=\"a.mp4\",VALUE=\"The file.mp4\",LANGUAGE=\"en\"\n#EXT-X-OATCLS-SCTE35:/DAlAAAAAAAAAP/wFAUAAAABf+/+//4A=\n#EXTINF:4,a/title.mp4\na.ts\n#EXT-X-CUE-OUT-CONT:8.308/30", nil, nil, ""},
		"asset list is none":   {`#EXT-X-DATERANGE:ID="x",X-ASSET-LIST="ads/text.json"`, nil, nil, "not an asset list"},
		"asset list missing":   {`#EXT-X-DATERANGE:ID="x",X-ASSET-LIST="gone.json"`, nil, fs.ErrNotExist, "line 2"},
		"asset missing":        {`#EXT-X-DATERANGE:ID="x",X-ASSET-LIST="ads/bad.json"`, nil, fs.ErrNotExist, `"ads/bad.json" line 1`},
		"asset outside":        {`#EXT-X-DATERANGE:ID="x",X-ASSET-LIST="ads/out.json"`, nil, ErrOutside, ""},
		"asset remote":         {`#EXT-X-DATERANGE:ID="x",X-ASSET-LIST="ads/remote.json"`, nil, ErrRemote, `"ads/remote.json" line 2`},
		"asset list deep":      {`#EXT-X-DATERANGE:ID="x",X-ASSET-LIST="ads/deep.json"`, nil, nil, "too deep"},
		"asset list remote":    {`#EXT-X-DATERANGE:ID="x",X-ASSET-LIST="https://ads.test/l?x"`, nil, ErrRemote, "line 2"},
		"asset list in a URI":  {`#EXT-X-DATERANGE:ID="x",X-ASSET-LIST="data:application/json,{}"`, nil, nil, "within a URI"},
		"playlist in a URI":    {`#EXT-X-MEDIA:TYPE=AUDIO,URI="data:application/vnd.apple.mpegurl,x"`, nil, nil, "within a URI"},
		"content steering":     {`#EXT-X-CONTENT-STEERING:SERVER-URI="steer.json",PATHWAY-ID="A"`, nil, nil, "line 2"},
		"steering on a server": {`#EXT-X-CONTENT-STEERING:SERVER-URI="https://s.test/x.m3u8"`, nil, nil, "line 2"},
		"beacon":               {`#EXT-X-DATERANGE:ID="x",X-COM-EXAMPLE-BEACON="https://ads.test/count?x=1"`, nil, ErrRemote, "line 2"},
		"session data":         {`#EXT-X-SESSION-DATA:DATA-ID="x",URI="data.json"`, nil, ErrNotAllowed, "line 2"},
		"session data text":    {`#EXT-X-SESSION-DATA:DATA-ID="x",VALUE="https://h.test/x"`, nil, ErrRemote, "line 2"},
		"vendor missing":       {`#EXT-X-VENDOR:POSTER-URI="gone.jpg"`, nil, fs.ErrNotExist, "line 2"},
		"bare tag":             {`#EXT-X-VENDOR:https://h.test/x.ts`, nil, nil, "line 2"},
		"bare tag by name":     {`#EXT-VENDOR:poster.jpg`, nil, nil, "line 2"},
		"bare tag and query":   {`#EXT-X-VENDOR:https://h.test/x?name=1`, nil, nil, "line 2"},
		"bare name and query":  {`#EXT-X-VENDOR:10,poster.jpg?x=1,y=2`, nil, nil, "line 2"},
		"vendor link":          {`#EXT-X-VENDOR:HREF="/thumbs/1"`, nil, ErrOutside, "line 2"},
		"vendor source":        {`#EXT-X-VENDOR:IMG-SRC='pic.jpg'`, nil, fs.ErrNotExist, "line 2"},
		"broken quote":         {`#EXT-X-VENDOR:X="pic.jpg`, nil, nil, "line 2"},
		"logo":                 {`#EXTINF:-1 tvg-logo="https://h.test/x.png",Title` + "\na.ts", nil, nil, "line 2"},
		"delta":                {`#EXT-X-SKIP:SKIPPED-SEGMENTS=3`, nil, nil, "line 2"},
		"query variable":       {`#EXT-X-DEFINE:QUERYPARAM="token"`, nil, nil, "line 2"},
		"vendor variable":      {"#EXT-X-DEFINE:NAME=\"x\",VALUE=\"pic\"\n" + `#EXT-X-VENDOR:POSTER-URI="{$x}.jpg"`, nil, nil, "line 3"},
		"prefetch":             {"#EXT-X-PREFETCH:https://h.test/next.ts\n#EXT-X-PRELOAD-HINT:TYPE=PART,URI=\"next.ts\"", nil, nil, ""},
		"gap":                  {"#EXT-X-PART:DURATION=1.0,URI=\"part1.mp4\",GAP=YES\n#EXT-X-PART:DURATION=1.0,URI=\"ad2.mp4\"", folder{"ad2.mp4": "ad2"}, nil, ""},
		"gap by another name":  {"#EXT-X-PART:DURATION=1.0,URI=\"part1.mp4\",GAP=NO", nil, fs.ErrNotExist, "line 2"},
		"key of nothing":       {"#EXT-X-KEY:METHOD=NONE,URI=\"gone.key\"", nil, nil, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			text := "#EXTM3U\n" + tt.lines + "\na.ts\n"
			got, err := scanFS(files.with(folder{"index.m3u8": text}).fs(), Options{})
			if tt.want != nil || tt.text != "" {
				require.ErrorContains(t, err, tt.text)
				if tt.want != nil {
					require.ErrorIs(t, err, tt.want)
				}
				var at *Error
				require.ErrorAs(t, err, &at)
				return
			}
			require.NoError(t, err)
			for name, data := range tt.also {
				require.Equal(t, data, got[name], name)
				require.Contains(t, got["index.m3u8"]+got["list.json"]+got["ad_1.m3u8"], name)
			}
			require.Len(t, got, 2+len(tt.also))
			if list, ok := got["list.json"]; ok {
				require.True(t, json.Valid([]byte(list)))
			}
		})
	}
}

func TestHLS_B39_Gap(t *testing.T) {
	t.Parallel()
	const gap = "#EXTM3U\n#EXT-X-VERSION:9\n#EXT-X-TARGETDURATION:4\n#EXT-X-PART-INF:PART-TARGET=1.0\n#EXT-X-PART:DURATION=1.0,URI=\"part1.mp4\",GAP=YES\n#EXT-X-PART:DURATION=1.0,URI=\"part2.mp4\"\n#EXTINF:2,\nseg1.mp4\n#EXT-X-ENDLIST\n"
	files := folder{"index.m3u8": gap, "part2.mp4": "p", "seg1.mp4": "s"}
	got, err := scanFS(files.fs(), Options{})
	require.NoError(t, err)
	require.Equal(t, files, got)
}
