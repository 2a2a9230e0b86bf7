package checkpoint

import (
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestCheckpoint_B61_DirectoryOfOthers: a directory that another user can write
// to is not opened.
func TestCheckpoint_B61_DirectoryOfOthers(t *testing.T) {
	t.Parallel()
	for name, replace := range foreignDirs {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := filepath.Join(t.TempDir(), "checkpoints")
			require.NoError(t, os.Mkdir(dir, 0o700))
			replace(t, dir)
			_, err := OpenDir(dir)
			require.ErrorIs(t, err, ErrUntrusted)
		})
	}
}

// TestCheckpoint_B61_FilesOfOthers: a link, a named pipe, a file of another user
// and a file with another name are neither read nor written, whichever file they
// replace. Nothing waits for a named pipe.
func TestCheckpoint_B61_FilesOfOthers(t *testing.T) {
	t.Parallel()
	for name, replace := range foreignFiles {
		for _, end := range []string{fileEnd, tempEnd, lockEnd, IndexName} {
			t.Run(name+" "+end, func(t *testing.T) {
				t.Parallel()
				d := openDir(t, t.TempDir())
				interrupted(t, d)
				was := content(t, d)
				outside := filepath.Join(t.TempDir(), "outside")
				require.NoError(t, os.WriteFile(outside, was, 0o600))
				path := d.file(movieKey.Name() + end)
				if end == IndexName {
					path = d.file(IndexName)
				}
				_ = os.Remove(path)
				replace(t, path, outside)
				start := time.Now()
				if end == IndexName {
					f := openFile(t, d, func(o *Options) { o.Required = true })
					_, err := f.Completed()
					require.ErrorIs(t, err, ErrUnavailable)
					require.ErrorIs(t, err, ErrUntrusted)
					require.ErrorIs(t, f.SaveCompleted(Result{Size: 1}), ErrUntrusted)
					f.Close(false)
				} else {
					_, err := Open(d, movieKey, options(d))
					require.ErrorIs(t, err, ErrUntrusted)
				}
				require.Less(t, time.Since(start), 10*time.Second)
				now, err := os.ReadFile(outside)
				require.NoError(t, err)
				require.Equal(t, string(was), string(now), "a file outside of the directory is not written")
			})
		}
	}
}

func TestCheckpoint_B32_LockEndsWithItsHolder(t *testing.T) {
	t.Parallel()
	d := openDir(t, t.TempDir())
	path := d.file("x.lock")
	for _, remove := range []bool{false, true} {
		unlock, err := d.lock("x.lock")
		require.NoError(t, err)
		_, err = d.lock("x.lock")
		require.ErrorIs(t, err, ErrLocked)
		unlock(remove)
		_, err = os.Stat(path)
		require.Equal(t, remove, os.IsNotExist(err))
	}
	unlock, err := d.lock("x.lock")
	require.NoError(t, err)
	unlock(true)
}

// TestCheckpoint_B32_LockIsRemovedMeanwhile: a lock file that was opened before
// its holder removed it is not a lock beside a new one of that name.
func TestCheckpoint_B32_LockIsRemovedMeanwhile(t *testing.T) {
	t.Parallel()
	d := openDir(t, t.TempDir())
	var holders sync.Mutex
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 3000 {
				unlock, err := d.lock("x.lock")
				if err != nil {
					continue
				}
				alone := holders.TryLock()
				if alone {
					for range 20 { // others come and go meanwhile
						runtime.Gosched()
					}
					holders.Unlock()
				}
				unlock(true)
				if !alone {
					t.Error("two hold the lock")
					return
				}
			}
		})
	}
	wg.Wait()
}

func TestCheckpoint_B52_Accounts(t *testing.T) {
	t.Parallel()
	d := openDir(t, t.TempDir())
	digest := AccessKeyDigest("LTAI-example")
	require.NotContains(t, digest, "LTAI")
	require.Empty(t, d.Account(digest))
	d.SaveAccount(digest, "1234567890123456")
	require.Equal(t, "1234567890123456", d.Account(digest))
	for _, damaged := range []string{"", "{", `{"account":"x"}`, `{"account":"123456789012345678901234567890123"}`} {
		require.NoError(t, os.WriteFile(d.file(digest+accountEnd), []byte(damaged), 0o600))
		require.Empty(t, d.Account(digest))
		d.SaveAccount(digest, "1234567890123456")
		require.Equal(t, "1234567890123456", d.Account(digest))
	}
}

// TestCheckpoint_B32_OneAtATime: a locked checkpoint cannot be opened, and its
// holder continues.
func TestCheckpoint_B32_OneAtATime(t *testing.T) {
	t.Parallel()
	d := openDir(t, t.TempDir())
	f := openFile(t, d)
	_, err := Open(d, movieKey, options(d))
	require.ErrorIs(t, err, ErrLocked)
	require.NoError(t, f.Save())
	f.Close(false)
	require.Equal(t, []string{lockEnd, fileEnd}, names(t, d))
	f = openFile(t, d)
	f.Close(true)
	require.Empty(t, names(t, d))
}

func TestCheckpoint_B31_Unsigned(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"https://a.example.com/b.mp4?Signature=x#y": "https://a.example.com/b.mp4",
		"https://user:pass@a.example.com/b@c.mp4":   "https://a.example.com/b@c.mp4",
		"https://user:pass@a.example.com?x":         "https://a.example.com",
		"oss://bucket/key":                          "oss://bucket/key",
		"":                                          "",
		"?x":                                        "",
		"#?":                                        "",
	} {
		require.Equal(t, want, Unsigned(in))
	}
	d := openDir(t, t.TempDir())
	interrupted(t, d)
	require.Contains(t, string(content(t, d)), `"fileURL":"https://host/a.mp4"`)
	info, err := os.Stat(d.file(movieKey.Name() + fileEnd))
	require.NoError(t, err)
	if runtime.GOOS != "windows" {
		require.Equal(t, os.FileMode(0o600), info.Mode().Perm())
	}
}
