package main

import (
	"errors"
	"fmt"
	"os"

	"rules_go_multiarch/tools/packer/internal/bootcode"
	"rules_go_multiarch/tools/packer/internal/golauncher"
	"rules_go_multiarch/tools/packer/internal/packed"
	"rules_go_multiarch/tools/packer/internal/variant"
)

// launcher returns the boot code to pack with: that of the given file, or else
// the packer's own when it is itself a packed file, or else one built with the
// go command.
func (w *world) launcher(path string) (*bootcode.Code, error) {
	if path != "" {
		code, err := readLauncher(path)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		return code, nil
	}
	if code := ownLauncher(); code != nil {
		return code, nil
	}
	return golauncher.Build(w.ctx)
}

// readLauncher reads a linked launcher, or a packed file's.
func readLauncher(path string) (*bootcode.Code, error) {
	file, err := packed.Open(path)
	if err == nil {
		defer file.Close()
		return file.Launcher(), nil
	}
	if !errors.Is(err, packed.ErrNotPacked) {
		return nil, err
	}
	linked, _, err := variant.OpenRegular(path)
	if err != nil {
		return nil, err
	}
	defer linked.Close()
	return bootcode.Read(linked)
}

// ownLauncher returns the boot code that this process was started by, if any.
func ownLauncher() *bootcode.Code {
	path, err := os.Executable()
	if err != nil {
		return nil
	}
	file, err := packed.Open(path)
	if err != nil {
		return nil
	}
	defer file.Close()
	return file.Launcher()
}
