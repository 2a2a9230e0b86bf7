package main

import (
	"bytes"
	"errors"
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
	id       int // of the mutation in the binaries
	number   int // of the promise
	packages []string
	binaries map[string]string // by package; nil: the mutation has builds of its own
	outdated error             // why it cannot be tried
}

// plan returns a trial of each mutation.
func plan(all []promise, tests map[int][]test) []*trial {
	var trials []*trial
	for _, p := range all {
		for _, m := range p.mutations {
			t := &trial{mutation: m, id: len(trials) + 1, number: p.number, packages: m.packages(tests[p.number])}
			_, t.outdated = m.apply()
			trials = append(trials, t)
		}
	}
	return trials
}

// packages returns the packages whose tests are to catch the mutation: its own,
// and the uploader's where the code is a layer of it. A package without tests of
// the promise is left out.
func (m mutation) packages(tests []test) []string {
	if m.in != "" {
		return []string{filepath.Clean(m.in)}
	}
	own := filepath.Dir(m.file)
	candidates := []string{own}
	if slash := filepath.ToSlash(own); strings.HasPrefix(slash, "upload/internal/") || slash == "internal/retry" {
		candidates = append(candidates, "upload")
	}
	return slices.DeleteFunc(candidates, func(dir string) bool {
		return !slices.ContainsFunc(tests, func(t test) bool { return filepath.Dir(t.file) == dir })
	})
}

// mutateAll tries every mutation of the promises and reports which tests caught it.
func mutateAll(trials []*trial, jobs int, w io.Writer) error {
	dir, err := os.MkdirTemp("", "promises")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if err := combine(trials, dir); err != nil {
		return err
	}
	var (
		mu              sync.Mutex
		running         sync.WaitGroup
		missed          []string
		tried, outdated int
	)
	report := func(t *trial, caught []string, err error, took time.Duration) {
		mu.Lock()
		defer mu.Unlock()
		line := fmt.Sprintf("B%02d caught by %s: %s (%v)", t.number, strings.Join(caught, ", "), t.what, took)
		switch {
		case t.outdated != nil:
			outdated++
			line = fmt.Sprintf("B%02d NO LONGER APPLIES: %s: %v", t.number, t.what, t.outdated)
			missed = append(missed, line)
		case err != nil:
			tried++
			line = fmt.Sprintf("B%02d NOT CAUGHT: %s: %v (%v)", t.number, t.what, err, took)
			missed = append(missed, line)
		default:
			tried++
		}
		fmt.Fprintln(w, line)
	}
	limit := make(chan struct{}, jobs)
	for _, t := range trials {
		limit <- struct{}{}
		running.Go(func() {
			defer func() { <-limit }()
			began := time.Now()
			var caught []string
			var err error
			if t.outdated == nil {
				caught, err = t.run(filepath.Join(dir, fmt.Sprint(t.id)))
			}
			report(t, caught, err, time.Since(began).Round(100*time.Millisecond))
		})
	}
	running.Wait()
	fmt.Fprintf(w, "%d mutations tried, %d caught, %d no longer apply\n", tried, tried-len(missed)+outdated, outdated)
	if len(missed) > 0 {
		return fmt.Errorf("not caught:\n%s", strings.Join(missed, "\n"))
	}
	return nil
}

var failed = regexp.MustCompile(`(?m)^\s*--- FAIL: (\w+)`)

// run runs the tests with the mutation applied, package after package, until one
// catches it. The tree itself is not touched.
func (t *trial) run(dir string) (caught []string, err error) {
	if len(t.packages) == 0 {
		return nil, errors.New("no package has a test of this number")
	}
	none := true
	for _, pkg := range t.packages {
		cmd, err := t.command(pkg, dir)
		if err != nil {
			return nil, err
		}
		output, err := cmd.CombinedOutput()
		switch {
		case err == nil:
			none = none && bytes.Contains(output, []byte("no tests to run"))
			continue
		case bytes.Contains(output, []byte("[build failed]")), bytes.Contains(output, []byte("[setup failed]")):
			t.outdated = fmt.Errorf("does not compile:\n%s", output)
			return nil, nil
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
	if none {
		return nil, fmt.Errorf("there is no test %s", t.tests())
	}
	return nil, fmt.Errorf("%s passes in %s", t.tests(), strings.Join(t.packages, ", "))
}

// tests selects the tests that must catch the mutation.
func (t *trial) tests() string {
	if t.test != "" {
		return t.test
	}
	return fmt.Sprintf("_B%02d_", t.number)
}

func (t *trial) command(pkg, dir string) (*exec.Cmd, error) {
	if binary := t.binaries[pkg]; binary != "" {
		cmd := exec.Command(binary, "-test.count=1", "-test.timeout=90s", "-test.run", t.tests())
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
	return exec.Command("go", append(args, "./"+filepath.ToSlash(pkg))...), nil
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
