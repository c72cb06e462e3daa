// Reference writes the pages of docs/ that follow from the source: rules.md from
// the docstrings of what defs.bzl exports, packer.md and packer.1 from what
// "packer help" prints.
//
//	go run ./tools/reference      in the folder of the repository
//
// A test fails when the files are not as it writes them.
package main

import (
	"fmt"
	"os"
	"path/filepath"
)

func main() {
	if err := run("."); err != nil {
		fmt.Fprintln(os.Stderr, "reference:", err)
		os.Exit(1)
	}
}

func run(root string) error {
	files, err := generate(root)
	if err != nil {
		return err
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(root, name), []byte(text), 0o666); err != nil {
			return err
		}
	}
	return nil
}

// generate returns the files by their names in the repository at root.
func generate(root string) (map[string]string, error) {
	symbols, err := exported(root)
	if err != nil {
		return nil, err
	}
	verbs, err := packerHelp(root)
	if err != nil {
		return nil, err
	}
	return map[string]string{
		"docs/rules.md":  rulesPage(symbols),
		"docs/packer.md": packerPage(verbs),
		"docs/packer.1":  manualPage(verbs),
	}, nil
}
