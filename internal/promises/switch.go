package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// mutationVariable names the environment variable that activates a mutation by its ID.
const mutationVariable = "PROMISES_MUTATION"

// combine builds one test binary for each package with all its mutations that
// stand in the body of a function. Each is applied to a copy of that function that
// mutationVariable activates. Without it, each mutation would cost a build.
func combine(trials []*trial, dir string) error {
	files := make(map[string]*source)
	packages := make(map[string][]*trial)
	for _, t := range trials {
		if t.race || t.in != "" {
			continue
		}
		s := files[t.file]
		if s == nil {
			var err error
			if s, err = readSource(t.file); err != nil {
				return err
			}
			files[t.file] = s
		}
		if s.add(t) {
			pkg := filepath.Dir(t.file)
			packages[pkg] = append(packages[pkg], t)
		}
	}
	for pkg, its := range packages {
		replace := make(overlay)
		var name string
		for file, s := range files {
			if filepath.Dir(file) == pkg && s.copies.Len() > 0 {
				name = s.tree.Name.Name
				replace[file] = s.text()
			}
		}
		replace[filepath.Join(pkg, "zz_mutation.go")] = fmt.Appendf(nil, "package %s\n\nimport \"os\"\n\nvar activeMutation = os.Getenv(%q)\n", name, mutationVariable)
		at := filepath.Join(dir, strings.ReplaceAll(pkg, string(filepath.Separator), "_"))
		args, err := replace.write(at)
		if err != nil {
			return err
		}
		binary := filepath.Join(at, "mutated.test")
		args = append([]string{"test", "-c", "-vet=off", "-o", binary}, args...)
		if output, err := exec.Command("go", append(args, "./"+filepath.ToSlash(pkg))...).CombinedOutput(); err != nil {
			return fmt.Errorf("%s with its mutations: %w\n%s", pkg, err, output)
		}
		for _, t := range its {
			t.binary = binary
		}
	}
	return nil
}

// overlay is the text of files that are not to be read from disk.
type overlay map[string][]byte

// write returns the arguments that make go use the overlay.
func (o overlay) write(dir string) ([]string, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	paths := make(map[string]string)
	for file, text := range o {
		original, err := filepath.Abs(file)
		if err != nil {
			return nil, err
		}
		paths[original] = filepath.Join(dir, filepath.Base(file))
		if err := os.WriteFile(paths[original], text, 0o600); err != nil {
			return nil, err
		}
	}
	text, err := json.Marshal(map[string]any{"Replace": paths})
	if err != nil {
		return nil, err
	}
	name := filepath.Join(dir, "overlay.json")
	return []string{"-overlay", name}, os.WriteFile(name, text, 0o600)
}

// source is a file whose functions get mutated copies.
type source struct {
	set      *token.FileSet
	tree     *ast.File
	original []byte
	switches []insertion
	copies   bytes.Buffer
}

type insertion struct {
	at   int
	text string
}

func readSource(file string) (*source, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	s := &source{set: token.NewFileSet(), original: text}
	s.tree, err = parser.ParseFile(s.set, file, text, parser.SkipObjectResolution)
	return s, err
}

func (s *source) offset(p token.Pos) int { return s.set.Position(p).Offset }

// add reports whether the mutation could be put into a copy of its function.
func (s *source) add(t *trial) bool {
	at := bytes.Index(s.original, []byte(t.old))
	end := at + len(t.old)
	i := slices.IndexFunc(s.tree.Decls, func(d ast.Decl) bool {
		fn, ok := d.(*ast.FuncDecl)
		return ok && s.offset(fn.Body.Lbrace) < at && end <= s.offset(fn.Body.Rbrace)
	})
	if i < 0 {
		return false
	}
	fn := s.tree.Decls[i].(*ast.FuncDecl)
	name := fmt.Sprintf("%s__%d", fn.Name.Name, t.id)
	call, ok := callOf(fn, name)
	if !ok {
		return false
	}
	if fn.Type.Results != nil {
		call = "return " + call
	} else {
		call += "; return"
	}
	s.switches = append(s.switches, insertion{s.offset(fn.Body.Lbrace) + 1, fmt.Sprintf(" if activeMutation == \"%d\" { %s }; ", t.id, call)})
	s.copies.WriteString("\n")
	s.copies.Write(s.original[s.offset(fn.Pos()):s.offset(fn.Name.Pos())])
	s.copies.WriteString(name)
	s.copies.Write(s.original[s.offset(fn.Name.End()):at])
	s.copies.WriteString(t.new)
	s.copies.Write(s.original[end:s.offset(fn.End())])
	s.copies.WriteString("\n")
	return true
}

// callOf is a call of a copy of fn with its own arguments. There is none for a
// function that does not name them all, or has type parameters.
func callOf(fn *ast.FuncDecl, name string) (call string, ok bool) {
	if fn.Type.TypeParams != nil || fn.Name.Name == "init" {
		return "", false
	}
	var args []string
	for _, field := range fn.Type.Params.List {
		if len(field.Names) == 0 {
			return "", false
		}
		for _, n := range field.Names {
			arg := n.Name
			if arg == "_" {
				return "", false
			}
			if _, variadic := field.Type.(*ast.Ellipsis); variadic {
				arg += "..."
			}
			args = append(args, arg)
		}
	}
	if fn.Recv != nil {
		if len(fn.Recv.List[0].Names) == 0 || fn.Recv.List[0].Names[0].Name == "_" {
			return "", false
		}
		name = fn.Recv.List[0].Names[0].Name + "." + name
	}
	return name + "(" + strings.Join(args, ", ") + ")", true
}

// text is the file with switches and copies.
func (s *source) text() []byte {
	slices.SortStableFunc(s.switches, func(a, b insertion) int { return a.at - b.at })
	var b bytes.Buffer
	last := 0
	for _, in := range s.switches {
		b.Write(s.original[last:in.at])
		b.WriteString(in.text)
		last = in.at
	}
	b.Write(s.original[last:])
	b.Write(s.copies.Bytes())
	return b.Bytes()
}
