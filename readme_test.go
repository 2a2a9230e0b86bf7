package alimedia_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/alimedia/alimedia-go/internal/snippet"
	"github.com/stretchr/testify/require"
)

// TestREADME_SnippetsCompile vets the Go blocks of the README that need no other
// module. A test of module otelmedia vets the others.
func TestREADME_SnippetsCompile(t *testing.T) {
	t.Parallel()
	blocks := snippet.Blocks(t, "README.md")
	require.GreaterOrEqual(t, len(blocks), 15)
	own := slices.DeleteFunc(blocks, func(b string) bool { return strings.Contains(b, "otelmedia.") })
	snippet.Vet(t, ".", map[string]string{"github.com/alimedia/alimedia-go": "."}, own...)
}
