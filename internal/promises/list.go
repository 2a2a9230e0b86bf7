package main

import (
	"cmp"
	"slices"
)

// promises is the list. The numbers are for ever.
func promises() []promise {
	all := slices.Concat(network, parts, checkpoints, registering, callbacks, proofs, owners, bounds)
	slices.SortFunc(all, func(a, b promise) int { return cmp.Compare(a.number, b.number) })
	return all
}
