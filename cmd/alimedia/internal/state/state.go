// Package state is the folder in which the command keeps what the next one
// needs: checkpoints of uploads and the demo's services.
package state

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
)

// Dir is the folder of this user. It need not exist.
func Dir(env func(string) string) (string, error) {
	if dir := env("ALIMEDIA_STATE_DIR"); dir != "" {
		return filepath.Abs(dir)
	}
	if dir := env("XDG_STATE_HOME"); filepath.IsAbs(dir) {
		return filepath.Join(dir, "alimedia"), nil
	}
	switch runtime.GOOS {
	case "windows":
		if dir := env("LocalAppData"); dir != "" {
			return filepath.Join(dir, "alimedia"), nil
		}
	case "darwin":
		if dir := env("HOME"); dir != "" {
			return filepath.Join(dir, "Library", "Application Support", "alimedia"), nil
		}
	}
	home := env("HOME")
	if home == "" {
		return "", errors.New("no folder for the state: set ALIMEDIA_STATE_DIR or HOME")
	}
	return filepath.Join(home, ".local", "state", "alimedia"), nil
}

// Make makes the folder and those above it, for this user only.
func Make(dir string) error { return os.MkdirAll(dir, 0o700) }
