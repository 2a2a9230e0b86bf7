package mediatest_test

import (
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const module = "github.com/alimedia/alimedia-go/"

// deps are the packages of this module that packages need.
func deps(t *testing.T, packages ...string) []string {
	t.Helper()
	args := []string{"list", "-deps"}
	for _, name := range packages {
		args = append(args, module+name)
	}
	out, err := exec.CommandContext(t.Context(), "go", args...).Output()
	require.NoError(t, err)
	var own []string
	for line := range strings.Lines(string(out)) {
		if name, ok := strings.CutPrefix(strings.TrimSpace(line), module); ok {
			own = append(own, name)
		}
	}
	return own
}

// A program that uses the SDK carries neither the fake, which
// adds 1.8 MB to a binary of 8 MB, nor its catalogue of 47 kB.
func TestDeps_ProgramsDoNotCarryTheFake(t *testing.T) {
	t.Parallel()
	own := deps(t, "ice", "vod", "upload", "credentials", "events")
	require.Contains(t, own, "internal/rpc")
	for _, name := range own {
		require.False(t, strings.HasPrefix(name, "mediatest"), name)
	}
}

func TestDeps_TheFakeHasNoClientOfOurs(t *testing.T) {
	t.Parallel()
	for _, name := range deps(t, "mediatest") {
		for _, client := range []string{"ice", "vod", "upload", "events", "internal/rpc"} {
			require.NotEqual(t, client, name)
			require.False(t, strings.HasPrefix(name, client+"/"), name)
		}
	}
}
