package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
)

// overlay is what we decide about one service. Nothing in it repeats the
// catalogue. api/README.md describes the format.
type overlay struct {
	// Reference is the reference page of an operation without its lower-case
	// name.
	Reference string `json:"reference"`

	// Groups names the operations of each generated file.
	Groups map[string][]string `json:"groups"`

	// RatesPage is the page of the reference that documents rates.
	RatesPage string `json:"ratesPage"`

	// First lists the groups that the index of the package begins with.
	First []string `json:"first"`

	// Documented lists the groups of which every field of a request needs a
	// sentence.
	Documented []string `json:"documented"`

	// Explained lists the groups of which every number, time and state in an
	// response needs a unit, a format or its values.
	Explained []string `json:"explained"`

	// Operations holds what the catalogue does not say of an operation.
	Operations map[string]*operationOverlay `json:"operations"`

	// Fields does the same for the fields of nested types: "Type.Field".
	Fields map[string]*fieldOverlay `json:"fields"`

	// Models renames shared models of the catalogue.
	Models map[string]string `json:"models"`

	// Types names the type of an object field: "Parent.Field" -> type, where
	// Parent is the Go type that has the field. Two fields with one name
	// share the type.
	Types map[string]string `json:"types"`

	// TypeDocs holds sentences for types.
	TypeDocs map[string]string `json:"typeDocs"`

	// Merge lists the types whose fields are the union of what the
	// operations that share them return.
	Merge []string `json:"merge"`

	// Split lists the types of requests whose twin in responses has the
	// suffix Info: their bools are pointers in the one and values in the
	// other.
	Split []string `json:"split"`

	// Documents lists the types written by hand in documents.go: structs with
	// the fields Extra and Raw, which get their JSON methods from here.
	Documents []string `json:"documents"`

	// Waits holds the jobs that can be waited for, by the name of the function
	// without its Wait.
	Waits map[string]*waitOverlay `json:"waits"`

	// Secret lists the fields whose text nobody must read by chance, and Plain
	// those whose name only sounds like it, with the reason: "Field" of all
	// types, or "Type.Field".
	Secret []string          `json:"secret"`
	Plain  map[string]string `json:"plain"`

	// Hosts are documented endpoints; they win over the catalogue's.
	Hosts map[string]string `json:"hosts"`

	// VPCHosts are the documented endpoints inside a VPC.
	VPCHosts map[string]string `json:"vpcHosts"`
}

type operationOverlay struct {
	Doc      string                   `json:"doc"`
	Class    string                   `json:"class"` // Read, Idempotent, Tokened, Unsafe
	Why      string                   `json:"why"`   // reason of the class
	UnsafeIf string                   `json:"unsafeIf"`
	Regions  string                   `json:"regions"`
	OneOf    string                   `json:"oneOf"`
	Check    string                   `json:"check"`   // Go function of the package
	Proof    string                   `json:"proof"`   // what a successful response always has, or "none: why"
	Verdict  string                   `json:"verdict"` // the field that says whether the operation succeeded, or "none: why"
	Page     *pageOverlay             `json:"page"`
	Fields   map[string]*fieldOverlay `json:"fields"`   // of the request
	Response map[string]*fieldOverlay `json:"response"` // fields of the response
}

// pageOverlay says how an operation pages. Paths are dotted wire names.
type pageOverlay struct {
	Token string `json:"token"` // request: the token's field
	Next  string `json:"next"`  // response: path of the next token
	Page  string `json:"page"`  // request: the page number's field
	Size  string `json:"size"`  // request: the page size's field
	First int    `json:"first"` // number of the first page
	Items string `json:"items"` // response: path of the list
	Total string `json:"total"` // response: path of the total
	Fill  int    `json:"fill"`  // page size to ask for, where the operation needs one

	// ByHand says why the iterator is written by hand; nothing else is set then.
	ByHand string `json:"byHand"`
}

