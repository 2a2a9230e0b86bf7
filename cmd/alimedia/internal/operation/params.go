package operation

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/alimedia/alimedia-go/internal/catalogue"
)

// Read returns what stands behind @name in a value: the text of a file, or of
// standard input for "-".
type Read func(name string) (string, error)

// Params are the parameters of one call, in the form of the wire.
type Params struct {
	op     *catalogue.Operation
	values map[string]string // by wire name, such as "Tag.1.Key"
}

// Parse reads arguments of the form key=value. It reports all that is wrong at
// once, and never quotes a value.
func Parse(op *catalogue.Operation, args []string, read Read) (*Params, error) {
	p := &Params{op: op, values: map[string]string{}}
	trees := map[string]*tree{} // documents given by their parts
	var errs []error
	fail := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	seen := map[string]bool{}
	for _, arg := range args {
		key, value, ok := strings.Cut(arg, "=")
		if !ok || key == "" {
			fail("%q is not of the form key=value", bounded(key))
			continue
		}
		name, path, nested := strings.Cut(key, ".")
		f, err := p.find(name)
		switch {
		case err != nil:
			errs = append(errs, err)
			continue
		case seen[key]:
			fail("%s is given twice", key)
			continue
		}
		seen[key] = true
		if isSecret(key) && value != "" && !strings.HasPrefix(value, "@") {
			fail("%s is secret and must not be on the command line, where other users and the shell's history see it: write %s=@FILE, or %s=@- for standard input", bounded(key), bounded(key), bounded(key))
			continue
		}
		if value, err = p.value(key, value, read); err != nil {
			errs = append(errs, err)
			continue
		}
		if !nested {
			p.values[f.Name] = value
			continue
		}
		if trees[f.Name] == nil {
			trees[f.Name] = &tree{}
		}
		if err := trees[f.Name].set(strings.Split(path, "."), value); err != nil {
			fail("%s: %w", bounded(key), err)
		}
	}
	for name, t := range trees {
		if _, both := p.values[name]; both {
			fail("%s is given as a whole and by its parts", name)
			continue
		}
		if err := p.plant(op.Param(name), t); err != nil {
			fail("%s: %w", name, err)
		}
	}
	if len(errs) == 0 {
		errs = p.check()
	}
	slices.SortStableFunc(errs, func(a, b error) int { return strings.Compare(a.Error(), b.Error()) })
	return p, errors.Join(errs...)
}

// isSecret reports whether a parameter, or the part that a dotted name ends in,
// is secret.
func isSecret(key string) bool { return catalogue.IsSecret(key[strings.LastIndexByte(key, '.')+1:]) }

// find is a parameter by its name, in whatever case.
func (p *Params) find(name string) (*catalogue.Field, error) {
	if f := p.op.Param(name); f != nil {
		return f, nil
	}
	names := make([]string, 0, len(p.op.Params))
	for _, f := range p.op.Params {
		if strings.EqualFold(f.Name, name) {
			return f, nil
		}
		names = append(names, f.Name)
	}
	return nil, fmt.Errorf("%s has no parameter %q%s", p.op.Action, bounded(name), didYouMean(name, names))
}

// value is the text of a value: @file and @- are read, @@ stands for an @.
func (p *Params) value(key, value string, read Read) (string, error) {
	name, ok := strings.CutPrefix(value, "@")
	if !ok {
		return value, nil
	}
	if strings.HasPrefix(name, "@") {
		return name, nil
	}
	if name == "" {
		return "", fmt.Errorf("%s: @ needs the name of a file, or - for standard input; write @@ for a value that begins with @", bounded(key))
	}
	text, err := read(name)
	if err != nil {
		return "", fmt.Errorf("%s: %w", bounded(key), err)
	}
	return text, nil
}

// plant makes values of a parameter that was given by its parts.
func (p *Params) plant(f *catalogue.Field, t *tree) error {
	switch {
	case f.Enc == "comma":
		items, err := t.texts()
		if err != nil {
			return err
		}
		if slices.ContainsFunc(items, func(item string) bool { return strings.Contains(item, ",") }) {
			return errors.New("an item has a comma, which separates the items")
		}
		p.values[f.Name] = strings.Join(items, ",")
	case f.Enc == "json" || f.Type == "string" || f.Type == "any" || f.Type == "object":
		document, err := t.document(f)
		if err != nil {
			return err
		}
		p.values[f.Name] = document
	case f.List():
		t.flatten(f.Name, p.values)
	default:
		return fmt.Errorf("it is a %s and has no parts", f.Type)
	}
	return nil
}

// check compares the values with the documentation.
func (p *Params) check() []error {
	var errs []error
	for _, f := range p.op.Params {
		text, given := p.values[f.Name]
		switch {
		case !given && f.Needed() && !p.hasParts(f.Name), given && text == "" && f.Needed():
			errs = append(errs, fmt.Errorf("%s is required", f.Name))
		case text == "":
		default:
			if wrong := f.Explain(text); wrong != "" {
				errs = append(errs, fmt.Errorf("%s %s", f.Name, wrong))
			}
		}
	}
	for group := range strings.FieldsSeq(p.op.OneOf) {
		names := strings.Split(group, "|")
		if !slices.ContainsFunc(names, func(name string) bool { return p.values[name] != "" || p.hasParts(name) }) {
			errs = append(errs, fmt.Errorf("%s is required", strings.Join(names, " or ")))
		}
	}
	return errs
}

func (p *Params) hasParts(name string) bool {
	for key := range p.values {
		if strings.HasPrefix(key, name+".") {
			return true
		}
	}
	return false
}

// Get is the text of a parameter, empty if it is not given.
func (p *Params) Get(name string) string { return p.values[name] }

