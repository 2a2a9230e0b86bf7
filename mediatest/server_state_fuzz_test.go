package mediatest

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// framed makes a state of a document, with a right length and checksum.
func framed(document, content []byte) []byte {
	state := append(fmt.Appendf(nil, stateLine, stateVersion, len(document)), document...)
	state = append(state, content...)
	sum := sha256.Sum256(state)
	return append(state, hex.EncodeToString(sum[:])+"\n"...)
}

// unframed is the document of a state, and the bytes after it.
func unframed(t testing.TB, state []byte) (document, content []byte) {
	var version, length int
	_, err := fmt.Sscanf(string(state), stateLine, &version, &length)
	require.NoError(t, err)
	rest := state[bytes.IndexByte(state, '\n')+1:]
	return rest[:length], rest[length : len(rest)-2*sha256.Size-1]
}

// everything asks for all that a server holds, and changes some of it.
func (s *Server) everything(t testing.TB) {
	for _, b := range s.snapshot(1000).Objects {
		s.Object(b.Bucket, b.Key)
		s.ObjectHeader(b.Bucket, b.Key)
		s.ObjectURL(b.Bucket, b.Key)
	}
	for _, m := range s.Medias() {
		s.SetStatus(m.MediaId, "Uploading")
		s.PutObject(m.Bucket, m.Key, []byte("new"))
	}
	s.Jobs()
	s.Events()
	s.Receive("q")
	s.Clock().Advance(time.Hour)
	require.NoError(t, s.Save(io.Discard))
	s.Reset()
	require.Zero(t, s.Held())
}

func FuzzState(f *testing.F) {
	srv := Start(InMemory(), Seed(1))
	defer srv.Close()
	oneOfEach(f, srv)
	var state bytes.Buffer
	require.NoError(f, srv.Save(&state))
	document, content := unframed(f, state.Bytes())
	f.Add(state.Bytes(), []byte(nil), false)
	f.Add(document, content, true)
	for _, cut := range []string{`"Owner":"`, `"Size":`, `"Number":3`, `"Kind":1`, `"Storage":"`, `"Blob":{`, `"Header":{`, `"Effect":"Allow"`, `"Secret":"`, `"Params":{`, `"Parts":[`} {
		i := bytes.Index(document, []byte(cut))
		require.Positive(f, i, cut)
		f.Add(append(bytes.Clone(document[:i+len(cut)-1]), document[min(i+len(cut)+3, len(document)):]...), content, true)
	}
	f.Add([]byte(`{"Accounts":[null]}`), []byte(nil), true)
	f.Add([]byte(`{"Accounts":[{"Medias":[null],"Things":[null]}],"Buckets":[{"Objects":[null]}],"Uploads":[{"Parts":[null]}]}`), []byte(nil), true)
	f.Fuzz(func(t *testing.T, document, content []byte, frame bool) {
		srv := Start(InMemory(), Seed(2))
		defer srv.Close()
		srv.PutObject("own", "key", []byte("bytes"))
		var before, after bytes.Buffer
		require.NoError(t, srv.Save(&before))
		state := document
		if frame {
			state = framed(document, content)
		}
		if err := srv.Load(bytes.NewReader(state)); err != nil {
			require.NoError(t, srv.Save(&after))
			require.Equal(t, before.String(), after.String())
			require.EqualValues(t, len("bytes"), srv.Held())
			return
		}
		require.NoError(t, srv.Save(&after))
		require.NoError(t, srv.Load(&after))
		srv.everything(t)
	})
}
