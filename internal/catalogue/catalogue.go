// Package catalogue is what mediatest and the command alimedia know of every
// operation of ICE and VOD: the parameters with their documented limits, the
// shape of the answer and what it is for. It checks requests and builds answers
// from that knowledge alone.
//
// The table is written by internal/gen from the files in api.
package catalogue

import (
	"bytes"
	"compress/gzip"
	_ "embed"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/alimedia/alimedia-go/internal/redact"
)

//go:embed catalogue.json.gz
var packed []byte

// Operation is what is known of an operation.
type Operation struct {
	Service   string   `json:"-"`
	Action    string   `json:"-"`
	Params    []*Field `json:"p"`
	Response  []*Field `json:"r"`
	Anonymous bool     `json:"anon"`  // called without a signature
	Regions   string   `json:"reg"`   // where it is offered, blank separated; empty: everywhere
	OneOf     string   `json:"one"`   // groups of parameters of which one is needed: "A|B C|D"
	Page      *Page    `json:"page"`  // nil: the answer comes whole
	Group     string   `json:"g"`     // function group of the API reference
	Doc       string   `json:"d"`     // what it does
	Link      string   `json:"url"`   // page of the API reference
	Cost      string   `json:"cost"`  // what a call costs
	Successor string   `json:"dep"`   // the operation to use in place of a deprecated one
	Class     string   `json:"class"` // Read, Idempotent, Tokened or Unsafe: what a repetition does
}

// Page says how a list is paged: by number or by token. Items and Total are
// dotted paths in the answer.
type Page struct {
	Token string `json:"token"` // request: the token
	Next  string `json:"next"`  // answer: the next token
	Page  string `json:"page"`  // request: the number of the page, from 1
	Size  string `json:"size"`  // request: items of a page
	Items string `json:"items"`
	Total string `json:"total"`
}

// Field is a parameter, or a field of a document or of an answer.
type Field struct {
	Name     string   `json:"n"`
	Type     string   `json:"t"`
	Ref      string   `json:"ref"` // name of a shared model
	Fields   []*Field `json:"f"`   // of an object, or of the objects in a list
	Body     bool     `json:"b"`   // a parameter of the form body
	Enc      string   `json:"e"`   // of a complex parameter: json, flat or comma
	Enum     []string `json:"v"`   // known tokens, not always all
	Check    string   `json:"c"`   // documented limits, see check.go
	Required bool     `json:"q"`
	JSON     bool     `json:"j"` // a string that holds a JSON document
	Doc      string   `json:"d"` // of a parameter: what it is for
}

// List reports whether the field is a list.
func (f *Field) List() bool { return strings.HasPrefix(f.Type, "array<") }

// Elem is the type of the elements of a list, or the type itself.
func (f *Field) Elem() string {
	if inner, ok := strings.CutPrefix(f.Type, "array<"); ok {
		return strings.TrimSuffix(inner, ">")
	}
	return f.Type
}

type service struct {
	Operations map[string]*Operation `json:"ops"`
	Models     map[string][]*Field   `json:"models"`
	Reference  string                `json:"url"`    // of the pages, without the action
	Secret     []string              `json:"secret"` // fields whose text is secret: "Field" or "Type.Field"
	Plain      []string              `json:"plain"`  // fields whose name only sounds like it
}

var table = sync.OnceValue(func() map[string]*service {
	r, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		panic("alimedia: embedded catalogue: " + err.Error())
	}
	all := map[string]*service{}
	if err := json.NewDecoder(r).Decode(&all); err != nil {
		panic("alimedia: embedded catalogue: " + err.Error())
	}
	for name, s := range all {
		for action, op := range s.Operations {
			op.Service, op.Action = name, action
			if op.Link == "" {
				op.Link = s.Reference + strings.ToLower(action)
			}
			s.resolve(op.Params)
			s.resolve(op.Response)
		}
	}
	return all
})

// resolve gives the fields of a model to those who refer to it.
func (s *service) resolve(fields []*Field) {
	for _, f := range fields {
		if f.Ref != "" {
			f.Fields = s.Models[f.Ref]
			f.Ref = ""
		}
		if f.Type == "" {
			f.Type = "string"
		}
		s.resolve(f.Fields)
	}
}

// Find returns an operation of service "ice" or "vod", nil if there is none.
func Find(service, action string) *Operation {
	if s := table()[service]; s != nil {
		return s.Operations[action]
	}
	return nil
}

// Actions lists the operations of a service, sorted.
func Actions(service string) []string {
	return slices.Sorted(maps.Keys(table()[service].Operations))
}

// IsSecret reports whether the text of a field with this name, anywhere in a
// request or an answer, is secret.
func IsSecret(name string) bool {
	secret, known := secrets()[name]
	return secret || !known && redact.SecretName(name)
}

// secrets says of the names that are known whether they are secret. A name that
// is secret in one type and not in another counts as secret.
var secrets = sync.OnceValue(func() map[string]bool {
	names := map[string]bool{}
	for _, s := range table() {
		for _, name := range s.Plain {
			if base := fieldName(name); !names[base] {
				names[base] = false
			}
		}
		for _, name := range s.Secret {
			names[fieldName(name)] = true
		}
	}
	return names
})

func fieldName(name string) string { return name[strings.LastIndexByte(name, '.')+1:] }

// Param finds a parameter.
func (op *Operation) Param(name string) *Field { return field(op.Params, name) }

func field(fields []*Field, name string) *Field {
	for _, f := range fields {
		if f.Name == name {
			return f
		}
	}
	return nil
}

// At follows a dotted path into the answer.
func (op *Operation) At(path string) *Field {
	fields, found := op.Response, (*Field)(nil)
	for name := range strings.SplitSeq(path, ".") {
		if found = field(fields, name); found == nil {
			return nil
		}
		fields = found.Fields
	}
	return found
}
