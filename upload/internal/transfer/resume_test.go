package transfer

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestTransfer_B30_Reconcile(t *testing.T) {
	t.Parallel()
	one := Part{Number: 1, ETag: `"AB"`, Size: 5, CRC64: 7}
	for name, tt := range map[string]struct {
		listed Part
		same   bool
	}{
		"same":       {Part{Number: 1, ETag: `"ab"`, Size: 5}, true},
		"bare ETag":  {Part{Number: 1, ETag: "AB", Size: 5}, true},
		"other size": {Part{Number: 1, ETag: `"AB"`, Size: 6}, false},
		"other ETag": {Part{Number: 1, ETag: `"AC"`, Size: 5}, false},
		"other part": {Part{Number: 2, ETag: `"AB"`, Size: 5}, false},
	} {
		require.Equal(t, tt.same, len(reconcile([]Part{one}, []Part{tt.listed})) == 1, name)
	}
}
