package otelmedia_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/alimedia/alimedia-go/internal/snippet"
	"github.com/stretchr/testify/require"
)

func TestREADME_SnippetsCompile(t *testing.T) {
	t.Parallel()
	blocks := slices.DeleteFunc(snippet.Blocks(t, "../README.md"), func(b string) bool { return !strings.Contains(b, "otelmedia.") })
	require.NotEmpty(t, blocks)
	snippet.Vet(t, ".", map[string]string{"github.com/alimedia/alimedia-go": "..", "github.com/alimedia/alimedia-go/otelmedia": "."}, blocks...)
}
