// Package operation knows the operations of the services as the command line
// shows them: their names, their parameters, and how values become a request.
package operation

import (
	"fmt"
	"slices"
	"strings"

	"github.com/alimedia/alimedia-go/internal/catalogue"
)

// Products are the products whose operations can be called.
var Products = []string{"ice", "vod"}

// Product is the product with a name, as people write it.
func Product(name string) (string, error) {
	switch strings.ToLower(name) {
	case "ice", "ims":
		return "ice", nil
	case "vod":
		return "vod", nil
	}
	return "", fmt.Errorf("there is no product %q: it is ice or vod", bounded(name))
}

// Find is an operation of a product. The case of its name does not matter.
func Find(product, name string) (*catalogue.Operation, error) {
	if op := catalogue.Find(product, name); op != nil {
		return op, nil
	}
	actions := catalogue.Actions(product)
	for _, action := range actions {
		if strings.EqualFold(action, name) {
			return catalogue.Find(product, action), nil
		}
	}
	text := fmt.Sprintf("%s has no operation %q", product, bounded(name))
	for _, other := range Products {
		if other != product && catalogue.Find(other, name) != nil {
			return nil, fmt.Errorf("%s, but %s has", text, other)
		}
	}
	return nil, fmt.Errorf("%s%s", text, didYouMean(name, actions))
}

// didYouMean names what is spelled most alike, empty where nothing is.
func didYouMean(name string, known []string) string {
	near := nearest(name, known)
	if len(near) == 0 {
		return ""
	}
	return ": did you mean " + strings.Join(near, ", ") + "?"
}

const maxNear = 3

// nearest are the known names that differ least from name, at most three.
func nearest(name string, known []string) []string {
	name = strings.ToLower(bounded(name))
	limit := max(len(name)/3, min(len(name)/2, 2))
	type candidate struct {
		name     string
		distance int
	}
	var all []candidate
	for _, k := range known {
		low := strings.ToLower(k)
		d := distance(name, low)
		if len(name) > 4 && (strings.Contains(low, name) || strings.Contains(name, low)) {
			d = min(d, limit)
		}
		if d <= limit {
			all = append(all, candidate{k, d})
		}
	}
	slices.SortStableFunc(all, func(a, b candidate) int { return a.distance - b.distance })
	var names []string
	for _, c := range all[:min(len(all), maxNear)] {
		names = append(names, c.name)
	}
	return names
}

// distance is the edit distance of Levenshtein.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost = 1 + min(diagonal, row[j], row[j+1])
			}
			diagonal, row[j+1] = row[j+1], cost
		}
	}
	return row[len(b)]
}

// bounded cuts what a user typed to a length worth comparing and quoting.
func bounded(name string) string { return name[:min(len(name), 80)] }
