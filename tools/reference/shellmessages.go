package main

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

var (
	// $(command), with parentheses in it two deep.
	shellCommand = `\$\((?:[^()]|\((?:[^()]|\([^()]*\))*\))*\)`
	shellQuoted  = `"(?:` + shellCommand + `|[^"\\]|\\.)*"`
	// A command or assignment with a text. What follows the text on its line tells
	// whether it goes to a file.
	shellText     = regexp.MustCompile(`(?m)(?:^|[ (])(?:(die|fail|say|echo|logged|printf) (?:'[^']*' )?|(\w+)\+?=\(?)(` + shellQuoted + `(?:(?: \\\n)? +` + shellQuoted + `)*)(.*)$`)
	shellString   = regexp.MustCompile(shellQuoted)
	shellUse      = regexp.MustCompile(`[^\\]\$\{?(\w+)`)
	shellVariable = regexp.MustCompile(shellCommand + `|\$\{[^}]*\}|\\?\$(?:\w+|\*)`)
	shellComment  = regexp.MustCompile(`(?m)^ *#.*$`)
)

// shellMessages collects what scripts say: through functions that do, by echo and
// printf but to files, and in the variables that those print. What a function
// prints is a reason where it fails (see prepare_once in tools/bazel/common.sh).
func shellMessages(paths ...string) ([]string, error) {
	scripts, err := shellScripts(paths...)
	if err != nil {
		return nil, err
	}
	var texts [][]string
	for _, source := range scripts {
		texts = append(texts, shellText.FindAllStringSubmatch(shellComment.ReplaceAllString(source, ""), -1)...)
	}
	var messages []string
	names := map[string]bool{} // across scripts, as they source each other
	for before := -1; before != len(names); {
		before, messages = len(names), nil
		for _, m := range texts {
			command, name, strs, rest := m[1], m[2], m[3], strings.TrimSpace(m[4])
			toStderr := strings.HasPrefix(rest, ">&2")
			if command == "" && !names[name] || command == "printf" && !toStderr || strings.HasPrefix(rest, ">") && !toStderr {
				continue
			}
			for _, use := range shellUse.FindAllStringSubmatch(strs, -1) {
				names[use[1]] = true
			}
			var parts []string
			for _, part := range shellString.FindAllString(strs, -1) {
				parts = append(parts, part[1:len(part)-1])
			}
			switch command {
			case "die", "fail", "say", "echo": // join their arguments
				parts = []string{strings.Join(parts, " ")}
			}
			for _, text := range parts {
				text = strings.ReplaceAll(shellVariable.ReplaceAllStringFunc(text, shellHole), `\"`, `"`)
				if isMessage(text) {
					messages = append(messages, text)
				}
			}
		}
	}
	slices.Sort(messages)
	return slices.Compact(messages), nil
}

// shellHole replaces what the shell does; \$BAZEL stands for itself.
func shellHole(use string) string {
	if strings.HasPrefix(use, `\`) {
		return use[1:]
	}
	return "…"
}

// shellScripts reads the scripts among files and in folders.
func shellScripts(paths ...string) (map[string]string, error) {
	scripts := map[string]string{}
	for _, path := range paths {
		if err := filepath.WalkDir(path, func(path string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() {
				return err
			}
			source, err := os.ReadFile(path)
			if err == nil && strings.HasPrefix(string(source), "#") && !strings.HasSuffix(path, ".md") {
				scripts[path] = string(source)
			}
			return err
		}); err != nil {
			return nil, err
		}
	}
	return scripts, nil
}
