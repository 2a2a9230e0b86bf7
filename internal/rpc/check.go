package rpc

import (
	"encoding/json"
	"fmt"
	"iter"
	"net/url"
	"path"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/alimedia/alimedia-go"
)

// validate checks a request against the documented rules: those of the
// operation and those in the check tags of its fields. All that is wrong is
// reported at once. Requests made of maps are not checked.
func validate(op Op, region string, in any) error {
	v := reflect.ValueOf(in)
	for v.Kind() == reflect.Pointer {
		v = v.Elem()
	}
	var found violations
	if op.Regions != "" && region != "" && !slices.Contains(strings.Fields(op.Regions), region) {
		found.add("Region", "the operation is offered only in "+strings.Join(strings.Fields(op.Regions), ", "), 0)
	}
	if v.Kind() == reflect.Struct {
		checks, err := checksOf(v.Type())
		if err != nil {
			return err
		}
		for group := range strings.FieldsSeq(op.OneOf) {
			if !anySet(v, group) {
				found.add(strings.ReplaceAll(group, "|", " or "), "one is required", 0)
			}
		}
		checks.run(&found, v, "", false)
		if op.Check != nil {
			found = append(found, op.Check(v.Interface())...)
		}
	}
	if len(found) > 0 {
		return &alimedia.ValidationError{Action: op.Action, Violations: found}
	}
	return nil
}

func anySet(v reflect.Value, group string) bool {
	for name := range strings.SplitSeq(group, "|") {
		if f := v.FieldByName(name); f.IsValid() && !f.IsZero() {
			sf, _ := v.Type().FieldByName(name)
			if !isEmptyList(f) || isDocument(sf) {
				return true
			}
		}
	}
	return false
}

// isEmptyList reports whether v is a list that would put nothing on the wire,
// unless it is in a document, where it is [].
func isEmptyList(v reflect.Value) bool { return v.Kind() == reflect.Slice && v.Len() == 0 }

// isDocument reports whether a parameter travels as one JSON document.
func isDocument(sf reflect.StructField) bool {
	_, options, _ := strings.Cut(sf.Tag.Get("rpc"), ",")
	return slices.Contains(strings.Split(options, ","), "json")
}

type violations []alimedia.Violation

func (vs *violations) add(field, rule string, length int) {
	*vs = append(*vs, alimedia.Violation{Field: field, Rule: rule, Length: length})
}

// fieldChecks is what the tag of one field asks, and where its type goes on.
type fieldChecks struct {
	index    int
	name     string
	wire     string // in a document
	document bool   // a parameter that travels as one JSON document
	required bool
	rules    []rule
	inner    *structChecks // of a struct, or of the elements of a list
}

type structChecks struct {
	raw    int // index of a field Raw that replaces the whole document, or -1
	extra  int // index of a field Extra with more keys of the document, or -1
	fields []fieldChecks
}

// rule checks one value that is set; it returns what is asked when v breaks it.
type rule func(v reflect.Value) (broken string, length int)

var checksKnown sync.Map // reflect.Type -> *structChecks or error

func checksOf(t reflect.Type) (*structChecks, error) {
	if known, ok := checksKnown.Load(t); ok {
		if err, bad := known.(error); bad {
			return nil, err
		}
		return known.(*structChecks), nil
	}
	made, err := makeChecks(t, nil)
	if err != nil {
		checksKnown.Store(t, err)
		return nil, err
	}
	checksKnown.Store(t, made)
	return made, nil
}

// makeChecks returns nil for a type without any rule. A type inside itself is
// not followed a second time.
func makeChecks(t reflect.Type, above []reflect.Type) (*structChecks, error) {
	if slices.Contains(above, t) {
		return nil, nil
	}
	above = append(above, t)
	sc := &structChecks{raw: -1, extra: -1}
	for i := range t.NumField() {
		sf := t.Field(i)
		if !sf.IsExported() {
			continue
		}
		if sf.Name == "Raw" && sf.Type == reflect.TypeFor[alimedia.JSON]() {
			sc.raw = i
			continue
		}
		if sf.Name == "Extra" && sf.Type == reflect.TypeFor[map[string]json.RawMessage]() {
			sc.extra = i
			continue
		}
		fc := fieldChecks{index: i, name: sf.Name, wire: jsonName(sf), document: isDocument(sf)}
		if tag := sf.Tag.Get("check"); tag != "" {
			for text := range strings.SplitSeq(tag, ",") {
				if text == "required" {
					fc.required = true
					continue
				}
				r, err := parseRule(text)
				if err != nil {
					return nil, fmt.Errorf("%s.%s: %w", t, sf.Name, err)
				}
				fc.rules = append(fc.rules, r)
			}
		}
		inner := sf.Type
		for inner.Kind() == reflect.Slice || inner.Kind() == reflect.Pointer {
			inner = inner.Elem()
		}
		if inner.Kind() == reflect.Struct {
			var err error
			if fc.inner, err = makeChecks(inner, above); err != nil {
				return nil, err
			}
		}
		if fc.required || len(fc.rules) > 0 || fc.inner != nil {
			sc.fields = append(sc.fields, fc)
		}
	}
	if len(sc.fields) == 0 {
		return nil, nil
	}
	return sc, nil
}

