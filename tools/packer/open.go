package main

import (
	"errors"
	"flag"
	"fmt"
	"os"

	"rules_go_multiarch/internal/goamd64"
	"rules_go_multiarch/tools/packer/internal/needs"
	"rules_go_multiarch/tools/packer/internal/packed"
	"rules_go_multiarch/tools/packer/internal/variant"
)

// openPacked opens a packed file; errors name it.
func openPacked(path string) (*packed.File, error) {
	file, err := packed.Open(path)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return file, nil
}

// openOne parses flags and the one operand FILE, and opens it. check, if any,
// looks at the flags before that.
func openOne(flags *flag.FlagSet, args []string, check func() error) (*packed.File, error) {
	path, err := parseOne(flags, args)
	if err == nil && check != nil {
		err = check()
	}
	if err != nil {
		return nil, err
	}
	return openPacked(path)
}

// openInput opens an executable that is to be packed. Errors do not name it.
func openInput(path string, level goamd64.Level) (*variant.Variant, error) {
	v, err := variant.Open(path, level)
	if err != nil {
		return nil, err
	}
	if err := v.CheckEnd(); err != nil {
		v.Close()
		return nil, err
	}
	return v, nil
}

// levelAndOut wants the flags without which a verb has nothing to do.
func levelAndOut(levels int, out string) error {
	switch {
	case levels == 0:
		return usagef("no level: want -level vN")
	case out == "":
		return usagef("no output: want -o OUT")
	}
	return nil
}

// readAny reads a Go executable that may be packed or plain, of size bytes, and
// returns it as the one or the other. A damaged packed file is an error.
func readAny(file *os.File, size int64) (*packed.File, *needs.Executable, error) {
	// Plain ones may be of any format and architecture.
	if _, err := variant.OpenELF(file); err == nil {
		packedFile, err := packed.Read(file, size)
		if !errors.Is(err, packed.ErrNotPacked) {
			return packedFile, nil, err
		}
	}
	plain, err := needs.Read(file, size)
	return nil, plain, err
}
