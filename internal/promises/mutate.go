package main

import (
	"bytes"
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

// trial is a mutation that a test of its promise must catch.
type trial struct {
	mutation
	id     int // of the mutation in its binary
	number int // of the promise
	binary string
}

// mutateAll tries every mutation of the promises and reports which tests caught it.
func mutateAll(all []promise, jobs int, w io.Writer) error {
	var (
		mu      sync.Mutex
		running sync.WaitGroup
		missed  []string
		trials  []*trial
	)
	for _, p := range all {
		for _, m := range p.mutations {
			if _, err := m.apply(); err != nil {
				missed = append(missed, fmt.Sprintf("B%02d DOES NOT APPLY: %v", p.number, err))
				fmt.Fprintln(w, missed[len(missed)-1])
				continue
			}
			trials = append(trials, &trial{mutation: m, id: len(trials) + 1, number: p.number})
		}
	}
	dir, err := os.MkdirTemp("", "promises")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if err := combine(trials, dir); err != nil {
		return err
	}
	outdated := len(missed)
	slots := make(chan struct{}, jobs)
	for _, t := range trials {
		slots <- struct{}{}
		running.Go(func() {
			defer func() { <-slots }()
			began := time.Now()
			caught, err := t.run(filepath.Join(dir, fmt.Sprint(t.id)))
			took := time.Since(began).Round(100 * time.Millisecond)
			line := fmt.Sprintf("B%02d caught by %s: %s (%v)", t.number, strings.Join(caught, ", "), t.what, took)
			if err != nil {
				line = fmt.Sprintf("B%02d NOT CAUGHT: %s: %v (%v)", t.number, t.what, err, took)
			}
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				missed = append(missed, line)
			}
			fmt.Fprintln(w, line)
		})
	}
	running.Wait()
	fmt.Fprintf(w, "%d mutations tried, %d caught, %d no longer apply\n", len(trials), len(trials)-len(missed)+outdated, outdated)
	if len(missed) > 0 {
		return fmt.Errorf("not caught:\n%s", strings.Join(missed, "\n"))
	}
	return nil
}

var failed = regexp.MustCompile(`(?m)^\s*--- FAIL: (\w+)`)

// run runs the tests with the mutation applied. The tree itself is not touched.
func (t *trial) run(dir string) (caught []string, err error) {
	cmd, err := t.command(dir)
	if err != nil {
		return nil, err
	}
	output, err := cmd.CombinedOutput()
	switch {
	case err == nil && bytes.Contains(output, []byte("no tests to run")):
		return nil, fmt.Errorf("there is no test %s", t.tests())
	case err == nil:
		return nil, fmt.Errorf("%s passes", t.tests())
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

// tests selects the tests that must catch the mutation.
func (t *trial) tests() string {
	if t.test != "" {
		return t.test
	}
	return fmt.Sprintf("_B%02d_", t.number)
}

func (t *trial) command(dir string) (*exec.Cmd, error) {
	pkg := filepath.Dir(t.file)
	if t.binary != "" {
		cmd := exec.Command(t.binary, "-test.count=1", "-test.timeout=90s", "-test.run", t.tests())
		cmd.Dir = pkg
		cmd.Env = append(os.Environ(), fmt.Sprintf("%s=%d", mutationVariable, t.id))
		return cmd, nil
	}
	text, err := t.apply()
	if err != nil {
		return nil, err
	}
	args, err := overlay{t.file: text}.write(dir)
	if err != nil {
		return nil, err
	}
	args = append([]string{"test", "-vet=off", "-count=1", "-timeout=90s", "-run", t.tests()}, args...)
	if t.race {
		args = append(args, "-race")
	}
	if t.in != "" {
		pkg = t.in
	}
	return exec.Command("go", append(args, "./"+filepath.ToSlash(filepath.Clean(pkg)))...), nil
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
