package main

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "write the golden files of help")

// The help of every command is as it was read by a person. go test -update writes
// it anew.
func TestHelp(t *testing.T) {
	t.Parallel()
	u := newUser(t, "COLUMNS=100")
	for _, command := range []string{
		"call", "call ice RegisterMediaInfo", "call vod SubmitTranscodeJobs", "ls", "search", "info", "wait", "rm", "play", "register", "policy",
		"decode-auth", "callback", "callback verify", "callback listen", "doctor",
	} {
		args := append(strings.Fields(command), "--help")
		out, _, _ := strings.Cut(u.ok(args...), "\nGlobal Flags:")
		require.NotContains(t, out, "  \n")
		name := filepath.Join("testdata", "help", strings.ReplaceAll(command, " ", "-")+".txt")
		if *update {
			require.NoError(t, os.MkdirAll(filepath.Dir(name), 0o755))
			require.NoError(t, os.WriteFile(name, []byte(out), 0o644))
			continue
		}
		want, err := os.ReadFile(name)
		require.NoError(t, err)
		require.Equal(t, string(want), out, "the help of %q has changed: read it, then run go test -run TestHelp -update", command)
	}
	narrow := newUser(t, "COLUMNS=40").ok("call", "vod", "CreateUploadVideo", "--help")
	for line := range strings.Lines(narrow) {
		if !strings.Contains(line, "http") && !strings.HasPrefix(line, "  ") {
			require.LessOrEqual(t, len([]rune(line)), 41+20, line)
		}
	}
	require.Contains(t, u.ok("help", "call", "vod", "GetVideoInfo"), "RAM action: vod:GetVideoInfo")
}
