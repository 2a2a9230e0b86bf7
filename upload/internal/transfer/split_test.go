package transfer

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/require"
)

// endless gives n bytes, whatever they are, and then io.EOF.
type endless struct{ left int64 }

func (r *endless) Read(p []byte) (int, error) {
	if r.left == 0 {
		return 0, io.EOF
	}
	n := min(int64(len(p)), r.left)
	r.left -= n
	return int(n), nil
}

var errDisk = errors.New("disk on fire")

func never() error { return nil }

// onlyReader hides all methods but Read.
func onlyReader(r io.Reader) io.Reader { return struct{ io.Reader }{r} }

func random(n int) []byte {
	data := make([]byte, n)
	_, _ = rand.Read(data)
	return data
}

func TestTransfer_B14_Plan(t *testing.T) {
	t.Parallel()
	const part, threshold = 8 << 20, 16 << 20
	const gib, tib = 1 << 30, 1 << 40
	for _, tt := range []struct {
		size   int64
		single bool
		part   int64
		count  int
	}{
		{1, true, 1, 1},
		{threshold - 1, true, threshold - 1, 1},
		{threshold, false, part, 2},
		{threshold + 1, false, part, 3},
		{10 * part, false, part, 10},
		{10_000 * part, false, part, 10_000},
		{10_000*part + 1, false, part + 1<<20, 8889},
		{tib, false, 105 << 20, 9987},
		{MaxObjectSize - 1, false, MaxPartSize, 10_000},
		{MaxObjectSize, false, MaxPartSize, 10_000},
	} {
		t.Run(fmt.Sprint(tt.size), func(t *testing.T) {
			p, err := newPlan(tt.size, part, threshold)
			require.NoError(t, err)
			require.Equal(t, tt.single, p.single)
			require.Equal(t, tt.part, p.partSize)
			var sum int64
			count := 0
			for size := p.sizeOf(1); size > 0; size = p.sizeOf(count + 1) {
				count++
				sum += size
				require.LessOrEqual(t, size, int64(MaxPartSize))
			}
			require.Equal(t, tt.size, sum)
			require.Equal(t, tt.count, count)
			require.LessOrEqual(t, count, MaxParts)
		})
	}
	_, err := newPlan(MaxObjectSize+1, part, threshold)
	require.ErrorContains(t, err, "at most 53687091200000 bytes")
	_, err = newPlan(0, part, threshold)
	require.ErrorIs(t, err, ErrEmpty)
}

func TestTransfer_B16_StreamPartsGrow(t *testing.T) {
	t.Parallel()
	p, err := newPlan(UnknownSize, 8<<20, 16<<20)
	require.NoError(t, err)
	var sum int64
	for n := 1; n <= MaxParts; n++ {
		sum += p.sizeOf(n)
	}
	require.Equal(t, int64(62_000*(8<<20)), sum)
	require.Equal(t, int64(8<<20), p.sizeOf(2000))
	require.Equal(t, int64(16<<20), p.sizeOf(2001))
	huge, err := newPlan(UnknownSize, MaxPartSize, MaxPartSize)
	require.NoError(t, err)
	require.Equal(t, int64(MaxPartSize), huge.sizeOf(MaxParts))
}

func TestTransfer_B16_StreamTooLong(t *testing.T) {
	t.Parallel()
	p := plan{size: UnknownSize, partSize: 1} // parts of 1 to 16 bytes: 62,000 in all
	f := splitReader(&endless{62_001}, p, 2)
	defer f.stop()
	var sum int64
	for {
		c, err := f.next(context.Background())
		if err != nil {
			require.ErrorContains(t, err, "a stream of more than 62000 bytes: declare its size or raise Config.PartSize")
			break
		}
		sum += c.data.Size()
		c.free()
	}
	require.EqualValues(t, 62_000, sum)
}

// drain reads all chunks of a splitter.
func drain(f *splitter) (data []byte, parts int, err error) {
	for {
		c, err := f.next(context.Background())
		if err == io.EOF {
			return data, parts, nil
		}
		if err != nil {
			return data, parts, err
		}
		text, err := io.ReadAll(c.data)
		if err != nil {
			return data, parts, err
		}
		c.free()
		data, parts = append(data, text...), parts+1
		if c.number != parts {
			return data, parts, fmt.Errorf("chunk %d is number %d", parts, c.number)
		}
	}
}

func TestSplit(t *testing.T) {
	t.Parallel()
	for _, size := range []int{1, 9, 10, 11, 20, 95} {
		data := random(size)
		known, err := newPlan(int64(size), 10, 0)
		require.NoError(t, err)
		unknown := plan{size: UnknownSize, partSize: 10}
		for name, f := range map[string]*splitter{
			"file":           splitReaderAt(bytes.NewReader(data), known),
			"known":          splitReader(onlyReader(bytes.NewReader(data)), known, 3),
			"unknown":        splitReader(onlyReader(bytes.NewReader(data)), unknown, 3),
			"one byte each":  splitReader(iotest.OneByteReader(bytes.NewReader(data)), unknown, 3),
			"data with EOF":  splitReader(iotest.DataErrReader(bytes.NewReader(data)), known, 3),
			"data with EOF2": splitReader(iotest.DataErrReader(bytes.NewReader(data)), unknown, 3),
		} {
			got, parts, err := drain(f)
			require.NoError(t, err, name)
			require.Equal(t, data, got, name)
			require.Equal(t, (size+9)/10, parts, name)
			f.stop()
		}
	}
}

