// Command uploadcmp measures this SDK's uploader, its peers and plain net/http
// against a sink on loopback, and prints Markdown tables.
//
// The sink and every run are processes of their own. Rounds are interleaved:
// each client runs once before any runs again.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"time"
)

const mb = 1 << 20

func main() {
	log.SetFlags(0)
	sizes := flag.String("size", "1024", "sizes of the file in MiB")
	parts := flag.String("part", "8", "sizes of a part in MiB")
	workers := flag.String("workers", "4", "requests at once")
	delays := flag.String("delay", "0s", "delays of each request")
	schemes := flag.String("scheme", "http,https", "schemes of the sink; https is TLS 1.3")
	files := flag.Int("files", 1000, "measure as many files of 100 kB too, 0 for none")
	rounds := flag.Int("rounds", 5, "runs of each client")
	only := flag.String("only", "", "clients whose name has one of these words")
	limit := flag.Duration("limit", 15*time.Second, "leave out what takes longer by its delays alone")
	full := flag.Bool("full", false, "the whole matrix: -size 256,1024 -part 1,8 -workers 1,4,16 -delay 0s,50ms")
	quick := flag.Bool("quick", false, "does every client work, and do its bytes arrive whole? -size 16 -part 5 -files 20 -rounds 1")
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
		parse(&m.tls, *schemes, isTLS),
	)
	if *rounds < 1 {
		err = errors.Join(err, errors.New("-rounds: at least 1"))
	}
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
	if err := run(ctx, m, choose(*only), *rounds, &bench{bandwidth: int64(*bandwidth * 1e6)}, *dir); err != nil {
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

func isTLS(scheme string) (bool, error) {
	if scheme != "http" && scheme != "https" {
		return false, fmt.Errorf("-scheme: %q is neither http nor https", scheme)
	}
	return scheme == "https", nil
}

func mebibytes(s string) (int64, error) {
	n, err := strconv.ParseInt(s, 10, 64)
	return n * mb, err
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
		table(c, results, rounds)
	}
	fmt.Printf("\nLoad average at the end %s.\n", load())
	for _, c := range out {
		fmt.Printf("Left out, it takes too long: %v.\n", c)
	}
	return nil
}
