// Command promises keeps the list of what the uploader promises, ties each
// promise to the tests that carry its number, and proves those tests by mutation
// testing: it applies the mutations listed here and sees the tests fail.
//
//	go run ./internal/promises            # write PROMISES.md
//	go run ./internal/promises -check     # is it up to date, has each promise its tests
//	go run ./internal/promises -mutate    # apply each mutation and run its tests: minutes; also reports mutations that no longer apply
//	go run ./internal/promises -mutate -only 27,28
package main

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// promise is one line of the list.
type promise struct {
	number    int
	text      string
	mutations []mutation
}

// mutation is a change of the code that breaks the promise. The old text stands
// in the file exactly once.
type mutation struct {
	what, file, old, new string

	in   string // the package whose tests are run; empty: that of file, and ./upload for its layers
	test string // what else than the number of the promise selects them
	race bool   // only the race detector sees it
}

const list = "PROMISES.md"

func main() {
	check := flag.Bool("check", false, "compare, and write nothing")
	mutating := flag.Bool("mutate", false, "apply each mutation and run its tests")
	only := flag.String("only", "", "with -mutate: numbers, separated by commas")
	jobs := flag.Int("jobs", 2, "with -mutate: how many at a time")
	flag.Parse()
	var err error
	if *mutating {
		err = prove(*only, *jobs)
	} else {
		err = write(*check)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func prove(only string, jobs int) error {
	chosen := promises()
	if only != "" {
		numbers := strings.Split(only, ",")
		chosen = slices.DeleteFunc(chosen, func(p promise) bool { return !slices.Contains(numbers, strconv.Itoa(p.number)) })
	}
	tests, err := findTests(".")
	if err != nil {
		return err
	}
	return mutateAll(plan(chosen, tests), jobs, os.Stdout)
}

func write(check bool) error {
	all := promises()
	tests, err := findTests(".")
	if err != nil {
		return err
	}
	if err := verify(all, tests); err != nil {
		return err
	}
	var text bytes.Buffer
	render(&text, all, tests)
	if !check {
		return os.WriteFile(list, text.Bytes(), 0o644)
	}
	was, err := os.ReadFile(list)
	if err == nil && !bytes.Equal(was, text.Bytes()) {
		err = fmt.Errorf("%s is out of date: go run ./internal/promises", list)
	}
	return err
}

// verify finds all that the list lacks.
func verify(all []promise, tests map[int][]test) error {
	var errs []error
	for i, p := range all {
		switch {
		case p.number != i+1:
			return fmt.Errorf("promise %d stands at place %d", p.number, i+1)
		case len(tests[p.number]) == 0:
			errs = append(errs, fmt.Errorf("promise %d has no test: its name would hold B%02d", p.number, p.number))
		case len(p.mutations) == 0:
			errs = append(errs, fmt.Errorf("promise %d has no mutation", p.number))
		}
	}
	return errors.Join(errs...)
}

// apply returns the file with the mutation.
func (m mutation) apply() ([]byte, error) {
	text, err := os.ReadFile(m.file)
	if err != nil {
		return nil, err
	}
	if n := bytes.Count(text, []byte(m.old)); n != 1 {
		return nil, fmt.Errorf("%q: %s has its old text %d times, not once", m.what, m.file, n)
	}
	return bytes.Replace(text, []byte(m.old), []byte(m.new), 1), nil
}

func render(w io.Writer, all []promise, tests map[int][]test) {
	fmt.Fprint(w, `<!-- Written by go run ./internal/promises. -->

# Guarantees of the uploader

Each guarantee has tests that carry its number. Mutation testing proves the tests: `+"`go run ./internal/promises -mutate`"+`
applies the mutations counted in the last column one at a time, and a test of that number must catch each one. Run the tests of one guarantee with `+"`go test -run B27 ./...`"+`.

| | Guarantee | Tests | Mutations |
|---|---|---|---|
`)
	for _, p := range all {
		var names []string
		for _, t := range tests[p.number] {
			names = append(names, fmt.Sprintf("[%s](%s)", t.short(), filepath.ToSlash(t.file)))
		}
		fmt.Fprintf(w, "| %d | %s | %s | %d |\n", p.number, p.text, strings.Join(names, " · "), len(p.mutations))
	}
}
