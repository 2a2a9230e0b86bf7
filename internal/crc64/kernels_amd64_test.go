//go:build !purego

package crc64

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func kernels() (list []kernel, reset func()) {
	hasFold, hasWide := canFold, wide
	use := func(fold, two bool) func() { return func() { canFold, wide = fold, two } }
	list = append(list, kernel{"plain", use(false, false)})
	if hasFold {
		list = append(list, kernel{"PCLMULQDQ", use(true, false)})
	}
	if hasWide {
		list = append(list, kernel{"VPCLMULQDQ", use(true, true)})
	}
	return list, use(hasFold, hasWide)
}

func TestDetect(t *testing.T) {
	t.Parallel()
	fold, two := detect()
	require.True(t, fold || !two)
	info, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return // nothing to compare with outside Linux
	}
	flags := strings.Fields(string(info))
	require.Equal(t, slices.Contains(flags, "pclmulqdq"), fold)
	require.Equal(t, slices.Contains(flags, "vpclmulqdq") && slices.Contains(flags, "avx2"), two)
}
