package checkpoint

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestCheckpoint_B27_NextRun: a later run reads what an earlier one has saved.
func TestCheckpoint_B27_NextRun(t *testing.T) {
	t.Parallel()
	d := openDir(t, t.TempDir())
	interrupted(t, d)
	f := openFile(t, d)
	s, earlier := f.State()
	require.True(t, earlier)
	require.Equal(t, Asset{MediaID: "media-1", FileURL: "https://host/a.mp4", RequestID: "R", Address: address}, s.Asset())
	require.Len(t, s.Token, 32)
	m, ok := f.Load()
	require.True(t, ok)
	require.True(t, m.Sending)
	require.False(t, m.Completing)
	require.Equal(t, "UPLOAD", m.UploadID)
	require.Equal(t, []Part{{1, `"A"`, MinPartSize, 1}, {2, `"B"`, MinPartSize, 2}}, m.Parts)

	require.False(t, f.Durable(), "nothing is written yet")
	require.NoError(t, f.Replace(m.Parts[1:]))
	require.True(t, f.Durable())
	require.NoError(t, f.Completing())
	f.Close(false)

	f = openFile(t, d)
	m, _ = f.Load()
	require.True(t, m.Completing)
	require.Equal(t, []Part{{2, `"B"`, MinPartSize, 2}}, m.Parts)
	require.NoError(t, f.SaveObject(Object{ETag: `"all"`, Size: 600 << 10, CRC64: 7}))
	asked := time.Now()
	require.NoError(t, f.SaveAsked(asked))
	require.NoError(t, f.SaveRegistration(Registration{MediaID: "media-2", RequestID: "R2", Already: true}))
	f.Close(false)

	f = openFile(t, d)
	defer f.Close(true)
	s, _ = f.State()
	require.True(t, s.Stored())
	require.Equal(t, Registered, s.Step)
	require.Equal(t, "media-2", s.MediaID)
	require.Equal(t, "R2", s.RequestID)
	require.True(t, s.AlreadyRegistered)
	require.EqualValues(t, 7, s.CRC64)
	require.True(t, asked.Equal(s.Asked))
}

// TestCheckpoint_B24_NotDurableAfterAFailure: parts are not kept for a checkpoint
// whose file cannot be written.
func TestCheckpoint_B24_NotDurableAfterAFailure(t *testing.T) {
	t.Parallel()
	f := openFile(t, openDir(t, t.TempDir()))
	defer f.Close(true)
	require.NoError(t, f.Started("UPLOAD", MinPartSize, false))
	require.True(t, f.Durable())
	require.NoError(t, f.file.Close())
	require.NoError(t, f.PartStored(Part{Number: 1, ETag: `"A"`, Size: MinPartSize, CRC64: 1}), "it is not required")
	require.False(t, f.Durable())
}

// TestCheckpoint_B29_PartsAreForgotten: the asset stays when its parts are gone.
func TestCheckpoint_B29_PartsAreForgotten(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		forget  func(*File) error
		earlier bool // the parts of this run are still those of an earlier run
	}{
		"dropped":   {(*File).DropParts, true},
		"restarted": {(*File).Restart, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := openDir(t, t.TempDir())
			interrupted(t, d)
			f := openFile(t, d)
			require.NoError(t, tt.forget(f))
			m, ok := f.Load()
			require.Equal(t, tt.earlier, ok)
			require.Empty(t, m.UploadID)
			require.Empty(t, m.Parts)
			f.Close(false)
			f = openFile(t, d)
			defer f.Close(false)
			s, earlier := f.State()
			require.True(t, earlier)
			require.Equal(t, Sending, s.Step)
			require.Equal(t, "media-1", s.MediaID)
			require.Equal(t, address, s.Address)
		})
	}
}

// TestCheckpoint_B28_Damaged: a checkpoint that this package cannot have written
// is ignored, and that is logged.
func TestCheckpoint_B28_Damaged(t *testing.T) {
	t.Parallel()
	replace := func(old, new string) func([]byte) []byte {
		return func(b []byte) []byte { return bytes.Replace(b, []byte(old), []byte(new), 1) }
	}
	for name, damage := range map[string]func([]byte) []byte{
		"empty":            func([]byte) []byte { return nil },
		"corrupt":          func([]byte) []byte { return []byte("\x00\x01 not JSON\n") },
		"truncated":        func(b []byte) []byte { return b[:40] },
		"older version":    replace(`"checkpoint":2`, `"checkpoint":1`),
		"newer version":    replace(`"checkpoint":2`, `"checkpoint":9`),
		"huge":             func(b []byte) []byte { return append(b, make([]byte, maxSize)...) },
		"unknown step":     replace(`"step":"sending"`, `"step":"dreaming"`),
		"no part size":     replace(`"partSize":102400`, `"partSize":0`),
		"small parts":      replace(`"partSize":102400`, `"partSize":102399`),
		"large parts":      replace(`"partSize":102400`, `"partSize":5368709121`),
		"other bucket":     replace(`"Bucket":"outin-`, `"Bucket":"../`),
		"no destination":   replace(`"mediaId":"media-1","fileURL":"https://host/a.mp4","requestId":"R","address":{`, `"other":{`),
		"stored nothing":   replace(`"step":"sending"`, `"step":"stored"`),
		"registered empty": replace(`"step":"sending"`, `"step":"done"`),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := openDir(t, t.TempDir())
			interrupted(t, d)
			damaged := damage(content(t, d))
			require.NotEqual(t, content(t, d), damaged)
			require.NoError(t, os.WriteFile(d.file(movieKey.Name()+fileEnd), damaged, 0o600))
			var l lines
			f := openFile(t, d, func(o *Options) {
				o.Logger = textLogger(&l)
				o.CheckAddress = func(a Address) (Address, error) {
					if strings.Contains(a.Bucket, "..") {
						return a, errors.New("not a bucket")
					}
					return a, nil
				}
			})
			defer f.Close(true)
			_, earlier := f.State()
			require.False(t, earlier)
			require.Contains(t, l.String(), "checkpoint ignored")
		})
	}
}

