package boot

import (
	"encoding/binary"
	"math/rand/v2"
	"runtime"
	"testing"
	"unsafe"

	library "github.com/klauspost/cpuid/v2"

	"rules_go_multiarch/launcher/format"
)

// address returns where a test's data is. The test keeps the data alive.
func address(data []byte) uintptr { return uintptr(unsafe.Pointer(unsafe.SliceData(data))) }

func TestCPULevelIsTheLibrarys(t *testing.T) {
	if got, want := int(cpuLevel()), library.CPU.X64Level(); got != want {
		t.Errorf("cpuLevel() is %d: cpuid.CPU.X64Level() is %d", got, want)
	}
}

// TestLevelOf takes one feature after the other from a CPU that has all, and as
// many more as there are below a level, and asks a library of others for the level
// of what is left. Bits: Intel SDM volume 2, CPUID.
func TestLevelOf(t *testing.T) {
	bits := []struct {
		id       library.FeatureID
		register func(*features) *uint32
		bit      int
	}{
		{library.SSE3, leaf1ECX, 0}, {library.SSSE3, leaf1ECX, 9}, {library.FMA3, leaf1ECX, 12}, {library.CX16, leaf1ECX, 13},
		{library.SSE4, leaf1ECX, 19}, {library.SSE42, leaf1ECX, 20}, {library.MOVBE, leaf1ECX, 22}, {library.POPCNT, leaf1ECX, 23},
		{library.OSXSAVE, leaf1ECX, 27}, {library.AVX, leaf1ECX, 28}, {library.F16C, leaf1ECX, 29},
		{library.LAHF, ext1ECX, 0}, {library.LZCNT, ext1ECX, 5},
		{library.BMI1, leaf7EBX, 3}, {library.AVX2, leaf7EBX, 5}, {library.BMI2, leaf7EBX, 8},
		{library.AVX512F, leaf7EBX, 16}, {library.AVX512DQ, leaf7EBX, 17}, {library.AVX512CD, leaf7EBX, 28},
		{library.AVX512BW, leaf7EBX, 30}, {library.AVX512VL, leaf7EBX, 31},
	}
	// has returns a CPU that has the features of bits for which keep is true.
	has := func(keep func(i int) bool) (f features, level int) {
		f.xcr0 = 0xe7
		var cpu library.CPUInfo
		cpu.Enable(library.CMOV, library.CMPXCHG8, library.X87, library.FXSR, library.MMX, library.SYSCALL, library.SSE, library.SSE2)
		for i, b := range bits {
			if keep(i) {
				*b.register(&f) |= 1 << b.bit
				cpu.Enable(b.id)
			}
		}
		return f, cpu.X64Level()
	}
	check := func(name string, keep func(i int) bool) {
		t.Helper()
		f, want := has(keep)
		if got := levelOf(&f); int(got) != want {
			t.Errorf("%s: level %d, want %d", name, got, want)
		}
	}
	check("all", func(int) bool { return true })
	check("none", func(int) bool { return false })
	for lacking, b := range bits {
		check("without "+b.id.String(), func(i int) bool { return i != lacking })
		check(b.id.String()+" alone", func(i int) bool { return i == lacking })
	}
	random := rand.New(rand.NewPCG(1, 2))
	for range 10000 {
		lacking := random.Uint64() & random.Uint64() & random.Uint64() & random.Uint64()
		check("a random CPU", func(i int) bool { return lacking>>i&1 == 0 })
	}

	// The library looks at the operating system's support before it names a feature.
	for bit, want := range map[int]uint32{0: 4, 1: 2, 2: 2, 5: 3, 6: 3, 7: 3} {
		f, _ := has(func(int) bool { return true })
		f.xcr0 &^= 1 << bit
		if got := levelOf(&f); got != want {
			t.Errorf("without bit %d of XCR0: level %d, want %d", bit, got, want)
		}
	}
}

func leaf1ECX(f *features) *uint32 { return &f.leaf1ECX }
func ext1ECX(f *features) *uint32  { return &f.ext1ECX }
func leaf7EBX(f *features) *uint32 { return &f.leaf7EBX }

func TestDamagedText(t *testing.T) {
	var text []byte
	for _, word := range []uint64{damagedText0, damagedText1, damagedText2} {
		text = binary.LittleEndian.AppendUint64(text, word)
	}
	if string(text) != format.DamagedText {
		t.Errorf("%q: want format.DamagedText, %q", text, format.DamagedText)
	}
}

