package transfer

import (
	"testing"
	"time"

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

// TestTransfer_B30_RecordedSize: a part that was recorded with another size than it
// has now is sent again, even if the service may not list its parts and the source
// is known to be the same.
func TestTransfer_B30_RecordedSize(t *testing.T) {
	t.Parallel()
	data := random(6 * partSize)
	for _, unchanged := range []bool{false, true} {
		m, c := newMemory(), new(remembered)
		m.uploads["u"] = map[int][]byte{1: data[:partSize-1], 2: data[partSize : 2*partSize]}
		c.known, c.state = true, State{UploadID: "u", PartSize: partSize, Created: time.Now(), Initiated: time.Now()}
		for number, part := range m.uploads["u"] {
			c.state.Parts = append(c.state.Parts, Part{Number: number, ETag: info(part).ETag, Size: int64(len(part)), CRC64: info(part).CRC64})
		}
		m.fault = func(operation string, _ int) error {
			if operation == "ListParts" {
				return refusal(403, "AccessDenied")
			}
			return nil
		}
		s := readAt(data)
		s.Unchanged = unchanged
		done, err := upload(t, ctx, m, s, c, new(counted))
		requireStored(t, m, data, done, err)
		require.Equal(t, map[int]int{1: 1, 3: 1, 4: 1, 5: 1, 6: 1}, m.sent)
	}
}
