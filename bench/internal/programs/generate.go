package programs

import (
	_ "embed"
	"fmt"
	"os"
	"path/filepath"
	"text/template"
)

// A generated program is what large Go programs are made of: standard packages
// down to the HTTP server, and package after package of types with methods that
// an init function puts into a registry, so that the linker keeps them all. It
// prints how many there are.
const (
	standardMB     = 14.0 // the program without generated packages
	packageMB      = 0.60 // one generated package
	typesOfPackage = 40
)

//go:embed testdata/main.go.tmpl
var mainTemplate string

//go:embed testdata/package.go.tmpl
var packageTemplate string

const registry = `// Package registry lists the types of all packages.
package registry

import "fmt"

type Item interface {
	fmt.Stringer
	Validate() error
	Encode([]byte) []byte
	Decode(string) error
	Score([]uint64) float64
}

var Items = make(map[string]func() Item)

func Register(name string, make func() Item) { Items[name] = make }
`

// generate writes a program of about sizeMB, not stripped, as a module of its
// own. What it writes depends on sizeMB alone, so that go build caches it.
func generate(dir string, sizeMB int) error {
	var packages []int
	for i := 0; standardMB+packageMB*float64(i) < float64(sizeMB); i++ {
		packages = append(packages, i)
	}
	types := make([]int, typesOfPackage)
	for i := range types {
		types[i] = i
	}
	if err := write(dir, "go.mod", "module program\n\ngo 1.24\n", nil); err != nil {
		return err
	}
	if err := write(dir, "registry/registry.go", registry, nil); err != nil {
		return err
	}
	for _, i := range packages {
		data := map[string]any{"Package": i, "Types": types}
		if err := write(dir, fmt.Sprintf("p%d/p%d.go", i, i), packageTemplate, data); err != nil {
			return err
		}
	}
	return write(dir, "main.go", mainTemplate, map[string]any{"Packages": packages})
}

// write executes a template into a file below dir.
func write(dir, name, text string, data any) error {
	t, err := template.New(name).Parse(text)
	if err != nil {
		return err
	}
	path := filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		return err
	}
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	if err := t.Execute(file, data); err != nil {
		file.Close()
		return err
	}
	return file.Close()
}
