package mediatest

import (
	"fmt"
	"strings"
)

// Parsed is how the server reads a search expression, in prefix notation, empty
// if it does not.
func Parsed(match string) string {
	e, err := parseMatch(match)
	if err != nil {
		return ""
	}
	return prefix(e)
}

func prefix(e expression) string {
	group := func(name string, parts []expression) string {
		texts := make([]string, len(parts))
		for i, p := range parts {
			texts[i] = prefix(p)
		}
		return name + "(" + strings.Join(texts, " ") + ")"
	}
	switch e := e.(type) {
	case andExpression:
		return group("and", e.all)
	case orExpression:
		return group("or", e.any)
	case condition:
		if e.interval != nil {
			return fmt.Sprintf("%s %s %t %q %q %t", e.field, e.op, e.interval.withFrom, e.interval.from, e.interval.to, e.interval.withTo)
		}
		return fmt.Sprintf("%s %s %q", e.field, e.op, e.values)
	}
	return "all"
}
