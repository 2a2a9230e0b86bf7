package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"runtime"
	"strings"
)

// sink is a running server.
type sink struct {
	url  string
	cmd  *exec.Cmd
	stop io.Closer
}

func startSink(ctx context.Context, binary string, args ...string) (*sink, error) {
	cmd := exec.CommandContext(ctx, binary, args...)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe() // the sink ends when this is closed
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	s := &sink{cmd: cmd, stop: in}
	url, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		s.close()
		return nil, fmt.Errorf("the sink did not start: %w", err)
	}
	s.url = strings.TrimSpace(url)
	return s, nil
}

func (s *sink) close() {
	s.stop.Close()
	_ = s.cmd.Wait()
}

// arrival is what a bucket has.
type arrival struct {
	Objects int
	Bytes   int64
	CRC     uint64
}

func (s *sink) arrived(ctx context.Context, client *http.Client, bucket string) (arrival, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.url+"/"+bucket, nil)
	if err != nil {
		return arrival{}, err
	}
	resp, err := client.Do(req)
	if err != nil {
		return arrival{}, err
	}
	defer resp.Body.Close()
	var a arrival
	return a, json.NewDecoder(resp.Body).Decode(&a)
}

// machine describes where the figures are from.
func machine() string {
	name := runtime.GOARCH
	cpus, _ := os.ReadFile("/proc/cpuinfo")
	for line := range strings.Lines(string(cpus)) {
		if key, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(key) == "model name" {
			name = strings.TrimSpace(value)
			break
		}
	}
	return fmt.Sprintf("%s, %d cores, %s, %s", name, runtime.NumCPU(), runtime.GOOS, runtime.Version())
}

// load is the load average of the last 1, 5 and 15 minutes.
func load() string {
	text, err := os.ReadFile("/proc/loadavg")
	if fields := strings.Fields(string(text)); err == nil && len(fields) >= 3 {
		return strings.Join(fields[:3], " ")
	}
	return "not known"
}
