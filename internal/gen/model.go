package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// model is what gets printed: the catalogue after our decisions.
type model struct {
	pkg       string // ice or vod
	spec      *spec
	overlay   *overlay
	reference *reference
	ops       []*operation
	types     map[string]*typeDef
	waits     []*waiter
	missing   []missingType
	errs      []error
	usedTypes map[string]bool
	secrets   *secrets
}

type operation struct {
	action   string
	group    string
	class    string
	proof    string // as the runtime takes it
	spec     *operationSpec
	overlay  *operationOverlay
	request  []*field // nil without parameters
	response []*field
	page     *page
}

// typeDef is a nested type.
type typeDef struct {
	name       string
	base       string // name without the suffix of a split type
	doc        string
	fields     []*field
	parent     string // the first type and field that have it
	listed     bool   // that field is a list
	ops        map[string]bool
	inRequest  bool
	inResponse bool
	spec       string          // shape of the first place, for suggestions
	shapes     map[string]bool // the shapes it was met in
}

type field struct {
	name       string // Go name
	wire       string
	typ        string // Go type of a response; see goType for requests
	inline     *field // the only field of a wrapper object
	doc        string
	enum       []string
	required   bool
	deprecated bool
	check      string
	opts       []string // of the rpc tag
	pointer    bool     // in requests: zero is a value of its own
	param      bool     // a parameter, not a field of a document
}

// missingType is an object field without a name in the overlay.
type missingType struct {
	key   string // "Parent.Field"
	field *fieldSpec
}

// side is where a type is met.
type side int

const (
	request side = iota
	response
)

// build applies the overlay to the catalogue. documents reads the types of the
// package that are written by hand.
func build(pkg string, s *spec, o *overlay, r *reference, documents func() (map[string][]byte, error)) (*model, error) {
	m := &model{pkg: pkg, spec: s, overlay: o, reference: r, types: make(map[string]*typeDef), usedTypes: make(map[string]bool), secrets: newSecrets(o)}
	groups := make(map[string]string)
	for group, actions := range o.Groups {
		for _, action := range actions {
			groups[action] = group
		}
	}
	for _, action := range sortedKeys(s.Operations) {
		m.addOperation(action, groups[action])
	}
	if len(m.missing) > 0 {
		return m, m.missingError()
	}
	m.addWaits()
	m.checkTypes()
	for _, op := range m.ops {
		op.proof = m.proofOf(op)
		m.checkVerdict(op)
	}
	if len(o.Documents) > 0 {
		files, err := documents()
		if err != nil {
			return m, err
		}
		for _, name := range sortedKeys(files) {
			if err := m.secrets.checkDocuments(m, name, files[name]); err != nil {
				return m, err
			}
		}
	}
	m.secrets.checkAllMet(m)
	for _, op := range m.ops {
		if slices.Contains(o.Documented, op.group) {
			m.checkDocs(op.request, make(map[string]bool))
		}
	}
	m.checkReference()
	return m, errors.Join(m.errs...)
}

// checkDocs looks for fields of nested types that have no sentence.
func (m *model) checkDocs(fields []*field, seen map[string]bool) {
	for _, f := range fields {
		name := strings.TrimPrefix(f.typ, "[]")
		def := m.types[name]
		if def == nil || seen[name] {
			continue
		}
		seen[name] = true
		for _, inner := range def.fields {
			if inner.doc == "" {
				m.fail("fields.%s.%s: no doc", def.base, inner.wire)
			}
		}
		m.checkDocs(def.fields, seen)
	}
}

// fail notes an error once, however often it is met.
func (m *model) fail(format string, args ...any) {
	err := fmt.Errorf(format, args...)
	if !slices.ContainsFunc(m.errs, func(e error) bool { return e.Error() == err.Error() }) {
		m.errs = append(m.errs, err)
	}
}

func (m *model) missingError() error {
	keys := make([]string, 0, len(m.missing))
	for _, x := range m.missing {
		keys = append(keys, x.key)
	}
	slices.Sort(keys)
	return fmt.Errorf("%d types without a name in the overlay (go run ./internal/gen -suggest proposes them):\n  %s",
		len(m.missing), strings.Join(slices.Compact(keys), "\n  "))
}

