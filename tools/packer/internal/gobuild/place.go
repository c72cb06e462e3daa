package gobuild

import (
	"slices"
	"strings"
)

// WithoutPlace returns a value of a flag that holds flags, such as -ldflags, without what
// differs from level to level of one build: the addresses that linkAt adds, and the
// files and folders that a tool writes beside its output. A value that cannot be
// read is returned as it is.
func WithoutPlace(flag, value string) string {
	pattern, flags, err := splitPattern(value)
	if err != nil {
		return value
	}
	for name, kind := range toolOutputs[strings.TrimPrefix(flag, "-")] {
		if kind == file || kind == folder {
			flags, _ = cutFlag(flags, name)
		}
	}
	if flag == "-ldflags" {
		flags, _ = cutFlag(flags, "T")
		var external string
		flags, external = cutFlag(flags, "extldflags")
		if external = WithoutExternalPlace(external); external != "" {
			flags = append(flags, "-extldflags="+external)
		}
	}
	joined, err := joinQuoted(flags)
	if err != nil {
		return value
	}
	return pattern + joined
}

// WithoutExternalPlace does the same for flags of the system's linker.
func WithoutExternalPlace(value string) string {
	flags, err := splitQuoted(value)
	if err != nil {
		return value
	}
	joined, err := joinQuoted(slices.DeleteFunc(flags, isExternalPlace))
	if err != nil {
		return value
	}
	return joined
}

// isExternalPlace reports whether a word is -Wl, one option, and its value.
func isExternalPlace(word string) bool {
	option, found := strings.CutPrefix(word, "-Wl,")
	end := strings.IndexAny(option, "=,")
	if !found || end < 0 || strings.Contains(option[end+1:], ",") {
		return false
	}
	name := strings.TrimPrefix(strings.TrimPrefix(option[:end], "-"), "-")
	kind := systemOutputs[name]
	return name == "Ttext-segment" || name == "image-base" || kind == file || kind == folder
}
