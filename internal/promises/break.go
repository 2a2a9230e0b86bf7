package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"
)

// breakAll tries every flaw of the promises and says what caught it.
func breakAll(all []promise, jobs int, w io.Writer) error {
	var (
		mu      sync.Mutex
		running sync.WaitGroup
		missed  []string
		tried   int
	)
	slots := make(chan struct{}, jobs)
	for _, p := range all {
		for _, f := range p.breaks {
			slots <- struct{}{}
			running.Go(func() {
				defer func() { <-slots }()
				began := time.Now()
				caught, err := f.try(p.number)
				took := time.Since(began).Round(100 * time.Millisecond)
				mu.Lock()
				defer mu.Unlock()
				tried++
				line := fmt.Sprintf("B%02d caught by %s: %s (%v)", p.number, strings.Join(caught, ", "), f.what, took)
				if err != nil {
					line = fmt.Sprintf("B%02d NOT CAUGHT: %s: %v (%v)", p.number, f.what, err, took)
					missed = append(missed, line)
				}
				fmt.Fprintln(w, line)
			})
		}
	}
	running.Wait()
	fmt.Fprintf(w, "%d breaks tried, %d caught\n", tried, tried-len(missed))
	if len(missed) > 0 {
		return fmt.Errorf("not caught:\n%s", strings.Join(missed, "\n"))
	}
	return nil
}

var failed = regexp.MustCompile(`(?m)^\s*--- FAIL: (\w+)`)

// try builds and runs the tests with the flaw in, the tree itself untouched.
func (f flaw) try(number int) (caught []string, err error) {
	text, err := f.apply()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "promises")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	original, err := filepath.Abs(f.file)
	if err != nil {
		return nil, err
	}
	flawed := filepath.Join(dir, filepath.Base(f.file))
	overlay, err := json.Marshal(map[string]any{"Replace": map[string]string{original: flawed}})
	if err != nil {
		return nil, err
	}
	overlayFile := filepath.Join(dir, "overlay.json")
	if err := os.WriteFile(flawed, text, 0o600); err != nil {
		return nil, err
	}
	if err := os.WriteFile(overlayFile, overlay, 0o600); err != nil {
		return nil, err
	}
	pkg, run := "./"+filepath.ToSlash(filepath.Dir(f.file)), fmt.Sprintf("_B%02d_", number)
	if f.in != "" {
		pkg = f.in
	}
	if f.test != "" {
		run = f.test
	}
	args := []string{"test", "-overlay", overlayFile, "-vet=off", "-count=1", "-timeout=90s", "-run", run}
	if f.race {
		args = append(args, "-race")
	}
	output, err := exec.Command("go", append(args, pkg)...).CombinedOutput()
	switch {
	case err == nil && bytes.Contains(output, []byte("no tests to run")):
		return nil, fmt.Errorf("no test %s in %s", run, pkg)
	case err == nil:
		return nil, fmt.Errorf("%s passes", run)
	case bytes.Contains(output, []byte("[build failed]")), bytes.Contains(output, []byte("[setup failed]")):
		return nil, fmt.Errorf("does not compile:\n%s", output)
	}
	for _, m := range failed.FindAllSubmatch(output, -1) {
		if name := string(m[1]); !slices.Contains(caught, name) {
			caught = append(caught, name)
		}
	}
	if caught == nil {
		caught = []string{ending(output)}
	}
	return caught, nil
}

// ending says how tests ended that did not come to report a failure.
func ending(output []byte) string {
	for _, sign := range []string{"test timed out", "DATA RACE", "found unexpected goroutines", "panic:", "fatal error:"} {
		if bytes.Contains(output, []byte(sign)) {
			return sign
		}
	}
	return "an exit without a report"
}