// Set changes a parameter.
func (p *Params) Set(name, value string) { p.values[name] = value }

// maxQuery is the length of a value that travels in the query. Longer ones travel
// in the form, which the gateway reads alike: the length of a URL is limited.
const maxQuery = 1024

// Request is what a client's Do takes: a struct with a field for each
// parameter, so that those of the form travel in the form.
func (p *Params) Request() any {
	names := make([]string, 0, len(p.values))
	for name := range p.values {
		names = append(names, name)
	}
	slices.Sort(names)
	fields := make([]reflect.StructField, len(names))
	for i, name := range names {
		tag := name
		base, _, _ := strings.Cut(name, ".")
		if f := p.op.Param(base); f != nil && f.Body || len(p.values[name]) > maxQuery {
			tag += ",form"
		}
		fields[i] = reflect.StructField{
			Name: "P" + strconv.Itoa(i), Type: reflect.TypeFor[*string](),
			Tag: reflect.StructTag(`rpc:` + strconv.Quote(tag)),
		}
	}
	v := reflect.New(reflect.StructOf(fields)).Elem()
	for i, name := range names {
		text := p.values[name]
		v.Field(i).Set(reflect.ValueOf(&text)) // a pointer, so that an empty value is sent
	}
	return v.Interface()
}

// tree is a value that is given by its parts: Name.1.Key=value.
type tree struct {
	text  string
	parts map[string]*tree
	leaf  bool
}

const (
	maxDepth = 16
	maxIndex = 1000
)

func (t *tree) set(path []string, value string) error {
	if len(path) > maxDepth {
		return fmt.Errorf("more than %d levels", maxDepth)
	}
	for _, step := range path {
		if step == "" {
			return errors.New("an empty name between dots")
		}
		if t.leaf {
			return errors.New("a part of it is given as a whole too")
		}
		if t.parts == nil {
			t.parts = map[string]*tree{}
		}
		if t.parts[step] == nil {
			t.parts[step] = &tree{}
		}
		t = t.parts[step]
	}
	if t.parts != nil {
		return errors.New("a part of it is given as a whole too")
	}
	t.text, t.leaf = value, true
	return nil
}

// items are the elements of a list: numbered from 1 without gaps.
func (t *tree) items() ([]*tree, bool) {
	all := make([]*tree, len(t.parts))
	if len(all) == 0 || len(all) > maxIndex {
		return nil, false
	}
	for key, part := range t.parts {
		n, err := strconv.Atoi(key)
		if err != nil || n < 1 || n > len(all) || key != strconv.Itoa(n) {
			return nil, false
		}
		all[n-1] = part
	}
	return all, true
}

var errNumbers = errors.New("the items of a list are numbered from 1 without gaps")

func (t *tree) texts() ([]string, error) {
	items, ok := t.items()
	if !ok {
		return nil, errNumbers
	}
	all := make([]string, len(items))
	for i, item := range items {
		if !item.leaf {
			return nil, errors.New("an item has parts")
		}
		all[i] = item.text
	}
	return all, nil
}

// flatten writes the parts under dotted names.
func (t *tree) flatten(prefix string, into map[string]string) {
	if t.leaf {
		into[prefix] = t.text
		return
	}
	for name, part := range t.parts {
		part.flatten(prefix+"."+name, into)
	}
}

// document is the JSON of a parameter.
func (t *tree) document(f *catalogue.Field) (string, error) {
	v, err := t.json(f)
	if err != nil {
		return "", err
	}
	var b strings.Builder
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return "", err
	}
	return strings.TrimSuffix(b.String(), "\n"), nil
}

// json is the value of a part. f is what is known of it, nil for nothing.
func (t *tree) json(f *catalogue.Field) (any, error) {
	if t.leaf {
		return literal(t.text, f), nil
	}
	items, isList := t.items()
	if f != nil && f.List() && !isList {
		return nil, errNumbers
	}
	if isList && (f == nil || f.List() || f.Type != "object") {
		var elem *catalogue.Field
		if f != nil && f.List() {
			copied := *f
			copied.Type = f.Elem()
			elem = &copied
		}
		list := make([]any, len(items))
		for i, item := range items {
			v, err := item.json(elem)
			if err != nil {
				return nil, err
			}
			list[i] = v
		}
		return list, nil
	}
	object := map[string]any{}
	for name, part := range t.parts {
		sub := member(f, name)
		if sub == nil && f != nil && len(f.Fields) > 0 {
			return nil, fmt.Errorf("there is no %q in it%s", bounded(name), didYouMean(name, names(f.Fields)))
		}
		v, err := part.json(sub)
		if err != nil {
			return nil, err
		}
		if sub != nil {
			name = sub.Name
		}
		object[name] = v
	}
	return object, nil
}

func member(f *catalogue.Field, name string) *catalogue.Field {
	if f == nil {
		return nil
	}
	for _, sub := range f.Fields {
		if strings.EqualFold(sub.Name, name) {
			return sub
		}
	}
	return nil
}

func names(fields []*catalogue.Field) []string {
	all := make([]string, len(fields))
	for i, f := range fields {
		all[i] = f.Name
	}
	return all
}

// literal is a value in a document: of the documented type, or else what it
// looks like.
func literal(text string, f *catalogue.Field) any {
	if f != nil {
		switch {
		case f.Type == "string":
			return text
		case f.Type == "bool" && strings.EqualFold(text, "true"):
			return true
		case f.Type == "bool" && strings.EqualFold(text, "false"):
			return false
		}
	}
	if json.Valid([]byte(text)) {
		return json.RawMessage(text)
	}
	return text
}
