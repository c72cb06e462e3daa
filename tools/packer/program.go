package main

import (
	"fmt"
	"io"

	"rules_go_multiarch/internal/goamd64"
	"rules_go_multiarch/tools/packer/internal/variant"
)

// program is a summary of an executable's Go build information.
type program struct {
	Path     string `json:"path"`               // import path of the main package
	Module   string `json:"module,omitempty"`   // path of its module
	Version  string `json:"version,omitempty"`  // of its module
	Go       string `json:"go"`                 // Go version it was built with
	GOAMD64  string `json:"goamd64,omitempty"`  // level it was built for
	Revision string `json:"revision,omitempty"` // of the version control system
	Modified bool   `json:"modified,omitempty"` // whether it was built from changed files
}

// readProgram returns nil for an executable without build information.
func readProgram(r io.ReaderAt) *program {
	info, err := goamd64.BuildInfo(r)
	if err != nil {
		return nil
	}
	p := &program{Path: info.Path, Module: info.Main.Path, Version: info.Main.Version, Go: info.GoVersion}
	for _, setting := range info.Settings {
		switch setting.Key {
		case "GOAMD64":
			p.GOAMD64 = setting.Value
		case "vcs.revision":
			p.Revision = setting.Value
		case "vcs.modified":
			p.Modified = setting.Value == "true"
		}
	}
	return p
}

// checkSameProgram refuses variants whose build information names different
// main packages.
func checkSameProgram(variants []*variant.Variant) error {
	var first *variant.Variant
	var path string
	for _, v := range variants {
		p := readProgram(v.Reader())
		if p == nil || p.Path == "" {
			continue
		}
		if first == nil {
			first, path = v, p.Path
		}
		if p.Path != path {
			return fmt.Errorf("%s: is the program %s, but %s is %s: give --force to pack them into one file all the same", v.Path, p.Path, first.Path, path)
		}
	}
	return nil
}