// waitOverlay says how a job tells its end. Paths are dotted wire names; with
// List those of status, code and message begin at an item.
type waitOverlay struct {
	Ask     string            `json:"ask"`     // the operation that reports the job
	ID      string            `json:"id"`      // request: what names the job; also a list of such
	More    string            `json:"more"`    // request: other parameters of the function
	With    map[string]string `json:"with"`    // request: fixed values
	List    string            `json:"list"`    // response: path of the list that has the job
	ItemID  string            `json:"itemId"`  // path of the id in an item
	Status  string            `json:"status"`  // response: path of the state
	Code    string            `json:"code"`    // response: path of the reason
	Message string            `json:"message"` // response: path of the reason in words
	Good    string            `json:"good"`    // states, blank separated
	Bad     string            `json:"bad"`     // states, blank separated
	Source  string            `json:"source"`  // where the states are documented
	Doc     string            `json:"doc"`     // what else to know
}

type fieldOverlay struct {
	Doc     string `json:"doc"`
	Type    string `json:"type"`    // Go type instead of the catalogue's
	Enc     string `json:"enc"`     // json, comma, escape or unfold
	Check   string `json:"check"`   // pre-flight rules
	Pointer string `json:"pointer"` // why zero must be told from absent
	Form    string `json:"form"`    // why the parameter travels in the form and not in the query
}

var (
	classes     = []string{"Read", "Idempotent", "Tokened", "Unsafe"}
	readVerb    = regexp.MustCompile(`^(Get|List|Describe|Search|Query|BatchGet)[A-Z]`)
	groupName   = regexp.MustCompile(`^[a-z][a-z_]*$`)
	typeName    = regexp.MustCompile(`^[A-Z][A-Za-z0-9]*$`)
	knownEnc    = []string{"", "json", "comma", "escape", "unfold"}
	checkSyntax = regexp.MustCompile(`^(required|ext|(bytes|runes|items)=[0-9]+|tags=[0-9]+x[0-9]+[BR]|pattern=(referenceId|sessionId|clientToken)|(in|fold)=[^,=]+|(min|max)=-?[0-9]+|url=(oss|media|http))$`)
)

// readOverlay reads an overlay and checks it against the catalogue: whatever
// it names must exist, and every operation must have a group.
func readOverlay(path string, s *spec) (*overlay, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	o, err := parseOverlay(data, s)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return o, nil
}

func parseOverlay(data []byte, s *spec) (*overlay, error) {
	o := new(overlay)
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	if err := dec.Decode(o); err != nil {
		return nil, err
	}
	if err := errors.Join(o.validateGroups(s), o.validateOperations(s), o.validateNames(s), o.validateWhole(s)); err != nil {
		return nil, err
	}
	return o, nil
}

func (o *overlay) validateGroups(s *spec) error {
	var errs []error
	group := make(map[string]string)
	for _, g := range sortedKeys(o.Groups) {
		if !groupName.MatchString(g) || g == "types" {
			errs = append(errs, fmt.Errorf("groups: bad name %q", g))
		}
		for _, action := range o.Groups[g] {
			switch {
			case s.Operations[action] == nil:
				errs = append(errs, fmt.Errorf("groups.%s: unknown operation %s", g, action))
			case group[action] != "":
				errs = append(errs, fmt.Errorf("groups.%s: %s is also in %s", g, action, group[action]))
			}
			group[action] = g
		}
	}
	for _, action := range sortedKeys(s.Operations) {
		if group[action] == "" {
			errs = append(errs, fmt.Errorf("groups: %s has no group", action))
		}
	}
	for _, g := range slices.Concat(o.Documented, o.Explained, o.First) {
		if o.Groups[g] == nil {
			errs = append(errs, fmt.Errorf("documented, explained or first: unknown group %s", g))
		}
	}
	return errors.Join(errs...)
}

// validateWhole looks for what must not be left out: the sentence of an
// operation, the class of one that writes, the sentences of fields in the
// documented groups.
func (o *overlay) validateWhole(s *spec) error {
	var errs []error
	for _, action := range sortedKeys(s.Operations) {
		op := o.operation(action)
		if op.Doc == "" {
			errs = append(errs, fmt.Errorf("operations.%s: no doc", action))
		} else if !strings.HasPrefix(op.Doc, action+" ") {
			errs = append(errs, fmt.Errorf("operations.%s: doc begins with another name", action))
		}
		if op.Class == "" && !readVerb.MatchString(action) {
			errs = append(errs, fmt.Errorf("operations.%s: no class", action))
		}
	}
	for _, g := range o.Documented {
		for _, action := range o.Groups[g] {
			if s.Operations[action] == nil {
				continue
			}
			for _, p := range s.Operations[action].Params {
				if slices.Contains(gatewayParams, p.Name) {
					continue
				}
				if f := o.operation(action).Fields[p.Name]; f == nil || f.Doc == "" {
					errs = append(errs, fmt.Errorf("operations.%s: %s has no doc", action, p.Name))
				}
			}
		}
	}
	return errors.Join(errs...)
}

