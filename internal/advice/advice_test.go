package advice

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestOf_SharedCodes(t *testing.T) {
	t.Parallel()
	throttled := Of("vod", "GetPlayInfo", "Throttling")
	require.NotEmpty(t, throttled)
	require.Equal(t, throttled, Of("ice", "Anything", "throttling.user"))
	require.Equal(t, Of("", "", "Forbidden.RAM"), Of("", "", "forbidden.RAM"))
	require.Empty(t, Of("vod", "GetPlayInfo", ""))
	require.Empty(t, Of("vod", "GetPlayInfo", "Unheard.Of"))
	require.Empty(t, Of("vod", "GetPlayInfo", "."))
}

// The table is found by binary search, so it must be in order, and each entry is
// found by its own key.
func TestOf_EveryEntryIsFound(t *testing.T) {
	t.Parallel()
	require.NotEmpty(t, operations)
	require.True(t, slices.IsSortedFunc(operations[:], compare))
	for _, e := range operations {
		require.Equal(t, e.text, Of(e.product, e.action, strings.ToUpper(e.code)))
	}
	for code := range common {
		require.Equal(t, strings.ToLower(code), code)
	}
}

func FuzzOf(f *testing.F) {
	f.Add("vod", "GetPlayInfo", "A.B.C")
	f.Fuzz(func(t *testing.T, product, action, code string) { Of(product, action, code) })
}
