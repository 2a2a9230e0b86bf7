package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/grafana/grafana-foundation-sdk/go/cog/plugins"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// output is what the program prints.
type output struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

// start runs the program until the test ends and returns the URL of its metrics.
func start(t *testing.T, s settings) (metrics string, out *output) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	out = new(output)
	ended := make(chan error, 1)
	s.listen = "127.0.0.1:0"
	go func() { ended <- run(ctx, s, out) }()
	t.Cleanup(func() {
		cancel()
		require.NoError(t, <-ended)
		client.CloseIdleConnections()
	})
	address := regexp.MustCompile(`metrics: (http://\S+)`)
	require.Eventually(t, func() bool { return address.MatchString(out.String()) }, 30*time.Second, 10*time.Millisecond)
	return address.FindStringSubmatch(out.String())[1], out
}

var client = &http.Client{Timeout: 10 * time.Second, Transport: new(http.Transport)}

func get(t *testing.T, address string) []byte {
	t.Helper()
	answer, err := client.Get(address)
	require.NoError(t, err)
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, answer.StatusCode, "%s", body)
	return body
}

// TestRun_Ends: with a number of uploads the program comes to an end.
func TestRun_Ends(t *testing.T) {
	out := new(output)
	require.NoError(t, run(t.Context(), settings{listen: "127.0.0.1:0", uploads: 3}, out))
	require.Regexp(t, `\n3/3 files .*\n$`, out.String())
	require.Error(t, run(t.Context(), settings{listen: "no address"}, out))
}

// query is one target of a panel.
type query struct{ panel, expr string }

// queries are those of the dashboard, with its variables replaced.
func queries(t *testing.T) (all []query) {
	t.Helper()
	var board struct {
		Panels []struct {
			Type, Title string
			Targets     []struct{ Expr string }
		}
	}
	text, err := os.ReadFile("dashboard.json")
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(text, &board))
	variables := strings.NewReplacer("$__rate_interval", "10s", "$__range", "1m", "$target", ".*")
	for _, p := range board.Panels {
		require.Equal(t, p.Type == "row", len(p.Targets) == 0, p.Title)
		for _, target := range p.Targets {
			expr := variables.Replace(target.Expr)
			require.NotContains(t, expr, "$")
			all = append(all, query{p.Title, expr})
		}
	}
	require.Greater(t, len(all), 20)
	return all
}

// TestDashboard_Format: Grafana's own Go types, which know no other fields, read
// the dashboard, and no panel lies on another.
func TestDashboard_Format(t *testing.T) {
	plugins.RegisterDefaultPlugins()
	text, err := os.ReadFile("dashboard.json")
	require.NoError(t, err)
	//lint:ignore SA1019 the older format is the one that all versions of Grafana import
	var strict, board dashboard.Dashboard
	// It returns a list of errors that is never a nil error.
	if err := strict.UnmarshalJSONStrict(text); err != nil {
		require.Empty(t, err.Error())
	}
	require.NoError(t, json.Unmarshal(text, &board))
	require.NoError(t, board.Validate())
	taken := map[string]string{}
	ids := map[uint32]bool{}
	for _, p := range board.Panels {
		title, id, pos := "", uint32(0), (*dashboard.GridPos)(nil)
		if p.RowPanel != nil {
			title, id, pos = *p.RowPanel.Title, p.RowPanel.Id, p.RowPanel.GridPos
		} else {
			title, id, pos = *p.Panel.Title, *p.Panel.Id, p.Panel.GridPos
			require.NotEmpty(t, *p.Panel.Description, title)
		}
		require.False(t, ids[id], title)
		ids[id] = true
		require.LessOrEqual(t, pos.X+pos.W, uint32(24), title)
		for x := pos.X; x < pos.X+pos.W; x++ {
			for y := pos.Y; y < pos.Y+pos.H; y++ {
				cell := fmt.Sprint(x, "/", y)
				require.Empty(t, taken[cell], title)
				taken[cell] = title
			}
		}
	}
}

