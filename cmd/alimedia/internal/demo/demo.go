// Package demo runs the services in this process, by package mediatest, and
// keeps what they hold in a file from one command to the next.
package demo

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/gofrs/flock"

	"github.com/alimedia/alimedia-go/mediatest"
)

// Demo is the simulated services.
type Demo struct {
	Server *mediatest.Server
	dir    string
	lock   *flock.Flock
}

const (
	folder = "demo"
	file   = "services.state"

	lockWait  = 30 * time.Second
	lockEvery = 50 * time.Millisecond
)

// Open starts the services with what the last command left in the folder state.
// Only one command at a time can use them: Open waits for the others, and says
// so by note.
func Open(ctx context.Context, state string, note func(string, ...any)) (*Demo, error) {
	dir := filepath.Join(state, folder)
	lock, err := acquire(ctx, dir, note)
	if err != nil {
		return nil, err
	}
	d := &Demo{dir: dir, lock: lock, Server: mediatest.Start(mediatest.Processing(processing))}
	if err := d.load(); err != nil {
		d.Server.Close()
		return nil, errors.Join(err, lock.Unlock())
	}
	d.Server.CreateBucket(Bucket)
	return d, nil
}

// Bucket is the OSS bucket that the demo has from the beginning. The examples of
// help use it.
const Bucket = "my-bucket"

// processing is how long an asset is transcoded: long enough to be seen.
const processing = 3 * time.Second

// Dir is the folder of everything that the demo keeps.
func (d *Demo) Dir() string { return d.dir }

// File is where the services keep what they hold.
func (d *Demo) File() string { return filepath.Join(d.dir, file) }

// Uploads is the checkpoint directory of the demo.
func (d *Demo) Uploads() string { return filepath.Join(d.dir, "uploads") }

// Close saves what the services hold and ends them.
func (d *Demo) Close() error {
	err := d.save()
	d.Server.Close()
	return errors.Join(err, d.lock.Unlock())
}

// Reset removes everything that the demo keeps.
func Reset(ctx context.Context, state string, note func(string, ...any)) error {
	dir := filepath.Join(state, folder)
	lock, err := acquire(ctx, dir, note)
	if err != nil {
		return err
	}
	defer lock.Unlock()
	return errors.Join(os.RemoveAll(filepath.Join(dir, "uploads")), ignoreMissing(os.Remove(filepath.Join(dir, file))))
}

func ignoreMissing(err error) error {
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	return err
}

// acquire locks the folder dir against other commands.
func acquire(ctx context.Context, dir string, note func(string, ...any)) (*flock.Flock, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	lock := flock.New(filepath.Join(dir, "lock"), flock.SetPermissions(0o600))
	if ok, err := lock.TryLock(); ok || err != nil {
		return lock, err
	}
	note("demo: another command is using the demo; waiting for it")
	ctx, cancel := context.WithTimeout(ctx, lockWait)
	defer cancel()
	if _, err := lock.TryLockContext(ctx, lockEvery); err != nil {
		return nil, fmt.Errorf("demo: another command is using it (%s): %w", dir, err)
	}
	return lock, nil
}

func (d *Demo) load() error {
	f, err := os.Open(d.File())
	if err != nil {
		return ignoreMissing(err)
	}
	defer f.Close()
	if err := d.Server.Load(f); err != nil {
		return fmt.Errorf("demo: %s cannot be read, 'alimedia demo reset' begins anew: %w", d.File(), err)
	}
	return nil
}

// save replaces the file at once, so that a crash leaves the old one.
func (d *Demo) save() (err error) {
	f, err := os.CreateTemp(d.dir, file+".*") // mode 0600
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			f.Close()
			os.Remove(f.Name())
			err = fmt.Errorf("demo: save the services: %w", err)
		}
	}()
	if err := d.Server.Save(f); err != nil {
		return err
	}
	if err := f.Sync(); err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	return os.Rename(f.Name(), d.File())
}
