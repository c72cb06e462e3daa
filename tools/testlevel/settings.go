package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"rules_go_multiarch/internal/goamd64"
)

// settings is what settings.json has. Paths are relative to its folder there,
// and absolute here.
type settings struct {
	Label   string // of the test
	Program string // the go_test
	Level   string // that it was built for
	Emulate string // "auto", "always" or "never"
	Qemu    string // the emulator, or ""
	Model   string // that it emulates for the level, or ""
	MustRun bool   // fail instead of being skipped

	// Levels is what a test of several levels has, and nothing of the above but
	// Label. The test of a level stands beside it, as NAME_LEVEL.
	Levels []string

	level  goamd64.Level
	levels []goamd64.Level
}

func readSettings(folder string) (*settings, error) {
	path := filepath.Join(folder, "settings.json")
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("reading what to start: %w", err)
	}
	s := &settings{}
	if err := json.Unmarshal(text, s); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	for _, name := range s.Levels {
		level, err := goamd64.Parse(name)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		s.levels = append(s.levels, level)
	}
	if s.levels != nil {
		return s, nil
	}
	if s.level, err = goamd64.Parse(s.Level); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	s.Program = filepath.Join(folder, s.Program)
	if s.Qemu != "" {
		s.Qemu = filepath.Join(folder, s.Qemu)
	}
	return s, nil
}
