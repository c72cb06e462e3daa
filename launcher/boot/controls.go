package boot

import "rules_go_multiarch/launcher/format"

// controls is what the environment asks for.
type controls struct {
	max, exact           uint32 // levels, 0 for none
	log, logMgo, extract bool
}

// Names and items as words of up to eight characters, the first one lowest:
// string constants would be in read-only data.
const (
	nameGOAMD64  = 'G' | 'O'<<8 | 'A'<<16 | 'M'<<24 | 'D'<<32 | '6'<<40 | '4'<<48 | '='<<56
	nameGOMULTIA = 'G' | 'O'<<8 | 'M'<<16 | 'U'<<24 | 'L'<<32 | 'T'<<40 | 'I'<<48 | 'A'<<56
	nameRCH      = 'R' | 'C'<<8 | 'H'<<16 | '='<<24
	nameMGODEBUG = 'M' | 'G'<<8 | 'O'<<16 | 'D'<<24 | 'E'<<32 | 'B'<<40 | 'U'<<48 | 'G'<<56

	itemLog     = 'l' | 'o'<<8 | 'g'<<16
	itemExtract = 'e' | 'x'<<8 | 't'<<16 | 'r'<<24 | 'a'<<32 | 'c'<<40 | 't'<<48
	itemLevel   = 'l' | 'e'<<8 | 'v'<<16 | 'e'<<24 | 'l'<<32 | '='<<40 | 'v'<<48 // and a digit
	itemMax     = 'm' | 'a'<<8 | 'x'<<16 | '='<<24 | 'v'<<32                     // and a digit
)

// readControls reads GOAMD64, GOMULTIARCH and MGODEBUG. An empty value counts
// as none, as it does for the go command; of a variable that stands there
// twice the first counts, as for getenv(3).
//
//go:nosplit
func readControls(s *state, environment uintptr) {
	var seen, seenMultiarch, seenMgo bool
	for ; load64(environment) != 0; environment += 8 {
		p := load64(environment)
		if c := load8(p); c != 'G' && c != 'M' {
			continue
		}
		switch {
		case !seen && startsWith(p, nameGOAMD64, 8):
			seen = true
			readGOAMD64(s, p)
		case !seenMultiarch && startsWith(p, nameGOMULTIA, 8) && startsWith(p+8, nameRCH, 4):
			seenMultiarch = true
			readItems(s, p+12, false)
		case !seenMgo && startsWith(p, nameMGODEBUG, 8) && load8(p+8) == '=':
			seenMgo = true
			readItems(s, p+9, true)
		}
	}
}

// readGOAMD64 reads a variable, its name included.
//
//go:nosplit
func readGOAMD64(s *state, variable uintptr) {
	t := textUpTo(variable, 0)
	level := uint32(0)
	switch {
	case t.len == 8:
		return
	case t.len == 10 && load8(variable+8) == 'v':
		level = digit(load8(variable + 9))
	}
	if level == 0 {
		s.value = t
		fail(s, format.MsgBadLevel, exitNotFound)
	}
	limitTo(s, level)
}

// readItems reads the items of GOMULTIARCH, or those of MGODEBUG, which has
// fewer.
//
//go:nosplit
func readItems(s *state, value uintptr, mgo bool) {
	if load8(value) == 0 {
		return
	}
	for {
		item := textUpTo(value, ',')
		if !readItem(s, item, mgo) {
			s.value = item
			if mgo {
				fail(s, format.MsgBadMgoItem, exitNotFound)
			}
			fail(s, format.MsgBadItem, exitNotFound)
		}
		value = item.addr + item.len
		if load8(value) == 0 {
			return
		}
		value++
	}
}

// readItem reports whether the item is a known one.
//
//go:nosplit
func readItem(s *state, item text, mgo bool) bool {
	word := head(item)
	switch {
	case item.len == 3 && word == itemLog:
		if mgo {
			s.want.logMgo = true
		} else {
			s.want.log = true
		}
		return true
	case item.len == 7 && word == itemExtract:
		s.want.extract = true
		return true
	case mgo:
		return false
	case item.len == 8 && word&^(0xff<<56) == itemLevel:
		s.want.exact = digit(byte(word >> 56))
		return s.want.exact != 0
	case item.len == 6 && word&^(0xff<<40) == itemMax:
		level := digit(byte(word >> 40))
		limitTo(s, level)
		return level != 0
	}
	return false
}

// limitTo lowers the cap; of two caps the lower one counts.
//
//go:nosplit
func limitTo(s *state, level uint32) {
	if s.want.max == 0 || level < s.want.max {
		s.want.max = level
	}
}

// digit returns the level that c names, or 0.
//
//go:nosplit
func digit(c byte) uint32 {
	if c < '1' || c > '0'+format.MaxLevels {
		return 0
	}
	return uint32(c - '0')
}
