// Package client is what the clients of the upload comparison have in common.
// Each of them is a command of its own, so that memory, CPU time and
// allocations are one client's alone: package initialization of the others
// would already be seen.
package client

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"log"
	"os"
	"path/filepath"
	"runtime"
	"runtime/pprof"
	"strconv"
	"sync"
	"syscall"
	"time"
)

// What a client presents to the sink, which believes anybody.
const (
	Region = "cn-shanghai"
	Id     = "LTAIexample"
	Secret = "secret"
)

// Setting is what a client is told before it uploads.
type Setting struct {
	Endpoint string // of the sink, with its scheme
	Bucket   string
	Part     int64 // bytes
	Workers  int   // requests at once
	CRC      bool  // of the floor only: compute CRC64
}

// Object is one object to upload.
type Object struct {
	Key  string
	Size int64 // bytes; -1 for a stream whose end is not declared

	// Path is the file to upload. Body, if set, is to be read instead; it is
	// a stream that can do nothing else.
	Path string
	Body io.Reader
}

// Client is how to upload.
type Client struct {
	// One brings one object to the sink. It is called by several goroutines.
	One func(context.Context, Object) error

	// All brings many files to the sink, in a client that has a call for that.
	All func(context.Context, []Object) error
}

// Report is what a client says of its run.
type Report struct {
	Wall    float64 // seconds, of the upload alone
	CPU     float64 // seconds, user and system, of the whole process
	RSS     int64   // bytes, the peak of the process
	Mallocs uint64  // of the upload alone
	Bytes   int64
}

// Main runs a client: connect gets the setting and says how to upload. The
// argument of the command is a file, or a directory whose files are uploaded
// as many at once as there are workers, or by the client's own call.
func Main(connect func(Setting) (Client, error)) {
	log.SetFlags(0)
	var s Setting
	flag.StringVar(&s.Endpoint, "endpoint", "", "`URL` of the sink")
	flag.StringVar(&s.Bucket, "bucket", "bench", "where to upload to")
	flag.Int64Var(&s.Part, "part", 8<<20, "size of a part in bytes")
	flag.IntVar(&s.Workers, "workers", 4, "requests at once")
	flag.BoolVar(&s.CRC, "crc", true, "compute CRC64 (the floor only)")
	source := flag.String("source", "file", "file, reader (of known size), stream (of unknown size), or batch (all files by one call)")
	cpuProfile := flag.String("cpuprofile", "", "write a CPU profile to this `file`")
	memProfile := flag.String("memprofile", "", "write a profile of every allocation to this `file`")
	flag.Parse()
	if *memProfile != "" {
		runtime.MemProfileRate = 1
	}
	objects, err := find(flag.Arg(0))
	if err != nil {
		log.Fatal(err)
	}
	c, err := connect(s)
	if err != nil {
		log.Fatal(err)
	}
	stop := func() {}
	if *cpuProfile != "" {
		f := create(*cpuProfile)
		if err := pprof.StartCPUProfile(f); err != nil {
			log.Fatal(err)
		}
		stop = pprof.StopCPUProfile
	}

	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	began := time.Now()
	if *source == "batch" {
		err = c.All(context.Background(), objects)
	} else {
		err = all(context.Background(), c.One, objects, *source, s.Workers)
	}
	report := Report{Wall: time.Since(began).Seconds()}
	runtime.ReadMemStats(&after)
	stop()
	if err != nil {
		log.Fatal(err)
	}
	report.Mallocs = after.Mallocs - before.Mallocs
	for _, o := range objects {
		report.Bytes += o.Size
	}
	if report.CPU, err = cpuSeconds(); err != nil {
		log.Fatal(err)
	}
	if report.RSS, err = peakRSS(); err != nil {
		log.Fatal(err)
	}
	if *memProfile != "" {
		runtime.GC() // the profile is that of the last collection
		if err := pprof.Lookup("allocs").WriteTo(create(*memProfile), 0); err != nil {
			log.Fatal(err)
		}
	}
	if err := json.NewEncoder(os.Stdout).Encode(report); err != nil {
		log.Fatal(err)
	}
}

func create(name string) *os.File {
	f, err := os.Create(name)
	if err != nil {
		log.Fatal(err)
	}
	return f
}

// find lists the file at path, or the files in the directory at path.
func find(path string) ([]Object, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.IsDir() {
		return []Object{{Key: info.Name(), Path: path, Size: info.Size()}}, nil
	}
	entries, err := os.ReadDir(path)
	if err != nil {
		return nil, err
	}
	var objects []Object
	for _, entry := range entries {
		info, err := entry.Info()
		if err != nil {
			return nil, err
		}
		objects = append(objects, Object{Key: entry.Name(), Path: filepath.Join(path, entry.Name()), Size: info.Size()})
	}
	return objects, nil
}

// all uploads the objects, workers of them at once.
func all(ctx context.Context, upload func(context.Context, Object) error, objects []Object, source string, workers int) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	queue := make(chan Object)
	var wg sync.WaitGroup
	for range min(workers, len(objects)) {
		wg.Go(func() {
			for o := range queue {
				if err := one(ctx, upload, o, source); err != nil {
					cancel(fmt.Errorf("%s: %w", o.Key, err))
					return
				}
			}
		})
	}
	for _, o := range objects {
		select {
		case queue <- o:
			continue
		case <-ctx.Done():
		}
		break
	}
	close(queue)
	wg.Wait()
	return context.Cause(ctx)
}

func one(ctx context.Context, upload func(context.Context, Object) error, o Object, source string) error {
	if source == "file" {
		return upload(ctx, o)
	}
	f, err := os.Open(o.Path)
	if err != nil {
		return err
	}
	defer f.Close()
	o.Path, o.Body = "", struct{ io.Reader }{f}
	if source == "stream" {
		o.Size = -1
	}
	return upload(ctx, o)
}

func cpuSeconds() (float64, error) {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		return 0, err
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano()).Seconds(), nil
}

// peakRSS is the most memory that was resident. It is read from /proc, for
// ru_maxrss begins with that of the process that started this one.
func peakRSS() (int64, error) {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0, err
	}
	for line := range bytes.Lines(status) {
		fields := bytes.Fields(line)
		if len(fields) == 3 && string(fields[0]) == "VmHWM:" {
			kib, err := strconv.ParseInt(string(fields[1]), 10, 64)
			return kib << 10, err
		}
	}
	return 0, fmt.Errorf("no VmHWM in /proc/self/status")
}
