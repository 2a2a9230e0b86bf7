package mediatest

import (
	"crypto/rand"
	"encoding/binary"
	"encoding/hex"
	"io"
	mathrand "math/rand/v2"
	"strings"
	"sync"
)

// Seed makes ids reproducible: two servers with the same seed that are asked the
// same, one call after the other, give the same ids, access keys and upload ids.
// Request ids are drawn apart, so that one more poll changes no other id. Keys
// made from a seed are no secret. By default everything is random.
func Seed(n uint64) Option { return func(o *options) { o.seed = &n } }

// ids is where ids come from.
type ids struct {
	mu       sync.Mutex
	things   *mathrand.ChaCha8 // nil: at random
	requests *mathrand.ChaCha8
}

func newIDs(seed *uint64) *ids {
	if seed == nil {
		return &ids{}
	}
	from := func(part byte) *mathrand.ChaCha8 {
		var key [32]byte
		binary.LittleEndian.PutUint64(key[:], *seed)
		key[31] = part
		return mathrand.NewChaCha8(key)
	}
	return &ids{things: from(0), requests: from(1)}
}

// bytes draws n bytes, of a request id or of another one.
func (i *ids) bytes(request bool, n int) []byte {
	i.mu.Lock()
	defer i.mu.Unlock()
	var from io.Reader = rand.Reader
	switch {
	case i.things == nil:
	case request:
		from = i.requests
	default:
		from = i.things
	}
	b := make([]byte, n)
	_, _ = io.ReadFull(from, b) // never fails
	return b
}

// randomID returns n random bytes in hexadecimal.
func (s *Server) randomID(n int) string { return hex.EncodeToString(s.ids.bytes(false, n)) }

// requestID has the form of the API's request ids.
func (s *Server) requestID() string {
	h := strings.ToUpper(hex.EncodeToString(s.ids.bytes(true, 16)))
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}

// ossRequestID has the form of OSS's request ids.
func (s *Server) ossRequestID() string {
	return strings.ToUpper(hex.EncodeToString(s.ids.bytes(true, 12)))
}

// randomDigits has the form of the ids of accounts, users and roles.
func (s *Server) randomDigits(n int) string {
	b := s.ids.bytes(false, n)
	for i := range b {
		b[i] = '0' + b[i]%10
	}
	b[0] = '1' + (b[0]-'0')%9
	return string(b)
}
