//go:build !unix

package checkpoint

import "testing"

// Owners and modes are not known here.
var (
	foreignDirs  = map[string]func(t *testing.T, dir string){}
	foreignFiles = map[string]func(t *testing.T, path, outside string){}
)