// TestCheckpoint_B28_Parts: an incomplete or damaged line ends the parts.
func TestCheckpoint_B28_Parts(t *testing.T) {
	t.Parallel()
	good := `{"part":1,"etag":"E","size":1,"crc64":2}` + "\n"
	for lines, want := range map[string]int{
		good:                1,
		good[:len(good)-1]:  0,
		good + "\n":         1,
		good + "x\n" + good: 1,
		good + `{"part":0,"etag":"E","size":1}` + "\n":              1,
		good + `{"part":10001,"etag":"E","size":1}` + "\n":          1,
		good + `{"part":2,"etag":"","size":1}` + "\n":               1,
		good + `{"part":2,"etag":"E","size":0}` + "\n":              1,
		good + `{"part":2,"etag":"E","size":5368709121}` + "\n":     1,
		good + `{"part":10000,"etag":"E","size":5368709120}` + "\n": 2,
	} {
		_, parts, err := Parse([]byte(`{"checkpoint":2,"step":"sending","mediaId":"a"}`+"\n"+lines), anyAddress)
		require.NoError(t, err)
		require.Len(t, parts, want, "%s", lines)
	}
}

// TestCheckpoint_B61_TimesAreClamped: a time in the future counts as now.
func TestCheckpoint_B61_TimesAreClamped(t *testing.T) {
	t.Parallel()
	d := openDir(t, t.TempDir())
	interrupted(t, d)
	s, parts, err := Parse(content(t, d), anyAddress)
	require.NoError(t, err)
	future := time.Now().Add(1000 * time.Hour)
	s.Created, s.Initiated, s.Asked = future, future, future
	text, err := Format(s, []Part{parts[1]})
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(d.file(movieKey.Name()+fileEnd), text, 0o600))
	f := openFile(t, d)
	defer f.Close(false)
	s, _ = f.State()
	for _, at := range []time.Time{s.Created, s.Initiated, s.Asked} {
		require.False(t, at.After(time.Now()))
	}
}

// TestCheckpoint_B58_CutAnywhere: the newer file may end at any byte. Until its
// first line is complete the older file counts; then nothing is lost.
func TestCheckpoint_B58_CutAnywhere(t *testing.T) {
	t.Parallel()
	d := openDir(t, t.TempDir())
	f := openFile(t, d)
	require.NoError(t, f.Save())
	first := content(t, d)
	f.Close(true)
	interrupted(t, d)
	text := content(t, d)
	name := movieKey.Name()
	known := bytes.IndexByte(text, '\n') + 1
	for cut := 0; cut <= len(text); cut++ {
		require.NoError(t, os.WriteFile(d.file(name+fileEnd), first, 0o600))
		require.NoError(t, os.WriteFile(d.file(name+tempEnd), text[:cut], 0o600))
		f := openFile(t, d)
		s, earlier := f.State()
		f.Close(false)
		require.True(t, earlier)
		require.Equal(t, cut >= known, s.MediaID == "media-1", "%d of %d", cut, known)
		require.False(t, d.has(name+tempEnd))
	}
	// Parts of the older file are kept if the newer one is cut off.
	require.NoError(t, os.WriteFile(d.file(name+fileEnd), text, 0o600))
	newer := bytes.Replace(text[:known], []byte(`"parts":0`), []byte(`"parts":2`), 1)
	require.NoError(t, os.WriteFile(d.file(name+tempEnd), newer, 0o600))
	f = openFile(t, d)
	defer f.Close(true)
	m, _ := f.Load()
	require.Len(t, m.Parts, 2)
}

