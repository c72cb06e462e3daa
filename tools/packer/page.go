package main

import (
	"bytes"
	"io"

	"rules_go_multiarch/tools/packer/internal/packed"
	"rules_go_multiarch/tools/packer/internal/page"
)

// writePage writes the page of a packed file.
func writePage(w *world, file *packed.File, path string) error {
	if err := checkApart(path, file.Path); err != nil {
		return err
	}
	var text bytes.Buffer
	if err := page.Write(&text, file); err != nil {
		return err
	}
	return w.writeFile(path, 0o666, int64(text.Len()), func(out io.Writer) error {
		_, err := text.WriteTo(out)
		return err
	})
}
