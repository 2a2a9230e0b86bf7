// Command gen prints the packages ice and vod from the catalogues in api and
// the overlays beside them.
//
//	go run ./internal/gen            write the generated files
//	go run ./internal/gen -check     fail if they are not what would be written
//	go run ./internal/gen -suggest   propose names for types that have none
//	go run ./internal/gen -stats     count what the documentation has
//	go run ./internal/gen -missing g list the fields of responses in group g that need a meaning; all for all groups
//
// It finds the module's root by itself, so it may run in any folder of it.
package main

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

func main() {
	check := flag.Bool("check", false, "compare instead of writing")
	propose := flag.Bool("suggest", false, "print names for types that have none")
	stats := flag.Bool("stats", false, "count what the documentation has")
	missing := flag.String("missing", "", "list the fields of responses in this `group` that need a meaning; all for all groups")
	flag.Parse()
	if *stats || *missing != "" {
		if err := report(*stats, *missing); err != nil {
			fmt.Fprintln(os.Stderr, "gen:", err)
			os.Exit(1)
		}
		return
	}
	if err := run(*check, *propose); err != nil {
		fmt.Fprintln(os.Stderr, "gen:", err)
		os.Exit(1)
	}
}

func run(check, propose bool) error {
	root, err := moduleRoot()
	if err != nil {
		return err
	}
	var errs []error
	var advice [][]byte
	for _, pkg := range []string{"ice", "vod"} {
		table, err := service(root, pkg, check, propose)
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", pkg, err))
		}
		advice = append(advice, table)
	}
	if !propose {
		errs = append(errs, writeCatalogue(root, check), writeAdvice(root, check, advice...))
	}
	return errors.Join(errs...)
}

// report prints what the documentation has, or lacks.
func report(stats bool, group string) error {
	root, err := moduleRoot()
	if err != nil {
		return err
	}
	for _, pkg := range []string{"ice", "vod"} {
		m, err := load(root, pkg)
		if m == nil {
			return err
		}
		if stats {
			m.printStats(os.Stdout)
		}
		if group != "" {
			m.printMissing(os.Stdout, group)
		}
	}
	return nil
}

// proposals are names for the types of a package that have none.
func proposals(root, pkg string) ([]byte, error) {
	s, err := readSpec(filepath.Join(root, "api", pkg+".json"))
	if err != nil {
		return nil, err
	}
	o, err := readOverlay(filepath.Join(root, "api", pkg+".overlay.json"), s)
	if err != nil {
		return nil, err
	}
	return suggest(pkg, s, o)
}

// load builds the model of a package. It may return one with an error.
func load(root, pkg string) (*model, error) {
	s, err := readSpec(filepath.Join(root, "api", pkg+".json"))
	if err != nil {
		return nil, err
	}
	o, err := readOverlay(filepath.Join(root, "api", pkg+".overlay.json"), s)
	if err != nil {
		return nil, err
	}
	r, err := readReference(filepath.Join(root, "api", "reference", pkg), o)
	if err != nil {
		return nil, err
	}
	return build(pkg, s, o, r, func() (map[string][]byte, error) { return readDocuments(filepath.Join(root, pkg)) })
}

// readDocuments reads the types of a package that are written by hand:
// documents.go and documents_<theme>.go.
func readDocuments(dir string) (map[string][]byte, error) {
	paths, err := filepath.Glob(filepath.Join(dir, "documents*.go"))
	if err != nil {
		return nil, err
	}
	files := make(map[string][]byte)
	for _, path := range paths {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		src, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		files[filepath.Base(path)] = src
	}
	return files, nil
}

// service generates one package and returns the advice for its error codes.
func service(root, pkg string, check, propose bool) (advice []byte, err error) {
	if propose {
		names, err := proposals(root, pkg)
		if err != nil {
			return nil, err
		}
		fmt.Printf("%s:\n%s\n", pkg, names)
		return nil, nil
	}
	m, err := load(root, pkg)
	if err != nil {
		return nil, err
	}
	dir := filepath.Join(root, pkg)
	files, err := m.files()
	if err != nil {
		return nil, err
	}
	if check {
		return m.adviceOf(), compare(dir, files)
	}
	return m.adviceOf(), write(dir, files)
}

// compare names every file in dir that differs from what would be written,
// is missing, or is left over.
func compare(dir string, files map[string][]byte) error {
	have, err := generated(dir)
	if err != nil {
		return err
	}
	var errs []error
	for _, name := range sortedKeys(files) {
		if data, err := os.ReadFile(filepath.Join(dir, name)); err != nil || !bytes.Equal(data, files[name]) {
			errs = append(errs, fmt.Errorf("%s is out of date", name))
		}
	}
	for _, name := range have {
		if files[name] == nil {
			errs = append(errs, fmt.Errorf("%s is left over", name))
		}
	}
	return errors.Join(errs...)
}

// write replaces all generated files in dir.
func write(dir string, files map[string][]byte) error {
	have, err := generated(dir)
	if err != nil {
		return err
	}
	for _, name := range have {
		if files[name] == nil {
			if err := os.Remove(filepath.Join(dir, name)); err != nil {
				return err
			}
		}
	}
	for name, data := range maps.All(files) {
		path := filepath.Join(dir, name)
		if old, err := os.ReadFile(path); err == nil && bytes.Equal(old, data) {
			continue
		}
		if err := os.WriteFile(path, data, 0o644); err != nil {
			return err
		}
	}
	return nil
}

func generated(dir string) ([]string, error) {
	paths, err := filepath.Glob(filepath.Join(dir, "zz_*.go"))
	for i, path := range paths {
		paths[i] = filepath.Base(path)
	}
	slices.Sort(paths)
	return paths, err
}

// moduleRoot is the nearest folder above that has go.mod.
func moduleRoot() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir, nil
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", errors.New("no go.mod above the working folder")
		}
		dir = parent
	}
}
