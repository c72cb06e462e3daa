// Package features_test asks for what go_test can do, in its BUILD file, and looks
// whether go_multiarch_test gives it.
package features_test

import (
	"flag"
	"fmt"
	"os"
	"strconv"
	"testing"

	"rules_go_multiarch/tests/levels/features/half"
)

func TestMain(m *testing.M) {
	if os.Getenv("TEST_TARGET") == "" {
		fmt.Println("no tests without Bazel: ./bazelw test //tests/levels/features/...")
		return
	}
	os.Exit(m.Run())
}

var word = flag.String("word", "", "given in the attribute args")

func TestFeatures(t *testing.T) {
	text, err := os.ReadFile("testdata/word.txt") // a path below the package, which go_test changes to
	if err != nil {
		t.Fatalf("data: %v", err)
	}
	if string(text) != "from a file\n" {
		t.Errorf("data: the file has %q", text)
	}
	if *word != "given" {
		t.Errorf("args: -word is %q, want \"given\"", *word)
	}
	if got := os.Getenv("WORD"); got != "tests/levels/features/testdata/word.txt" {
		t.Errorf("env: $WORD is %q, want the path", got)
	}
	// Under `bazel coverage` Bazel gives every test the same time.
	if got := os.Getenv("TEST_TIMEOUT"); got != "60" && os.Getenv("COVERAGE") == "" {
		t.Errorf("size: $TEST_TIMEOUT is %q, want 60 as of a small test", got)
	}
	if got := os.Getenv("TEST_TOTAL_SHARDS"); got != "2" {
		t.Errorf("shard_count: $TEST_TOTAL_SHARDS is %q, want 2", got)
	}
}

// Shards take turns: each of the two gets one of the next two.

func TestShardA(t *testing.T) { logShard(t) }

func TestShardB(t *testing.T) { logShard(t) }

// logShard leaves in the log what tests/bazel reads there.
func logShard(t *testing.T) {
	shard, err := strconv.Atoi(os.Getenv("TEST_SHARD_INDEX"))
	if err != nil {
		t.Fatalf("$TEST_SHARD_INDEX: %v", err)
	}
	t.Logf("%s in shard %d", t.Name(), shard)
}

// TestCovered leaves one of two branches to be seen in the coverage report.
func TestCovered(t *testing.T) {
	if got := half.Of(4); got != 2 {
		t.Errorf("Of(4) = %d, want 2", got)
	}
}

// TestFlaky fails unless it is another try, where tests/bazel asks for that.
func TestFlaky(t *testing.T) {
	folder := os.Getenv("FLAKY")
	if folder == "" {
		return
	}
	name := folder + "/" + os.Getenv("TEST_SHARD_INDEX")
	if _, err := os.Stat(name); err != nil {
		os.WriteFile(name, nil, 0o666)
		t.Error("the first try")
	}
}
