package gobuild

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"rules_go_multiarch/internal/goamd64"
	"rules_go_multiarch/internal/slots"
	"rules_go_multiarch/tools/packer/internal/strip"
)

// linkAt returns the values of -ldflags that link a level in its slot, with the
// user's own values merged in. v1 is where every linker puts a program, and a
// position-independent executable goes anywhere: both need nothing.
//
// -T tells Go's linker, and -Wl,-Ttext-segment or -Wl,--image-base the system's; the
// one that does not link takes no notice. system is what else says which linker that
// is: the C compiler, and CGO_LDFLAGS.
func linkAt(level goamd64.Level, mode string, user []string, system string) ([]string, error) {
	for _, value := range user {
		if _, flags, err := splitPattern(value); err != nil {
			return nil, err
		} else if sets(flags, "T") {
			return nil, fmt.Errorf("-ldflags=%s: sets -T, which packer sets for each level", value)
		}
	}
	if level == goamd64.Min || mode == "pie" {
		return user, nil
	}
	slot := slots.Of(level)
	return merge(user, func(flags []string) []string {
		flags, theirs := cutFlag(flags, "extldflags")
		external := slot.Flag(slots.GNULinker)
		if imageBase.MatchString(strings.Join(slices.Concat(flags, []string{theirs, system}), " ")) {
			external = slot.Flag(slots.LLVMLinker)
		}
		if theirs != "" {
			external = theirs + " " + external
		}
		// A value must not begin with a quote, so what needs none comes first.
		return slices.Concat([]string{slot.Flag(slots.GoLinker)}, flags, []string{"-extldflags=" + external})
	})
}

// imageBase finds linkers that know -Ttext-segment by another name: LLVM's and mold, and
// LLVM's in Zig. GNU's has that name since binutils 2.44 alone.
var imageBase = regexp.MustCompile(`-(fuse-ld|-ld-path)=\S*(lld|mold)|\bzig\b`)

// linkStripped returns the values of -ldflags that have the linker leave out what
// a mode says.
func linkStripped(mode strip.Mode, user []string) ([]string, error) {
	more := map[strip.Mode][]string{strip.Debug: {"-w"}, strip.All: {"-s", "-w"}}[mode]
	if len(more) == 0 {
		return user, nil
	}
	return merge(user, func(flags []string) []string { return append(flags, more...) })
}

// merge changes the flags in values of -ldflags. A value with a pattern in front is
// for the packages that match; the last match counts. The first value that is
// returned is for those that match none.
func merge(user []string, change func(flags []string) []string) ([]string, error) {
	values := append([]string{""}, user...)
	for i, value := range values {
		pattern, flags, err := splitPattern(value)
		if err != nil {
			return nil, err
		}
		joined, err := joinQuoted(change(flags))
		if err != nil {
			return nil, fmt.Errorf("-ldflags=%s: %w", value, err)
		}
		values[i] = pattern + joined
	}
	return values, nil
}

// splitPattern splits "pattern=flags" as the go command does: a value that
// begins with a hyphen has no pattern (cmd/go/internal/load/flag.go). The
// pattern is returned with its equals sign.
func splitPattern(value string) (pattern string, flags []string, err error) {
	value = strings.TrimSpace(value)
	if value != "" && !strings.HasPrefix(value, "-") {
		before, after, found := strings.Cut(value, "=")
		if !found || before == "" {
			return "", nil, fmt.Errorf("-ldflags=%s: want flags, or pattern=flags", value)
		}
		pattern, value = before+"=", after
	}
	flags, err = splitQuoted(value)
	if err != nil {
		return "", nil, fmt.Errorf("-ldflags=%s: %w", value, err)
	}
	return pattern, flags, nil
}

// sets reports whether a flag is among flags.
func sets(flags []string, name string) bool {
	for _, flag := range flags {
		if isFlag(flag, name) {
			return true
		}
	}
	return false
}

// isFlag reports whether arg is -name or --name, with or without a value.
func isFlag(arg, name string) bool {
	arg, _, _ = strings.Cut(arg, "=")
	return arg == "-"+name || arg == "--"+name
}

// cutFlag removes a flag that has a value from flags; of several the last one
// counts, as it does for the linker.
func cutFlag(flags []string, name string) (rest []string, value string) {
	for i := 0; i < len(flags); i++ {
		if !isFlag(flags[i], name) {
			rest = append(rest, flags[i])
			continue
		}
		if _, after, found := strings.Cut(flags[i], "="); found {
			value = after
		} else if i+1 < len(flags) {
			i++
			value = flags[i]
		}
	}
	return rest, value
}

// splitQuoted splits at spaces outside of quotes, as the go command does for
// flags that hold flags: quotes stand around a whole word, a quote inside a word is
// a character like any other, and nothing is escaped (cmd/internal/quoted).
func splitQuoted(s string) ([]string, error) {
	var words []string
	for {
		s = strings.TrimLeft(s, " \t\n\r")
		if s == "" {
			return words, nil
		}
		if quote := s[0]; quote == '"' || quote == '\'' {
			end := strings.IndexByte(s[1:], quote)
			if end < 0 {
				return nil, fmt.Errorf("unterminated %c", quote)
			}
			words = append(words, s[1:1+end])
			s = s[end+2:]
			continue
		}
		end := strings.IndexAny(s, " \t\n\r")
		if end < 0 {
			end = len(s)
		}
		words = append(words, s[:end])
		s = s[end:]
	}
}

// joinQuoted is the inverse of splitQuoted.
func joinQuoted(words []string) (string, error) {
	quoted := make([]string, len(words))
	for i, word := range words {
		switch {
		case word != "" && word[0] != '"' && word[0] != '\'' && !strings.ContainsAny(word, " \t\n\r"):
			quoted[i] = word
		case !strings.Contains(word, "'"):
			quoted[i] = "'" + word + "'"
		case !strings.Contains(word, `"`):
			quoted[i] = `"` + word + `"`
		default:
			return "", fmt.Errorf("%s: has spaces and both kinds of quotes, and the go command cannot read all of them in one argument: leave out one kind", word)
		}
	}
	return strings.Join(quoted, " "), nil
}
