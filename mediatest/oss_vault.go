package mediatest

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"slices"
	"sort"
	"sync"
)

const (
	defaultMemory = 64 << 20  // bytes of objects and parts in memory
	maxStored     = 10 << 30  // bytes of them in all
	blockSize     = 256 << 10 // of the temporary file
)

// MemoryLimit sets how many bytes of objects and parts a server keeps in memory,
// 64 MiB by default. What arrives beyond that goes into a temporary file, which
// only this user can read, which shrinks when objects are deleted and is gone
// after Close. Both together hold 10 GiB at most; see [Discard] for more.
func MemoryLimit(bytes int64) Option { return func(o *options) { o.memory = max(bytes, 0) } }

func newVault(limit int64) *vault { return &vault{limit: limit, unlink: os.Remove} }

// vault keeps the bytes of objects and parts: as many as the limit allows in
// memory, the others in blocks of one temporary file.
type vault struct {
	limit  int64
	unlink func(name string) error // os.Remove

	mu     sync.Mutex // guards what follows and the refs of pieces
	memory int64      // bytes of pieces in memory
	stored int64      // bytes of all pieces
	file   *os.File   // nil: nothing is spilled
	name   string     // of a file that could not be unlinked while it is open
	blocks int        // of the file
	free   []int      // blocks of it without a piece
	closed bool
}

// piece is up to blockSize bytes of one or several objects.
type piece struct {
	refs  int // of objects, parts and readers
	size  int
	data  []byte // when in memory
	block int    // of the file otherwise
}

func (p *piece) spilled() bool { return p.data == nil }

var errFull = refused(400, "EntityTooLarge", "mediatest: the server holds %d bytes already; start it with mediatest.Discard for large uploads.", int64(maxStored))

// unkept is the refusal of bytes that the temporary file does not take. It names
// no path.
func unkept(err error) failure {
	var at *fs.PathError
	if errors.As(err, &at) {
		err = at.Err
	}
	return refused(400, "MediatestStorage", "mediatest: temporary file: %v", err)
}

// writer takes the bytes of one object; expected says how many there will be, if
// it is known.
func (v *vault) writer(expected int64) *vaultWriter {
	return &vaultWriter{vault: v, expected: expected}
}

type vaultWriter struct {
	vault    *vault
	expected int64
	pieces   []*piece
}

// Write implements io.Writer. Its errors are failures.
func (w *vaultWriter) Write(p []byte) (int, error) {
	done := 0
	for done < len(p) {
		n, err := w.some(p[done:])
		if done += n; err != nil {
			return done, err
		}
	}
	return done, nil
}

// some writes as much as the last piece takes.
func (w *vaultWriter) some(p []byte) (int, error) {
	var last *piece
	if n := len(w.pieces); n > 0 && w.pieces[n-1].size < blockSize {
		last = w.pieces[n-1]
		p = p[:min(len(p), blockSize-last.size)]
	}
	p = p[:min(len(p), blockSize)]
	inMemory, err := w.vault.reserve(int64(len(p)), last == nil || !last.spilled())
	if err != nil {
		return 0, err
	}
	if last == nil || !inMemory && !last.spilled() {
		if last, err = w.vault.begin(inMemory, min(w.expected, blockSize)); err != nil {
			w.vault.unreserve(int64(len(p)))
			return 0, err
		}
		w.pieces = append(w.pieces, last)
	}
	w.expected -= int64(len(p))
	if inMemory {
		last.data = append(last.data, p...)
		last.size += len(p)
		return len(p), nil
	}
	n, err := w.vault.file.WriteAt(p, int64(last.block)*blockSize+int64(last.size))
	last.size += n
	if err != nil {
		w.vault.unreserve(int64(len(p) - n))
		return n, unkept(err)
	}
	return n, nil
}

// drop gives up what was written.
func (w *vaultWriter) drop() {
	w.vault.release(w.pieces)
	w.pieces = nil
}

// reserve counts n bytes that arrive and decides whether memory takes them.
func (v *vault) reserve(n int64, memory bool) (inMemory bool, err error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.stored+n > maxStored {
		return false, errFull
	}
	v.stored += n
	if memory && v.memory+n <= v.limit {
		v.memory += n
		return true, nil
	}
	return false, nil
}

