package ice

import (
	"net/url"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestSearchMediaIter(t *testing.T) {
	t.Parallel()
	c, w := newClient(t, "cn-shanghai",
		`{"MediaInfoList":[{"MediaId":"a"},{"MediaId":"b"}],"Total":3,"ScrollToken":"after b"}`,
		`{"MediaInfoList":[{"MediaId":"c"}],"Total":3,"ScrollToken":"after c"}`)
	var ids []string
	for m, err := range c.SearchMediaIter(t.Context(), SearchMediaRequest{Match: "status == 'Normal'", PageSize: 2}) {
		require.NoError(t, err)
		ids = append(ids, m.MediaId)
	}
	require.Equal(t, []string{"a", "b", "c"}, ids)
	require.Equal(t, []url.Values{
		{"Match": {"status == 'Normal'"}, "PageNo": {"1"}, "PageSize": {"2"}},
		{"Match": {"status == 'Normal'"}, "PageNo": {"2"}, "PageSize": {"2"}, "ScrollToken": {"after b"}},
	}, w.sent)
}
