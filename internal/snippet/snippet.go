// Package snippet compiles the Go blocks of a page in Markdown, as a user would
// who pastes them into a module of his own.
package snippet

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

var fence = regexp.MustCompile("(?ms)^```go\n(.*?)^```")

// Blocks returns the Go blocks of a page.
func Blocks(t *testing.T, page string) []string {
	t.Helper()
	text, err := os.ReadFile(page)
	require.NoError(t, err)
	var blocks []string
	for _, m := range fence.FindAllStringSubmatch(string(text), -1) {
		blocks = append(blocks, m[1])
	}
	return blocks
}

// Vet vets each block as a package of a new module, which has the requirements
// of the module in dir and finds the modules of replaced, by path, in folders of
// this checkout.
func Vet(t *testing.T, dir string, replaced map[string]string, blocks ...string) {
	t.Helper()
	module := scratch(t, dir, replaced)
	for i, block := range blocks {
		folder := filepath.Join(module, fmt.Sprintf("snippet%d", i+1))
		require.NoError(t, os.Mkdir(folder, 0o700))
		name, source := Program(block)
		require.NoError(t, os.WriteFile(filepath.Join(folder, name), []byte(source), 0o600))
	}
	cmd := exec.Command("go", "vet", "./...")
	cmd.Dir = module
	cmd.Env = append(os.Environ(), "GOWORK=off")
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
}

func scratch(t *testing.T, dir string, replaced map[string]string) string {
	t.Helper()
	mod, err := os.ReadFile(filepath.Join(dir, "go.mod"))
	require.NoError(t, err)
	_, rest, _ := strings.Cut(string(mod), "\n") // the line of the module
	sum, err := os.ReadFile(filepath.Join(dir, "go.sum"))
	require.NoError(t, err)
	var text strings.Builder
	text.WriteString("module example.com/scratch\n" + rest + "\n")
	for path, folder := range replaced {
		absolute, err := filepath.Abs(folder)
		require.NoError(t, err)
		if !strings.Contains(rest, path+" v0.0.0") {
			fmt.Fprintf(&text, "require %s v0.0.0\n", path)
		}
		fmt.Fprintf(&text, "replace %s => %s\n", path, absolute)
	}
	folder := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(folder, "go.mod"), []byte(text.String()), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(folder, "go.sum"), sum, 0o600))
	return folder
}

// imports are the packages that blocks use without importing them.
var imports = map[string]string{
	"alimedia": "github.com/alimedia/alimedia-go", "ice": "github.com/alimedia/alimedia-go/ice", "vod": "github.com/alimedia/alimedia-go/vod",
	"upload": "github.com/alimedia/alimedia-go/upload", "credentials": "github.com/alimedia/alimedia-go/credentials",
	"mediatest": "github.com/alimedia/alimedia-go/mediatest", "events": "github.com/alimedia/alimedia-go/events",
	"mns": "github.com/alimedia/alimedia-go/events/mns", "playurl": "github.com/alimedia/alimedia-go/playurl",
	"webupload": "github.com/alimedia/alimedia-go/webupload", "search": "github.com/alimedia/alimedia-go/search",
	"otelmedia": "github.com/alimedia/alimedia-go/otelmedia",
	"context":   "context", "errors": "errors", "fmt": "fmt", "fs": "io/fs", "http": "net/http", "log": "log", "os": "os", "strings": "strings",
	"testing": "testing", "time": "time", "require": "github.com/stretchr/testify/require",
}

// given are the names that blocks use without declaring them, and their types.
var given = [][2]string{
	{"media", "*ice.Client"}, {"video", "*vod.Client"}, {"up", "*upload.Uploader"}, {"names", "[]string"}, {"keys", "[]string"},
	{"userOf", "func(*http.Request) (string, error)"}, {"save", "func(owner, id string, size int64) error"},
	{"handle", "func(context.Context, events.Event) error"},
}

// Program completes a block to a file that compiles: a program stays as it is,
// declarations get a package and imports, statements get a function around them
// that has ctx and what else is given.
func Program(block string) (name, source string) {
	if strings.HasPrefix(block, "package ") {
		return "main.go", block
	}
	name, body := "snippet.go", block
	if strings.HasPrefix(block, "func Test") {
		name = "snippet_test.go"
	} else {
		parameters := "ctx context.Context"
		for _, g := range given {
			used := regexp.MustCompile(`(^|[^.\w"])` + g[0] + `($|[^\w:"])`)
			declared := regexp.MustCompile(`\b` + g[0] + `(, \w+)? :=`)
			if used.MatchString(block) && !declared.MatchString(block) {
				parameters += ", " + g[0] + " " + g[1]
			}
		}
		body = "func snippet(" + parameters + ") error {\n" + block + "return nil\n}\n"
	}
	var b strings.Builder
	b.WriteString("package snippet\n\nimport (\n")
	for use, path := range imports {
		if regexp.MustCompile(`(^|[^.\w"])` + use + `\.[A-Z]`).MatchString(body) {
			fmt.Fprintf(&b, "%q\n", path)
		}
	}
	b.WriteString(")\n\n" + body)
	return name, b.String()
}
