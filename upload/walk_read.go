package upload

import (
	"errors"
	"io"
	"io/fs"
	"slices"
	"strings"
)

const (
	maxEntries = 64 << 10 // of a folder in memory
	readAhead  = 1 << 10  // entries that are read at once
)

func byName(a, b fs.DirEntry) int { return strings.Compare(a.Name(), b.Name()) }

// read returns the first entries of a folder after a name, in the order of their
// names, and whether there are more. An error comes with what was read before it.
func (w *walk) read(folder, after string) (first []fs.DirEntry, more bool, err error) {
	f, err := w.open(folder)
	if err != nil {
		return nil, false, err
	}
	defer f.Close()
	dir, ok := f.(fs.ReadDirFile)
	if !ok {
		return nil, false, &fs.PathError{Op: "readdir", Path: folder, Err: errors.New("not a folder that can be read")}
	}
	last := "" // of the first entries, when there are more than are kept
	for err == nil {
		var some []fs.DirEntry
		some, err = dir.ReadDir(readAhead)
		if len(some) == 0 && err == nil {
			err = io.ErrNoProgress
		}
		for _, entry := range some {
			name := entry.Name()
			if name <= after || !w.hidden && strings.HasPrefix(name, ".") {
				continue
			}
			if last != "" && name > last {
				continue
			}
			first = append(first, entry)
		}
		if len(first) > w.most+w.most/4 {
			first = w.least(first)
			last = first[w.most-1].Name()
		}
	}
	if err == io.EOF {
		err = nil
	}
	more = last != "" || len(first) > w.most
	return w.least(first), more, err
}

// least sorts entries and returns the first of them. The others are let go.
func (w *walk) least(entries []fs.DirEntry) []fs.DirEntry {
	slices.SortFunc(entries, byName)
	if len(entries) > w.most {
		clear(entries[w.most:])
		entries = entries[:w.most]
	}
	return entries
}
