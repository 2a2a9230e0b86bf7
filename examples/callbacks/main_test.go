package main

import (
	"io"
	"os"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestCallbacks(t *testing.T) {
	out := captured(t, func() error { return run(t.Context()) })
	for _, want := range []string{
		`An upload is complete\n +event +FileUploadComplete of 43q91jdh7df: success\n +answer +200 OK\n`,
		`The same callback again.*\n +answer +200 OK\n`,
		`Forged.*\n +answer +403 Forbidden\n`,
		`Signed an hour ago\n +answer +403 Forbidden\n`,
		`From IMS.*\n +event +RegisterMediaComplete of 5e778ec0027b71ed: Success\n +answer +200 OK\n`,
		`An upload waits.*\n +event +TranscodeComplete of [0-9a-f]{32}: success\n +answer +200 OK\n +upload +[0-9a-f]{32} is Normal\n$`,
	} {
		require.Regexp(t, want, out)
	}
}

func captured(t *testing.T, run func() error) string {
	t.Helper()
	r, w, err := os.Pipe()
	require.NoError(t, err)
	stdout := os.Stdout
	os.Stdout = w
	text := make(chan string)
	go func() {
		b, _ := io.ReadAll(r)
		text <- string(b)
	}()
	err = run()
	os.Stdout = stdout
	w.Close()
	out := <-text
	require.NoError(t, err, out)
	return out
}
