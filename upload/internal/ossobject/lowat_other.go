//go:build !linux && !darwin

package ossobject

// setUnsentLimit does nothing: the system has no such option.
func setUnsentLimit(uintptr) {}