func TestReadItem(t *testing.T) {
	for _, test := range []struct {
		item string
		mgo  bool
		ok   bool
		want controls
	}{
		{item: "log", ok: true, want: controls{log: true}},
		{item: "log", mgo: true, ok: true, want: controls{logMgo: true}},
		{item: "extract", ok: true, want: controls{extract: true}},
		{item: "extract", mgo: true, ok: true, want: controls{extract: true}},
		{item: "level=v1", ok: true, want: controls{exact: 1}},
		{item: "level=v4", ok: true, want: controls{exact: 4}},
		{item: "max=v3", ok: true, want: controls{max: 3}},
		{item: "level=v1", mgo: true},
		{item: "max=v3", mgo: true},
		{item: "level=v0"},
		{item: "level=v5"},
		{item: "level=v"},
		{item: "level=v11"},
		{item: "max=v0"},
		{item: "max=v11"},
		{item: "lox"},
		{item: "logs"},
		{item: "Log"},
		{item: "extracts"},
		{item: ""},
	} {
		data := append([]byte(test.item), 0)
		var s state
		ok := readItem(&s, textUpTo(address(data), ','), test.mgo)
		runtime.KeepAlive(data)
		if ok != test.ok || ok && s.want != test.want {
			t.Errorf("%q (MGODEBUG: %v): %v, %+v: want %v, %+v", test.item, test.mgo, ok, s.want, test.ok, test.want)
		}
	}
}

func TestLowerCapCounts(t *testing.T) {
	var s state
	for _, step := range []struct{ level, want uint32 }{{3, 3}, {4, 3}, {2, 2}, {3, 2}} {
		if limitTo(&s, step.level); s.want.max != step.want {
			t.Errorf("after a cap of v%d: v%d, want v%d", step.level, s.want.max, step.want)
		}
	}
}

// stack builds an initial stack as the kernel does and returns its words.
func stack(argv, environment []string, auxv ...uint64) (words []byte, keep [][]byte) {
	push := func(v uint64) { words = binary.LittleEndian.AppendUint64(words, v) }
	text := func(s string) {
		data := append([]byte(s), 0)
		keep = append(keep, data)
		push(uint64(address(data)))
	}
	push(uint64(len(argv)))
	for _, s := range argv {
		text(s)
	}
	push(0)
	for _, s := range environment {
		text(s)
	}
	push(0)
	for _, v := range auxv {
		push(v)
	}
	return words, keep
}

func TestReadStack(t *testing.T) {
	for _, argv := range [][]string{nil, {"a"}, {"a", "b", ""}} {
		words, keep := stack(argv, []string{"X=1", "GOAMD64=v2"},
			atPhdr, 1, atPhnum, 2, 6, 4096, atEntry, 3, atSecure, 1, atExecfn, 77, atNull, 0)
		s := state{stack: address(words)}
		environment := readStack(&s)
		if want := address(words) + uintptr(len(argv)+2)*8; environment != want {
			t.Errorf("%d arguments: environment at %#x, want %#x", len(argv), environment, want)
		}
		if load64(s.auxv.phdr) != 1 || load64(s.auxv.phnum) != 2 || load64(s.auxv.entry) != 3 || !s.auxv.secure || s.auxv.execfn != 77 {
			t.Errorf("%d arguments: %+v", len(argv), s.auxv)
		}
		readControls(&s, environment)
		if s.want.max != 2 {
			t.Errorf("%d arguments: cap v%d, want v2", len(argv), s.want.max)
		}
		runtime.KeepAlive(words)
		runtime.KeepAlive(keep)
	}
}

func TestFirstOfTwoVariablesCounts(t *testing.T) {
	words, keep := stack(nil, []string{"GOAMD64=v1", "GOAMD64=v2", "GOMULTIARCH=level=v3", "GOMULTIARCH=level=v4"}, atNull, 0)
	s := state{stack: address(words)}
	readControls(&s, readStack(&s))
	if s.want.max != 1 || s.want.exact != 3 {
		t.Errorf("%+v: want a cap of v1 and exactly v3", s.want)
	}
	runtime.KeepAlive(words)
	runtime.KeepAlive(keep)
}

func TestHighest(t *testing.T) {
	data := encode(t, variant(1), variant(3))
	for limit, want := range map[uint32]uint32{1: 1, 2: 1, 3: 3, 4: 3} {
		addr := highest(address(data), limit)
		if addr == 0 || (*format.Level)(at(addr)).Level != want {
			t.Errorf("highest of v1, v3 up to v%d is not v%d", limit, want)
		}
	}
	data = encode(t, variant(2), variant(3))
	if highest(address(data), 1) != 0 {
		t.Error("a level of v2, v3 up to v1")
	}
	runtime.KeepAlive(data)
}

// variant returns a sound one.
func variant(level uint32) format.Variant {
	base := uint64(level) << 28
	return format.Variant{
		Level: format.Level{
			Level: level, Phnum: 6, Phdr: base + 64, Entry: base + 0x1000,
			Low: base, High: base + 0x5000, Mapped: base, Unused: 0x4000, Data: base + 0x3000, DataLen: 0x1000,
			Offset: 0x1000 * uint64(level), Size: 0x1000,
		},
		Ops: []format.Op{
			{Kind: format.OpProtect, Prot: protRead, Addr: base + 0x2000, Len: 0x1000},
			{Kind: format.OpZero, Addr: base + 0x3f00, Len: 0x100},
			{Kind: format.OpAnonymous, Prot: protRead | protWrite, Addr: base + 0x4000, Len: 0x1000},
		},
	}
}

func encode(t testing.TB, variants ...format.Variant) []byte {
	t.Helper()
	data, err := format.Encode(format.Table{Entry: 0x54000000, FileSize: 0x10000, Variants: variants})
	if err != nil {
		t.Fatal(err)
	}
	return data
}
