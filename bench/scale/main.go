// Scale writes a repository of many Go packages and programs, and measures what
// Bazel takes to load and analyse the programs packed, plain, and built plainly
// once a level, and how many actions there are then, and would run.
//
//	go run ./bench/scale
//	go run ./bench/scale -packages 200 -programs 20 -runs 1 -build
//
// It needs bazelw, or another Bazel in $BAZEL. Each measurement begins with a
// new Bazel server.
package main

import (
	"flag"
	"fmt"
	"io"
	"log"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"
)

func main() {
	log.SetFlags(0)
	log.SetPrefix("scale: ")
	packages := flag.Int("packages", 2000, "number of Go packages")
	programs := flag.Int("programs", 200, "number of programs")
	runs := flag.Int("runs", 3, "number of measurements, of which the median is shown")
	build := flag.Bool("build", false, "build everything as well, and measure a build with nothing to do; takes half an hour on two cores")
	dir := flag.String("dir", "", "folder for the repository, which stays; by default a temporary one, which does not")
	flag.Parse()
	if err := run(*packages, *programs, *runs, *build, *dir, os.Stdout); err != nil {
		log.Fatal(err)
	}
}

func run(packages, programs, runs int, build bool, dir string, stdout io.Writer) error {
	checkout, err := filepath.Abs(".")
	if err != nil {
		return err
	}
	if _, err := os.Stat("bazelw"); err != nil {
		return fmt.Errorf("looking for the checkout: %w; run this in its top folder", err)
	}
	end := []string{"shutdown"}
	if dir == "" {
		end = []string{"clean", "--expunge"}
		if dir, err = os.MkdirTemp("", "scale"); err != nil {
			return err
		}
		defer os.RemoveAll(dir)
	}
	if err := generate(dir, checkout, packages, programs); err != nil {
		return err
	}
	b := bazel{dir: dir, program: filepath.Join(checkout, "bazelw")}
	if program := os.Getenv("BAZEL"); program != "" {
		b.program = program
	}
	defer b.run(end...)
	// Repositories of modules are made once, and belong to no measurement.
	if _, err := b.run("build", "--nobuild", "//..."); err != nil {
		return err
	}

	table := tabwriter.NewWriter(stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "what\tload + analyse s\tprocessor s\tagain s\tMiB of heap\tconfigured targets\tactions made\tthat run\tprocesses\tno-op build s")
	measured := map[string]metrics{}
	for _, kind := range kinds {
		var samples []metrics
		for range runs {
			sample, err := b.measure("//" + kind + "/...")
			if err != nil {
				return err
			}
			samples = append(samples, sample)
		}
		m := median(samples)
		var err error
		if m.runs, m.processes, err = b.countRuns("//" + kind + "/..."); err != nil {
			return err
		}
		if build {
			if m.noop, err = b.measureNoop("//"+kind+"/...", runs); err != nil {
				return err
			}
		}
		measured[kind] = m
		fmt.Fprintf(table, "%s\t%.1f\t%.1f\t%.2f\t%.0f\t%d\t%d\t%d\t%d\t%s\n", kind, m.seconds, m.processor, m.again, m.heap, m.targets, m.actions, m.runs, m.processes, figure(m.noop))
	}
	printRatio(table, "packed / levels", measured["packed"], measured["levels"], 1)
	printRatio(table, "replaced / levels", measured["replaced"], measured["levels"], 1)
	printRatio(table, "packed / 4 x plain", measured["packed"], measured["plain"], 4)
	return table.Flush()
}

// printRatio compares with so many times what is measured.
func printRatio(out io.Writer, name string, a, b metrics, times float64) {
	ratio := func(a, b int) float64 { return float64(a) / float64(b) / times }
	fmt.Fprintf(out, "%s\t%.2f\t%.2f\t%.2f\t%.2f\t%.3f\t%.3f\t%.3f\t%.3f\t%s\n", name, a.seconds/b.seconds/times, a.processor/b.processor/times, a.again/b.again/times,
		a.heap/b.heap/times, ratio(a.targets, b.targets), ratio(a.actions, b.actions), ratio(a.runs, b.runs), ratio(a.processes, b.processes), figure(a.noop/b.noop/times))
}

// figure is empty for what was not measured.
func figure(x float64) string {
	if !(x > 0) {
		return ""
	}
	return fmt.Sprintf("%.2f", x)
}

