// Package goamd64 names the micro-architecture levels that Go compiles for.
package goamd64

import (
	"debug/buildinfo"
	"errors"
	"fmt"
	"io"
)

// Level is a value of GOAMD64: 1 for v1 to 4 for v4.
type Level int

// The lowest and highest levels. Source: cmd/go, "Environment variables",
// GOAMD64; the levels are those of the x86-64 psABI.
const (
	Min Level = 1
	Max Level = 4
)

// String returns the level as GOAMD64 spells it.
func (l Level) String() string { return fmt.Sprintf("v%d", int(l)) }

// Parse returns the level that s names.
func Parse(s string) (Level, error) {
	for l := Min; l <= Max; l++ {
		if s == l.String() {
			return l, nil
		}
	}
	return 0, fmt.Errorf("unknown level %q: want v1, v2, v3 or v4", s)
}

// FromBuildInfo returns the level that an executable's Go build information
// names, or 0 when it has none.
func FromBuildInfo(r io.ReaderAt) Level {
	info, err := BuildInfo(r)
	if err != nil {
		return 0
	}
	for _, setting := range info.Settings {
		if setting.Key == "GOAMD64" {
			level, err := Parse(setting.Value)
			if err != nil {
				return 0
			}
			return level
		}
	}
	return 0
}

// BuildInfo reads an executable's Go build information. What it reads for that,
// and so what memory it takes, is bounded whatever the executable says of sizes.
func BuildInfo(r io.ReaderAt) (*buildinfo.BuildInfo, error) {
	if err := CheckCounts(r); err != nil {
		return nil, err
	}
	return buildinfo.Read(&bounded{r, 32 << 20})
}

// bounded is a reader of so many bytes in all.
type bounded struct {
	r    io.ReaderAt
	left int64
}

// ReadAt implements io.ReaderAt.
func (b *bounded) ReadAt(p []byte, offset int64) (int, error) {
	if b.left -= int64(len(p)); b.left < 0 {
		return 0, errors.New("too much to search for Go build information")
	}
	return b.r.ReadAt(p, offset)
}
