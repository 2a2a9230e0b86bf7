// Command uploadcmp measures this SDK's uploader, its peers and plain net/http
// against a sink on loopback, and prints Markdown tables.
//
// The sink and every run are processes of their own. Rounds are interleaved:
// each client runs once before any runs again.
package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"log"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/alimedia/alimedia-go/internal/bench/uploadcmp/client"
)

const (
	mb       = 1 << 20
	runLimit = 5 * time.Minute // of one run
)

// contender is a way to upload.
type contender struct {
	name   string
	binary string
	args   []string
	stream bool  // reads a stream, so it has no part in the uploads of many files
	least  int64 // the smallest part in bytes that it accepts
	proves string
}

// base is the name of the contender that the others are compared to.
const base = "net/http + CRC64"

var contenders = []contender{
	{name: "net/http", binary: "floor", args: []string{"-crc=false"}},
	{name: base, binary: "floor", proves: "CRC64"},
	{name: "alimedia File", binary: "ours", proves: "CRC64"},
	{name: "alimedia Reader, size known", binary: "ours", args: []string{"-source", "reader"}, stream: true, proves: "CRC64"},
	{name: "alimedia Reader, size unknown", binary: "ours", args: []string{"-source", "stream"}, stream: true, proves: "CRC64"},
	{name: "OSS v1 UploadFile", binary: "ossv1", proves: "CRC64"},
	{name: "OSS v2 UploadFile", binary: "ossv2", proves: "CRC64"},
	{name: "OSS v2 UploadFrom", binary: "ossv2", args: []string{"-source", "reader"}, stream: true, proves: "CRC64"},
	{name: "minio FPutObject", binary: "minio", least: 5 * mb},
	{name: "minio PutObject, reader", binary: "minio", args: []string{"-source", "reader"}, stream: true, least: 5 * mb},
	{name: "aws transfermanager, file", binary: "aws", least: 5 * mb, proves: "CRC32"},
	{name: "aws transfermanager, reader", binary: "aws", args: []string{"-source", "reader"}, stream: true, least: 5 * mb, proves: "CRC32"},
}

// cell is one case of the matrix.
type cell struct {
	files   int   // 1, or how many files a directory has
	size    int64 // bytes of a file
	part    int64 // bytes
	workers int
	delay   time.Duration // of each request
}

// ideal is the time that the delays alone take. An upload in parts begins and
// ends with a request of its own.
func (c cell) ideal() time.Duration {
	requests := int64(c.files)
	ends := 0
	if c.size > c.part {
		requests *= (c.size + c.part - 1) / c.part
		ends = 2
	}
	rounds := (requests + int64(c.workers) - 1) / int64(c.workers)
	return time.Duration(rounds+int64(ends)) * c.delay
}

func (c cell) String() string {
	what := size(c.size) + ", parts of " + size(c.part)
	if c.files > 1 {
		what = fmt.Sprintf("%d files of %s", c.files, size(c.size))
	}
	what += fmt.Sprintf(", %d at once", c.workers)
	if c.delay > 0 {
		what += fmt.Sprintf(", %v of delay per request (%.2f s in all)", c.delay, c.ideal().Seconds())
	}
	return what
}

func size(n int64) string {
	switch {
	case n >= 1<<30 && n%(1<<30) == 0:
		return fmt.Sprintf("%d GiB", n>>30)
	case n >= mb:
		return fmt.Sprintf("%d MiB", n>>20)
	}
	return fmt.Sprintf("%d kB", n/1000)
}

// matrix is what is measured.
type matrix struct {
	sizes, parts, workers []int64
	delays                []time.Duration
	many                  []cell
	limit                 time.Duration // longer cells are left out
}

func (m matrix) cells() (in, out []cell) {
	all := slices.Clone(m.many)
	for _, delay := range m.delays {
		for _, size := range m.sizes {
			for _, part := range m.parts {
				for _, workers := range m.workers {
					all = append(all, cell{files: 1, size: size, part: part, workers: int(workers), delay: delay})
				}
			}
		}
	}
	for _, c := range all {
		if c.ideal() > m.limit {
			out = append(out, c)
		} else {
			in = append(in, c)
		}
	}
	return in, out
}

