package main

import (
	"fmt"
	"time"
)

// cell is one case of the matrix.
type cell struct {
	files   int   // 1, or how many files a directory has
	size    int64 // bytes of a file
	part    int64 // bytes
	workers int
	delay   time.Duration // of each request
	tls     bool
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
	if c.tls {
		what += ", over TLS 1.3"
	}
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
	tls                   []bool
	many                  []cell
	limit                 time.Duration // longer cells are left out
}

func (m matrix) cells() (in, out []cell) {
	var all []cell
	for _, tls := range m.tls {
		for _, c := range m.many {
			c.tls = tls
			all = append(all, c)
		}
		for _, delay := range m.delays {
			for _, size := range m.sizes {
				for _, part := range m.parts {
					for _, workers := range m.workers {
						all = append(all, cell{files: 1, size: size, part: part, workers: int(workers), delay: delay, tls: tls})
					}
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
