//go:build !unix

package upload

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"
)

// mkfifo makes a folder where there are no pipes: that is no segment either.
func mkfifo(t *testing.T, name string) {
	t.Helper()
	require.NoError(t, os.Mkdir(name, 0o700))
}