func main() {
	log.SetFlags(0)
	sizes := flag.String("size", "1024", "sizes of the file in MiB")
	parts := flag.String("part", "8", "sizes of a part in MiB")
	workers := flag.String("workers", "4", "requests at once")
	delays := flag.String("delay", "0s", "delays of each request")
	files := flag.Int("files", 1000, "measure as many files of 100 kB too, 0 for none")
	rounds := flag.Int("rounds", 5, "runs of each client")
	only := flag.String("only", "", "clients whose name has one of these words")
	limit := flag.Duration("limit", 15*time.Second, "leave out what takes longer by its delays alone")
	full := flag.Bool("full", false, "the whole matrix: -size 256,1024 -part 1,8 -workers 1,4,16 -delay 0s,50ms")
	quick := flag.Bool("quick", false, "does every client work, and do its bytes arrive whole? 16 MiB, once")
	bandwidth := flag.Float64("bandwidth", 0, "MB/s that the sink takes in, over all connections; 0 is no limit")
	dir := flag.String("dir", os.TempDir(), "where files are made, and removed")
	flag.Parse()
	if *full {
		*sizes, *parts, *workers, *delays = "256,1024", "1,8", "1,4,16", "0s,50ms"
	}
	if *quick {
		*sizes, *parts, *files, *rounds = "16", "5", 20, 1
	}
	m := matrix{limit: *limit}
	err := errors.Join(
		parse(&m.sizes, *sizes, mebibytes), parse(&m.parts, *parts, mebibytes),
		parse(&m.workers, *workers, func(s string) (int64, error) { return strconv.ParseInt(s, 10, 64) }),
		parse(&m.delays, *delays, time.ParseDuration),
	)
	if err != nil {
		log.Fatal(err)
	}
	if *files > 1 {
		for _, delay := range []time.Duration{0, 5 * time.Millisecond} {
			m.many = append(m.many, cell{files: *files, size: 100_000, part: 8 * mb, workers: 16, delay: delay})
		}
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, m, choose(*only), *rounds, &bench{check: *quick, bandwidth: int64(*bandwidth * 1e6)}, *dir); err != nil {
		log.Fatal(err)
	}
}

func parse[T any](list *[]T, text string, one func(string) (T, error)) error {
	for item := range strings.SplitSeq(text, ",") {
		value, err := one(item)
		if err != nil {
			return err
		}
		*list = append(*list, value)
	}
	return nil
}

func mebibytes(s string) (int64, error) {
	n, err := strconv.ParseInt(s, 10, 64)
	return n * mb, err
}

// choose returns the contenders whose name has one of words, and the base.
func choose(words string) []contender {
	var chosen []contender
	for _, c := range contenders {
		wanted := func(word string) bool { return strings.Contains(strings.ToLower(c.name), strings.ToLower(word)) }
		if c.name == base || slices.ContainsFunc(strings.Split(words, ","), wanted) {
			chosen = append(chosen, c)
		}
	}
	return chosen
}

