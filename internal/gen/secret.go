package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"regexp"
	"slices"
	"strings"
)

// suspicious matches the name of a field that may hold a secret. It takes in
// too much on purpose: a name that it matches must be classified in the overlay.
var suspicious = regexp.MustCompile(`(?i)auth|token|key|pass|pwd|secret|plaintext|cipher|crypt|private|pri$|pri_|license|sign|credential|cert|nonce|salt|^iv$|cookie|header|jwt|bearer|ticket`)

// secrets decides which fields are alimedia.Secret.
type secrets struct {
	secret map[string]bool
	plain  map[string]string
	met    map[string]bool
	byHand map[string][]string // types of the fields of the types written by hand
}

func newSecrets(o *overlay) *secrets {
	s := &secrets{secret: make(map[string]bool), plain: o.Plain, met: make(map[string]bool), byHand: make(map[string][]string)}
	for _, name := range o.Secret {
		s.secret[name] = true
	}
	return s
}

// classify returns the type of a field: typ, or that of a secret.
func (s *secrets) classify(m *model, parent, name, typ string) string {
	secret := map[string]string{"string": "alimedia.Secret", "[]string": "[]alimedia.Secret"}[typ]
	for _, key := range []string{parent + "." + name, name} {
		switch {
		case s.secret[key]:
			s.met[key] = true
			if secret == "" {
				if strings.HasSuffix(typ, "alimedia.Secret") || !textual(typ) {
					return typ
				}
				m.fail("secret: %s.%s is a %s, which shows its text", parent, name, typ)
			}
			return secret
		case s.plain[key] != "":
			s.met[key] = true
			return typ
		}
	}
	if textual(typ) && suspicious.MatchString(name) {
		m.fail("%s.%s may hold a secret: list it in secret, or in plain with the reason", parent, name)
	}
	return typ
}

// textual reports whether text of the service can be in a value of the type.
func textual(typ string) bool {
	elem := typ[strings.LastIndexByte(typ, ']')+1:]
	return elem == "string" || elem == "any" || elem == "alimedia.JSON"
}

// checkAllMet looks for classified names that no field has.
func (s *secrets) checkAllMet(m *model) {
	for name := range s.secret {
		switch {
		case s.plain[name] != "":
			m.fail("secret: %s is also in plain", name)
		case !s.met[name]:
			m.fail("secret: no field %s", name)
		}
	}
	for _, name := range sortedKeys(s.plain) {
		if s.plain[name] == "" || !s.met[name] {
			m.fail("plain: no field %s, or no reason", name)
		}
	}
	slices.SortStableFunc(m.errs, func(a, b error) int { return strings.Compare(a.Error(), b.Error()) })
}

// checkDocuments holds the types written by hand to the same rule.
func (s *secrets) checkDocuments(m *model, name string, src []byte) error {
	file, err := parser.ParseFile(token.NewFileSet(), name, src, 0)
	if err != nil {
		return err
	}
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.TypeSpec)
		if !ok {
			return true
		}
		fields, ok := spec.Type.(*ast.StructType)
		if !ok {
			return true
		}
		for _, f := range fields.Fields.List {
			typ := types.ExprString(f.Type)
			s.byHand[spec.Name.Name] = append(s.byHand[spec.Name.Name], typ)
			for _, field := range f.Names {
				if want := s.classify(m, spec.Name.Name, field.Name, typ); want != typ {
					m.fail("%s: %s.%s is a %s, not %s", name, spec.Name.Name, field.Name, typ, want)
				}
			}
		}
		return true
	})
	return nil
}
