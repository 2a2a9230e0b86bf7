package mediatest_test

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/alimedia/alimedia-go/ice"
	"github.com/alimedia/alimedia-go/mediatest"
	"github.com/alimedia/alimedia-go/search"
	"github.com/alimedia/alimedia-go/vod"
)

// What package search builds is read by the server as it was meant, or is an
// error: no value from outside becomes syntax.
func FuzzSearchExpressions(f *testing.F) {
	for _, s := range []string{"cat", "it's", `say "hi"`, `both ' and "`, `back\slash`, "x' or Status='Normal", "中文", "", "a,b", "(a)", "[1,2)", "and"} {
		f.Add(s, "other", int64(5), int64(1700000000))
	}
	f.Fuzz(func(t *testing.T, a, b string, number, unix int64) {
		at := time.Unix(unix%200_000_000_000, 0)
		match, err := search.And(
			search.Eq("Title", a),
			search.Or(search.In("Tags", a, b), search.Exact("mediaId", b), search.Ne("CateId", number)),
			search.Range("Size", number, number+1),
			search.Or(search.And(search.From("CreationTime", at), search.Before("utcCreate", at)), search.AnyOf("status", 3, 10)),
		).Match()
		if err != nil {
			if a != "" && b != "" {
				require.ErrorIs(t, err, search.ErrValue)
			} else {
				require.True(t, errors.Is(err, search.ErrEmpty) || errors.Is(err, search.ErrValue))
			}
			require.Empty(t, match)
			return
		}
		iso := at.UTC().Format("2006-01-02T15:04:05Z")
		want := fmt.Sprintf(`and(title = [%q] or(tags in [%q %q] mediaid == [%q] cateid != ["%d"]) size = true "%d" "%d" false `+
			`or(and(creationtime = true %q "" false utccreate = false "" "%d" false) status = ["3" "10"]))`,
			a, a, b, b, number, number, number+1, iso, at.UnixMilli())
		got := mediatest.Parsed(match)
		// A list of two plain values may also be a range: the server keeps both readings.
		got = strings.ReplaceAll(got, `status = false "3" "10" false`, `status = ["3" "10"]`)
		require.Equal(t, want, got, match)
	})
}

func TestSearch_Expressions(t *testing.T) {
	t.Parallel()
	day := time.Date(2026, 11, 25, 8, 0, 0, 0, time.FixedZone("CST", 8*3600))
	type label string
	for want, e := range map[string]search.Expression{
		"":                   search.And(),
		"Title = 'cat'":      search.And(search.And(), search.Eq("Title", label("cat"))),
		`Title = "it's"`:     search.Eq("Title", "it's"),
		"CateId = 12":        search.Eq("CateId", int64(12)),
		"cateId == '12'":     search.Exact("cateId", 12),
		"Duration = [0.5,1)": search.Range("Duration", 0.5, 1),
		"CreationTime = ['2026-11-25T00:00:00Z','2026-11-26T00:00:00Z')": search.Range("CreationTime", day, day.AddDate(0, 0, 1)),
		"utcCreate = ['1764028800000',)":                                 search.From("utcCreate", day.AddDate(-1, 0, 0)),
		"Size = (,10)":                                                   search.Before("Size", 10),
		"A = 1 and B = 2 and C = 3":                                      search.And(search.Eq("A", 1), search.And(search.Eq("B", 2), search.Eq("C", 3))),
		"A = 1 and (B = 2 or C = 3)":                                     search.And(search.Eq("A", 1), search.Or(search.Eq("B", 2), search.Eq("C", 3))),
		"(A = 1 and B = 2) or C != 'x'":                                  search.Or(search.And(search.Eq("A", 1), search.Eq("B", 2)), search.Ne("C", "x")),
		"fileInfo.storageLocation = ('a')":                               search.AnyOf("fileInfo.storageLocation", "a"),
		"Status in ('Normal','Uploading')":                               search.In("Status", "Normal", "Uploading"),
	} {
		got, err := e.Match()
		require.NoError(t, err, want)
		require.Equal(t, want, got)
		require.NotEmpty(t, mediatest.Parsed(got), got)
	}
	for _, test := range []struct {
		e    search.Expression
		want error
	}{
		{search.Eq("Title", `a'b"c`), search.ErrValue},
		{search.Eq("Title", `a\`), search.ErrValue},
		{search.Eq("Title", "a\nb"), search.ErrValue},
		{search.Eq("Size", math.NaN()), search.ErrValue},
		{search.Range("Size", math.Inf(-1), 3), search.ErrValue},
		{search.Eq("Title = 'x' or A", "b"), search.ErrField},
		{search.Eq("", "b"), search.ErrField},
		{search.Eq("or", "b"), search.ErrField},
		{search.Eq("1a", "b"), search.ErrField},
		{search.In[string]("Title"), search.ErrEmpty},
		{search.Eq("Title", ""), search.ErrEmpty},
		{search.Or(), search.ErrEmpty},
		{search.Or(search.Eq("A", 1), search.And()), search.ErrEmpty},
		{search.And(search.Eq("A", 1), search.Or(search.Eq("B", `\`))), search.ErrValue},
	} {
		match, err := test.e.Match()
		require.ErrorIs(t, err, test.want)
		require.Empty(t, match)
	}
}

// Titles from outside are found by what package search builds, and find nothing
// else.
func TestSearch_HostileTitlesOfAssets(t *testing.T) {
	t.Parallel()
	srv := mediatest.New(t)
	client, err := vod.New(srv.Config())
	require.NoError(t, err)
	titles := []string{"plain", "it's", `say "hi"`, "x' or Title = 'plain", "a,b", "中文 (1)", "[1,2)"}
	for _, title := range titles {
		_, err := client.CreateUploadVideo(t.Context(), vod.CreateUploadVideoRequest{Title: title, FileName: "a.mp4"})
		require.NoError(t, err)
	}
	for _, title := range titles {
		match, err := search.And(search.Eq("Title", title), search.In("Status", "Uploading", "Normal")).Match()
		require.NoError(t, err)
		out, err := client.SearchMedia(t.Context(), vod.SearchMediaRequest{Match: match, Fields: "Title"})
		require.NoError(t, err, match)
		if want := 1; title == "plain" {
			require.EqualValues(t, 2, out.Total, "the one, and the one that has it")
		} else {
			require.EqualValues(t, want, out.Total, match)
		}
	}
}

// The states of ICE have numbers in a search.
func TestSearch_StatesOfICEAreNumbers(t *testing.T) {
	t.Parallel()
	srv := mediatest.New(t)
	client, err := ice.New(srv.Config())
	require.NoError(t, err)
	_, err = client.CreateUploadMedia(t.Context(), ice.CreateUploadMediaRequest{
		FileInfo: ice.UploadFileInfo{Type: "video", Name: "a", Ext: "mp4"}, MediaMetaData: ice.MediaMetaData{Title: "a", BusinessType: "video"},
	})
	require.NoError(t, err)
	for want, e := range map[int64]search.Expression{
		1: search.AnyOf("status", 0, 10),
		0: search.Exact("status", 3),
	} {
		match, err := e.Match()
		require.NoError(t, err)
		out, err := client.SearchMedia(t.Context(), ice.SearchMediaRequest{Match: match})
		require.NoError(t, err)
		require.Equal(t, want, out.Total, match)
	}
}
