//go:build !linux && !darwin

package upload

import "syscall"

// limitUnsent does nothing: the option is not known here.
func limitUnsent(_, _ string, _ syscall.RawConn) error { return nil }
