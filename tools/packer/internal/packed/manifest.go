package packed

import (
	"debug/elf"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"rules_go_multiarch/internal/goamd64"
	"rules_go_multiarch/tools/packer/internal/manifest"
	"rules_go_multiarch/tools/packer/internal/variant"
)

// maxManifest bounds a manifest, which has a few KiB.
const maxManifest = 64 << 10

// maxFile bounds offsets and sizes, so that sums of two do not overflow.
const maxFile = 1 << 48

func readManifest(file *elf.File) (*manifest.Manifest, error) {
	section := file.Section(variant.ManifestSection)
	if section == nil {
		return nil, ErrNotPacked
	}
	if section.Type != elf.SHT_PROGBITS || section.Flags&elf.SHF_COMPRESSED != 0 || section.FileSize > maxManifest {
		return nil, fmt.Errorf("damaged manifest: %v of %d bytes, want PROGBITS of at most %d", section.Type, section.FileSize, maxManifest)
	}
	text := make([]byte, section.FileSize)
	if _, err := section.ReadAt(text, 0); err != nil {
		return nil, fmt.Errorf("damaged manifest: %w", err)
	}
	m := &manifest.Manifest{}
	if err := json.Unmarshal(text, m); err != nil {
		return nil, fmt.Errorf("damaged manifest: %w", err)
	}
	if m.Format != manifest.Format {
		return nil, fmt.Errorf("packed in format %d: this packer reads format %d", m.Format, manifest.Format)
	}
	if err := check(m); err != nil {
		return nil, fmt.Errorf("damaged manifest: %w", err)
	}
	return m, nil
}

func check(m *manifest.Manifest) error {
	if len(m.Levels) == 0 {
		return errors.New("no levels")
	}
	if _, err := hex.DecodeString(m.BuildID); err != nil {
		return fmt.Errorf("build id %q is not hexadecimal", m.BuildID)
	}
	previous, start := goamd64.Level(0), uint64(maxFile)
	for _, l := range m.Levels {
		level, err := goamd64.Parse(l.Level)
		switch {
		case err != nil:
			return err
		case level <= previous:
			return fmt.Errorf("%v after %v: want ascending levels", level, previous)
		case l.Size <= 0 || l.Size > maxFile || l.Offset > start || uint64(l.Size) > start-l.Offset:
			return fmt.Errorf("%v: %d bytes at offset %#x do not end before the next lower level, at %#x", level, l.Size, l.Offset, start)
		case len(l.SHA256) != 64 || strings.Trim(l.SHA256, "0123456789abcdef") != "":
			return fmt.Errorf("%v: %q is no SHA-256", level, l.SHA256)
		}
		previous, start = level, l.Offset
	}
	return nil
}

func list(words []string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	last := len(words) - 1
	return strings.Join(words[:last], ", ") + " and " + words[last]
}
