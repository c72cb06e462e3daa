package main

import (
	"fmt"
	"path/filepath"
	"regexp"
	"strings"

	"rules_go_multiarch/launcher/format"
)

// messagesPage lists the messages of packed files, of the rules, of the packer, of
// what runs a test at a level, and of bazelw.
func messagesPage(root string) (string, error) {
	rules, err := ruleMessages(filepath.Join(root, "private"))
	if err != nil {
		return "", err
	}
	packer, err := goMessages(root, "./tools/packer")
	if err != nil {
		return "", err
	}
	testlevel, err := goMessages(root, "./tools/testlevel")
	if err != nil {
		return "", err
	}
	bazelw, err := shellMessages(filepath.Join(root, "bazelw"), filepath.Join(root, "tools/bazel"))
	if err != nil {
		return "", err
	}
	var out strings.Builder
	out.WriteString("# Messages\n\n" + generated + `
Every message, with … in the place of what differs; [troubleshooting.md](troubleshooting.md) says what to do about those that
people meet. Messages combine: what was being done, colon, what went wrong.

Left out are messages of a single word and what differs, such as ` + "`interrupted`" + `; what packer prints when all is well; and what comes
from elsewhere: the go command, Bazel and rules_go, the kernel, and the libraries that packer is linked with. Some lines are but
parts of messages, or reasons for what went well.
`)
	section := func(title string, messages []string) {
		fmt.Fprintf(&out, "\n## %s\n\n```\n%s\n```\n", title, strings.Join(messages, "\n"))
	}
	section("Packed files, as they start", launcherMessages())
	section("Bazel rules", rules)
	section("packer", packer)
	section("Tests at a level", testlevel)
	section("bazelw", bazelw)
	return out.String(), nil
}

var launcherVerb = regexp.MustCompile(`%[a-z]`)

func launcherMessages() []string {
	var messages []string
	for _, text := range format.MessageText("…") {
		messages = append(messages, strings.TrimSpace(launcherVerb.ReplaceAllString(text, "…")))
	}
	return append(messages, "…"+format.DamagedText)
}

var letter = regexp.MustCompile(`[A-Za-z]`)

// isMessage leaves out single words, and what only joins other texts.
func isMessage(text string) bool {
	text = goVerb.ReplaceAllString(hole.ReplaceAllString(text, ""), "")
	return len(strings.Fields(text)) > 1 && letter.MatchString(text)
}