func (o *overlay) validateOperations(s *spec) error {
	var errs []error
	for _, action := range sortedKeys(o.Operations) {
		spec, op := s.Operations[action], o.Operations[action]
		if spec == nil {
			errs = append(errs, fmt.Errorf("operations: unknown operation %s", action))
			continue
		}
		fail := func(format string, args ...any) {
			errs = append(errs, fmt.Errorf("operations.%s: "+format, append([]any{action}, args...)...))
		}
		needs := func(field string) {
			if field != "" && !hasField(spec.Params, field) {
				fail("no parameter %s", field)
			}
		}
		if op.Class != "" && !slices.Contains(classes, op.Class) {
			fail("unknown class %s", op.Class)
		}
		if op.Class != "" && op.Why == "" {
			fail("class without a reason")
		}
		if op.UnsafeIf != "" && op.Class != "Idempotent" {
			fail("unsafeIf needs the class Idempotent")
		}
		needs(op.UnsafeIf)
		for _, group := range strings.Fields(op.OneOf) {
			for field := range strings.SplitSeq(group, "|") {
				needs(field)
			}
		}
		if p := op.Page; p != nil && p.ByHand == "" {
			needs(p.Token)
			needs(p.Page)
			needs(p.Size)
			if (p.Token == "") == (p.Page == "") {
				fail("page: either token or page")
			}
			if p.Fill != 0 && p.Size == "" {
				fail("page: fill without size")
			}
		}
		for _, side := range []struct {
			fields map[string]*fieldOverlay
			known  []*fieldSpec
		}{{op.Fields, spec.Params}, {op.Response, spec.Response.Fields}} {
			for _, name := range sortedKeys(side.fields) {
				if !hasField(side.known, name) {
					fail("no field %s", name)
				}
				if err := side.fields[name].validate(); err != nil {
					fail("%s: %w", name, err)
				}
			}
		}
	}
	return errors.Join(errs...)
}

func (f *fieldOverlay) validate() error {
	if !slices.Contains(knownEnc, f.Enc) {
		return fmt.Errorf("unknown enc %q", f.Enc)
	}
	if f.Check == "" {
		return nil
	}
	for rule := range strings.SplitSeq(f.Check, ",") {
		if !checkSyntax.MatchString(rule) {
			return fmt.Errorf("unknown rule %q", rule)
		}
	}
	return nil
}

func (o *overlay) validateNames(s *spec) error {
	var errs []error
	for _, model := range sortedKeys(o.Models) {
		if s.Models[model] == nil {
			errs = append(errs, fmt.Errorf("models: unknown model %s", model))
		}
	}
	for _, key := range sortedKeys(o.Types) {
		if !typeName.MatchString(o.Types[key]) {
			errs = append(errs, fmt.Errorf("types.%s: bad name %q", key, o.Types[key]))
		}
	}
	for _, key := range sortedKeys(o.Fields) {
		if err := o.Fields[key].validate(); err != nil {
			errs = append(errs, fmt.Errorf("fields.%s: %w", key, err))
		}
	}
	return errors.Join(errs...)
}

// classOf is the class of an operation: ours, or Read where its verb says so.
func (o *overlay) classOf(action string) string {
	if class := o.operation(action).Class; class != "" {
		return class
	}
	return "Read"
}

// operation never returns nil.
func (o *overlay) operation(action string) *operationOverlay {
	if op := o.Operations[action]; op != nil {
		return op
	}
	return new(operationOverlay)
}

func hasField(fields []*fieldSpec, name string) bool {
	return slices.ContainsFunc(fields, func(f *fieldSpec) bool { return f.Name == name })
}
