package mediatest_test

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/alimedia/alimedia-go/mediatest"
)

var update = flag.Bool("update", false, "write COVERAGE.md")

func TestCoverage_TableIsUpToDate(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	counts := map[string]int{}
	var tables strings.Builder
	for _, service := range []string{"ice", "vod"} {
		levels := mediatest.Levels(service)
		fmt.Fprintf(&tables, "\n## %s\n\n| operation | level |\n|---|---|\n", service)
		for _, action := range slices.Sorted(maps.Keys(levels)) {
			counts[levels[action]]++
			fmt.Fprintf(&tables, "| %s | %s |\n", action, levels[action])
		}
	}
	fmt.Fprintf(&b, `# What mediatest does of each operation

%d of 586 operations answer: %d at level behavior, which reads and changes the
state of the server, and %d at level shape, which checks the request and makes up
an answer of the documented form.

Written by: go test ./mediatest -run TestCoverage -update
`, counts[mediatest.Behavior]+counts[mediatest.Shape], counts[mediatest.Behavior], counts[mediatest.Shape])
	b.WriteString(tables.String())
	if *update {
		require.NoError(t, os.WriteFile("COVERAGE.md", []byte(b.String()), 0o644))
	}
	have, err := os.ReadFile("COVERAGE.md")
	require.NoError(t, err)
	require.Equal(t, string(have), b.String(), "run go test ./mediatest -run TestCoverage -update")
}
