package alimedia_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/alimedia/alimedia-go"
)

func TestJSON_Decode(t *testing.T) {
	t.Parallel()
	type doc struct{ A int }
	for _, text := range []alimedia.JSON{`{"A":1}`, " {\"A\":1}\n", `"{\"A\":1}"`} {
		var d doc
		require.NoError(t, text.Decode(&d), text)
		require.Equal(t, doc{1}, d)
	}
	var d doc
	require.NoError(t, alimedia.JSON("").Decode(&d))
	require.Error(t, alimedia.JSON(`{"A":`).Decode(&d))
	require.Error(t, alimedia.JSON(`"text"`).Decode(&d))
	require.Error(t, alimedia.JSON(`"text`).Decode(&d))
	var s string
	require.NoError(t, alimedia.JSON(`"text"`).Decode(&s))
	require.Equal(t, "text", s)
}

func TestJSON_Unmarshal(t *testing.T) {
	t.Parallel()
	var v struct{ Quoted, Bare, Null, Absent alimedia.JSON }
	require.NoError(t, json.Unmarshal([]byte(`{"Quoted":"{\"a\":1}","Bare":{"a":[1]},"Null":null}`), &v))
	require.Equal(t, alimedia.JSON(`{"a":1}`), v.Quoted)
	require.Equal(t, alimedia.JSON(`{"a":[1]}`), v.Bare)
	require.Empty(t, v.Null)
	require.Empty(t, v.Absent)
}

func TestParseTime(t *testing.T) {
	t.Parallel()
	want := time.Date(2021, 11, 26, 21, 47, 37, 0, time.UTC)
	for _, s := range []string{"2021-11-26T21:47:37Z", "2021-11-26 21:47:37", " 2021-11-26T21:47:37\n", "2021-11-27T05:47:37+08:00", "2021-11-26T21:47:37.000Z"} {
		got, err := alimedia.ParseTime(s)
		require.NoError(t, err, s)
		require.True(t, want.Equal(got), s)
	}
	got, err := alimedia.ParseTime("2021-11-26T21:47Z")
	require.NoError(t, err)
	require.Equal(t, want.Truncate(time.Minute), got)
	for _, s := range []string{"", "yesterday", "20211126", "2021-13-26"} {
		_, err := alimedia.ParseTime(s)
		require.Error(t, err, s)
	}
}
