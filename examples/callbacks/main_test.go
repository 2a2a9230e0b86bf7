package main

import (
	"fmt"
	"io"
	"os"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestMain(m *testing.M) {
	code := m.Run()
	if err := cluster.stop(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = max(code, 1)
	}
	os.Exit(code)
}

// It changes os.Stdout, so it is not parallel.
func TestDemo(t *testing.T) {
	for _, kind := range kinds {
		t.Run(kind, func(t *testing.T) {
			s := settings{}
			if kind == "Postgres" {
				s.postgres = postgresURL(t)
			}
			out := captured(t, func() error { return demo(t.Context(), s) })
			for _, want := range []string{
				`^Events go into ` + kind + `\n`,
				`A video plays\n +http +TranscodeComplete of 43q91jdh7df: stored .*\n +answer +200 OK\n`,
				`The same callback again\n +answer +200 OK\n`,
				`signed anew\n +http +TranscodeComplete of 43q91jdh7df: known already .*\n +answer +200 OK\n`,
				`Forged.*\n +answer +403 Forbidden\n`,
				`Signed an hour ago\n +answer +403 Forbidden\n`,
				`An older event.*\n +http +FileUploadComplete of 43q91jdh7df: stored .*\n +answer +200 OK\n`,
				`From IMS.*\n +http +RegisterMediaComplete of 5e778ec0027b71ed: stored .*\n +answer +200 OK\n`,
				`A queue.*\n.*\n +queue +DeleteMediaComplete of 0a1b2c3d4e5f: known already .*\n +rejected events: the message is not an event`,
				`An upload waits[^$]*TranscodeComplete of [0-9a-f]{32}: stored .*\n +answer +200 OK\n +upload +[0-9a-f]{32} is Normal\n`,
				`events of another.*\n +asked +assets changed: 1\n`,
				`43q91jdh7df +ready +12.5s +1439213 +2 +4K: InvalidParameter\n`,
				`0a1b2c3d4e5f +deleted +0s +0 +1 *\n`,
			} {
				require.Regexp(t, want, out)
			}
		})
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
