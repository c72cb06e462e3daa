package gobuild

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

// archive writes an archive as cmd/pack does.
func archive(t *testing.T, members ...string) string {
	t.Helper()
	out := bytes.NewBufferString("!<arch>\n")
	for i := 0; i < len(members); i += 2 {
		name, data := members[i], members[i+1]
		fmt.Fprintf(out, "%-16.16s%-12d%-6d%-6d%-8o%-10d`\n%s", name, 0, 0, 0, 0o644, len(data), data)
		if len(data)%2 != 0 {
			out.WriteByte(0)
		}
	}
	path := filepath.Join(t.TempDir(), "archive")
	if err := os.WriteFile(path, out.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func object(level, code string) string {
	return "go object linux amd64 go1.26.8 GOAMD64=" + level + " X:none\nbuild id \"" + level + "\"\n\n!\n" + code
}

func TestSameCode(t *testing.T) {
	for _, test := range []struct {
		path         string
		lower, upper []string
		want         bool
	}{
		{"a", []string{"_go_.o", object("v3", "code")}, []string{"_go_.o", object("v4", "code")}, true},
		{"a", []string{"_go_.o", object("v3", "code")}, []string{"_go_.o", object("v4", "cod!")}, false},
		{"a", []string{"_go_.o", object("v3", "code")}, []string{"_go_.o", object("v4", "code"), "x.o", "odd"}, false},
		{"a", []string{"x.o", "odd", "y.o", "same"}, []string{"x.o", "odd", "y.o", "same"}, true},
		{"a", []string{"a_long_name_of_amd64.o", "1", "a_long_name_of_am", "2"}, []string{"a_long_name_of_amd64.o", "1", "a_long_name_of_am", "3"}, false},
		{"runtime", []string{"asm_amd64.o", "checks v3", "_go_.o", "code"}, []string{"asm_amd64.o", "checks v4", "_go_.o", "code"}, true},
		{"other", []string{"asm_amd64.o", "checks v3", "_go_.o", "code"}, []string{"asm_amd64.o", "checks v4", "_go_.o", "code"}, false},
		{"internal/cpu", []string{"cpu_x86.o", "3"}, []string{"cpu_x86.o", "4"}, true},
	} {
		got, err := sameCode([]listed{{test.path, archive(t, test.lower...)}}, []listed{{test.path, archive(t, test.upper...)}})
		if err != nil || got != test.want {
			t.Errorf("%+v: %v (%v)", test, got, err)
		}
	}
	if same, err := sameCode([]listed{{"a", "x"}}, nil); same || err != nil {
		t.Errorf("other packages: %v (%v)", same, err)
	}
	if _, err := digestMembers(bytes.NewReader([]byte("no archive"))); err == nil {
		t.Error("read what is no archive")
	}
	if _, err := digestMembers(bytes.NewReader(append([]byte("!<arch>\n"), bytes.Repeat([]byte{'-'}, 60)...))); err == nil {
		t.Error("read a member without a size")
	}
}

// FuzzDigestMembers looks for panics and endless loops.
func FuzzDigestMembers(f *testing.F) {
	f.Add([]byte("!<arch>\nfile.o          0           0     0     644     4         `\ndata"))
	f.Fuzz(func(t *testing.T, data []byte) { digestMembers(bytes.NewReader(data)) })
}
