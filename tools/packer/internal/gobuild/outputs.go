package gobuild

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"rules_go_multiarch/internal/goamd64"
)

// Several levels are built at the same time, with the same flags. A file or folder
// that a flag names would be written by all of them, so each level gets its own: a
// file FILE becomes FILE.v3, and a folder DIR becomes DIR/v3.

// output says what the value of a flag is, and so what becomes of it.
type output int

const (
	file     output = iota + 1 // a file, or a folder if there is one of that name
	folder                     // a folder
	detail                     // the compiler's -json: VERSION,FOLDER
	debug                      // the compiler's -d: NAME=VALUE,...
	ccFlags                    // arguments of the C linker
	ccLinker                   // the C linker and arguments of it
	refused                    // the executable, which packer names
)

// The flags that name what is written. Sources: go help build, cmd/go's hidden flags
// (cmd/go/internal/work/build.go), go tool compile -help, go tool link -help. The assembler
// has none but -o.
var (
	buildOutputs = map[string]output{
		"debug-actiongraph": file, "debug-runtime-trace": file, "debug-trace": file, "pkgdir": folder,
	}
	compileOutputs = map[string]output{
		"asmhdr": file, "bench": file, "blockprofile": file, "cpuprofile": file, "linkobj": file,
		"memprofile": file, "mutexprofile": file, "traceprofile": file,
		"json": detail, "d": debug, "o": refused,
	}
	assembleOutputs = map[string]output{"o": refused}
	linkOutputs     = map[string]output{
		"benchmarkprofile": file, "cpuprofile": file, "fipso": file, "memprofile": file,
		"capturehostobjs": folder, "tmpdir": folder,
		"extldflags": ccFlags, "extld": ccLinker, "o": refused,
	}
	// The options of the linkers behind the C compiler: GNU's, gold, LLVM's and mold.
	systemOutputs = map[string]output{
		"Map": file, "dependency-file": file, "print-archive-stats": file,
		"print-symbol-counts": file, "reproduce": file, "time-trace": file, "why-extract": file,
		"o": refused, "output": refused,
	}
	// Of those, the options that have a value only behind an equals sign.
	optionalValue = map[string]bool{"time-trace": true}

	toolOutputs = map[string]map[string]output{
		"gcflags": compileOutputs, "asmflags": assembleOutputs, "ldflags": linkOutputs,
	}
)

// ownOutputs gives a level outputs of its own.
type ownOutputs struct {
	level   goamd64.Level
	dir     string   // where the go command runs
	folders []string // that have to be there before the level is built
}

func (o *ownOutputs) file(path string) string {
	if path == "" || path == "-" || strings.HasPrefix(path, "/dev/") {
		return path // what is no file is shared
	}
	if info, err := os.Stat(o.inDir(path)); strings.HasSuffix(path, "/") || err == nil && info.IsDir() {
		return o.folder(path)
	}
	return path + "." + o.level.String()
}

func (o *ownOutputs) folder(path string) string {
	if path == "" {
		return path
	}
	own := filepath.Join(path, o.level.String())
	o.folders = append(o.folders, o.inDir(own))
	if strings.HasSuffix(path, "/") {
		return own + "/" // by which the compiler knows a folder
	}
	return own
}

func (o *ownOutputs) inDir(path string) string {
	if filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(o.dir, path)
}

// value changes the value of a flag.
func (o *ownOutputs) value(flag string, kind output, value string) (string, error) {
	switch kind {
	case file:
		return o.file(value), nil
	case folder:
		return o.folder(value), nil
	case detail:
		version, path, _ := strings.Cut(value, ",")
		if scheme, rest, found := strings.Cut(path, "file://"); found && scheme == "" {
			return version + ",file://" + o.folder(rest), nil
		}
		return version + "," + o.folder(path), nil
	case debug:
		const name = "dumpinlfuncprops="
		settings := strings.Split(value, ",")
		for i, setting := range settings {
			if path, found := strings.CutPrefix(setting, name); found {
				settings[i] = name + o.file(path)
			}
		}
		return strings.Join(settings, ","), nil
	case ccFlags, ccLinker:
		return o.quoted(value, o.ccFlags)
	}
	return "", fmt.Errorf("sets %s, which packer sets for each level", flag)
}

// quoted changes words in quotes, and leaves as they are those of which none changes.
func (o *ownOutputs) quoted(value string, change func([]string) ([]string, error)) (string, error) {
	words, err := splitQuoted(value)
	if err != nil {
		return value, nil // whoever reads it has the better error
	}
	changed, err := change(words)
	if err != nil {
		return "", err
	}
	for i := range words {
		if changed[i] != words[i] {
			return joinQuoted(changed)
		}
	}
	return value, nil
}

// flags changes the flags of a Go tool: -name=value, or -name value.
func (o *ownOutputs) flags(words []string, outputs map[string]output) (changed []string, err error) {
	for i := 0; i < len(words); i++ {
		word := words[i]
		name, value, given := strings.Cut(word, "=")
		kind := outputs[strings.TrimPrefix(strings.TrimPrefix(name, "-"), "-")]
		if kind == 0 || !strings.HasPrefix(name, "-") || !given && i+1 == len(words) {
			changed = append(changed, word)
			continue
		}
		if !given {
			i++
			value = words[i]
		}
		if value, err = o.value(name, kind, value); err != nil {
			return nil, err
		}
		if given {
			changed = append(changed, name+"="+value)
		} else {
			changed = append(changed, name, value)
		}
	}
	return changed, nil
}

