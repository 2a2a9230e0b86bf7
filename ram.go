package alimedia

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
)

var ramAction = regexp.MustCompile(`^[a-z]+:([A-Z][A-Za-z0-9]*\*?|\*)$`)

// RAMPolicy returns the smallest RAM policy document that allows the given
// actions. An action is a product and an operation, such as
// "ice:RegisterMediaStream" or "vod:CreateUploadVideo". The doc comment of every
// operation names its action. The resource is always "*", because the services
// do not support narrower resources.
//
// An action of another form is an error. RAMPolicy does not check whether the
// operation exists.
func RAMPolicy(actions ...string) (string, error) {
	if len(actions) == 0 {
		return "", fmt.Errorf("alimedia: RAM policy: no actions")
	}
	for _, a := range actions {
		if !ramAction.MatchString(a) {
			return "", fmt.Errorf("alimedia: RAM policy: %.60q is not of the form product:Operation", a)
		}
	}
	sorted := slices.Sorted(slices.Values(actions))
	type statement struct {
		Effect   string
		Action   []string
		Resource string
	}
	text, err := json.MarshalIndent(struct {
		Version   string
		Statement []statement
	}{"1", []statement{{"Allow", slices.Compact(sorted), "*"}}}, "", "  ")
	return string(text), err
}
