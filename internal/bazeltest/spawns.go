package bazeltest

import (
	"bufio"
	"encoding/json"
	"io"
	"os"
	"testing"
)

// Spawn is a process that Bazel started for an action, or whose output it took
// from a disk or remote cache.
type Spawn struct {
	Mnemonic string
	Label    string `json:"targetLabel"`
	// Runner is what ran it, such as "remote", "linux-sandbox" or "disk cache hit".
	Runner string
}

// Spawns reads the file of --execution_log_json_file.
func Spawns(t testing.TB, path string) (spawns []Spawn) {
	t.Helper()
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	// Names of spawn.proto.
	for decoder := json.NewDecoder(bufio.NewReaderSize(file, 1<<20)); ; {
		var spawn Spawn
		if err := decoder.Decode(&spawn); err == io.EOF {
			return spawns
		} else if err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		spawns = append(spawns, spawn)
	}
}