func median(samples []metrics) metrics {
	slices.SortFunc(samples, func(a, b metrics) int {
		if a.seconds < b.seconds {
			return -1
		}
		return 1
	})
	return samples[len(samples)/2]
}

// kinds are folders of the repository, each with all programs.
var kinds = []string{"plain", "levels", "packed", "replaced"}

// generate writes the repository. Each package imports up to three before it,
// each program ten of them.
func generate(dir, checkout string, packages, programs int) error {
	files := map[string]string{
		"MODULE.bazel":  fmt.Sprintf(module, checkout),
		".bazelrc":      "common --lockfile_mode=off\nbuild --incompatible_strict_action_env\n",
		"BUILD.bazel":   platforms,
		".bazelversion": "7.7.1\n",
	}
	for i := range packages {
		var imports []int
		for _, distance := range []int{1, 7, 31} {
			if distance <= i%100 { // chains of 100 at most
				imports = append(imports, i-distance)
			}
		}
		files[fmt.Sprintf("lib/p%d/p.go", i)] = source(fmt.Sprintf("p%d", i), imports, "func F() {}")
		files[fmt.Sprintf("lib/p%d/BUILD.bazel", i)] = fmt.Sprintf(library, fmt.Sprintf("p%d", i), "p.go", i, deps(imports))
	}
	for i := range programs {
		var imports []int
		for n := range min(10, packages) {
			imports = append(imports, (i*10+n*packages/10)%packages)
		}
		slices.Sort(imports)
		imports = slices.Compact(imports)
		files[fmt.Sprintf("plain/a%d/main.go", i)] = source("main", imports, "func main() {}")
		files[fmt.Sprintf("plain/a%d/BUILD.bazel", i)] = fmt.Sprintf(plain, deps(imports))
		files[fmt.Sprintf("levels/a%d/BUILD.bazel", i)] = fmt.Sprintf(levels, i)
		files[fmt.Sprintf("packed/a%d/BUILD.bazel", i)] = fmt.Sprintf(packed, i)
		files[fmt.Sprintf("replaced/a%d/main.go", i)] = source("main", imports, "func main() {}")
		files[fmt.Sprintf("replaced/a%d/BUILD.bazel", i)] = fmt.Sprintf(replaced, deps(imports))
	}
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			return err
		}
		if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
			return err
		}
	}
	return nil
}

func source(name string, imports []int, code string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "package %s\n\n", name)
	for _, i := range imports {
		fmt.Fprintf(&b, "import _ \"example.com/lib/p%d\"\n", i)
	}
	return b.String() + "\n" + code + "\n"
}

func deps(imports []int) string {
	var labels []string
	for _, i := range imports {
		labels = append(labels, fmt.Sprintf("\"//lib/p%d\"", i))
	}
	return "[" + strings.Join(labels, ", ") + "]"
}

const (
	module = `module(name = "scale")
bazel_dep(name = "platforms", version = "0.0.11")
bazel_dep(name = "rules_go", version = "0.65.0")
bazel_dep(name = "rules_go_multiarch")
local_path_override(module_name = "rules_go_multiarch", path = %q)
go_sdk = use_extension("@rules_go//go:extensions.bzl", "go_sdk")
go_sdk.host()
`
	platforms = `[platform(
    name = level,
    constraint_values = ["@platforms//os:linux", "@platforms//cpu:x86_64", "@rules_go//go/constraints/amd64:" + level],
    visibility = ["//visibility:public"],
) for level in ["v1", "v2", "v3", "v4"]]
`
	library = `load("@rules_go//go:def.bzl", "go_library")
go_library(name = %q, srcs = [%q], importpath = "example.com/lib/p%d", visibility = ["//visibility:public"], deps = %s)
`
	plain = `load("@rules_go//go:def.bzl", "go_binary")
go_binary(name = "app", srcs = ["main.go"], visibility = ["//visibility:public"], deps = %s)
`
	levels = `load("@rules_go//go:def.bzl", "go_cross_binary")
[go_cross_binary(name = level, platform = "//:" + level, target = "//plain/a%d:app") for level in ["v1", "v2", "v3", "v4"]]
`
	packed = `load("@rules_go_multiarch//:defs.bzl", "go_multiarch_binary")
go_multiarch_binary(name = "app", target = "//plain/a%d:app")
`
	replaced = `load("@rules_go_multiarch//:defs.bzl", "go_multiarch_binary")
go_multiarch_binary(name = "app", srcs = ["main.go"], deps = %s)
`
)