func TestTransfer_B17_SplitErrors(t *testing.T) {
	t.Parallel()
	ten, err := newPlan(10, 4, 0)
	require.NoError(t, err)
	unknown := plan{size: UnknownSize, partSize: 4}
	for _, tt := range []struct {
		name  string
		r     io.Reader
		p     plan
		want  error
		text  string
		parts int
	}{
		{"empty", bytes.NewReader(nil), unknown, ErrEmpty, "", 0},
		{"empty, declared", bytes.NewReader(nil), ten, ErrSize, "10 bytes declared, the reader ended after 0", 0},
		{"short", bytes.NewReader(make([]byte, 9)), ten, ErrSize, "10 bytes declared, the reader ended after 9", 2},
		{"long", bytes.NewReader(make([]byte, 11)), ten, ErrSize, "10 bytes declared, the reader has more", 2},
		{"broken", io.MultiReader(bytes.NewReader(make([]byte, 6)), iotest.ErrReader(errDisk)), unknown, errDisk, "read the source: disk on fire", 1},
		{"broken at the end", io.MultiReader(bytes.NewReader(make([]byte, 10)), iotest.ErrReader(errDisk)), ten, errDisk, "", 2},
		{"idle", idleReader{}, ten, io.ErrNoProgress, "", 0},
		{"liar", liarReader{}, ten, nil, "impossible count", 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := splitReader(tt.r, tt.p, 2)
			defer f.stop()
			_, parts, err := drain(f)
			require.Error(t, err)
			if tt.want != nil {
				require.ErrorIs(t, err, tt.want)
			}
			require.ErrorContains(t, err, tt.text)
			require.Equal(t, tt.parts, parts)
		})
	}
}

type idleReader struct{}

func (idleReader) Read([]byte) (int, error) { return 0, nil }

type liarReader struct{}

func (liarReader) Read(p []byte) (int, error) { return len(p) + 1, nil }

func TestTransfer_B16_MemoryIsBounded(t *testing.T) {
	t.Parallel()
	const buffers, part = 3, 10
	r := &endless{1000}
	f := splitReader(r, plan{size: UnknownSize, partSize: part}, buffers)
	defer f.stop()
	var held []chunk
	for range buffers {
		c, err := f.next(context.Background())
		require.NoError(t, err)
		held = append(held, c)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_, err := f.next(ctx)
	require.ErrorIs(t, err, context.Canceled, "all memory is in use")
	require.EqualValues(t, 1000-buffers*part, r.left)
	held[0].free()
	_, err = f.next(context.Background())
	require.NoError(t, err)
}

func TestBody_OverMeansOver(t *testing.T) {
	t.Parallel()
	a := &attempt{config: &manager(nil).Config}
	a.start(true, func(error) {})
	defer a.timer.Stop()
	b := &body{data: io.NewSectionReader(bytes.NewReader(random(100)), 0, 100), source: &Source{Changed: never}, observer: new(counted), attempt: a}
	n, err := b.Read(make([]byte, 40))
	require.NoError(t, err)
	require.Equal(t, 40, n)
	sent, _, err := b.end()
	require.NoError(t, err)
	require.EqualValues(t, 40, sent)
	n, err = b.Read(make([]byte, 40))
	require.ErrorIs(t, err, errOver)
	require.Zero(t, n)
}

// TestTransfer_B14_SmallestParts: parts of the least size grow like all others.
func TestTransfer_B14_SmallestParts(t *testing.T) {
	t.Parallel()
	for _, size := range []int64{MinPartSize * MaxParts, MinPartSize*MaxParts + 1, 5 << 30, MaxObjectSize} {
		p, err := newPlan(size, MinPartSize, 1)
		require.NoError(t, err)
		require.False(t, p.single)
		require.GreaterOrEqual(t, p.partSize, int64(102_400))
		require.LessOrEqual(t, (size+p.partSize-1)/p.partSize, int64(10_000))
		require.Positive(t, p.sizeOf(int((size+p.partSize-1)/p.partSize)))
		require.Zero(t, p.sizeOf(int((size+p.partSize-1)/p.partSize)+1))
	}
}

// TestTransfer_B16_StreamExactlyAsLongAsPossible: the last part that there can be
// is also the last of the stream.
func TestTransfer_B16_StreamExactlyAsLongAsPossible(t *testing.T) {
	t.Parallel()
	f := splitReader(&endless{62_000}, plan{size: UnknownSize, partSize: 1}, 2)
	defer f.stop()
	data, parts, err := drain(f)
	require.NoError(t, err)
	require.Equal(t, MaxParts, parts)
	require.Len(t, data, 62_000)
}

// TestBody_B41_GivesWhatIsAdmitted: a request sends no more bytes than the
// bandwidth admits, however many are asked for.
func TestBody_B41_GivesWhatIsAdmitted(t *testing.T) {
	t.Parallel()
	a := &attempt{config: &manager(nil).Config}
	a.start(true, func(error) {})
	defer a.timer.Stop()
	b := &body{
		data: io.NewSectionReader(bytes.NewReader(random(100)), 0, 100), source: &Source{Changed: never}, observer: new(counted), attempt: a,
		admit: func(want int) (int, error) { return min(want, 7), nil },
	}
	n, err := b.Read(make([]byte, 40))
	require.NoError(t, err)
	require.Equal(t, 7, n)
	b.admit = func(int) (int, error) { return 0, errDisk }
	_, err = b.Read(make([]byte, 40))
	require.ErrorIs(t, err, errDisk)
	sent, _, err := b.end()
	require.NoError(t, err)
	require.EqualValues(t, 7, sent)
}
