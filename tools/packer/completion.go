package main

import (
	"fmt"
	"strings"
)

var completionVerb = verb{
	name:    "completion",
	summary: "print a shell's completion script",
	usage: `completion bash|zsh|fish

Prints a script that makes a shell complete verbs, flags, levels and files.

example: packer completion bash > ~/.local/share/bash-completion/completions/packer`,
	run: runCompletion,
}

// flagsOf are the flags of each verb. A test compares them with the help texts.
var flagsOf = map[string][]string{
	"create":     {"-o", "-launcher", "-variant", "-manifest", "-no-environment", "-remap", "-isolate", "-strip", "-force", "-debuglink"},
	"build":      {"-levels", "-p", "-report", "-fallback", "-force", "-launcher", "-no-environment", "-isolate", "-strip", "-o", "-C", "-buildmode", "-ldflags", "-tags", "-race", "-trimpath", "-pgo"},
	"check":      {"--cpu", "--json"},
	"info":       {"--json", "--html"},
	"verify":     {"--json", "--against"},
	"extract":    {"-level", "-o"},
	"thin":       {"-level", "-o"},
	"replace":    {"-o", "-force", "-remap"},
	"remove":     {"-level", "-o"},
	"which":      {"--json"},
	"debug":      {"-o", "-level", "-pid", "-core", "-only", "-file", "-if-any"},
	"completion": {},
}

func runCompletion(w *world, args []string) error {
	operands, err := parse(newFlags("completion"), args)
	if err != nil {
		return err
	}
	if len(operands) != 1 {
		return usagef("want one of bash, zsh and fish")
	}
	var script string
	switch operands[0] {
	case "bash":
		script = bashCompletion()
	case "zsh":
		script = "#compdef packer\nautoload -Uz bashcompinit && bashcompinit\n" + bashCompletion()
	case "fish":
		script = fishCompletion()
	default:
		return usagef("%q: want one of bash, zsh and fish", operands[0])
	}
	fmt.Fprint(w.stdout, script)
	return nil
}

func verbNames() []string {
	names := []string{"help"}
	for _, v := range verbs() {
		names = append(names, v.name)
	}
	return names
}

func bashCompletion() string {
	var out strings.Builder
	out.WriteString(`_packer() {
  local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]} verb=${COMP_WORDS[1]} words=
  COMPREPLY=()
  if [ "$COMP_CWORD" -eq 1 ] || { [ "$COMP_CWORD" -eq 2 ] && [ "$verb" = help ]; }; then
    words="` + strings.Join(verbNames(), " ") + `"
  elif [ "$before" = -level ] || [ "$before" = --cpu ]; then
    words="v1 v2 v3 v4"
  elif [ "$before" = -levels ]; then
    words="v1 v2 v3 v4 native"
  else
    case "$verb:$word" in
`)
	for _, v := range verbs() {
		if len(flagsOf[v.name]) > 0 {
			fmt.Fprintf(&out, "    %s:-*) words=\"%s\" ;;\n", v.name, strings.Join(flagsOf[v.name], " "))
		}
	}
	out.WriteString(`    completion:*) words="bash zsh fish" ;;
    which:*) words=$(cd /proc 2>/dev/null && echo [0-9]*) ;;
    *) COMPREPLY=($(compgen -f -- "$word")); return ;;
    esac
  fi
  COMPREPLY=($(compgen -W "$words" -- "$word"))
}
complete -o filenames -F _packer packer
`)
	return out.String()
}

func fishCompletion() string {
	var out strings.Builder
	for _, v := range verbs() {
		fmt.Fprintf(&out, "complete -c packer -n __fish_use_subcommand -f -a %s -d '%s'\n", v.name, strings.ReplaceAll(v.summary, "'", "\\'"))
	}
	fmt.Fprintf(&out, "complete -c packer -n __fish_use_subcommand -f -a help -d 'explain a verb'\n")
	for _, v := range verbs() {
		for _, flag := range flagsOf[v.name] {
			kind := "-o"
			if strings.HasPrefix(flag, "--") {
				kind = "-l"
			} else if len(flag) == 2 {
				kind = "-s"
			}
			values := ""
			switch flag {
			case "-level", "--cpu":
				values = " -x -a 'v1 v2 v3 v4'"
			case "-levels":
				values = " -x -a 'v1 v2 v3 v4 native'"
			}
			fmt.Fprintf(&out, "complete -c packer -n '__fish_seen_subcommand_from %s' %s %s%s\n", v.name, kind, strings.TrimLeft(flag, "-"), values)
		}
	}
	out.WriteString("complete -c packer -n '__fish_seen_subcommand_from completion' -f -a 'bash zsh fish'\n")
	return out.String()
}
