package record

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
)

// statement is one of a RAM policy document.
type statement struct {
	Effect   string
	Action   []string
	Resource any // a string, or a list of them
}

// Policy is the smallest RAM policy document for permissions. The actions of
// the media services are for all resources, because these have no others. Those
// of OSS are for the folders of the buckets.
func Policy(all []Permission) (string, error) {
	var media []string
	actions := map[string][]string{} // of OSS, by resource
	for _, p := range all {
		if p.Resource == "" {
			media = append(media, p.Action)
			continue
		}
		resource := resourceOf(p.Resource)
		actions[resource] = append(actions[resource], p.Action)
	}
	var statements []statement
	if len(media) > 0 {
		statements = append(statements, statement{"Allow", distinct(media), "*"})
	}
	// Resources with the same actions share a statement.
	shared := map[string][]string{}
	for _, resource := range slices.Sorted(maps.Keys(actions)) {
		key := strings.Join(distinct(actions[resource]), " ")
		shared[key] = append(shared[key], resource)
	}
	for _, key := range slices.Sorted(maps.Keys(shared)) {
		statements = append(statements, statement{"Allow", strings.Fields(key), shared[key]})
	}
	text, err := json.MarshalIndent(struct {
		Version   string
		Statement []statement
	}{"1", statements}, "", "  ")
	return string(text), err
}

// resourceOf is the ARN of the folder of an object, or of a bucket.
func resourceOf(place string) string {
	bucket, key, isObject := strings.Cut(place, "/")
	if !isObject {
		return "acs:oss:*:*:" + bucket
	}
	// A key may have a * of its own, which would mean anything.
	folder := key[:strings.LastIndexByte(key, '/')+1]
	if i := strings.IndexAny(folder, "*?"); i >= 0 {
		folder = folder[:i]
	}
	return "acs:oss:*:*:" + bucket + "/" + folder + "*"
}

func distinct(list []string) []string { return slices.Compact(slices.Sorted(slices.Values(list))) }