// run checks the fields of v. In a document an empty list is stated as [], which
// is more than nothing: the service returns such documents and takes them back.
func (sc *structChecks) run(found *violations, v reflect.Value, prefix string, inDocument bool) {
	if sc == nil || sc.raw >= 0 && !v.Field(sc.raw).IsZero() {
		return
	}
	for i := range sc.fields {
		fc := &sc.fields[i]
		f := v.Field(fc.index)
		inDocument := inDocument || fc.document
		if f.IsZero() || isEmptyList(f) && !inDocument {
			if fc.required && !sc.hasExtra(v, fc.wire) {
				found.add(prefix+fc.name, "required", 0)
			}
			continue
		}
		for f.Kind() == reflect.Pointer || f.Kind() == reflect.Interface {
			f = f.Elem()
		}
		for _, r := range fc.rules {
			if broken, length := r(f); broken != "" {
				found.add(prefix+fc.name, broken, length)
			}
		}
		switch {
		case fc.inner == nil:
		case f.Kind() == reflect.Struct:
			fc.inner.run(found, f, prefix+fc.name+".", inDocument)
		case f.Kind() == reflect.Slice:
			for j := range f.Len() {
				if e := reflect.Indirect(f.Index(j)); e.Kind() == reflect.Struct {
					fc.inner.run(found, e, prefix+fc.name+"["+strconv.Itoa(j)+"].", inDocument)
				}
			}
		}
	}
}

// hasExtra reports whether a document states a key beside its fields, as one
// that the service returned does with null and "".
func (sc *structChecks) hasExtra(v reflect.Value, key string) bool {
	return sc.extra >= 0 && v.Field(sc.extra).MapIndex(reflect.ValueOf(key)).IsValid()
}

// parseRule reads one rule of a check tag, such as bytes=128.
func parseRule(text string) (rule, error) {
	name, arg, _ := strings.Cut(text, "=")
	number := func() (int64, error) {
		n, err := strconv.ParseInt(arg, 10, 64)
		if err != nil {
			return 0, fmt.Errorf("check rule %q needs a number", text)
		}
		return n, nil
	}
	switch name {
	case "bytes", "runes":
		n, err := number()
		if err != nil {
			return nil, err
		}
		return textLength(int(n), name == "bytes"), nil
	case "items":
		n, err := number()
		return func(v reflect.Value) (string, int) {
			return exceeds(elements(v), int(n), "elements")
		}, err
	case "min", "max":
		n, err := number()
		return func(v reflect.Value) (string, int) {
			value, err := strconv.ParseFloat(textOf(v), 64)
			switch {
			case err != nil:
				return "must be a number", 0
			case name == "min" && value < float64(n):
				return fmt.Sprintf("at least %d", n), 0
			case name == "max" && value > float64(n):
				return fmt.Sprintf("at most %d", n), 0
			}
			return "", 0
		}, err
	case "tags":
		return tagList(arg)
	case "pattern":
		p, ok := patterns[arg]
		if !ok {
			return nil, fmt.Errorf("check rule %q names no pattern", text)
		}
		return func(v reflect.Value) (string, int) {
			if v.Kind() == reflect.String && !p.matches.MatchString(v.String()) {
				return p.asks, utf8.RuneCountInString(v.String())
			}
			return "", 0
		}, nil
	case "in", "fold":
		tokens := strings.Split(arg, "|")
		return func(v reflect.Value) (string, int) {
			for item := range members(v) {
				if !slices.ContainsFunc(tokens, func(token string) bool {
					return item == token || name == "fold" && strings.EqualFold(item, token)
				}) {
					return "one of " + strings.Join(tokens, ", "), 0
				}
			}
			return "", 0
		}, nil
	case "url":
		asks, ok := urlRules[arg]
		if !ok {
			return nil, fmt.Errorf("check rule %q names no kind of URL", text)
		}
		return func(v reflect.Value) (string, int) {
			if !isURL(arg, textOf(v)) {
				return asks, 0
			}
			return "", 0
		}, nil
	case "ext":
		return func(v reflect.Value) (string, int) {
			if !hasExtension(textOf(v)) {
				return "the name needs a file extension, such as .mp4", 0
			}
			return "", 0
		}, nil
	}
	return nil, fmt.Errorf("unknown check rule %q", text)
}

