package main

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"
)

// TestReadme wants the figures of the README and of the comparison to be those
// that are kept, and the README's command to be one that measures them.
func TestReadme(t *testing.T) {
	text, err := os.ReadFile("results/results.json")
	if err != nil {
		t.Fatal(err)
	}
	var all Results
	if err := json.Unmarshal(text, &all); err != nil {
		t.Fatal(err)
	}
	row := func(figure, name string) Row {
		for _, f := range all.Figures {
			for _, r := range f.Rows {
				if f.Name == figure && r.Name == name {
					return r
				}
			}
		}
		t.Fatalf("results.json has no %s in %s", name, figure)
		return Row{}
	}
	readme, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"\n```sh\ngo run ./bench -only startup,memory\n```\n"}
	for figure, name := range map[string]string{"small": "2.5 MB", "15mb": "15 MB", "60mb": "60 MB"} {
		start, size := "startup-"+figure, "size-"+figure
		want = append(want, fmt.Sprintf("\n| %s | %.0f µs | %.2f × | %.1f × | %.1f × |\n", name,
			row(start, "plain v4").Value, row(start, "packed").Ratio, row(start, "memfd").Ratio, row(size, "packed").Ratio))
	}
	const memory = "memory-8"
	want = append(want,
		fmt.Sprintf("\n| memory of 8 processes, 60 MB | %.1f MiB each | %.2f × | %.1f × | |\n",
			row(memory, "plain v4").Value, row(memory, "packed").Ratio, row(memory, "memfd").Ratio),
		fmt.Sprintf("\nprogram pays %.0f µs. Of these, %.0f are the launcher's three CPUID instructions, which trap to the hypervisor.",
			row("startup-small", "packed").Value-row("startup-small", "plain v4").Value, row("startup-small", cpuidRow).Value))
	for _, s := range want {
		if !strings.Contains(string(readme), s) {
			t.Errorf("README.md has no %q", s)
		}
	}
	comparison, err := os.ReadFile("../docs/comparison.md")
	if err != nil {
		t.Fatal(err)
	}
	memfd := fmt.Sprintf(" %.1f × the plain start of 2.5 MB in our baseline, %.1f × that of 60 MB ", row("startup-small", "memfd").Ratio, row("startup-60mb", "memfd").Ratio)
	if !strings.Contains(string(comparison), memfd) {
		t.Errorf("docs/comparison.md has no %q", memfd)
	}
}