func (m *model) addOperation(action, group string) {
	s, o := m.spec.Operations[action], m.overlay.operation(action)
	op := &operation{action: action, group: group, class: m.overlay.classOf(action), spec: s, overlay: o}
	for _, p := range s.Params {
		if slices.Contains(gatewayParams, p.Name) {
			continue
		}
		op.request = append(op.request, m.param(action, p, o.Fields[p.Name]))
	}
	for _, f := range s.Response.Fields {
		op.response = append(op.response, m.field(action, action+"Response", f, o.Response[f.Name], response))
	}
	slices.SortStableFunc(op.response, func(a, b *field) int { return requestIDFirst(a) - requestIDFirst(b) })
	if o.Page != nil && o.Page.ByHand == "" {
		op.page = m.page(op, o.Page)
	}
	m.ops = append(m.ops, op)
}

// gatewayParams are parameters that the gateway fills in from the signature. They
// are no part of a request; Client.Do sends them.
var gatewayParams = []string{"OwnerAccount", "OwnerId", "ResourceOwnerAccount", "ResourceOwnerId", "SecurityToken"}

func requestIDFirst(f *field) int {
	if f.name == "RequestId" {
		return 0
	}
	return 1
}

// param is a field of the request itself.
func (m *model) param(action string, p *fieldSpec, o *fieldOverlay) *field {
	f := m.field(action, action+"Request", p, o, request)
	f.param = true
	if p.JSONText && (o == nil || o.Type == "") {
		f.typ, f.opts = "any", append(f.opts, "json")
	}
	if p.Enc == "json" && !slices.Contains(f.opts, "json") {
		f.opts = append(f.opts, "json")
	}
	if p.In == "body" || o != nil && o.Form != "" {
		f.opts = append(f.opts, "form")
	}
	return f
}

// field is a field anywhere: its type, tags and documentation.
func (m *model) field(action, parent string, s *fieldSpec, o *fieldOverlay, at side) *field {
	if o == nil {
		o = new(fieldOverlay)
	}
	f := &field{
		name: s.goName(), wire: s.Name, doc: o.Doc, enum: s.Enum,
		required: s.Required, deprecated: s.Deprecated,
		check: o.Check,
	}
	if o.Enc != "" {
		f.opts = append(f.opts, o.Enc)
	}
	if at == response && o.Type == "" && m.spec.isWrapper(s) && m.overlay.Types[parent+"."+s.Name] == "" {
		inner := m.spec.fieldsOf(s)[0]
		f.inline = m.field(action, parent+"."+s.Name, inner, nil, at)
		if f.doc == "" {
			f.doc = m.reference.meaning(parent, f)
		}
		return f
	}
	f.typ = o.Type
	if f.typ == "" {
		f.typ = m.goType(action, parent+"."+s.Name, s, s.Type, at)
	}
	if s.JSONText && f.typ == "string" {
		m.fail("%s.%s: holds a JSON document; give it a type of its own", parent, s.Name)
	}
	f.typ = m.secrets.classify(m, parent, s.Name, f.typ)
	f.pointer = f.typ == "bool" || o.Pointer != ""
	if f.doc == "" && parent != action+"Request" {
		f.doc = m.reference.meaning(parent, f)
	}
	return f
}

// goType maps a type of the catalogue; objects get their name from the
// overlay.
func (m *model) goType(action, key string, s *fieldSpec, t string, at side) string {
	if container, elem := splitType(t); container != "" {
		return container + m.goType(action, key, s, elem, at)
	}
	switch {
	case t == "object":
		return m.object(action, key, s, at)
	case t == "string" && s.JSONText:
		return "alimedia.JSON"
	default:
		return t
	}
}

// object names the type of an object field and describes it.
func (m *model) object(action, key string, s *fieldSpec, at side) string {
	name, ok := m.overlay.Types[key]
	switch {
	case ok:
		m.usedTypes[key] = true
	case s.Ref != "":
		name = m.modelName(s.Ref)
	default:
		m.missing = append(m.missing, missingType{key, s})
		return "any"
	}
	base := name
	if at == response && slices.Contains(m.overlay.Split, name) {
		name += "Info"
	}
	def := m.types[name]
	if def == nil {
		def = &typeDef{name: name, base: base, doc: m.overlay.TypeDocs[name], parent: key, listed: s.Type != "object", spec: m.spec.shape(s), ops: make(map[string]bool), shapes: make(map[string]bool)}
		m.types[name] = def
	}
	def.ops[action] = true
	m.describe(def, action, key, s, at)
	def.inRequest = def.inRequest || at == request
	def.inResponse = def.inResponse || at == response
	return name
}

func (m *model) modelName(ref string) string {
	if name := m.overlay.Models[ref]; name != "" {
		return name
	}
	return ref
}

