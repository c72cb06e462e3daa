package self_test

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"rules_go_multiarch/internal/goamd64"
	"rules_go_multiarch/internal/testenv"
	"rules_go_multiarch/multiarch"
	"rules_go_multiarch/tests/probetest"
)

func TestMain(m *testing.M) { testenv.Main(m) }

func ask(t *testing.T, path string, env ...string) (info multiarch.Info) {
	t.Helper()
	cmd := exec.Command(path)
	cmd.Env = append(os.Environ(), env...)
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	if err := json.Unmarshal(out, &info); err != nil {
		t.Fatal(err)
	}
	return info
}

// TestSelf compares what a program says of itself, plain and packed, with what
// it was built from.
func TestSelf(t *testing.T) {
	variants := map[goamd64.Level]string{}
	for level := goamd64.Min; level <= goamd64.Max; level++ {
		variants[level] = testenv.Build(t, "./tests/self/program", level, testenv.Link{Env: []string{"CGO_ENABLED=0"}})
	}
	packed := testenv.Pack(t, "self", variants)
	stripped := filepath.Join(t.TempDir(), "stripped")
	if out, err := exec.Command(testenv.Tool(t, "strip"), "-o", stripped, packed).CombinedOutput(); err != nil {
		t.Fatalf("strip: %v\n%s", err, out)
	}
	bare := filepath.Join(t.TempDir(), "bare")
	if out, err := exec.Command(testenv.Tool(t, "eu-strip"), "-o", bare, packed).CombinedOutput(); err != nil {
		t.Fatalf("eu-strip: %v\n%s", err, out)
	}
	var said strings.Builder
	cmd := exec.Command(bare)
	cmd.Env, cmd.Stderr = []string{"GOMULTIARCH=level=v1"}, &said
	out, _ := cmd.Output()
	var lost multiarch.Info
	if err := json.Unmarshal(out, &lost); err != nil || lost.Compiled != 1 || !lost.Packed || lost.Levels != nil {
		t.Errorf("without its manifest it says %s (%v)", out, err)
	}
	if want := "its section .gomultiarch.manifest is gone"; !strings.Contains(said.String(), want) {
		t.Errorf("error %q: want %q", said.String(), want)
	}
	cpu := multiarch.Level(probetest.MachineLevel(t))
	for _, level := range probetest.Runnable(t) {
		plain := ask(t, variants[level])
		if plain.Compiled != multiarch.Level(level) || plain.CPU != cpu || plain.Packed || plain.Levels != nil {
			t.Errorf("plain %v says %+v", level, plain)
		}
		for _, path := range []string{packed, stripped} {
			info := ask(t, path, "GOMULTIARCH=level="+level.String())
			if info.Compiled != multiarch.Level(level) || info.CPU != cpu || !info.Packed || len(info.Levels) != len(variants) {
				t.Fatalf("%s at %v says %+v", path, level, info)
			}
			for i, l := range info.Levels {
				data := probetest.Read(t, variants[goamd64.Level(i+1)])
				digest := sha256.Sum256(data)
				if l.Level != multiarch.Level(i+1) || l.SHA256 != hex.EncodeToString(digest[:]) || l.Size != int64(len(data)) {
					t.Errorf("%s says of level %d %+v", path, i+1, l)
				}
			}
		}
	}
}
