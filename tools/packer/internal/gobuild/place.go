package gobuild

import "strings"

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
	var rest []string
	for _, flag := range flags {
		if flag = withoutOptions(flag); flag != "" {
			rest = append(rest, flag)
		}
	}
	joined, err := joinQuoted(rest)
	if err != nil {
		return value
	}
	return joined
}

// withoutOptions returns a word without those of the linker's options behind -Wl, that
// differ from level to level, or "" where no other is left.
func withoutOptions(word string) string {
	options, found := strings.CutPrefix(word, "-Wl,")
	if !found {
		return word
	}
	parts := strings.Split(options, ",")
	var rest []string
	for i := 0; i < len(parts); i++ {
		dashed, _, given := strings.Cut(parts[i], "=")
		name := strings.TrimPrefix(strings.TrimPrefix(dashed, "-"), "-")
		kind := systemOutputs[name]
		own := strings.HasPrefix(dashed, "-") && (name == "Ttext-segment" || name == "image-base" || kind == file || kind == folder)
		switch {
		case !own, !given && !optionalValue[name] && i+1 == len(parts): // its value is in another word
			rest = append(rest, parts[i])
		case !given && !optionalValue[name]:
			i++
		}
	}
	if len(rest) == 0 {
		return ""
	}
	return "-Wl," + strings.Join(rest, ",")
}

// CutStamps takes -X name=value out of a value of -ldflags as build information has it,
// and returns these apart: they often hold the time of a build.
func CutStamps(flags string) (rest, stamps string) {
	words, err := splitQuoted(flags)
	if err != nil {
		return flags, ""
	}
	var others, found []string
	for i := 0; i < len(words); i++ {
		name, _, given := strings.Cut(words[i], "=")
		if name != "-X" && name != "--X" {
			others = append(others, words[i])
			continue
		}
		found = append(found, words[i])
		if !given && i+1 < len(words) {
			i++
			found = append(found, words[i])
		}
	}
	return strings.Join(others, " "), strings.Join(found, " ")
}
