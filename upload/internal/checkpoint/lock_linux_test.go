package checkpoint

import (
	"os"
	"strconv"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestCheckpoint_B32_StartingAProcess: a process that is started meanwhile has a
// copy of all files until it runs, and does not keep the lock by that.
func TestCheckpoint_B32_StartingAProcess(t *testing.T) {
	t.Parallel()
	d := openDir(t, t.TempDir())
	path := d.file("a.lock")
	unlock, err := d.lock("a.lock")
	require.NoError(t, err)
	entries, err := os.ReadDir("/proc/self/fd")
	require.NoError(t, err)
	fd := -1
	for _, e := range entries {
		if to, err := os.Readlink("/proc/self/fd/" + e.Name()); err == nil && to == path {
			fd, err = strconv.Atoi(e.Name())
			require.NoError(t, err)
		}
	}
	own, err := syscall.Dup(fd)
	require.NoError(t, err)
	defer syscall.Close(own)
	syscall.CloseOnExec(own)
	unlock(false)
	unlock, err = d.lock("a.lock")
	require.NoError(t, err)
	unlock(true)
}
