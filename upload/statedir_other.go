//go:build !unix

package upload

import "io/fs"

const openFlags = 0

// trusted: owners are not known here.
func trusted(fs.FileInfo) error { return nil }
