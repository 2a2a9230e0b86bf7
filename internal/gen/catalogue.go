package main

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
)

// compact is what package mediatest and the command alimedia know of a service:
// the shapes of requests and responses, the documented limits, and what operations
// and parameters are for. Package internal/catalogue reads it and explains the fields; their names are short because there are
// 10,000 of them.
type compact struct {
	Operations map[string]*compactOperation `json:"ops"`
	Models     map[string][]*compactField   `json:"models"`
	Reference  string                       `json:"url"`
	Secret     []string                     `json:"secret"`
	Plain      []string                     `json:"plain"`
}

type compactOperation struct {
	Params    []*compactField `json:"p,omitempty"`
	Response  []*compactField `json:"r,omitempty"`
	Anonymous bool            `json:"anon,omitempty"`
	Regions   string          `json:"reg,omitempty"`
	OneOf     string          `json:"one,omitempty"`
	Page      *compactPage    `json:"page,omitempty"`
	Group     string          `json:"g,omitempty"`
	Doc       string          `json:"d,omitempty"`
	Link      string          `json:"url,omitempty"` // empty: Reference and the action
	Cost      string          `json:"cost,omitempty"`
	Successor string          `json:"dep,omitempty"` // of a deprecated operation
	Class     string          `json:"class,omitempty"`
}

type compactPage struct {
	Token string `json:"token,omitempty"`
	Next  string `json:"next,omitempty"`
	Page  string `json:"page,omitempty"`
	Size  string `json:"size,omitempty"`
	Items string `json:"items,omitempty"`
	Total string `json:"total,omitempty"`
}

type compactField struct {
	Name     string          `json:"n,omitempty"`
	Type     string          `json:"t,omitempty"` // empty: string
	Ref      string          `json:"ref,omitempty"`
	Fields   []*compactField `json:"f,omitempty"`
	Body     bool            `json:"b,omitempty"`
	Enc      string          `json:"e,omitempty"`
	Enum     []string        `json:"v,omitempty"`
	Check    string          `json:"c,omitempty"`
	Required bool            `json:"q,omitempty"`
	JSON     bool            `json:"j,omitempty"`
	Doc      string          `json:"d,omitempty"`
}

func compactFields(fields []*fieldSpec, overlays map[string]*fieldOverlay) []*compactField {
	var all []*compactField
	for _, f := range fields {
		c := &compactField{
			Name: f.Name, Type: f.Type, Ref: f.Ref, Body: f.In == "body", Enc: f.Enc, Enum: f.Enum,
			Required: f.Required, JSON: f.JSONText, Fields: compactFields(f.Fields, nil),
		}
		if c.Type == "string" {
			c.Type = ""
		}
		if o := overlays[f.Name]; o != nil {
			c.Check, c.Doc = o.Check, o.Doc
			if o.Enc == "comma" {
				c.Enc = "comma"
			}
		}
		all = append(all, c)
	}
	return all
}

func compactOf(s *spec, o *overlay, r *reference) *compact {
	c := &compact{
		Operations: map[string]*compactOperation{}, Models: map[string][]*compactField{},
		Reference: o.Reference, Secret: o.Secret, Plain: sortedKeys(o.Plain),
	}
	for name, model := range s.Models {
		c.Models[name] = compactFields(model.Fields, nil)
	}
	for action, op := range s.Operations {
		decided := o.operation(action)
		out := &compactOperation{
			Params:    compactFields(op.Params, decided.Fields),
			Response:  compactFields(s.fieldsOf(op.Response), decided.Response),
			Anonymous: op.HTTP.AuthType == "Anonymous",
			Regions:   decided.Regions,
			OneOf:     decided.OneOf,
			Doc:       decided.Doc,
			Class:     o.classOf(action),
		}
		ref := r.operation(action)
		out.Link, out.Cost = ref.Page, ref.Cost
		out.Successor = op.ReplacedBy
		if m := successor.FindStringSubmatch(ref.Deprecated); m != nil {
			out.Successor = m[1]
		}
		if p := decided.Page; p != nil {
			out.Page = &compactPage{Token: p.Token, Next: p.Next, Page: p.Page, Size: p.Size, Items: p.Items, Total: p.Total}
		}
		c.Operations[action] = out
	}
	for group, actions := range o.Groups {
		for _, action := range actions {
			c.Operations[action].Group = group
		}
	}
	return c
}

// successor finds the operation in "Use [Client.X]."
var successor = regexp.MustCompile(`\[Client\.([A-Za-z0-9]+)\]`)

// catalogueFile is the table that mediatest and the command embed.
var catalogueFile = filepath.Join("internal", "catalogue", "catalogue.json.gz")

// writeCatalogue writes the table of both services, or compares it. What counts is
// the text: its compressed form depends on the version of Go.
func writeCatalogue(root string, check bool) error {
	both := map[string]*compact{}
	for _, pkg := range []string{"ice", "vod"} {
		s, err := readSpec(filepath.Join(root, "api", pkg+".json"))
		if err != nil {
			return err
		}
		o, err := readOverlay(filepath.Join(root, "api", pkg+".overlay.json"), s)
		if err != nil {
			return err
		}
		r, err := readReference(filepath.Join(root, "api", "reference", pkg), o)
		if err != nil {
			return err
		}
		both[pkg] = compactOf(s, o, r)
	}
	text, err := json.Marshal(both)
	if err != nil {
		return err
	}
	path := filepath.Join(root, catalogueFile)
	if have, err := unzipped(path); err == nil && bytes.Equal(have, text) {
		return nil
	}
	if check {
		return errors.New(filepath.ToSlash(catalogueFile) + " is out of date")
	}
	var packed bytes.Buffer
	w, err := gzip.NewWriterLevel(&packed, gzip.BestCompression)
	if err != nil {
		return err
	}
	if _, err := w.Write(text); err != nil {
		return err
	}
	if err := w.Close(); err != nil {
		return err
	}
	return os.WriteFile(path, packed.Bytes(), 0o644)
}

func unzipped(path string) ([]byte, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	r, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return io.ReadAll(r)
}
