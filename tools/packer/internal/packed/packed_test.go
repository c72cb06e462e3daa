package packed

import (
	"bytes"
	"context"
	"debug/elf"
	"encoding/binary"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"
	"unsafe"

	"rules_go_multiarch/internal/goamd64"
	"rules_go_multiarch/internal/slots"
	"rules_go_multiarch/launcher/format"
	"rules_go_multiarch/tools/packer/internal/bootcode"
	"rules_go_multiarch/tools/packer/internal/elftest"
	"rules_go_multiarch/tools/packer/internal/layout"
	"rules_go_multiarch/tools/packer/internal/pack"
	"rules_go_multiarch/tools/packer/internal/variant"
)

// code is boot code that does nothing, with room for a table word.
func code() *bootcode.Code {
	c := &bootcode.Code{Bytes: bytes.Repeat([]byte{0x90}, 200), Entry: 64, Funcs: []bootcode.Func{{Name: "a", End: 64}, {Name: "b", Start: 64, End: 200}}}
	binary.LittleEndian.PutUint64(c.Bytes[c.Entry+format.TableWord:], format.TablePlaceholder)
	return c
}

func executable(t testing.TB, level goamd64.Level) *variant.Variant {
	t.Helper()
	data := elftest.Executable(slots.Of(level).Base).Bytes()
	v, err := variant.Read(bytes.NewReader(data), int64(len(data)), level)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// sample returns a small packed file.
func sample(t testing.TB, noEnvironment bool, levels ...goamd64.Level) []byte {
	t.Helper()
	var variants []*variant.Variant
	for _, level := range levels {
		variants = append(variants, executable(t, level))
	}
	file, err := pack.New(context.Background(), variants, pack.Options{Launcher: code(), NoEnvironment: noEnvironment})
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := file.Write(&out); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func read(data []byte) (*File, error) { return Read(bytes.NewReader(data), int64(len(data))) }

func TestReadIsTheInverseOfPack(t *testing.T) {
	f, err := read(sample(t, true, 1, 3))
	if err != nil {
		t.Fatal(err)
	}
	if !f.NoEnvironment || f.Changed || len(f.Levels) != 2 || f.Layout() != SideBySide {
		t.Errorf("%+v", f)
	}
	want := code()
	if got := f.Launcher(); !bytes.Equal(got.Bytes, want.Bytes) || got.Entry != want.Entry || len(got.Funcs) != 2 || got.Funcs[1] != want.Funcs[1] {
		t.Errorf("boot code %+v, want %+v", got, want)
	}
	for _, l := range f.Levels {
		v, err := f.Variant(l)
		if err != nil {
			t.Fatal(err)
		}
		if v.Level != l.Level || v.Low != l.Table.Low {
			t.Errorf("%v at %#x: %+v", v.Level, v.Low, l)
		}
	}
	if problems, err := f.Verify(context.Background()); err != nil || len(problems) > 0 {
		t.Errorf("problems %v (%v)", problems, err)
	}
	if _, err := f.Level(2); err == nil || err.Error() != "has no v2: it has v1 and v3" {
		t.Errorf("level 2: error %v", err)
	}
}

// sampleTable is the offset of a sample's launcher table in its launcher.
const sampleTable = 256

// reseal puts the checksum of a changed table in a sample right.
func reseal(data []byte) {
	table := data[layout.LauncherOffset+sampleTable:]
	size := binary.LittleEndian.Uint32(table[16:])
	if size >= 16 && uint64(size) <= uint64(len(table)) {
		binary.LittleEndian.PutUint64(table[8:], format.Sum(table[:size]))
	}
}

func TestReadRefuses(t *testing.T) {
	good := sample(t, false, 1, 3)
	manifest := bytes.Index(good, []byte(`"format": 1`))
	f, err := read(good)
	if err != nil {
		t.Fatal(err)
	}
	launcher := int(f.Manifest.Boot.Offset)
	table := launcher + sampleTable
	opCount := uint64(unsafe.Offsetof(format.Level{}.OpCount))
	boot := int(unsafe.Offsetof(format.Header{}.Boot))
	levels, levelCount := int(unsafe.Offsetof(format.Header{}.Levels)), int(unsafe.Offsetof(format.Header{}.LevelCount))
	ops, operations := int(unsafe.Offsetof(format.Header{}.Ops)), int(unsafe.Offsetof(format.Header{}.OpCount))
	replace := func(old, new string) func([]byte) {
		return func(data []byte) {
			if len(old) != len(new) || !bytes.Contains(data[manifest-10:], []byte(old)) {
				t.Fatalf("%q is not in the manifest, or %q is of another length", old, new)
			}
			copy(data[manifest-10:], bytes.Replace(data[manifest-10:], []byte(old), []byte(new), 1))
		}
	}
	for name, test := range map[string]struct {
		change func([]byte)
		want   string
	}{
		"no manifest":            {func(b []byte) { copy(b[bytes.Index(b, []byte(".gomultiarch")):], ".nomultiarch") }, "has lost its manifest"},
		"other format":           {replace(`"format": 1`, `"format": 7`), "packed in format 7: this packer reads format 1"},
		"no JSON":                {replace(`"format": 1`, `"format"= 1`), "damaged manifest: invalid character"},
		"unknown level":          {replace(`"level": "v3"`, `"level": "v7"`), "damaged manifest: unknown level \"v7\""},
		"level twice":            {replace(`"level": "v3"`, `"level": "v1"`), "damaged manifest: v1 after v1"},
		"no digest":              {replace(`"sha256": "`+f.Levels[0].SHA256[:1], `"sha256": "Z`), "is no SHA-256"},
		"overlapping":            {replace(fmt.Sprintf(`"offset": %d`, f.Levels[0].Offset), fmt.Sprintf(`"offset": %d`, f.Levels[1].Offset+4096)), "do not end before the next lower level"},
		"other levels":           {replace(`"level": "v3"`, `"level": "v4"`), "describes v4 otherwise than the manifest"},
		"launcher elsewhere":     {replace(fmt.Sprintf(`"address": %d`, f.Manifest.Boot.Address), fmt.Sprintf(`"address": %d`, f.Manifest.Boot.Address+8)), "damaged launcher"},
		"other boot code":        {func(b []byte) { b[launcher]++ }, "the SHA-256 of its code is"},
		"table's checksum":       {func(b []byte) { b[table+40]++ }, "the checksum of its table is wrong"},
		"table's magic":          {func(b []byte) { b[table]++ }, "another version of the format?"},
		"table word":             {func(b []byte) { b[launcher+64+8+7] = 0xff }, "ends behind it"},
		"entry point":            {func(b []byte) { b[24] ^= 0x80 }, "damaged launcher"},
		"entry point that wraps": {func(b []byte) { binary.LittleEndian.PutUint64(b[24:], ^uint64(15)) }, "is not in it"},
		"boot code elsewhere":    {func(b []byte) { b[table+boot]++; reseal(b) }, "its table is for a launcher at"},
		"levels behind the end":  {func(b []byte) { binary.LittleEndian.PutUint32(b[table+levels:], 1<<31); reseal(b) }, "ends before its records do"},
		"too many levels":        {func(b []byte) { binary.LittleEndian.PutUint32(b[table+levelCount:], 1<<31); reseal(b) }, "2147483648 levels"},
		"too many operations":    {func(b []byte) { binary.LittleEndian.PutUint32(b[table+operations:], 1<<31); reseal(b) }, "2147483648 operations"},
		"a check of 4 GiB": {func(b []byte) {
			op := b[table+int(binary.LittleEndian.Uint32(b[table+ops:])):]
			binary.LittleEndian.PutUint32(op, format.OpCheck)
			binary.LittleEndian.PutUint64(op[16:], 1<<32)
			reseal(b)
		}, "it checks 0x100000000 bytes"},
		"other size in table":    {func(b []byte) { binary.LittleEndian.PutUint32(b[table+16:], 64) }, "the checksum of its table is wrong"},
		"operations of no level": {func(b []byte) { b[table+int(format.HeaderSize+opCount)] += 100; reseal(b) }, "has operations"},
	} {
		t.Run(name, func(t *testing.T) {
			data := bytes.Clone(good)
			test.change(data)
			_, err := read(data)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %v: want one that has %q", err, test.want)
			}
		})
	}
}

func TestReadRefusesTruncated(t *testing.T) {
	good := sample(t, false, 1, 2)
	f, err := read(good)
	if err != nil {
		t.Fatal(err)
	}
	boundaries := []int64{0, 4, 16, 20, 63, 64, 64 + 56, 4095, 4096}
	for _, p := range f.ELF.Progs {
		boundaries = append(boundaries, int64(p.Off), int64(p.Off+p.Filesz))
	}
	for _, s := range f.ELF.Sections {
		boundaries = append(boundaries, int64(s.Offset))
	}
	for size := int64(len(good)) - 1; size > int64(len(good))-3000; size -= 8 {
		boundaries = append(boundaries, size)
	}
	for _, size := range boundaries {
		if size >= int64(len(good)) {
			continue
		}
		if _, err := read(good[:size]); err == nil {
			t.Errorf("%d of %d bytes: accepted", size, len(good))
		}
	}
}

// TestChanged appends to a file, as strip takes from it.
func TestChanged(t *testing.T) {
	f, err := read(append(sample(t, false, 1, 2), 0))
	if err != nil {
		t.Fatal(err)
	}
	if !f.Changed {
		t.Error("not seen")
	}
	if _, err := f.Variant(f.Baseline()); err != ErrChanged {
		t.Errorf("error %v", err)
	}
	if problems, err := f.Verify(context.Background()); err != nil || len(problems) < 3 || !strings.Contains(problems[0].String(), "was it stripped?") || !strings.Contains(problems[1].String(), "bytes, it was packed with") || problems[2].String() != "1 bytes were appended to it" {
		t.Errorf("problems %v (%v)", problems, err)
	}
}

func TestVerifyFinds(t *testing.T) {
	good := sample(t, false, 1, 3)
	f, err := read(good)
	if err != nil {
		t.Fatal(err)
	}
	// Program headers by their place in the file.
	header := func(match func(elf.ProgHeader) bool) int {
		for i, p := range f.ELF.Progs {
			if match(p.ProgHeader) {
				return 64 + 56*i
			}
		}
		t.Fatal("no such program header")
		return 0
	}
	v1 := header(func(p elf.ProgHeader) bool { return p.Type == elf.PT_LOAD && p.Vaddr == slots.Of(1).Base })
	v3 := header(func(p elf.ProgHeader) bool { return p.Type == elf.PT_LOAD && p.Off == 0 })
	note := bytes.Index(good[:4096], []byte("GNU\x00"))
	section := slices.IndexFunc(f.ELF.Sections, func(s *elf.Section) bool { return s.Name == ".note.gnu.build-id" })
	noteFlags := int(binary.LittleEndian.Uint64(good[0x28:])) + 64*section + 8
	for name, test := range map[string]struct {
		change func([]byte)
		want   string
	}{
		"a byte of v1":            {func(b []byte) { b[f.Levels[0].Offset+0x1234]++ }, "v1: the SHA-256 of its bytes is"},
		"a byte of v3":            {func(b []byte) { b[f.Levels[1].Offset+0x2345]++ }, "v3: the SHA-256 of its bytes is"},
		"v1 mapped from v3":       {func(b []byte) { binary.LittleEndian.PutUint64(b[v1+8:], f.Levels[1].Offset) }, fmt.Sprintf("v1: segment 0: file offset %#x is mapped at 0x400000", f.Levels[1].Offset)},
		"v1 not mapped":           {func(b []byte) { binary.LittleEndian.PutUint32(b[v1:], uint32(elf.PT_NULL)) }, "v1: segment 0: nothing is mapped at 0x400000"},
		"launcher not executable": {func(b []byte) { b[v3+4] = 4 }, "no segment maps the launcher, readable and executable"},
		"writable code":           {func(b []byte) { b[v1+4] |= 2 }, "is both writable and executable"},
		"other access":            {func(b []byte) { b[v1+4] = 4 }, "v1: segment 0: PF_R at"},
		"segment over the end":    {func(b []byte) { b[v1+33] = 0xff }, "is larger in the file than in memory"},
		"segment that wraps":      {func(b []byte) { binary.LittleEndian.PutUint64(b[v1+40:], 1<<63) }, "ends outside of user space"},
		"segment behind the end":  {func(b []byte) { binary.LittleEndian.PutUint64(b[v1+8:], 1<<40) }, "but the file has"},
		"overlapping segments":    {func(b []byte) { binary.LittleEndian.PutUint64(b[v1+40:], 0x2b000000) }, "overlaps or precedes the one before it"},
		"another build id":        {func(b []byte) { b[note+6]++ }, "its build id is"},
		"compressed build id":     {func(b []byte) { b[noteFlags+1] |= byte(elf.SHF_COMPRESSED >> 8) }, "its build id is"},
		"offset of another phase": {func(b []byte) { b[v1+8]++ }, "is not congruent to the address"},
	} {
		t.Run(name, func(t *testing.T) {
			data := bytes.Clone(good)
			test.change(data)
			f, err := read(data)
			if err != nil {
				t.Fatal(err)
			}
			problems, err := f.Verify(context.Background())
			if err != nil {
				t.Fatal(err)
			}
			for _, p := range problems {
				if strings.Contains(p.String(), test.want) {
					return
				}
			}
			t.Errorf("problems %v: want one that has %q", problems, test.want)
		})
	}
}

func TestAgainst(t *testing.T) {
	f, err := read(sample(t, false, 1, 2))
	if err != nil {
		t.Fatal(err)
	}
	for level, want := range map[goamd64.Level]string{1: "", 2: "differs from , first at byte"} {
		reason, err := f.Against(context.Background(), f.Levels[0], executable(t, level))
		if err != nil || want == "" && reason != "" || !strings.HasPrefix(reason, want) {
			t.Errorf("v1 against v%d: %q (%v)", level, reason, err)
		}
	}
}

func TestStart(t *testing.T) {
	f, err := read(sample(t, false, 2, 3))
	if err != nil {
		t.Fatal(err)
	}
	silent, err := read(sample(t, true, 2, 3))
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		cpu                 goamd64.Level
		goamd64, multiarch  string
		mgodebug            string
		want                goamd64.Level
		reason, whenIgnored string
	}{
		{cpu: 4, want: 3, reason: "this CPU runs v4"},
		{cpu: 2, want: 2, reason: "this CPU runs v2"},
		{cpu: 1, want: 0, reason: "this CPU runs v1, the lowest level is v2"},
		{cpu: 4, goamd64: "v2", want: 2, reason: "GOAMD64=v2, this CPU runs v4"},
		{cpu: 3, goamd64: "v4", want: 3, reason: "this CPU runs v3"},
		{cpu: 4, goamd64: "v1", want: 0, reason: "GOAMD64=v1, the lowest level is v2"},
		{cpu: 4, goamd64: "x", want: 0, reason: "GOAMD64=x: unknown level"},
		{cpu: 4, multiarch: "log,max=v2", want: 2, reason: "GOMULTIARCH has max=v2, this CPU runs v4"},
		{cpu: 4, multiarch: "level=v2", want: 2, reason: "GOMULTIARCH has level=v2"},
		{cpu: 4, multiarch: "level=v4", want: 0, reason: "GOMULTIARCH has level=v4, but the file has no v4"},
		{cpu: 2, multiarch: "level=v3", want: 0, reason: "GOMULTIARCH has level=v3, but this CPU runs v2 at most"},
		{cpu: 4, multiarch: "max=v9", want: 0, reason: "GOMULTIARCH has max=v9: unknown level"},
		{cpu: 4, multiarch: "level=v3,log,level=v2", want: 2, reason: "GOMULTIARCH has level=v2"},
		{cpu: 4, multiarch: "lvl=v2", want: 0, reason: `GOMULTIARCH has "lvl=v2", want level=vN`},
		{cpu: 4, multiarch: "level", want: 0, reason: `GOMULTIARCH has "level", want level=vN`},
		{cpu: 4, multiarch: "log,", want: 0, reason: `GOMULTIARCH has "", want level=vN`},
		{cpu: 4, mgodebug: "log,extract", want: 3, reason: "this CPU runs v4"},
		{cpu: 4, mgodebug: "max=v2", want: 0, reason: `MGODEBUG has "max=v2", want log or extract`},
	} {
		getenv := func(name string) string {
			return map[string]string{"GOAMD64": test.goamd64, "GOMULTIARCH": test.multiarch, "MGODEBUG": test.mgodebug}[name]
		}
		if got, reason := f.Start(test.cpu, getenv); got != test.want || !strings.HasPrefix(reason, test.reason) {
			t.Errorf("%+v: %v, %q", test, got, reason)
		}
		if got, _ := silent.Start(test.cpu, getenv); test.cpu > 1 && got != min(test.cpu, 3) {
			t.Errorf("%+v: %v although the environment is not read", test, got)
		}
	}
}

// FuzzRead looks for panics, and for memory that a number in the file makes
// the reader take.
func FuzzRead(f *testing.F) {
	good := sample(f, false, 1, 3)
	f.Add(good)
	f.Add(sample(f, true, 2))
	f.Add(good[:5000])
	f.Add([]byte("\x7fELF"))
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) > layout.LauncherOffset+sampleTable+24 {
			data = bytes.Clone(data)
			reseal(data)
		}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		file, err := read(data)
		if err == nil {
			for _, l := range file.Levels {
				file.Variant(l)
			}
			file.Verify(context.Background())
		}
		runtime.ReadMemStats(&after)
		if took, limit := after.TotalAlloc-before.TotalAlloc, uint64(32<<20+20*len(data)); took > limit {
			t.Errorf("%d bytes of memory for a file of %d", took, len(data))
		}
	})
}
