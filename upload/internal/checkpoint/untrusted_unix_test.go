//go:build unix

package checkpoint

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// What somebody else may have made of the directory.
var foreignDirs = map[string]func(t *testing.T, dir string){
	"writable by all":       func(t *testing.T, dir string) { require.NoError(t, os.Chmod(dir, 0o777)) },
	"writable by a group":   func(t *testing.T, dir string) { require.NoError(t, os.Chmod(dir, 0o770)) },
	"writable and sticky":   func(t *testing.T, dir string) { require.NoError(t, os.Chmod(dir, 0o777|os.ModeSticky)) },
	"behind a link":         func(t *testing.T, dir string) { linkTo(t, dir) },
	"of another, if we may": func(t *testing.T, dir string) { giveAway(t, dir) },
}

// linkTo puts a link to a directory that all can write in the place of dir.
func linkTo(t *testing.T, dir string) {
	other := t.TempDir()
	require.NoError(t, os.Chmod(other, 0o777))
	require.NoError(t, os.Remove(dir))
	require.NoError(t, os.Symlink(other, dir))
}

// giveAway gives a file to another user, or lets all write it where only root
// can do that.
func giveAway(t *testing.T, path string) {
	if os.Geteuid() == 0 {
		require.NoError(t, os.Chown(path, 65534, -1))
		return
	}
	require.NoError(t, os.Chmod(path, 0o666))
}

// What somebody else may have put in the place of a file. outside is a file
// elsewhere.
var foreignFiles = map[string]func(t *testing.T, path, outside string){
	"link":       func(t *testing.T, path, outside string) { require.NoError(t, os.Symlink(outside, path)) },
	"other name": func(t *testing.T, path, outside string) { require.NoError(t, os.Link(outside, path)) },
	"named pipe": func(t *testing.T, path, _ string) { require.NoError(t, syscall.Mkfifo(path, 0o600)) },
	"writable": func(t *testing.T, path, outside string) {
		copyOf(t, path, outside)
		require.NoError(t, os.Chmod(path, 0o622))
	},
	"of another": func(t *testing.T, path, outside string) { copyOf(t, path, outside); giveAway(t, path) },
	"link inside": func(t *testing.T, path, outside string) {
		copyOf(t, path+".x", outside)
		require.NoError(t, os.Symlink(path+".x", path))
	},
	"relative link": func(t *testing.T, path, outside string) {
		copyOf(t, path+".x", outside)
		require.NoError(t, os.Symlink("./"+filepath.Base(path)+".x", path))
	},
}

func copyOf(t *testing.T, path, of string) {
	text, err := os.ReadFile(of)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(path, text, 0o600))
}
