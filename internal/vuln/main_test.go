package main

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestMain(m *testing.M) {
	if err := os.Chdir("../.."); err != nil { // the root of the checkout
		panic(err)
	}
	os.Exit(m.Run())
}

// database makes a vulnerability database with one entry: every version of
// module is vulnerable.
func database(t *testing.T, module string) string {
	t.Helper()
	const modified = "2026-01-02T00:00:00Z"
	dir := t.TempDir()
	write := func(name, content string) {
		path := filepath.Join(dir, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o700))
		require.NoError(t, os.WriteFile(path, []byte(content), 0o600))
	}
	write("index/db.json", fmt.Sprintf(`{"modified":%q}`, modified))
	write("index/modules.json", fmt.Sprintf(`[{"path":%q,"vulns":[{"id":"GO-2099-0001","modified":%q}]}]`, module, modified))
	write("index/vulns.json", fmt.Sprintf(`[{"id":"GO-2099-0001","modified":%q}]`, modified))
	write("ID/GO-2099-0001.json", fmt.Sprintf(`{"schema_version":"1.3.1","id":"GO-2099-0001","modified":%[1]q,"published":%[1]q,`+
		`"summary":"it is only a test","affected":[{"package":{"name":%[2]q,"ecosystem":"Go"},`+
		`"ranges":[{"type":"SEMVER","events":[{"introduced":"0"},{"fixed":"999.0.0"}]}],`+
		`"ecosystem_specific":{"imports":[{"path":"%[2]s/nowhere"}]}}]}`, modified, module))
	return "file://" + filepath.ToSlash(dir)
}

// The module counts although no vulnerable package of it is imported.
func TestRun_AFindingIsAFailure(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	err := run(&out, database(t, "golang.org/x/time"), ".")
	require.ErrorContains(t, err, "1 known vulnerabilities")
	require.Contains(t, out.String(), "GO-2099-0001: golang.org/x/time@v")
	require.Contains(t, out.String(), "fixed in v999.0.0: it is only a test")
}

func TestRun_ModulesOfOthersDoNotCount(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	require.NoError(t, run(&out, database(t, "example.com/other"), "."))
	require.Equal(t, "no known vulnerability\n", out.String())
}

func TestRun_ABrokenScanIsAFailure(t *testing.T) {
	t.Parallel()
	require.Error(t, run(new(bytes.Buffer), "file:///nowhere/at/all", "."))
}

func TestRun_SaysWhenTheDatabaseIsOutOfReach(t *testing.T) {
	t.Parallel()
	closed := httptest.NewServer(nil)
	closed.Close()
	forbidden := httptest.NewServer(http.NotFoundHandler())
	defer forbidden.Close()
	portal := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "<html>log in") }))
	defer portal.Close()
	for _, db := range []string{closed.URL, forbidden.URL, portal.URL} {
		var out bytes.Buffer
		require.NoError(t, run(&out, db, "."))
		require.True(t, strings.HasPrefix(out.String(), "NOT CHECKED: the vulnerability database cannot be reached: "), out.String())
	}
}

func TestRead_OfTheStandardLibraryOnlyCallsCount(t *testing.T) {
	t.Parallel()
	const config = `{"config":{"protocol_version":"v1.0.0"}}`
	osv := `{"osv":{"id":"GO-1","summary":"a leak"}}`
	finding := func(trace string) string {
		return `{"finding":{"osv":"GO-1","fixed_version":"v1.26.9","trace":[` + trace + `]}}`
	}
	for text, want := range map[string][]string{
		config: {},
		config + osv + finding(`{"module":"stdlib","version":"v1.26.8"}`):                                                  {},
		config + osv + finding(`{"module":"stdlib","version":"v1.26.8","package":"net/http"}`):                             {},
		config + osv + finding(`{"module":"stdlib","version":"v1.26.8","package":"net/http","function":"Serve"}`):          {"GO-1: stdlib@v1.26.8, fixed in v1.26.9: a leak"},
		config + osv + finding(`{"module":"m","version":"v1"}`) + finding(`{"module":"m","version":"v1","package":"m/p"}`): {"GO-1: m@v1, fixed in v1.26.9: a leak"},
	} {
		lines, err := read(strings.NewReader(text))
		require.NoError(t, err)
		require.Equal(t, want, lines, text)
	}
	for _, text := range []string{"", "{}", config + "{"} {
		_, err := read(strings.NewReader(text))
		require.Error(t, err, text)
	}
}
