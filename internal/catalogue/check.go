package catalogue

import (
	"encoding/json"
	"net/url"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Fault says what is wrong with a parameter.
type Fault int

const (
	Missing  Fault = iota // a required parameter is not there
	Invalid               // wrong type, or outside of the documented limits
	Unknown               // the operation has no such parameter
	Position              // in the query instead of the body, or the other way round
)

// Problem is what Check finds.
type Problem struct {
	Fault     Fault
	Parameter string
}

// common are the parameters of the gateway itself.
const common = " Action Version Format AccessKeyId SecurityToken Signature SignatureMethod SignatureType SignatureVersion SignatureNonce Timestamp RegionId BearerToken "

// Check compares a request with the documentation and returns the first
// problem in the order of the parameters' names, nil if there is none. The
// gateway reads parameters from the query and from a form body alike and
// passes over what it does not know; with strict both are problems.
func (op *Operation) Check(query, form url.Values, strict bool) *Problem {
	value := func(name string) string {
		if v := query.Get(name); v != "" {
			return v
		}
		return form.Get(name)
	}
	for _, f := range op.Params {
		text := value(f.Name)
		if f.Enc == "flat" && text == "" && hasPrefix(query, form, f.Name+".") {
			continue
		}
		if text == "" {
			if f.Required || strings.Contains(","+f.Check+",", ",required,") {
				return &Problem{Missing, f.Name}
			}
			continue
		}
		if !f.accepts(text) {
			return &Problem{Invalid, f.Name}
		}
	}
	for group := range strings.FieldsSeq(op.OneOf) {
		names := strings.Split(group, "|")
		if !slices.ContainsFunc(names, func(name string) bool { return value(name) != "" }) {
			return &Problem{Missing, names[0]}
		}
	}
	if strict {
		return op.checkStrictly(query, form)
	}
	return nil
}

func (op *Operation) checkStrictly(query, form url.Values) *Problem {
	for _, side := range []struct {
		values url.Values
		body   bool
	}{{query, false}, {form, true}} {
		names := make([]string, 0, len(side.values))
		for name := range side.values {
			names = append(names, name)
		}
		slices.Sort(names)
		for _, name := range names {
			base, _, _ := strings.Cut(name, ".")
			f := op.Param(base)
			switch {
			case f == nil && strings.Contains(common, " "+name+" "):
			case f == nil:
				return &Problem{Unknown, name}
			case f.Body != side.body:
				return &Problem{Position, name}
			}
		}
	}
	return nil
}

func hasPrefix(query, form url.Values, prefix string) bool {
	for _, values := range []url.Values{query, form} {
		for name := range values {
			if strings.HasPrefix(name, prefix) {
				return true
			}
		}
	}
	return false
}

// accepts checks type and limits of a parameter's text.
func (f *Field) accepts(text string) bool {
	switch {
	case f.Type == "int32":
		if _, err := strconv.ParseInt(text, 10, 32); err != nil {
			return false
		}
	case f.Type == "int64":
		if _, err := strconv.ParseInt(text, 10, 64); err != nil {
			return false
		}
	case f.Type == "float32", f.Type == "float64":
		if n, err := strconv.ParseFloat(text, 64); err != nil || n != n {
			return false
		}
	case f.Type == "bool":
		if !strings.EqualFold(text, "true") && !strings.EqualFold(text, "false") {
			return false
		}
	case f.Enc == "json":
		var document any
		if json.Unmarshal([]byte(text), &document) != nil || !f.fits(document) {
			return false
		}
	case f.JSON && (text[0] == '{' || text[0] == '['):
		if !json.Valid([]byte(text)) {
			return false
		}
	}
	for rule := range strings.SplitSeq(f.Check, ",") {
		if rule != "" && rule != "required" && !keeps(rule, text) {
			return false
		}
	}
	return true
}

// fits checks the types inside of a document. The service takes a number or a
// bool that is written as a string.
func (f *Field) fits(v any) bool {
	if v == nil {
		return true
	}
	if f.List() {
		items, ok := v.([]any)
		if !ok {
			return false
		}
		elem := *f
		elem.Type = f.Elem()
		return !slices.ContainsFunc(items, func(item any) bool { return !elem.fits(item) })
	}
	switch f.Type {
	case "object":
		object, ok := v.(map[string]any)
		if !ok {
			return false
		}
		for _, sub := range f.Fields {
			if inner, has := object[sub.Name]; has && !sub.fits(inner) || !has && sub.Required {
				return false
			}
		}
		return true
	case "int32", "int64", "float32", "float64", "bool":
		switch v := v.(type) {
		case string:
			scalar := Field{Type: f.Type}
			return v == "" || scalar.accepts(v)
		case float64:
			return f.Type != "bool"
		case bool:
			return f.Type == "bool"
		default:
			return false
		}
	}
	return true
}

var (
	patterns = map[string]*regexp.Regexp{
		"referenceId": regexp.MustCompile(`^[A-Za-z0-9_-]{6,64}$`),
		"sessionId":   regexp.MustCompile(`^[A-Za-z0-9_-]{1,50}$`),
		"clientToken": regexp.MustCompile(`^[A-Za-z0-9-]{1,64}$`),
	}
	tagsRule = regexp.MustCompile(`^(\d+)x(\d+)([BR])$`)
)

// keeps checks one documented limit.
func keeps(rule, text string) bool {
	name, arg, _ := strings.Cut(rule, "=")
	limit, _ := strconv.Atoi(arg) // used where it is a number
	switch name {
	case "bytes":
		return len(text) <= limit
	case "runes":
		return utf8.RuneCountInString(text) <= limit
	case "items":
		return items(text) <= limit
	case "tags":
		m := tagsRule.FindStringSubmatch(arg)
		if m == nil {
			return true
		}
		most, _ := strconv.Atoi(m[1]) // digits
		long, _ := strconv.Atoi(m[2]) // digits
		tags := strings.Split(text, ",")
		return len(tags) <= most && !slices.ContainsFunc(tags, func(tag string) bool {
			return m[3] == "B" && len(tag) > long || m[3] == "R" && utf8.RuneCountInString(tag) > long
		})
	case "min", "max":
		n, err := strconv.ParseFloat(text, 64)
		return err == nil && (name == "min" && n >= float64(limit) || name == "max" && n <= float64(limit))
	case "in", "fold":
		tokens := strings.Split(arg, "|")
		for item := range strings.SplitSeq(text, ",") {
			if !slices.ContainsFunc(tokens, func(token string) bool {
				return item == token || name == "fold" && strings.EqualFold(item, token)
			}) {
				return false
			}
		}
		return true
	case "pattern":
		p := patterns[arg]
		return p == nil || p.MatchString(text)
	case "url":
		return isURL(arg, text)
	case "ext":
		return hasExtension(text)
	}
	return true
}

// items counts the elements of a comma list or of a JSON list.
func items(text string) int {
	var list []json.RawMessage
	if strings.HasPrefix(text, "[") && json.Unmarshal([]byte(text), &list) == nil {
		return len(list)
	}
	return strings.Count(text, ",") + 1
}

func isURL(kind, text string) bool {
	scheme, rest, ok := strings.Cut(text, "://")
	host, key, _ := strings.Cut(rest, "/")
	switch {
	case !ok:
		return false
	case strings.EqualFold(scheme, "http"), strings.EqualFold(scheme, "https"):
		return host != "" && (kind == "http" || key != "")
	case strings.EqualFold(scheme, "oss"):
		return kind != "http" && host != "" && key != ""
	default:
		return kind == "media" && strings.EqualFold(scheme, "vod") && rest != ""
	}
}

func hasExtension(name string) bool {
	if u, err := url.Parse(name); err == nil && u.Host != "" {
		name = u.Path
	}
	ext := path.Ext(name)
	return len(ext) > 1 && len(ext) < len(path.Base(name))
}
