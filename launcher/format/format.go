// Package format defines the launcher table: what the packer writes beside the
// boot code and the boot code reads before any runtime exists.
//
// FORMAT.md in the parent directory specifies the whole packed file. All values
// are little-endian and every structure here has the same layout in Go and in
// the file, because the boot code reads the table in place. The boot code uses
// this package's types and constants, and none of its functions: nothing outside
// package boot is there when it runs.
package format

import "unsafe"

// Magic is the first word of a launcher table: "GOMULTI" and the version of
// the format.
const Magic = 'G' | 'O'<<8 | 'M'<<16 | 'U'<<24 | 'L'<<32 | 'T'<<40 | 'I'<<48 | Version<<56

// Version counts incompatible changes of the table.
const Version = 4

// TablePlaceholder is the 64-bit word that the linked launcher holds at
// TableWord bytes after its entry point. The packer replaces it by the distance
// in bytes from the entry point to the table, in the lower half, and the size
// of the table in bytes, in the upper half.
const (
	TablePlaceholder = 0x656c626174206f67 // "go table"
	TableWord        = 8
)

// Header begins the table. Offsets count bytes from the start of the table.
type Header struct {
	Magic    uint64 // Magic
	Checksum uint64 // Sum of the words that follow, up to Size
	Size     uint32 // bytes in the table, as in the table word; a multiple of 8, at most MaxSize
	Flags    uint32 // Flag bits
	Boot     uint64 // address of the first byte of the boot code in the file's address space
	Entry    uint64 // address of the boot entry, less than MaxBoot behind Boot
	FileSize uint64 // bytes in the packed file
	Debug    uint64 // address of what the lowest level's dynamic section has for DT_DEBUG, or 0

	Levels       uint32 // offset of the Level records, in ascending order of level
	LevelCount   uint32 // 1 to MaxLevels
	Ops          uint32 // offset of the Op records
	OpCount      uint32 // Op records in all
	Messages     uint32 // offset of MessageCount Text records
	MessageCount uint32 // number of messages known to the packer
}

// Level says how one variant is started and where it is in the file.
// Addresses are those of the program headers; in a position-independent
// file the boot code adds the load bias.
type Level struct {
	Level   uint32 // 1 to 4: GOAMD64=v1 to v4
	Phnum   uint32 // AT_PHNUM: the variant's number of program headers
	Phdr    uint64 // AT_PHDR: address of the variant's program headers
	Entry   uint64 // AT_ENTRY: address of the variant's entry point
	Low     uint64 // first address that the variant runs at, page-aligned
	High    uint64 // first address after it, page-aligned
	Mapped  uint64 // first address at which the kernel maps the variant, page-aligned
	Unused  uint64 // bytes from there on that are free when another variant is picked
	Data    uint64 // first address of the variant's data, page-aligned
	DataLen uint64 // bytes from there to the end of its data, whole pages inside Unused, or 0
	Op      uint32 // index of the variant's first Op
	OpCount uint32 // number of Ops, carried out in order before the jump
	Offset  uint64 // where the variant's own ELF file stands in the packed file
	Size    uint64 // how many bytes it has
	Interp  Text   // path of its interpreter (PT_INTERP), with a zero byte at its end, or nothing
}

// Op is one change to the address space that the kernel, loading the packed
// file, has left to the boot code. Its range lies inside [Low, High).
type Op struct {
	Kind uint32 // one of the Op constants
	Prot uint32 // PROT_READ and PROT_WRITE as mmap(2) has them; OpCheck: PROT_WRITE where the variant is likely to write; OpDynamic, OpNames: 0
	Addr uint64 // first address; page-aligned but for OpZero, OpCheck, OpDynamic and OpNames
	Len  uint64 // bytes; a multiple of the page size but for OpZero, OpCheck, OpDynamic and OpNames
	From uint64 // OpMove: where the pages are, outside of [Low, High); OpCheck, OpDynamic, OpNames: the sum
}

// Kinds of Op.
const (
	OpProtect   = 1 // mprotect(Addr, Len, Prot); Prot has no PROT_EXEC
	OpZero      = 2 // clear Len bytes, less than a page
	OpAnonymous = 3 // map Len zeroed bytes at Addr, in place of what is there
	OpUnmap     = 4 // munmap(Addr, Len)
	OpMove      = 5 // mremap Len bytes at From to Addr
	OpCheck     = 6 // fail unless Len bytes, whole 64-bit words and less than a page, have the sum From

	// These are the lowest level's, and are carried out whatever level is started: tools
	// that edit a dynamic section edit the lowest level's.
	OpDynamic = 7 // fail unless the dynamic section is at Addr, has Len bytes, and has the sum From (SumDynamic)
	OpNames   = 8 // as OpCheck, of strings that the dynamic section, or the loader, is led to
)

// Text is a string in the table, without a terminator.
type Text struct {
	Offset uint32
	Len    uint32
}

// Flag bits of Header.
const (
	FlagNoEnvironment = 1 << 0 // the launcher reads no environment variables
	FlagIsolate       = 1 << 1 // the launcher unmaps the data of all levels that it does not start
	FlagMovable       = 1 << 2 // the file is position-independent: its load bias may be other than 0
	FlagHideLowest    = 1 << 3 // the launcher unmaps the data of the lowest level when it starts another one
	FlagCharged       = 1 << 4 // as FlagIsolate: the kernel maps data of several levels writable, and counts it
	FlagHideHighest   = 1 << 5 // the launcher unmaps the data of the highest level when it starts another one: much .bss is counted
)

// Limits that the boot code enforces before it follows an offset.
const (
	MaxSize   = 64 << 10 // bytes of the table
	MaxBoot   = 64 << 10 // bytes of the boot code
	MaxLevels = 4
	MaxOps    = 256
	PageSize  = 4096 // the only page size of x86-64 Linux
)

// Sizes of the records in bytes.
const (
	HeaderSize = uint64(unsafe.Sizeof(Header{}))
	LevelSize  = uint64(unsafe.Sizeof(Level{}))
	OpSize     = uint64(unsafe.Sizeof(Op{}))
	TextSize   = uint64(unsafe.Sizeof(Text{}))
)

// FNV-1a's 64-bit parameters, applied to whole words: quick enough to run at
// every start, and it finds what a damaged file would show.
// Source: https://datatracker.ietf.org/doc/draft-eastlake-fnv/.
const (
	SumBasis = 0xcbf29ce484222325
	SumPrime = 0x00000100000001b3
)
