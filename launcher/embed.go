// Package launcher holds the source of the launcher, so that a packer that was
// built by the go command alone can build the launcher too.
package launcher

import (
	"embed"
	"io/fs"
	"strings"
)

// Module is the path of the module that the sources belong to, and Directory
// the folder they stand in there.
const (
	Module    = "rules_go_multiarch"
	Directory = "launcher"
)

// Program is the import path of the program to build, and BootEntry the
// linker's name of its entry point.
const (
	Program   = Module + "/" + Directory + "/program"
	BootEntry = Module + "/" + Directory + "/boot.entry"
)

//go:embed boot/*.go boot/*.s format/*.go program/*.go
var files embed.FS

// Sources returns the source files by their paths in Directory. They need
// nothing outside the standard library.
func Sources() (map[string][]byte, error) {
	sources := map[string][]byte{}
	err := fs.WalkDir(files, ".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || strings.HasSuffix(path, "_test.go") {
			return err
		}
		sources[path], err = files.ReadFile(path)
		return err
	})
	return sources, err
}