// TestCheckpoint_B52_Aliases: a checkpoint that an earlier run saved under
// another key of the same upload is renamed, with those of its segments.
func TestCheckpoint_B52_Aliases(t *testing.T) {
	t.Parallel()
	d := openDir(t, t.TempDir())
	interrupted(t, d)
	f := openFile(t, d)
	s, err := f.Segments("media-1", "sv/")
	require.NoError(t, err)
	s.Close()
	segment, _, err := f.Segment(3, movie, Asset{Address: address})
	require.NoError(t, err)
	require.NoError(t, segment.Started("SEGMENT", MinPartSize, false))
	segment.Close(false)
	f.Close(false)

	other := movieKey
	other.Owner = "key:0123"
	own, err := OpenDir(d.path)
	require.NoError(t, err)
	o := options(d)
	o.Aliases = []Key{movieKey}
	f, err = Open(own, other, o)
	require.NoError(t, err)
	got, earlier := f.State()
	require.True(t, earlier)
	require.Equal(t, "media-1", got.MediaID)
	require.True(t, f.HasSegments())
	f.Close(false)
	for _, name := range names(t, d) {
		require.Contains(t, name, other.Name())
	}
}

// TestCheckpoint_B31_WrittenAtomically: another file replaces the checkpoint, so
// that a reader sees one or the other.
func TestCheckpoint_B31_WrittenAtomically(t *testing.T) {
	t.Parallel()
	d := openDir(t, t.TempDir())
	interrupted(t, d)
	path := d.file(movieKey.Name() + fileEnd)
	was, err := os.Stat(path)
	require.NoError(t, err)
	old, err := os.Open(path) // its number is not free for another file
	require.NoError(t, err)
	defer old.Close()
	f := openFile(t, d)
	require.NoError(t, f.Completing())
	f.Close(false)
	now, err := os.Stat(path)
	require.NoError(t, err)
	require.False(t, os.SameFile(was, now))
	require.Equal(t, []string{lockEnd, fileEnd}, names(t, d))
}

// TestCheckpoint_B31_CannotBeWritten: a checkpoint that cannot be written is
// logged once. It is an error if it is required.
func TestCheckpoint_B31_CannotBeWritten(t *testing.T) {
	t.Parallel()
	for _, required := range []bool{false, true} {
		t.Run(fmt.Sprint(required), func(t *testing.T) {
			t.Parallel()
			d := openDir(t, t.TempDir())
			var l lines
			f := openFile(t, d, func(o *Options) { o.Required, o.Logger = required, textLogger(&l) })
			require.NoError(t, f.Save())
			require.NoError(t, os.Mkdir(d.file(movieKey.Name()+tempEnd), 0o700))
			require.NoError(t, os.WriteFile(d.file(movieKey.Name()+tempEnd)+"/x", nil, 0o600))
			for range 2 {
				err := f.SaveAsset(Asset{MediaID: "media-1", Address: address})
				if required {
					require.ErrorIs(t, err, ErrUnavailable)
				} else {
					require.NoError(t, err)
				}
			}
			require.False(t, f.Durable())
			require.NoError(t, f.PartStored(Part{Number: 1}), "there is no file to add it to")
			if !required {
				require.Equal(t, 1, strings.Count(l.String(), "checkpoint not written"))
			}
			f.Close(false)
			require.NoError(t, os.RemoveAll(d.file(movieKey.Name()+tempEnd)))
			f = openFile(t, d)
			defer f.Close(true)
			s, _ := f.State()
			require.Equal(t, Creating, s.Step, "what was written before")
		})
	}
}

// TestCheckpoint_B27_PartsAtOnce: parts are saved by many goroutines.
func TestCheckpoint_B27_PartsAtOnce(t *testing.T) {
	t.Parallel()
	d := openDir(t, t.TempDir())
	f := openFile(t, d)
	require.NoError(t, f.SaveAsset(Asset{MediaID: "media-1", Address: address}))
	require.NoError(t, f.Started("UPLOAD", MinPartSize, true))
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for j := range 50 {
				_ = f.PartStored(Part{Number: 1 + i*50 + j, ETag: "E", Size: MinPartSize, CRC64: 1})
			}
		})
	}
	wg.Wait()
	f.Close(false)
	s, parts, err := Parse(content(t, d), anyAddress)
	require.NoError(t, err)
	require.True(t, s.LostIDs)
	require.Len(t, parts, 400)
}

// TestCheckpoint_None: a checkpoint that remembers nothing.
func TestCheckpoint_None(t *testing.T) {
	t.Parallel()
	var c Checkpoint = None{}
	require.NoError(t, errors.Join(c.Save(), c.SaveAsset(Asset{MediaID: "m"}), c.Started("U", 1, false), c.PartStored(Part{Number: 1}), c.Completing(), c.SaveObject(Object{Size: 1}), c.SaveCompleted(Result{Size: 1})))
	_, earlier := c.State()
	require.False(t, earlier)
	_, ok := c.Load()
	require.False(t, ok)
	require.False(t, c.Durable())
	done, err := c.Completed()
	require.NoError(t, err)
	require.Nil(t, done)
	s, err := c.Segments("m", "prefix/")
	require.NoError(t, err)
	require.Equal(t, "prefix/", s.Prefix())
	require.NoError(t, s.Add(1, 1))
	s.Close()
	c.Close(true)
}
