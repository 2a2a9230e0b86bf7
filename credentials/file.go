package credentials

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
)

// maxFile bounds the files read: a configuration with hundreds of profiles is
// far below.
const maxFile = 1 << 20

// readFile reads a regular file of bounded size. Its errors name the path and
// never what is in the file.
func readFile(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	// Opening a pipe could wait for ever.
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is not a regular file", path)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	data, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return nil, err
	}
	if len(data) > maxFile {
		return nil, fmt.Errorf("%s is longer than %d KiB", path, maxFile>>10)
	}
	return bytes.TrimPrefix(data, []byte("\xef\xbb\xbf")), nil
}

// homeFile names a file below the home directory.
func homeFile(name string) (string, error) {
	home, err := os.UserHomeDir()
	if err != nil {
		return "", errors.New("there is no home directory: set HOME")
	}
	return home + string(os.PathSeparator) + name, nil
}
