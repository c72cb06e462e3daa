package gobuild

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"

	"rules_go_multiarch/internal/goamd64"
	"rules_go_multiarch/tools/packer/internal/command"
)

// Identical finds levels whose code is that of the next lower level that is
// kept, and returns, by level, which one that is.
//
// Two levels of a program are never the same file: they are linked at different
// addresses, and their build information names their levels. They are the same
// code when the compiler and the assembler have made the same of each package;
// the object files in the build cache show that, for they name other symbols
// instead of their addresses. Two object files are left out of the comparison,
// because all they do with the level is name it: the start-up check of package
// runtime and the least features of internal/cpu.
func (b *Build) Identical(ctx context.Context, p Program) (map[goamd64.Level]goamd64.Level, error) {
	same := map[goamd64.Level]goamd64.Level{}
	if p.Package == "" || len(p.Variants) < 2 {
		return same, nil
	}
	var kept []listed
	var keptLevel goamd64.Level
	for _, v := range p.Variants {
		packages, err := b.compiled(ctx, v.Level)
		if err != nil {
			return nil, err
		}
		if kept != nil {
			equal, err := sameCode(kept, packages)
			if err != nil {
				return nil, err
			}
			if equal {
				same[v.Level] = keptLevel
				continue
			}
		}
		kept, keptLevel = packages, v.Level
	}
	return same, nil
}

// listed is a compiled package: its import path and the file in the build cache.
type listed struct{ path, archive string }

// compiled lists the packages of the program, the ones that others import
// first.
func (b *Build) compiled(ctx context.Context, level goamd64.Level) ([]listed, error) {
	own, err := b.at(level)
	if err != nil {
		return nil, err
	}
	args := append([]string{"list", "-export", "-deps", "-f={{.Export}}\t{{.ImportPath}}"}, listFlags(own.flags)...)
	if b.Mode != "" {
		args = append(args, "-buildmode="+b.Mode)
	}
	for _, value := range own.ldflags {
		args = append(args, "-ldflags="+value)
	}
	cmd := command.InGroup(ctx, "go", b.Dir, append(append(args, "--"), b.Packages...)...)
	cmd.Env = append(b.environ(cmd, level), own.env...)
	out, err := cmd.Output()
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	var ended *exec.ExitError
	if errors.As(err, &ended) {
		return nil, fmt.Errorf("%v: go list:\n%s", level, strings.TrimSpace(string(ended.Stderr)))
	}
	if err != nil {
		return nil, err
	}
	var packages []listed
	lines := bufio.NewScanner(bytes.NewReader(out))
	for lines.Scan() {
		if archive, path, _ := strings.Cut(lines.Text(), "\t"); archive != "" {
			packages = append(packages, listed{path, archive})
		}
	}
	return packages, lines.Err()
}

// sameCode compares the packages of two levels and stops at the first
// difference.
func sameCode(a, b []listed) (bool, error) {
	if len(a) != len(b) {
		return false, nil
	}
	for i := range a {
		if a[i].path != b[i].path {
			return false, nil
		}
		if a[i].archive == b[i].archive {
			continue
		}
		ours, err := objects(a[i])
		if err != nil {
			return false, err
		}
		theirs, err := objects(b[i])
		if err != nil {
			return false, err
		}
		if len(ours) != len(theirs) {
			return false, nil
		}
		for name, digest := range ours {
			if theirs[name] != digest {
				return false, nil
			}
		}
	}
	return true, nil
}

// levelNamers are the object files that name their level and do nothing else
// with it. Source: runtime/asm_amd64.s (NEED_FEATURES), internal/cpu/cpu_x86.s
// (getGOAMD64level).
var levelNamers = map[string]string{
	"runtime":      "asm_amd64.o",
	"internal/cpu": "cpu_x86.o",
}

// objects returns digests of the object files in a package's archive. What an
// object file begins with, up to the line that is an exclamation mark, names
// compiler, level and build id, and is left out.
func objects(p listed) (map[string][sha256.Size]byte, error) {
	file, err := os.Open(p.archive)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	members, err := digestMembers(file)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", p.archive, err)
	}
	delete(members, levelNamers[p.path])
	delete(members, "__.PKGDEF") // what importers see; not linked
	return members, nil
}

// digestMembers reads an archive in the format of ar(5), as cmd/pack writes it.
func digestMembers(r io.Reader) (map[string][sha256.Size]byte, error) {
	const magic, headerSize = "!<arch>\n", 60
	in := bufio.NewReaderSize(r, 64<<10)
	head := make([]byte, headerSize)
	if _, err := io.ReadFull(in, head[:len(magic)]); err != nil || string(head[:len(magic)]) != magic {
		return nil, errors.New("is no archive")
	}
	members := map[string][sha256.Size]byte{}
	for {
		if _, err := io.ReadFull(in, head); err == io.EOF {
			return members, nil
		} else if err != nil {
			return nil, err
		}
		size, err := strconv.ParseInt(strings.TrimSpace(string(head[48:58])), 10, 64)
		if err != nil || size < 0 {
			return nil, fmt.Errorf("a member of %q bytes", head[48:58])
		}
		name := strings.TrimSpace(string(head[:16]))
		for n := 2; ; n++ { // names are cut off at 16 bytes, so that two may be equal
			if _, taken := members[name]; !taken {
				break
			}
			name = fmt.Sprintf("%s#%d", strings.TrimSpace(string(head[:16])), n)
		}
		digest, err := digestObject(io.LimitReader(in, size))
		if err != nil {
			return nil, err
		}
		members[name] = digest
		if size%2 != 0 {
			if _, err := in.Discard(1); err != nil {
				return nil, err
			}
		}
	}
}

func digestObject(r io.Reader) (digest [sha256.Size]byte, err error) {
	const goObject, end = "go object ", "\n!\n"
	hash := sha256.New()
	in := bufio.NewReaderSize(r, 4096)
	// Only the first few lines of an object file of Go's are left out.
	if start, _ := in.Peek(len(goObject)); string(start) == goObject {
		start, _ := in.Peek(in.Size())
		if at := bytes.Index(start, []byte(end)); at >= 0 {
			in.Discard(at)
		}
	}
	if _, err := io.Copy(hash, in); err != nil {
		return digest, err
	}
	return [sha256.Size]byte(hash.Sum(nil)), nil
}
