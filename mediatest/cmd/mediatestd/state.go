package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/alimedia/alimedia-go/mediatest"
)

// stateFile is the file that -state names.
type stateFile struct {
	name string
	last []byte // checksum of what was written
}

// keepState loads the state and saves it from time to time until ctx ends. The
// function that it returns saves it for the last time.
func keepState(ctx context.Context, srv *mediatest.Server, cfg config, stderr io.Writer) (saved func() error, err error) {
	if cfg.state == "" {
		return func() error { return nil }, nil
	}
	f := &stateFile{name: cfg.state}
	if err := f.load(srv); err != nil {
		return nil, err
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		f.keep(ctx, srv, cfg.every, stderr)
	}()
	return func() error {
		<-done
		return f.save(srv)
	}, nil
}

// load reads the state into the server; a file that does not exist is made later.
func (f *stateFile) load(srv *mediatest.Server) error {
	file, err := os.Open(f.name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("-state: %w", err)
	}
	defer func() { _ = file.Close() }() // was only read
	if err := srv.Load(file); err != nil {
		return fmt.Errorf("-state %s: %w; remove the file to begin anew", f.name, err)
	}
	return nil
}

// save writes the state if it is another one than that of the file. A file is
// replaced as a whole, and only this user can read it.
func (f *stateFile) save(srv *mediatest.Server) error {
	sum := sha256.New()
	if err := srv.Save(sum); err != nil {
		return err
	}
	if bytes.Equal(sum.Sum(nil), f.last) {
		return nil
	}
	file, err := os.CreateTemp(filepath.Dir(f.name), ".mediatestd-*") // mode 0600
	if err != nil {
		return err
	}
	sum.Reset()
	err = errors.Join(srv.Save(io.MultiWriter(file, sum)), file.Sync(), file.Close())
	if err == nil {
		err = os.Rename(file.Name(), f.name)
	}
	if err != nil {
		return errors.Join(err, os.Remove(file.Name()))
	}
	f.last = sum.Sum(nil)
	return nil
}

// keep saves the state time and again until ctx ends, and says once what keeps it
// from doing so.
func (f *stateFile) keep(ctx context.Context, srv *mediatest.Server, every time.Duration, stderr io.Writer) {
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	failing := false
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		err := f.save(srv)
		if err != nil && !failing {
			fmt.Fprintf(stderr, "mediatestd: the state is not saved: %v\n", err)
		}
		failing = err != nil
	}
}
