package multiarch

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
)

func TestLevelText(t *testing.T) {
	for level, want := range map[Level]string{0: `"none"`, 1: `"v1"`, 4: `"v4"`} {
		text, err := json.Marshal(level)
		if err != nil || string(text) != want {
			t.Errorf("%d: %s (%v), want %s", level, text, err, want)
		}
		var back Level
		if err := json.Unmarshal(text, &back); err != nil || back != level {
			t.Errorf("%s: %v (%v)", text, back, err)
		}
	}
	var level Level
	if err := json.Unmarshal([]byte(`"v5"`), &level); err == nil {
		t.Error("v5 is a level")
	}
}

func TestReadLevelsOfNoExecutable(t *testing.T) {
	dir := t.TempDir()
	if _, err := readLevels(filepath.Join(dir, "missing")); !os.IsNotExist(err) {
		t.Errorf("missing: %v", err)
	}
	text := filepath.Join(dir, "text")
	if err := os.WriteFile(text, []byte("a text"), 0o644); err != nil {
		t.Fatal(err)
	}
	if levels, err := readLevels(text); err == nil {
		t.Errorf("a text has levels %v", levels)
	}
}
