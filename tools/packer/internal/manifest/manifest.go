// Package manifest defines what a packed file says of itself, as JSON in its
// section .gomultiarch.manifest and in the file that Bazel's manifest output
// group has.
package manifest

import "encoding/json"

// Format counts incompatible changes of the schema.
const Format = 1

// Manifest describes a packed file.
type Manifest struct {
	Format  int      `json:"format"`  // Format
	BuildID string   `json:"buildId"` // the packed file's GNU build id, in hexadecimal
	Levels  []Level  `json:"levels"`  // in ascending order
	Boot    Launcher `json:"launcher"`
}

// Level describes one variant. Offsets and sizes are in bytes.
type Level struct {
	Level   string `json:"level"`   // as GOAMD64 spells it: v1 to v4
	Offset  uint64 `json:"offset"`  // where its file begins in the packed file
	Size    int64  `json:"size"`    // of its file
	SHA256  string `json:"sha256"`  // of its file, in hexadecimal
	Address uint64 `json:"address"` // lowest address in memory, page-aligned
	End     uint64 `json:"end"`     // first address after it, page-aligned
	Entry   uint64 `json:"entry"`   // its own entry point
}

// Launcher describes the launcher.
type Launcher struct {
	Offset  uint64 `json:"offset"`
	Size    uint64 `json:"size"`
	Address uint64 `json:"address"`
	SHA256  string `json:"sha256"` // of its code, before it is told where its table is

	// Functions are those of its code, in ascending order.
	Functions []Function `json:"functions"`
}

// Function is a function of the boot code, in bytes from the code's start.
type Function struct {
	Name  string `json:"name"`
	Start uint64 `json:"start"`
	End   uint64 `json:"end"`
}

// Encode returns the manifest as indented JSON that ends in a line feed.
func (m *Manifest) Encode() ([]byte, error) {
	text, err := json.MarshalIndent(m, "", "  ")
	return append(text, '\n'), err
}
