package boot

import "unsafe"

// Addresses are uintptr throughout: stored pointers would need the runtime's
// write barrier.

// at converts an address to a pointer that the caller dereferences at once.
//
//go:nosplit
func at(addr uintptr) unsafe.Pointer {
	return *(*unsafe.Pointer)(unsafe.Pointer(&addr))
}

//go:nosplit
func load8(addr uintptr) byte { return *(*byte)(at(addr)) }

//go:nosplit
func store8(addr uintptr, value byte) { *(*byte)(at(addr)) = value }

//go:nosplit
func load32(addr uintptr) uint32 { return *(*uint32)(at(addr)) }

//go:nosplit
func load64(addr uintptr) uintptr { return *(*uintptr)(at(addr)) }

//go:nosplit
func store64(addr, value uintptr) { *(*uintptr)(at(addr)) = value }

// text is a string that need not end in a zero byte.
type text struct{ addr, len uintptr }

// textUpTo returns the text at addr that ends before a zero byte or stop.
//
//go:nosplit
func textUpTo(addr uintptr, stop byte) text {
	n := uintptr(0)
	for c := load8(addr); c != 0 && c != stop; c = load8(addr + n) {
		n++
	}
	return text{addr, n}
}

// head returns the first eight bytes of t, fewer when it is shorter, the first
// one lowest.
//
//go:nosplit
func head(t text) uint64 {
	word := uint64(0)
	for i := uintptr(0); i < 8 && i < t.len; i++ {
		word |= uint64(load8(t.addr+i)) << (i * 8)
	}
	return word
}

// startsWith reports whether the zero-terminated string at addr begins with the
// n <= 8 bytes of prefix. It does not read behind the terminator.
//
//go:nosplit
func startsWith(addr uintptr, prefix uint64, n uintptr) bool {
	for i := uintptr(0); i < n; i++ {
		if load8(addr+i) != byte(prefix>>(i*8)) {
			return false
		}
	}
	return true
}
