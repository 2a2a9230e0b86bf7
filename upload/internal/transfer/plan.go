package transfer

import "fmt"

// Limits of a multipart upload.
const (
	MinPartSize   = 100 << 10 // bytes, the last part excepted
	MaxPartSize   = 5 << 30   // bytes; also of a single request
	MaxParts      = 10_000
	MaxObjectSize = MaxPartSize * MaxParts // bytes, 48.8 TiB
)

// UnknownSize is the size of a stream whose end is not known.
const UnknownSize = -1

// plan says how a source is split.
type plan struct {
	size     int64 // bytes, or UnknownSize
	partSize int64
	single   bool // one request, no parts
}

// newPlan splits size bytes into parts of at least partSize bytes, at most
// MaxParts of them. Below threshold there are no parts.
func newPlan(size, partSize, threshold int64) (plan, error) {
	switch {
	case size == UnknownSize:
		return plan{size: size, partSize: partSize}, nil
	case size == 0:
		return plan{}, ErrEmpty
	case size > MaxObjectSize:
		return plan{}, fmt.Errorf("%d bytes: an object has at most %d bytes", size, int64(MaxObjectSize))
	case size < threshold:
		return plan{size: size, partSize: size, single: true}, nil
	}
	if least := (size + MaxParts - 1) / MaxParts; partSize < least {
		const step = 1 << 20
		partSize = (least + step - 1) / step * step
	}
	return plan{size: size, partSize: partSize}, nil
}

// sizeOf is the size of a part, and 0 after the last. If the size of the source
// is unknown, the size of a part doubles every 2,000 parts, so that 10,000 parts
// hold 62,000 times the size of the first.
func (p plan) sizeOf(number int) int64 {
	if p.size == UnknownSize {
		return min(p.partSize<<((number-1)/2000), MaxPartSize)
	}
	return max(0, min(p.partSize, p.size-int64(number-1)*p.partSize))
}
