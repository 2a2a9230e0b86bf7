//go:build !unix

package checkpoint

import "io/fs"

const openFlags = 0

// trusted accepts every file: its owner is not known on this system.
func trusted(fs.FileInfo) error { return nil }