func run(ctx context.Context, m matrix, who []contender, rounds int, b *bench, dir string) error {
	dir, err := os.MkdirTemp(dir, "uploadcmp-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	b.dir, b.inputs = dir, make(map[input]content)
	if err := b.build(ctx); err != nil {
		return err
	}
	in, out := m.cells()
	fmt.Printf("%s. Load average %s.\n", machine(), load())
	for _, c := range in {
		results, err := b.measure(ctx, c, who, rounds)
		if err != nil {
			return err
		}
		print(c, results, rounds)
	}
	fmt.Printf("\nLoad average at the end %s.\n", load())
	for _, c := range out {
		fmt.Printf("Left out, it takes too long: %v.\n", c)
	}
	return nil
}

// bench runs processes over files in dir.
type bench struct {
	check     bool  // CRC64 of what arrived
	bandwidth int64 // bytes per second of the sink

	dir    string
	inputs map[input]content
	runs   int
}

// build makes the sink and the clients.
func (b *bench) build(ctx context.Context) error {
	log.Print("building")
	here, err := exec.CommandContext(ctx, "go", "list", "-m", "-f", "{{.Dir}}", "github.com/alimedia/alimedia-go/internal/bench").Output()
	if err != nil {
		return fmt.Errorf("run it in internal/bench: %w", err)
	}
	cmd := exec.CommandContext(ctx, "go", "build", "-o", b.dir+"/", "./sink", "./uploadcmp/client/...")
	cmd.Dir = strings.TrimSpace(string(here))
	cmd.Stderr = os.Stderr
	return cmd.Run()
}

type result struct {
	contender
	runs []client.Report
}

func (r result) median(of func(client.Report) float64) float64 {
	var values []float64
	for _, run := range r.runs {
		values = append(values, of(run))
	}
	slices.Sort(values)
	n := len(values)
	return (values[(n-1)/2] + values[n/2]) / 2
}

// measure runs all clients on one cell, round by round.
func (b *bench) measure(ctx context.Context, c cell, who []contender, rounds int) ([]result, error) {
	log.Print(c)
	what, err := b.input(input{c.files, c.size})
	if err != nil {
		return nil, err
	}
	sink, err := startSink(ctx, filepath.Join(b.dir, "sink"),
		"-delay", c.delay.String(), "-bandwidth", strconv.FormatInt(b.bandwidth, 10), fmt.Sprintf("-check=%t", b.check))
	if err != nil {
		return nil, err
	}
	defer sink.close()
	var results []result
	for _, contender := range who {
		if c.part >= contender.least && (c.files == 1 || !contender.stream) {
			results = append(results, result{contender: contender})
		}
	}
	for range rounds {
		for i := range results {
			r := &results[i]
			report, err := b.once(ctx, sink, c, r.contender, what)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", r.name, err)
			}
			log.Printf("  %-30s %.3f s  %.3f CPU-s  %.1f MB  %d allocations", r.name, report.Wall, report.CPU, float64(report.RSS)/1e6, report.Mallocs)
			r.runs = append(r.runs, report)
		}
	}
	return results, nil
}

// once is one run of one client. It fails unless all bytes arrived.
func (b *bench) once(ctx context.Context, sink *sink, c cell, who contender, what content) (client.Report, error) {
	ctx, cancel := context.WithTimeout(ctx, runLimit)
	defer cancel()
	b.runs++
	bucket := fmt.Sprintf("run-%d", b.runs)
	args := append(slices.Clone(who.args),
		"-endpoint", sink.url, "-bucket", bucket, "-part", strconv.FormatInt(c.part, 10), "-workers", strconv.Itoa(c.workers), what.path)
	cmd := exec.CommandContext(ctx, filepath.Join(b.dir, who.binary), args...)
	cmd.Stderr = os.Stderr
	text, err := cmd.Output()
	if err != nil {
		return client.Report{}, err
	}
	var report client.Report
	if err := json.Unmarshal(text, &report); err != nil {
		return client.Report{}, err
	}
	got, err := sink.arrived(ctx, bucket)
	if err != nil {
		return client.Report{}, err
	}
	if want := (arrival{Objects: c.files, Bytes: what.bytes, CRC: what.crc}); b.check && got != want || got.Objects != want.Objects || got.Bytes != want.Bytes {
		return client.Report{}, fmt.Errorf("arrived: %+v, sent: %+v", got, want)
	}
	return report, nil
}

func print(c cell, results []result, rounds int) {
	wall := func(r client.Report) float64 { return r.Wall }
	cpu := func(r client.Report) float64 { return r.CPU }
	rss := func(r client.Report) float64 { return float64(r.RSS) / 1e6 }
	mallocs := func(r client.Report) float64 { return float64(r.Mallocs) }
	var floor float64
	for _, r := range results {
		if r.name == base {
			floor = r.median(wall)
		}
	}
	fmt.Printf("\n%v, median of %d:\n\n", c, rounds)
	fmt.Println("| client | proves | wall s | ÷ floor | CPU s | peak RSS MB | allocations |")
	fmt.Println("| --- | --- | ---: | ---: | ---: | ---: | ---: |")
	for _, r := range results {
		fmt.Printf("| %s | %s | %.2f | %.2f | %.2f | %.0f | %.0f |\n",
			r.name, cmp.Or(r.proves, "–"), r.median(wall), r.median(wall)/floor, r.median(cpu), r.median(rss), r.median(mallocs))
	}
}
