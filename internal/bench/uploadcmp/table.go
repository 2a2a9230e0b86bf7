package main

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/alimedia/alimedia-go/internal/bench/uploadcmp/client"
)

// result is what one contender did, round by round.
type result struct {
	contender
	runs []client.Report
}

func (r result) each(of func(client.Report) float64) []float64 {
	values := make([]float64, len(r.runs))
	for i, run := range r.runs {
		values[i] = of(run)
	}
	return values
}

func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	n := len(sorted)
	return (sorted[(n-1)/2] + sorted[n/2]) / 2
}

// table prints what the contenders did on one cell.
func table(c cell, results []result, rounds int) {
	wall := func(r client.Report) float64 { return r.Wall }
	cpu := func(r client.Report) float64 { return r.CPU }
	rss := func(r client.Report) float64 { return float64(r.RSS) / 1e6 }
	mallocs := func(r client.Report) float64 { return float64(r.Mallocs) }
	of := func(name string) result {
		return results[slices.IndexFunc(results, func(r result) bool { return r.name == name })]
	}
	plain, floor := of(bare), of(base)
	fmt.Printf("\n%v, median of %d:\n\n", c, rounds)
	fmt.Println("| client | proves | wall s | best s | ÷ net/http | ÷ with CRC64 | CPU s | CPU ÷ net/http | peak RSS MB | allocations |")
	fmt.Println("| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |")
	for _, r := range results {
		walls := r.each(wall)
		fmt.Printf("| %s | %s | %.2f | %.2f | %.2f | %.2f | %.2f | %.2f | %.1f | %.0f |\n",
			r.name, cmp.Or(r.proves, "–"), median(walls), slices.Min(walls), r.ratio(plain, wall), r.ratio(floor, wall),
			median(r.each(cpu)), r.ratio(plain, cpu), median(r.each(rss)), median(r.each(mallocs)))
	}
}

// ratio is the median over rounds. Neighbors in a round had the same machine:
// whatever else ran on it falls out of their ratio.
func (r result) ratio(to result, of func(client.Report) float64) float64 {
	ratios, floor := r.each(of), to.each(of)
	for i := range ratios {
		ratios[i] /= floor[i]
	}
	return median(ratios)
}
