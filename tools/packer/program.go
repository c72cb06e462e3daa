package main

import (
	"debug/buildinfo"
	"io"

	"rules_go_multiarch/internal/goamd64"
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
	return summarize(info)
}

func summarize(info *buildinfo.BuildInfo) *program {
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