// TestDashboard_MetricsExist: the program exports every metric and every label
// that the dashboard asks for.
func TestDashboard_MetricsExist(t *testing.T) {
	metrics, out := start(t, settings{pause: 10 * time.Millisecond})
	metric := regexp.MustCompile(`\b(?:alimedia|rpc)_\w+`)
	var missing []string
	require.Eventually(t, func() bool {
		exposed := string(get(t, metrics))
		missing = nil
		for _, q := range queries(t) {
			for _, name := range metric.FindAllString(q.expr, -1) {
				if !regexp.MustCompile(`\b` + name + `[{= ]`).MatchString(exposed) {
					missing = append(missing, name)
				}
			}
		}
		return len(missing) == 0
	}, time.Minute, 100*time.Millisecond, "%v\n%s", &missing, out)
}

// TestDashboard_EveryQueryHasData: a Prometheus that scrapes the program answers
// all queries of all panels with numbers.
func TestDashboard_EveryQueryHasData(t *testing.T) {
	program, err := exec.LookPath("prometheus")
	if err != nil {
		require.Empty(t, os.Getenv("METRICS_REQUIRE_PROMETHEUS"), "prometheus is not installed")
		t.Skip("prometheus is not installed; .ci/run installs it")
	}
	metrics, out := start(t, settings{pause: 20 * time.Millisecond})
	prometheus := runPrometheus(t, program, strings.TrimSuffix(strings.TrimPrefix(metrics, "http://"), "/metrics"))
	open := queries(t)
	require.Eventually(t, func() bool {
		var without []query
		for _, q := range open {
			if !hasData(t, prometheus, q.expr) {
				without = append(without, q)
			}
		}
		open = without
		return len(open) == 0
	}, 3*time.Minute, time.Second, "%v\n%s", &open, out)
	require.False(t, hasData(t, prometheus, "alimedia_no_such_metric"))
}

// runPrometheus scrapes a target until the test ends.
func runPrometheus(t *testing.T, program, target string) (address string) {
	t.Helper()
	dir := t.TempDir()
	text, err := os.ReadFile("prometheus.yml")
	require.NoError(t, err)
	config := strings.NewReplacer("127.0.0.1:2112", target, "5s", "1s").Replace(string(text))
	require.Contains(t, config, target)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "prometheus.yml"), []byte(config), 0o600))
	free, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	listen := free.Addr().String()
	require.NoError(t, free.Close())

	said := new(output)
	cmd := exec.Command(program, "--config.file", filepath.Join(dir, "prometheus.yml"), "--storage.tsdb.path", filepath.Join(dir, "data"), "--web.listen-address", listen)
	cmd.Stdout, cmd.Stderr = said, said
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		require.NoError(t, cmd.Process.Signal(syscall.SIGTERM))
		require.NoError(t, cmd.Wait(), said)
	})
	address = "http://" + listen
	require.Eventually(t, func() bool {
		answer, err := client.Get(address + "/-/ready")
		if err != nil {
			return false
		}
		defer answer.Body.Close()
		return answer.StatusCode == http.StatusOK
	}, time.Minute, 100*time.Millisecond, said)
	return address
}

// hasData reports whether a query has results, and all of them are numbers.
func hasData(t *testing.T, prometheus, expr string) bool {
	t.Helper()
	var answer struct {
		Status string
		Data   struct {
			Result []struct{ Value [2]any }
		}
	}
	require.NoError(t, json.Unmarshal(get(t, prometheus+"/api/v1/query?query="+url.QueryEscape(expr)), &answer))
	require.Equal(t, "success", answer.Status)
	for _, r := range answer.Data.Result {
		value, err := strconv.ParseFloat(fmt.Sprint(r.Value[1]), 64)
		require.NoError(t, err)
		if math.IsNaN(value) {
			return false
		}
	}
	return len(answer.Data.Result) > 0
}