func exceeds(n, limit int, unit string) (string, int) {
	if n > limit {
		return fmt.Sprintf("at most %d %s", limit, unit), n
	}
	return "", 0
}

// textLength limits a string, or the document that a value becomes.
func textLength(limit int, bytes bool) rule {
	return func(v reflect.Value) (string, int) {
		text := textOf(v)
		if bytes {
			return exceeds(len(text), limit, "bytes")
		}
		return exceeds(utf8.RuneCountInString(text), limit, "characters")
	}
}

// textOf is the wire text of a value, empty where there is none.
func textOf(v reflect.Value) string {
	if v.Kind() == reflect.Slice && v.Type().Elem().Kind() == reflect.String {
		return strings.Join(slices.Collect(members(v)), ",")
	}
	if text, err := scalarText(v); err == nil {
		return text
	}
	text, _ := documentText(v)
	return text
}

// members are the elements of a list of strings, or the parts of a comma
// separated string.
func members(v reflect.Value) iter.Seq[string] {
	if v.Kind() != reflect.Slice || v.Type().Elem().Kind() != reflect.String {
		return strings.SplitSeq(textOf(v), ",")
	}
	return func(yield func(string) bool) {
		for i := range v.Len() {
			if !yield(v.Index(i).String()) {
				return
			}
		}
	}
}

// elements counts the members of a list, or of a comma separated string.
func elements(v reflect.Value) int {
	switch v.Kind() {
	case reflect.Slice, reflect.Map:
		return v.Len()
	case reflect.String:
		return strings.Count(v.String(), ",") + 1
	}
	return 1
}

// tagList reads 16x32B or 16x32R: how many tags, how long each, in bytes or
// characters.
func tagList(arg string) (rule, error) {
	var count, length int
	var unit string
	if n, err := fmt.Sscanf(arg, "%dx%d%s", &count, &length, &unit); n != 3 || err != nil || unit != "B" && unit != "R" {
		return nil, fmt.Errorf("check rule tags=%s: want 16x32B or 16x32R", arg)
	}
	return func(v reflect.Value) (string, int) {
		if broken, n := exceeds(elements(v), count, "tags"); broken != "" {
			return broken, n
		}
		for tag := range members(v) {
			n, name := len(tag), "bytes"
			if unit == "R" {
				n, name = utf8.RuneCountInString(tag), "characters"
			}
			if broken, n := exceeds(n, length, name+" in one tag"); broken != "" {
				return broken, n
			}
		}
		return "", 0
	}, nil
}

var patterns = map[string]struct {
	matches *regexp.Regexp
	asks    string
}{
	"referenceId": {regexp.MustCompile(`^[A-Za-z0-9_-]{6,64}$`), "6 to 64 characters out of letters, digits, - and _"},
	"sessionId":   {regexp.MustCompile(`^[A-Za-z0-9_-]{1,50}$`), "at most 50 characters out of letters, digits, - and _"},
	"clientToken": {regexp.MustCompile(`^[A-Za-z0-9]{32}$`), "32 letters and digits, such as a UUID without dashes"},
}

var urlRules = map[string]string{
	"oss":   "an OSS URL without query: http(s)://bucket.oss-region.aliyuncs.com/key or oss://bucket/key",
	"media": "an OSS URL (http(s)://bucket.oss-region.aliyuncs.com/key or oss://bucket/key) or vod://id",
	"http":  "an http or https URL",
}

// isURL accepts what the service may accept. The host of an http OSS URL is
// not held to aliyuncs.com: buckets have domains of their own.
func isURL(kind, text string) bool {
	scheme, rest, ok := strings.Cut(text, "://")
	if !ok {
		return false
	}
	host, key, _ := strings.Cut(rest, "/")
	switch strings.ToLower(scheme) {
	case "http", "https":
		return host != "" && (kind == "http" || key != "")
	case "oss":
		return kind != "http" && host != "" && key != ""
	case "vod":
		return kind == "media" && rest != ""
	}
	return false
}

// hasExtension looks at a file name or at the path of a URL.
func hasExtension(name string) bool {
	if strings.Contains(name, "://") {
		if u, err := url.Parse(name); err == nil {
			name = u.Path
		} else { // a key that is not escaped
			name, _, _ = strings.Cut(name, "?")
		}
	}
	ext := path.Ext(name)
	return len(ext) > 1 && len(ext) < len(path.Base(name)) && !strings.ContainsAny(ext, " /")
}
