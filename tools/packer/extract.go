package main

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"

	"rules_go_multiarch/internal/goamd64"
)

var extractVerb = verb{
	name:    "extract",
	summary: "take one level out of a packed file",
	usage: `extract -level vN -o OUT FILE

Writes the executable of a level, byte-identical to what was packed, with the
permissions of FILE.

  -level vN   the level
  -o OUT      the executable

example: packer extract -level v3 -o app.v3 app`,
	run: runExtract,
}

func runExtract(w *world, args []string) error {
	flags := newFlags("extract")
	out := flags.String("o", "", "")
	var level goamd64.Level
	flags.Func("level", "", func(s string) (err error) {
		level, err = goamd64.Parse(s)
		return err
	})
	file, err := openOne(flags, args, func() error { return levelAndOut(int(level), *out) })
	if err != nil {
		return err
	}
	defer file.Close()
	path := file.Path
	if err := checkApart(*out, path); err != nil {
		return err
	}
	l, err := file.Level(level)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	r, err := file.Range(l)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return w.writeCopy(*out, file.Mode, l.Size, func(out io.Writer) error {
		hash := sha256.New()
		if _, err := io.CopyBuffer(io.MultiWriter(hash, out), onlyReader{r}, make([]byte, 256<<10)); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		if digest := hex.EncodeToString(hash.Sum(nil)); digest != l.SHA256 {
			return fmt.Errorf("%s: %v: the SHA-256 of its bytes is %s, the manifest has %s: the file is damaged", path, level, digest, l.SHA256)
		}
		return nil
	})
}

// onlyReader hides what else a reader can do, so that a buffer's size counts.
type onlyReader struct{ io.Reader }
