package main

import (
	"cmp"
	"fmt"

	"rules_go_multiarch/tools/packer/internal/variant"
)

// plainInfo is what "info --json" prints of a Go executable that is not packed;
// SCHEMA.md documents it.
type plainInfo struct {
	File    string   `json:"file"`
	Size    int64    `json:"size"`
	Packed  bool     `json:"packed"`
	OS      string   `json:"os"`
	Arch    string   `json:"arch"`
	Level   string   `json:"level,omitempty"`
	Program *program `json:"program,omitempty"`
}

// describePlain returns nil for what is no plain Go executable.
func describePlain(path string) *plainInfo {
	file, info, err := variant.OpenRegular(path)
	if err != nil {
		return nil
	}
	defer file.Close()
	_, x, err := readAny(file, info.Size())
	if err != nil || x == nil {
		return nil
	}
	return &plainInfo{File: path, Size: info.Size(), OS: x.OS, Arch: x.Arch, Level: x.Level, Program: readProgram(file)}
}

func (p *plainInfo) print(w *world, asJSON bool) error {
	if asJSON {
		return w.writeJSON(p)
	}
	fmt.Fprintf(w.stdout, "%s: %d bytes, not packed: a Go executable for %s/%s, level %s\n",
		p.File, p.Size, p.OS, p.Arch, cmp.Or(p.Level, "unknown"))
	p.Program.print(w.stdout)
	return nil
}
