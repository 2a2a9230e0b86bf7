package catalogue

import (
	"regexp"
	"slices"
	"strings"
)

// Explain says what a parameter's text must be and is not, empty if it is fine.
// The text says nothing of the value.
func (f *Field) Explain(text string) string {
	if plain := (&Field{Type: f.Type, Enc: f.Enc, JSON: f.JSON, Fields: f.Fields}); !plain.accepts(text) {
		switch {
		case f.Type == "bool":
			return "must be true or false"
		case strings.HasPrefix(f.Type, "int"):
			return "must be a whole number"
		case strings.HasPrefix(f.Type, "float"):
			return "must be a number"
		default:
			return "must be a JSON " + f.document() + " of the documented form"
		}
	}
	for rule := range strings.SplitSeq(f.Check, ",") {
		if rule != "" && rule != "required" && !keeps(rule, text) {
			return "must be " + limit(rule)
		}
	}
	return ""
}

// document is the kind of JSON document that a parameter holds.
func (f *Field) document() string {
	if f.List() {
		return "list"
	}
	return "object"
}

// Needed reports whether a parameter must be there.
func (f *Field) Needed() bool {
	return f.Required || slices.Contains(strings.Split(f.Check, ","), "required")
}

// Kind is the type of a parameter for people: "string", "int64", "list of
// string", "JSON object".
func (f *Field) Kind() string {
	switch {
	case f.Enc == "comma":
		return "list, separated by commas"
	case f.Enc == "json":
		return "JSON " + f.document()
	case f.JSON:
		return "JSON"
	case f.List():
		return "list of " + f.Elem()
	}
	return f.Type
}

// Limits are the documented limits of a parameter, in words.
func (f *Field) Limits() []string {
	var all []string
	for rule := range strings.SplitSeq(f.Check, ",") {
		if text := limit(rule); text != "" {
			all = append(all, text)
		}
	}
	return all
}

// Tokens are the known values of a parameter, and whether there are no others.
func (f *Field) Tokens() (tokens []string, all bool) {
	for rule := range strings.SplitSeq(f.Check, ",") {
		if name, list, _ := strings.Cut(rule, "="); name == "in" || name == "fold" {
			return strings.Split(list, "|"), true
		}
	}
	if f.Type == "bool" {
		return []string{"true", "false"}, true
	}
	return f.Enum, false
}

// limit is a rule in words, empty for required.
func limit(rule string) string {
	name, arg, _ := strings.Cut(rule, "=")
	switch name {
	case "bytes":
		return "at most " + arg + " bytes"
	case "runes":
		return "at most " + arg + " characters"
	case "items":
		return "at most " + arg + " items"
	case "min":
		return "at least " + arg
	case "max":
		return "at most " + arg
	case "in", "fold":
		return "one of " + strings.ReplaceAll(arg, "|", ", ")
	case "ext":
		return "a name with a file extension"
	case "tags":
		if m := tagsRule.FindStringSubmatch(arg); m != nil {
			unit := map[string]string{"B": "bytes", "R": "characters"}[m[3]]
			return "at most " + m[1] + " tags, separated by commas, of at most " + m[2] + " " + unit + " each"
		}
	case "url":
		return map[string]string{
			"http":  "an http or https URL",
			"oss":   "an OSS URL: oss://bucket/key or https://bucket.oss-region.aliyuncs.com/key",
			"media": "an OSS URL (oss://bucket/key or https://bucket.oss-region.aliyuncs.com/key) or vod://id",
		}[arg]
	case "pattern":
		return map[string]string{
			"referenceId": "6 to 64 letters, digits, - and _",
			"sessionId":   "at most 50 letters, digits, - and _",
			"clientToken": "at most 64 letters, digits and -",
		}[arg]
	}
	return ""
}

var (
	docLink = regexp.MustCompile(`\[(?:Client\.)?([A-Za-z.]+)\]`)
	unset   = regexp.MustCompile(`\bwhen (?:nil|zero|empty)\b`)
)

// Plain is a sentence of the Go documentation for readers who do not write Go:
// without links and zero values.
func Plain(doc string) string {
	return unset.ReplaceAllString(docLink.ReplaceAllString(doc, "$1"), "if not given")
}