// perPackage changes a value of -gcflags, -asmflags or -ldflags.
func (o *ownOutputs) perPackage(flag, value string) (string, error) {
	pattern, _, err := splitPattern(value)
	if err != nil {
		return value, nil // the go command has the better error
	}
	flags := strings.TrimPrefix(strings.TrimSpace(value), pattern)
	changed, err := o.quoted(flags, func(words []string) ([]string, error) { return o.flags(words, toolOutputs[flag]) })
	if err != nil {
		return "", fmt.Errorf("-%s=%s: %w", flag, value, err)
	}
	return pattern + changed, nil
}

// ccFlags changes arguments of a C compiler that links: -Wl,option,... and -Xlinker option
// are for the linker behind it.
func (o *ownOutputs) ccFlags(words []string) ([]string, error) {
	var pending string // a linker's option whose value comes next
	option := func(word string) (_ string, err error) {
		if pending != "" {
			name := pending
			pending = ""
			return o.value("-"+name, systemOutputs[name], word)
		}
		dashed, value, given := strings.Cut(word, "=")
		name := strings.TrimPrefix(strings.TrimPrefix(dashed, "-"), "-")
		kind := systemOutputs[name]
		if kind == 0 || !strings.HasPrefix(dashed, "-") {
			return word, nil
		}
		if !given {
			if !optionalValue[name] {
				pending = name
			}
			return word, nil
		}
		value, err = o.value(dashed, kind, value)
		return dashed + "=" + value, err
	}
	changed := make([]string, len(words))
	for i, word := range words {
		var err error
		switch {
		case strings.HasPrefix(word, "-Wl,"):
			parts := strings.Split(word, ",")
			for j := 1; j < len(parts) && err == nil; j++ {
				parts[j], err = option(parts[j])
			}
			changed[i] = strings.Join(parts, ",")
		case i > 0 && words[i-1] == "-Xlinker":
			changed[i], err = option(word)
		case strings.HasPrefix(word, "-ftime-trace="): // clang's
			changed[i] = "-ftime-trace=" + o.file(strings.TrimPrefix(word, "-ftime-trace="))
		case strings.HasPrefix(word, "-o") || word == "--output" || strings.HasPrefix(word, "--output="):
			_, err = o.value(word, refused, "")
		default:
			changed[i] = word
		}
		if err != nil {
			return nil, err
		}
	}
	return changed, nil
}

// levelArgs is what the go command is given for a level.
type levelArgs struct {
	flags   []string // but for -ldflags
	ldflags []string
	env     []string // variables that are not the same at all levels
	folders []string // that have to be there
}

// at returns what the go command is given for a level.
func (a *Args) at(level goamd64.Level) (*levelArgs, error) {
	own := &ownOutputs{level: level, dir: a.Dir}
	args := &levelArgs{}
	for _, flag := range a.Flags {
		name, value, given := strings.Cut(strings.TrimPrefix(flag, "-"), "=")
		var err error
		switch {
		case !given:
		case toolOutputs[name] != nil:
			value, err = own.perPackage(name, value)
		case buildOutputs[name] != 0:
			value, err = own.value("-"+name, buildOutputs[name], value)
		}
		if err != nil {
			return nil, err
		}
		if given {
			flag = "-" + name + "=" + value
		}
		args.flags = append(args.flags, flag)
	}
	for _, value := range a.LDFlags {
		value, err := own.perPackage("ldflags", value)
		if err != nil {
			return nil, err
		}
		args.ldflags = append(args.ldflags, value)
	}
	var err error
	if args.ldflags, err = linkAt(level, a.Mode, args.ldflags, a.System); err != nil {
		return nil, err
	}
	for _, variable := range a.CVariables {
		name, value, _ := strings.Cut(variable, "=")
		changed, err := own.quoted(value, own.ccFlags)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", variable, err)
		}
		if changed != value {
			args.env = append(args.env, name+"="+changed)
		}
	}
	// The compiler writes what it makes of that function to a file.
	if os.Getenv("GOSSAFUNC") != "" {
		dir := os.Getenv("GOSSADIR")
		if dir == "" {
			dir = "."
		}
		args.env = append(args.env, "GOSSADIR="+own.folder(dir))
	}
	args.folders = own.folders
	return args, nil
}

// makeFolders makes the folders of a level in those that are there. What is not
// there, the tool that writes to it makes or misses, as in a plain build.
func (l *levelArgs) makeFolders() error {
	for _, folder := range l.folders {
		if _, err := os.Stat(filepath.Dir(folder)); err != nil {
			continue
		}
		if err := os.MkdirAll(folder, 0o777); err != nil {
			return err
		}
	}
	return nil
}

// inTurn reports whether levels must not be built at the same time: nobody knows what
// a program of -toolexec writes, and the commands of -n are to be read.
func (a *Args) inTurn() bool {
	tool, _ := a.flag("toolexec")
	return tool != "" || a.DryRun
}
