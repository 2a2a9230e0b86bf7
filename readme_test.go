package alimedia_test

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

// TestREADME_SnippetsCompile builds every Go block of the README in a module
// of its own, as a user would who pastes it.
func TestREADME_SnippetsCompile(t *testing.T) {
	t.Parallel()
	readme, err := os.ReadFile("README.md")
	require.NoError(t, err)
	blocks := regexp.MustCompile("(?ms)^```go\n(.*?)^```").FindAllStringSubmatch(string(readme), -1)
	require.GreaterOrEqual(t, len(blocks), 5)

	module := scratchModule(t)
	for i, block := range blocks {
		dir := filepath.Join(module, fmt.Sprintf("snippet%d", i+1))
		require.NoError(t, os.Mkdir(dir, 0o700))
		name, source := snippetProgram(block[1])
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(source), 0o600))
	}
	cmd := exec.Command("go", "vet", "./...")
	cmd.Dir = module
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
}

// scratchModule makes a module that imports this one from the working tree.
func scratchModule(t *testing.T) string {
	t.Helper()
	root, err := os.Getwd()
	require.NoError(t, err)
	mod, err := os.ReadFile("go.mod")
	require.NoError(t, err)
	_, requirements, _ := strings.Cut(string(mod), "\nrequire")
	sum, err := os.ReadFile("go.sum")
	require.NoError(t, err)

	dir := t.TempDir()
	text := "module example.com/scratch\n\ngo 1.25.0\n\nrequire github.com/alimedia/alimedia-go v0.0.0\n\n" +
		"replace github.com/alimedia/alimedia-go => " + root + "\n\nrequire" + requirements
	require.NoError(t, os.WriteFile(filepath.Join(dir, "go.mod"), []byte(text), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "go.sum"), sum, 0o600))
	return dir
}

// snippetProgram completes a block of the README to a file that compiles: a
// program stays as it is, declarations get a package and imports, statements
// get a function around them in which ctx and the clients exist.
func snippetProgram(block string) (name, source string) {
	if strings.HasPrefix(block, "package ") {
		return "main.go", block
	}
	imports := map[string]string{
		"alimedia.": "github.com/alimedia/alimedia-go", "ice.": "github.com/alimedia/alimedia-go/ice",
		"vod.": "github.com/alimedia/alimedia-go/vod", "upload.": "github.com/alimedia/alimedia-go/upload",
		"credentials.": "github.com/alimedia/alimedia-go/credentials", "mediatest.": "github.com/alimedia/alimedia-go/mediatest",
		"events.": "github.com/alimedia/alimedia-go/events", "fmt.": "fmt", "errors.": "errors", "http.": "net/http", "log.": "log", "os.": "os", "strings.": "strings", "require.": "github.com/stretchr/testify/require", "testing.": "testing",
	}
	name = "snippet.go"
	body := block
	if strings.HasPrefix(block, "func Test") {
		name = "snippet_test.go"
	} else {
		parameters := "ctx context.Context"
		for _, client := range [][2]string{{"media", "ice"}, {"video", "vod"}} {
			if strings.Contains(block, client[0]+".") && !strings.Contains(block, client[0]+", err :=") {
				parameters += ", " + client[0] + " *" + client[1] + ".Client"
			}
		}
		if strings.Contains(block, "names") {
			parameters += ", names []string"
		}
		if strings.Contains(block, "up.") && !strings.Contains(block, "up, err :=") {
			parameters += ", up *upload.Uploader"
		}
		body = "func snippet(" + parameters + ") error {\n" + block + "return nil\n}\n"
		imports["context."] = "context"
	}
	var b strings.Builder
	b.WriteString("package snippet\n\nimport (\n")
	for use, path := range imports {
		if regexp.MustCompile(`\b` + regexp.QuoteMeta(use)).MatchString(body) {
			fmt.Fprintf(&b, "%q\n", path)
		}
	}
	b.WriteString(")\n\n" + body)
	return name, b.String()
}
