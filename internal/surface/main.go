// Surface writes the public surface of every package as text, one declaration
// a line, so that a change of it shows in review:
//
//	go run ./internal/surface         # writes api/surface/*.txt
//	go run ./internal/surface -check  # fails when a file is not up to date
package main

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"go/ast"
	"go/build"
	"go/parser"
	"go/printer"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

func main() {
	check := flag.Bool("check", false, "compare only")
	flag.Parse()
	if err := run(*check); err != nil {
		fmt.Fprintln(os.Stderr, "surface:", err)
		os.Exit(1)
	}
}

func run(check bool) error {
	packages, err := publicPackages(".")
	if err != nil {
		return err
	}
	dir := filepath.Join("api", "surface")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	stale, err := filepath.Glob(filepath.Join(dir, "*.txt"))
	if err != nil {
		return err
	}
	var errs []error
	for _, pkg := range packages {
		text, err := surface(pkg)
		if err != nil {
			return err
		}
		name := "alimedia"
		if pkg != "." {
			name = strings.ReplaceAll(filepath.ToSlash(pkg), "/", "_")
		}
		file := filepath.Join(dir, name+".txt")
		stale = slices.DeleteFunc(stale, func(s string) bool { return s == file })
		if !check {
			if err := os.WriteFile(file, text, 0o644); err != nil {
				return err
			}
			continue
		}
		if old, err := os.ReadFile(file); err != nil || !bytes.Equal(old, text) {
			errs = append(errs, fmt.Errorf("the public surface of %s changed (%s): if that is meant, run go run ./internal/surface", pkg, firstChange(old, text)))
		}
	}
	for _, file := range stale {
		if check {
			errs = append(errs, fmt.Errorf("%s describes no package", file))
		} else if err := os.Remove(file); err != nil {
			return err
		}
	}
	return errors.Join(errs...)
}

// publicPackages lists the folders with Go files that users can import.
func publicPackages(root string) ([]string, error) {
	var found []string
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case !d.IsDir():
			return nil
		case path != "." && (strings.HasPrefix(d.Name(), ".") || slices.Contains([]string{"internal", "examples", "testdata", "api"}, d.Name())):
			return filepath.SkipDir
		}
		if _, err := os.Stat(filepath.Join(path, "go.mod")); err == nil && path != "." {
			return filepath.SkipDir // a module of its own
		}
		var none *build.NoGoError
		if _, err := build.ImportDir(path, 0); errors.As(err, &none) {
			return nil
		} else if err != nil {
			return err
		}
		found = append(found, path)
		return nil
	})
	return found, err
}

// surface is every exported declaration of a package without comments,
// bodies and what is not exported.
func surface(dir string) ([]byte, error) {
	pkg, err := build.ImportDir(dir, 0)
	if err != nil {
		return nil, err
	}
	var lines []string
	fset := token.NewFileSet()
	for _, name := range pkg.GoFiles {
		file, err := parser.ParseFile(fset, filepath.Join(dir, name), nil, parser.SkipObjectResolution)
		if err != nil {
			return nil, err
		}
		if !ast.FileExports(file) {
			continue
		}
		for _, decl := range file.Decls {
			lines = append(lines, declLines(fset, decl)...)
		}
	}
	slices.Sort(lines)
	return []byte(strings.Join(lines, "\n") + "\n"), nil
}

// isExportedReceiver reports whether the type of a receiver is exported.
func isExportedReceiver(t ast.Expr) bool {
	for {
		switch x := t.(type) {
		case *ast.StarExpr:
			t = x.X
		case *ast.IndexExpr:
			t = x.X
		case *ast.IndexListExpr:
			t = x.X
		case *ast.Ident:
			return x.IsExported()
		default:
			return true
		}
	}
}

func declLines(fset *token.FileSet, decl ast.Decl) []string {
	switch d := decl.(type) {
	case *ast.FuncDecl:
		if d.Recv != nil && !isExportedReceiver(d.Recv.List[0].Type) {
			return nil // users cannot name the type
		}
		d.Body = nil
		return []string{oneLine(fset, d)}
	case *ast.GenDecl:
		if d.Tok == token.IMPORT {
			return nil
		}
		var lines []string
		for _, spec := range d.Specs {
			if v, ok := spec.(*ast.ValueSpec); ok && d.Tok == token.VAR {
				v.Values = nil // how a variable starts is not a promise
			}
			lines = append(lines, d.Tok.String()+" "+oneLine(fset, spec))
		}
		return lines
	}
	return nil
}

func oneLine(fset *token.FileSet, node any) string {
	var b bytes.Buffer
	if err := printer.Fprint(&b, fset, node); err != nil {
		return err.Error()
	}
	var parts []string
	for line := range strings.SplitSeq(b.String(), "\n") {
		if line = strings.Join(strings.Fields(line), " "); line != "" && !strings.HasPrefix(line, "//") {
			parts = append(parts, line)
		}
	}
	text := strings.Join(parts, "; ")
	text = strings.ReplaceAll(text, "{; ", "{ ")
	return strings.ReplaceAll(text, "; }", " }")
}

func firstChange(old, text []byte) string {
	o, n := strings.Split(string(old), "\n"), strings.Split(string(text), "\n")
	for i := range n {
		if i >= len(o) || o[i] != n[i] {
			return fmt.Sprintf("first at %.120q", n[i])
		}
	}
	return "lines are gone"
}
