package main

import (
	"cmp"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// test is a test function whose name holds the number of a promise.
type test struct{ name, file string }

var (
	testFunc = regexp.MustCompile(`(?m)^func ((?:Test|Fuzz)\w*_B\d\d_\w+)\(`)
	number   = regexp.MustCompile(`_B(\d\d)`)
)

// findTests reads all test files below root.
func findTests(root string) (map[int][]test, error) {
	found := make(map[int][]test)
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		for _, m := range testFunc.FindAllSubmatch(text, -1) {
			t := test{string(m[1]), path}
			for _, n := range number.FindAllStringSubmatch(t.name, -1) {
				i, _ := strconv.Atoi(n[1])
				found[i] = append(found[i], t)
			}
		}
		return nil
	})
	for _, tests := range found {
		slices.SortFunc(tests, func(a, b test) int { return cmp.Or(cmp.Compare(a.file, b.file), cmp.Compare(a.name, b.name)) })
	}
	return found, err
}

// short is the name without what all names have.
func (t test) short() string {
	_, name, _ := strings.Cut(t.name, "_")
	return name
}
