package mediatest

import (
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"
)

var referenceID = regexp.MustCompile(`^[A-Za-z0-9_-]{6,64}$`)

// checkLimits applies the documented limits of parameters, blank separated:
// "Title:128b" is at most 128 bytes, "Title:128r" 128 characters,
// "Tags:16x32b" 16 items of 32 bytes, "ReferenceId:id" the rule of ReferenceId.
func checkLimits(limits string, params url.Values) error {
	for limit := range strings.FieldsSeq(limits) {
		name, rule, _ := strings.Cut(limit, ":")
		if !keeps(rule, params.Get(name)) {
			return invalid(name)
		}
	}
	return nil
}

func keeps(rule, value string) bool {
	if rule == "id" {
		return value == "" || referenceID.MatchString(value)
	}
	items := []string{value}
	if count, each, ok := strings.Cut(rule, "x"); ok {
		most, _ := strconv.Atoi(count) // written above
		items = strings.Split(value, ",")
		if len(items) > most {
			return false
		}
		rule = each
	}
	length := func(s string) int { return len(s) }
	if strings.HasSuffix(rule, "r") {
		length = utf8.RuneCountInString
	}
	most, _ := strconv.Atoi(rule[:len(rule)-1])
	for _, item := range items {
		if length(item) > most {
			return false
		}
	}
	return true
}