// describe fills the fields of a type, or compares them with what it has.
func (m *model) describe(def *typeDef, action, key string, s *fieldSpec, at side) {
	var fields []*field
	var shape strings.Builder
	wasInRequest := def.inRequest
	for _, sub := range m.spec.fieldsOf(s) {
		f := m.field(action, def.base, sub, m.overlay.Fields[def.base+"."+sub.Name], at)
		fields = append(fields, f)
		fmt.Fprintf(&shape, "%s %s\n", f.name, f.plainType())
	}
	if len(def.shapes) == 0 {
		def.shapes[shape.String()] = true
		def.fields = fields
		return
	}
	if def.shapes[shape.String()] {
		m.agree(def, fields, key, at, wasInRequest)
		return
	}
	if !slices.Contains(m.overlay.Merge, def.base) {
		m.fail("types: %s is not the same at %s and at %s; name one differently or list it in merge", def.name, def.parent, key)
	}
	def.shapes[shape.String()] = true
	m.agree(def, fields, key, at, wasInRequest)
	slices.SortStableFunc(def.fields, func(a, b *field) int { return strings.Compare(a.name, b.name) })
}

// agree adds the fields a type does not have yet and compares the others.
//
// A field is required where all requests with it say so.
func (m *model) agree(def *typeDef, fields []*field, key string, at side, wasInRequest bool) {
	for _, f := range fields {
		i := slices.IndexFunc(def.fields, func(g *field) bool { return g.name == f.name })
		if i < 0 {
			def.fields = append(def.fields, f)
			continue
		}
		g := def.fields[i]
		if g.plainType() != f.plainType() {
			m.fail("types: %s.%s is %s at %s and %s at %s", def.name, f.name, g.plainType(), def.parent, f.plainType(), key)
		}
		if at == request {
			g.required = f.required && (g.required || !wasInRequest)
		}
		g.deprecated = g.deprecated && f.deprecated
		for _, token := range f.enum {
			if !slices.Contains(g.enum, token) {
				g.enum = append(g.enum, token)
			}
		}
	}
}

// checkTypes looks for what only the whole shows.
func (m *model) checkTypes() {
	for _, name := range sortedKeys(m.types) {
		def := m.types[name]
		if slices.Contains(m.overlay.Documents, name) {
			m.fail("types: %s is also a document written by hand", name)
		}
		if m.spec.Operations[strings.TrimSuffix(name, "Request")] != nil || m.spec.Operations[strings.TrimSuffix(name, "Response")] != nil {
			m.fail("types: %s is the name of a request or a response", name)
		}
		if def.inRequest && def.inResponse && slices.ContainsFunc(def.fields, func(f *field) bool { return f.pointer }) {
			m.fail("types: %s has pointers and is in requests and responses; name the two differently or list it in split", name)
		}
	}
	for _, key := range sortedKeys(m.overlay.Types) {
		if !m.usedTypes[key] {
			m.fail("types.%s: no such object", key)
		}
	}
	for _, key := range sortedKeys(m.overlay.Fields) {
		name, fieldName, _ := strings.Cut(key, ".")
		def := m.types[name]
		if def == nil || !slices.ContainsFunc(def.fields, func(f *field) bool { return f.wire == fieldName }) {
			m.fail("fields.%s: no such field", key)
		}
	}
	for _, name := range m.overlay.Merge {
		if !m.merged(name) {
			m.fail("merge: %s has nothing to merge", name)
		}
	}
	for _, name := range m.overlay.Split {
		if m.types[name] == nil || m.types[name+"Info"] == nil {
			m.fail("split: %s is not in requests and responses", name)
		}
	}
	for _, name := range sortedKeys(m.overlay.TypeDocs) {
		switch {
		case m.types[name] == nil:
			m.fail("typeDocs: no type %s", name)
		case !strings.HasPrefix(m.overlay.TypeDocs[name], name+" "):
			m.fail("typeDocs.%s: begins with another name", name)
		}
	}
}

// merged reports whether a type, or its twin in responses, has several shapes.
func (m *model) merged(name string) bool {
	for _, def := range m.types {
		if def.base == name && len(def.shapes) > 1 {
			return true
		}
	}
	return false
}

// alwaysSent reports whether a document has the field even at zero: a number
// that is required may well be zero.
func (f *field) alwaysSent() bool {
	return f.required && !f.param && !f.pointer && (strings.HasPrefix(f.typ, "int") || strings.HasPrefix(f.typ, "float"))
}

// plainType is the type of a field as a response has it.
func (f *field) plainType() string {
	if f.inline != nil {
		return "struct{ " + f.inline.name + " " + f.inline.plainType() + " }"
	}
	return f.typ
}

// goType is the type of a field as a request or a response has it.
func (f *field) goType(inRequest bool) string {
	switch {
	case inRequest && f.pointer:
		return "*" + f.typ
	default:
		return f.plainType()
	}
}
