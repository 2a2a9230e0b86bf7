package main

import (
	"fmt"
	"hash/crc64"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
)

// input is what a cell uploads: one file, or files in a directory.
type input struct {
	files int
	size  int64 // bytes of each
}

// content is an input on disk.
type content struct {
	path  string
	bytes int64
	crc   uint64 // of all files, by exclusive or
}

// input makes the files, once. Writing them brings them into the page cache.
func (b *bench) input(in input) (content, error) {
	if made, ok := b.inputs[in]; ok {
		return made, nil
	}
	c := content{path: filepath.Join(b.dir, fmt.Sprintf("%dx%d", in.files, in.size))}
	names := []string{c.path + ".mp4"}
	if in.files == 1 {
		c.path = names[0]
	} else {
		if err := os.Mkdir(c.path, 0o700); err != nil {
			return content{}, err
		}
		names = nil
		for i := range in.files {
			names = append(names, filepath.Join(c.path, fmt.Sprintf("%05d.jpg", i)))
		}
	}
	noise := rand.NewChaCha8([32]byte{1})
	for _, name := range names {
		sum, err := write(name, io.LimitReader(noise, in.size))
		if err != nil {
			return content{}, err
		}
		c.crc ^= sum
		c.bytes += in.size
	}
	b.inputs[in] = c
	return c, nil
}

// write makes a file of r and returns its CRC64.
func write(name string, r io.Reader) (uint64, error) {
	f, err := os.Create(name)
	if err != nil {
		return 0, err
	}
	sum := crc64.New(crc64.MakeTable(crc64.ECMA))
	_, err = io.CopyBuffer(io.MultiWriter(f, sum), r, make([]byte, mb))
	if err == nil {
		err = f.Sync() // or it would be written while clients run
	}
	if closed := f.Close(); err == nil {
		err = closed
	}
	return sum.Sum64(), err
}
