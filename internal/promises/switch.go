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
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// mutationVariable names the environment variable that activates a mutation by its ID.
const mutationVariable = "PROMISES_MUTATION"

// combine builds one test binary for each package with tests, with all mutations
// that stand in the body of a function. Each is applied to a copy of that function
// that mutationVariable activates. Without it, each mutation would cost a build.
func combine(trials []*trial, dir string) error {
	for attempt := 0; ; attempt++ {
		at := filepath.Join(dir, fmt.Sprintf("combined%d", attempt))
		sources, args, err := arrange(trials, at)
		if err != nil {
			return err
		}
		output, err := build(sources, args, at)
		if err == nil {
			return nil
		}
		if !blame(sources, output) {
			return fmt.Errorf("the code with its mutations: %w\n%s", err, output)
		}
	}
}

// arrange writes the mutated files and returns the arguments that make go use them.
func arrange(trials []*trial, dir string) (sources map[string]*source, args []string, err error) {
	sources = make(map[string]*source)
	for _, t := range trials {
		if t.race || t.outdated != nil {
			continue
		}
		s := sources[t.file]
		if s == nil {
			if s, err = readSource(t.file); err != nil {
				return nil, nil, err
			}
			sources[t.file] = s
		}
		s.add(t)
	}
	replace := make(overlay)
	for file, s := range sources {
		if len(s.copies) > 0 {
			replace[file] = s.text()
			replace[filepath.Join(filepath.Dir(file), "zz_mutation.go")] = fmt.Appendf(nil,
				"package %s\n\nimport \"os\"\n\nvar activeMutation = os.Getenv(%q)\n", s.tree.Name.Name, mutationVariable)
		}
	}
	args, err = replace.write(dir)
	return sources, args, err
}

// build builds the binaries of the packages whose tests are to catch mutations.
func build(sources map[string]*source, args []string, dir string) (output []byte, err error) {
	binaries := make(map[string]string)
	for _, s := range sources {
		for _, c := range s.copies {
			c.trial.binaries = binaries
			for _, pkg := range c.trial.packages {
				if binaries[pkg] != "" {
					continue
				}
				binaries[pkg] = filepath.Join(dir, flat(pkg)+".test")
				all := append([]string{"test", "-c", "-vet=off", "-o", binaries[pkg]}, args...)
				output, err := exec.Command("go", append(all, "./"+filepath.ToSlash(pkg))...).CombinedOutput()
				if err != nil {
					return output, err
				}
			}
		}
	}
	return nil, nil
}

var position = regexp.MustCompile(`(?m)^(?:\./)?([^\s:]+\.go):(\d+):\d+: (.*)`)

// blame marks the mutations that do not compile and reports whether it found one.
func blame(sources map[string]*source, output []byte) (found bool) {
	written := make(map[string]*source) // by the name of the file that overlay.write wrote
	for file, s := range sources {
		written[flat(file)] = s
	}
	for _, m := range position.FindAllSubmatch(output, -1) {
		s := written[filepath.Base(string(m[1]))]
		if s == nil {
			continue
		}
		line, _ := strconv.Atoi(string(m[2]))
		for _, c := range s.copies {
			if c.line <= line && line <= c.line+strings.Count(c.text, "\n") {
				c.trial.outdated = fmt.Errorf("does not compile: %s", m[3])
				found = true
			}
		}
	}
	return found
}

// flat is a path as one name.
func flat(path string) string { return strings.ReplaceAll(filepath.ToSlash(path), "/", "_") }

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
		paths[original] = filepath.Join(dir, flat(file))
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
	copies   []mutated
}

// mutated is a copy of a function with a mutation.
type mutated struct {
	trial *trial
	text  string
	line  int // where it begins in the text of the file
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

// add puts the mutation into a copy of its function. A mutation that stands in no
// function, or in one that cannot be switched, has builds of its own.
func (s *source) add(t *trial) {
	at := bytes.Index(s.original, []byte(t.old))
	end := at + len(t.old)
	i := slices.IndexFunc(s.tree.Decls, func(d ast.Decl) bool {
		fn, ok := d.(*ast.FuncDecl)
		return ok && s.offset(fn.Body.Lbrace) < at && end <= s.offset(fn.Body.Rbrace)
	})
	if i < 0 {
		return
	}
	fn := s.tree.Decls[i].(*ast.FuncDecl)
	name := fmt.Sprintf("%s__%d", fn.Name.Name, t.id)
	call, ok := callOf(fn, name)
	if !ok {
		return
	}
	if fn.Type.Results != nil {
		call = "return " + call
	} else {
		call += "; return"
	}
	s.switches = append(s.switches, insertion{s.offset(fn.Body.Lbrace) + 1, fmt.Sprintf(" if activeMutation == \"%d\" { %s }; ", t.id, call)})
	s.copies = append(s.copies, mutated{trial: t, text: string(slices.Concat(
		s.original[s.offset(fn.Pos()):s.offset(fn.Name.Pos())], []byte(name), s.original[s.offset(fn.Name.End()):at],
		[]byte(t.new), s.original[end:s.offset(fn.End())]))})
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
	for i := range s.copies {
		c := &s.copies[i]
		b.WriteString("\n")
		c.line = bytes.Count(b.Bytes(), []byte("\n")) + 1
		b.WriteString(c.text + "\n")
	}
	return b.Bytes()
}