// unreserve takes back bytes that the file did not take.
func (v *vault) unreserve(n int64) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.stored -= n
}

// begin makes an empty piece.
func (v *vault) begin(inMemory bool, expected int64) (*piece, error) {
	if inMemory {
		return &piece{refs: 1, data: make([]byte, 0, max(expected, 512))}, nil
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.closed {
		return nil, unkept(os.ErrClosed)
	}
	if err := v.open(); err != nil {
		return nil, unkept(err)
	}
	p := &piece{refs: 1, block: v.blocks}
	if n := len(v.free); n > 0 {
		p.block = v.free[n-1]
		v.free = v.free[:n-1]
	} else {
		v.blocks++
	}
	return p, nil
}

// open makes the temporary file and takes its name away where the system can:
// then it ends with the process, however that ends.
func (v *vault) open() error {
	if v.file != nil {
		return nil
	}
	file, err := os.CreateTemp("", "mediatest-*") // mode 0600
	if err != nil {
		return err
	}
	v.file, v.name = file, ""
	if v.unlink(file.Name()) != nil {
		v.name = file.Name()
	}
	return nil
}

// retain keeps the pieces for one more user.
func (v *vault) retain(pieces []*piece) []*piece {
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, p := range pieces {
		p.refs++
	}
	return pieces
}

// release gives the pieces back. Those without a user are gone.
func (v *vault) release(pieces []*piece) {
	v.mu.Lock()
	defer v.mu.Unlock()
	freed := false
	for _, p := range pieces {
		if p.refs--; p.refs > 0 {
			continue
		}
		v.stored -= int64(p.size)
		if !p.spilled() {
			v.memory -= int64(p.size)
			continue
		}
		v.free, freed = append(v.free, p.block), true
	}
	if freed && !v.closed {
		v.shrink()
	}
}

// shrink cuts the free blocks off the end of the file.
func (v *vault) shrink() {
	slices.Sort(v.free)
	for n := len(v.free); n > 0 && v.free[n-1] == v.blocks-1; n-- {
		v.blocks--
		v.free = v.free[:n-1]
	}
	_ = v.file.Truncate(int64(v.blocks) * blockSize) // a file that stays longer is only larger
	slices.Reverse(v.free)                           // the first blocks are used first
}

// usage is how many bytes are in memory, and how many in the file.
func (v *vault) usage() (memory, file int64) {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.memory, v.stored - v.memory
}

// close removes the file. Bytes in memory can still be read.
func (v *vault) close() {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.closed = true
	if v.file == nil {
		return
	}
	_ = v.file.Close()
	if v.name != "" {
		_ = v.unlink(v.name)
	}
}

// reader reads pieces that the caller has retained.
func (v *vault) reader(pieces []*piece) *io.SectionReader {
	r := &pieceReader{vault: v, pieces: pieces, ends: make([]int64, len(pieces))}
	size := int64(0)
	for i, p := range pieces {
		size += int64(p.size)
		r.ends[i] = size
	}
	return io.NewSectionReader(r, 0, size)
}

type pieceReader struct {
	vault  *vault
	pieces []*piece
	ends   []int64 // where each piece ends
}

// ReadAt implements io.ReaderAt.
func (r *pieceReader) ReadAt(p []byte, off int64) (n int, err error) {
	i := sort.Search(len(r.ends), func(i int) bool { return r.ends[i] > off })
	for ; n < len(p); i++ {
		if i == len(r.pieces) {
			return n, io.EOF
		}
		piece := r.pieces[i]
		at := off + int64(n) - (r.ends[i] - int64(piece.size))
		want := min(len(p)-n, piece.size-int(at))
		if !piece.spilled() {
			n += copy(p[n:n+want], piece.data[at:])
			continue
		}
		got, err := r.vault.file.ReadAt(p[n:n+want], int64(piece.block)*blockSize+at)
		if n += got; got < want {
			return n, err
		}
	}
	return n, nil
}
