package vod

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestSearchMediaIter(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name    string
		req     SearchMediaRequest
		scrolls bool
	}{
		{"videos", SearchMediaRequest{}, true},
		{"audios", SearchMediaRequest{SearchType: "audio", SortBy: "CreationTime:Asc"}, true},
		{"images", SearchMediaRequest{SearchType: "image"}, false},
		{"attached media", SearchMediaRequest{SearchType: "attached"}, false},
		{"two fields to sort by", SearchMediaRequest{SearchType: "video", SortBy: "CreationTime:Asc,Title:Asc"}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c, w := newClient(t, "cn-shanghai",
				`{"MediaList":[{"MediaId":"a"},{"MediaId":"b"}],"Total":3,"ScrollToken":"after b"}`,
				`{"MediaList":[{"MediaId":"c"}],"Total":3,"ScrollToken":"after c"}`)
			var ids []string
			for m, err := range c.SearchMediaIter(t.Context(), tt.req) {
				require.NoError(t, err)
				ids = append(ids, m.MediaId)
			}
			require.Equal(t, []string{"a", "b", "c"}, ids)
			require.Len(t, w.sent, 2)
			require.Equal(t, "2", w.sent[1].Get("PageNo"))
			if tt.scrolls {
				require.Equal(t, "after b", w.sent[1].Get("ScrollToken"))
			} else {
				require.False(t, w.sent[1].Has("ScrollToken"))
			}
		})
	}
}

// The service cuts a search without scrolling off: that must not look like its end.
func TestSearchMediaIter_SaysWhenThereIsMore(t *testing.T) {
	t.Parallel()
	var responses []string
	for page := range mostPaged / 100 {
		items := make([]string, 100)
		for i := range items {
			items[i] = fmt.Sprintf(`{"MediaId":"%d"}`, page*100+i)
		}
		responses = append(responses, fmt.Sprintf(`{"MediaList":[%s],"Total":5001}`, strings.Join(items, ",")))
	}
	c, w := newClient(t, "cn-shanghai", responses...)
	items := 0
	var last error
	for _, err := range c.SearchMediaIter(t.Context(), SearchMediaRequest{SearchType: "image", PageSize: 100}) {
		if last = err; err == nil {
			items++
		}
	}
	require.ErrorContains(t, last, "at most 5000 items")
	require.Equal(t, mostPaged, items)
	require.Len(t, w.sent, 50)
}

func TestDescribeVodDomainLogIter(t *testing.T) {
	t.Parallel()
	page := func(total int, names ...string) string {
		files := make([]string, len(names))
		for i, name := range names {
			files[i] = fmt.Sprintf(`{"LogName":%q}`, name)
		}
		return fmt.Sprintf(`{"DomainLogDetails":{"DomainLogDetail":[{"LogInfos":{"LogInfoDetail":[%s]},"PageInfos":{"Total":%d}}]}}`, strings.Join(files, ","), total)
	}
	c, w := newClient(t, "cn-shanghai", page(3, "a", "b"), page(3, "c"))
	var names []string
	for file, err := range c.DescribeVodDomainLogIter(t.Context(), DescribeVodDomainLogRequest{DomainName: "example.com", PageSize: 2}) {
		require.NoError(t, err)
		names = append(names, file.LogName)
	}
	require.Equal(t, []string{"a", "b", "c"}, names)
	require.Len(t, w.sent, 2)

	c, _ = newClient(t, "cn-shanghai", page(0, "a", "b"), page(0))
	files := 0
	for _, err := range c.DescribeVodDomainLogIter(t.Context(), DescribeVodDomainLogRequest{DomainName: "example.com"}) {
		require.NoError(t, err)
		files++
	}
	require.Equal(t, 2, files)
}
