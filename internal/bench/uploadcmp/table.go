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
	floor := results[slices.IndexFunc(results, func(r result) bool { return r.name == base })].each(wall)
	fmt.Printf("\n%v, median of %d:\n\n", c, rounds)
	fmt.Println("| client | proves | wall s | best s | ÷ floor | CPU s | peak RSS MB | allocations |")
	fmt.Println("| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: |")
	for _, r := range results {
		walls := r.each(wall)
		// Neighbours in a round had the same machine: whatever else ran on it
		// falls out of their ratio.
		ratios := slices.Clone(walls)
		for i := range ratios {
			ratios[i] /= floor[i]
		}
		fmt.Printf("| %s | %s | %.2f | %.2f | %.2f | %.2f | %.1f | %.0f |\n",
			r.name, cmp.Or(r.proves, "–"), median(walls), slices.Min(walls), median(ratios), median(r.each(cpu)), median(r.each(rss)), median(r.each(mallocs)))
	}
}
