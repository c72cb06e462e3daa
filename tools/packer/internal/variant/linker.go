package variant

import (
	"bytes"

	"rules_go_multiarch/internal/slots"
)

// Linker returns the linker that linked the variant, as far as can be told: C compilers
// leave their name in .comment, and so do lld and mold. Go's linker leaves nothing.
func (v *Variant) Linker() slots.Linker {
	const longest = 64 << 10
	section := v.ELF.Section(".comment")
	if section == nil {
		return slots.GoLinker
	}
	text := make([]byte, min(section.FileSize, longest))
	n, _ := section.ReadAt(text, 0)
	if text = text[:n]; bytes.Contains(text, []byte("LLD ")) || bytes.Contains(text, []byte("mold ")) {
		return slots.LLVMLinker
	}
	return slots.GNULinker
}
