package slots_test

import (
	"fmt"
	"maps"
	"os"
	"regexp"
	"testing"

	"rules_go_multiarch/internal/goamd64"
	"rules_go_multiarch/internal/slots"
)

// TestSameAsBazel keeps the address plan of the Bazel rules and this one the
// same: the packer would have to move what the rules link elsewhere.
func TestSameAsBazel(t *testing.T) {
	text, err := os.ReadFile("../../private/slots.bzl")
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{"_TEXT_OFFSET": fmt.Sprintf("%#x", slots.TextOffset)}
	for level := goamd64.Min + 1; level <= goamd64.Max; level++ {
		want[level.String()] = fmt.Sprintf("%#x", slots.Of(level).Base)
	}
	got := map[string]string{}
	for _, number := range regexp.MustCompile(`"?(\w+)"?(?: =|:) (0x\w+)`).FindAllStringSubmatch(string(text), -1) {
		got[number[1]] = number[2]
	}
	if !maps.Equal(got, want) {
		t.Errorf("private/slots.bzl has %v, internal/slots has %v", got, want)
	}
}
