"""go_multiarch_bench: a test that fails when a level stops paying."""

load("@bazel_skylib//lib:shell.bzl", "shell")
load("@bazel_skylib//rules:common_settings.bzl", "BuildSettingInfo")
load(":attributes.bzl", "CGO", "LINUX_X86_64")
load(":go_test.bzl", "check_go_test")
load(":labels.bzl", "spell")
load(":levels.bzl", "LEVELS", "check_levels")
load(":macro.bzl", "check_platforms")
load(":mapping.bzl", "check_mapping", "check_target_platform")
load(":providers.bzl", "GoMultiarchInfo")
load(":transition.bzl", "bench_split")

visibility("//")

# For a binary of which the flag //settings:levels leaves one level.
_NOTHING = """#!/usr/bin/env bash
echo 'Only one level is built, so there is nothing to compare.'
"""

# Paths are relative to where Bazel starts tests.
_SCRIPT = """#!/usr/bin/env bash
# rules_go's tests would start themselves once more to write XML.
unset XML_OUTPUT_FILE
picture=()
# Bazel fails tests whose outputs it cannot put into outputs.zip.
[[ -z ${{TEST_UNDECLARED_OUTPUTS_DIR:-}} ]] || ! command -v zip >/dev/null || picture=(--picture "$TEST_UNDECLARED_OUTPUTS_DIR/levels.svg")
exec {packer} bench -check {flags} "${{picture[@]}}" {files} -- "$@"
"""

def _problem(ctx):
    """Returns what is wrong with the attributes, or None."""
    problem = check_levels(ctx.attr.goamd64) or check_mapping(ctx.attr._mapping[BuildSettingInfo].value)
    if problem:
        return problem
    if bool(ctx.attr.binary) == bool(ctx.attr.test):
        return "binary and test: {} of them set, want one".format("both" if ctx.attr.binary else "none")
    if ctx.attr.binary:
        packed = ctx.attr.binary[GoMultiarchInfo].variants
        return None if packed else "binary: {} is not packed on this platform".format(spell(ctx.attr.binary.label))
    for level, target in ctx.split_attr.test.items():
        problem = check_go_test("test", target, level)
        if problem:
            return problem
    return check_target_platform(
        ctx.attr._mapping[BuildSettingInfo].value,
        ctx.fragments.platform.platform,
        ctx.attr.platforms,
    )

def _go_multiarch_bench_impl(ctx):
    problem = _problem(ctx)
    if problem:
        fail(problem)

    flags = ["--min-gain", ctx.attr.min_gain, "--rounds", str(ctx.attr.rounds), "--max-rounds", str(ctx.attr.max_rounds)]
    if ctx.attr.binary:
        variants = ctx.attr.binary[GoMultiarchInfo].variants
        first = ctx.attr.binary
    else:
        tests = ctx.split_attr.test
        variants = {level: tests[level][DefaultInfo].files_to_run.executable for level in LEVELS if level in tests}
        first = tests[variants.keys()[0]]
        flags.extend(["-bench", ctx.attr.bench])

    script = ctx.actions.declare_file(ctx.label.name)
    ctx.actions.write(
        script,
        _NOTHING if len(variants) == 1 and ctx.attr._levels[BuildSettingInfo].value else _SCRIPT.format(
            packer = shell.quote(ctx.executable._packer.short_path),
            flags = shell.array_literal(flags)[1:-1],
            files = " ".join([shell.quote("{}={}".format(level, file.short_path)) for level, file in variants.items()]),
        ),
        is_executable = True,
    )
    runfiles = ctx.runfiles(variants.values() + [ctx.executable._packer] + ctx.files.data)
    return [
        DefaultInfo(
            executable = script,
            runfiles = runfiles.merge(first[DefaultInfo].default_runfiles),
        ),
    ] + ([first[RunEnvironmentInfo]] if RunEnvironmentInfo in first else [])

_go_multiarch_bench_test = rule(
    implementation = _go_multiarch_bench_impl,
    doc = "Compares the levels of a program. See the macro go_multiarch_bench.",
    fragments = ["platform"],
    test = True,
    attrs = {
        "bench": attr.string(
            default = ".",
            doc = "Regular expression of the benchmarks of `test` that count.",
        ),
        "binary": attr.label(
            providers = [GoMultiarchInfo],
            doc = "A go_multiarch_binary, of which the time from start to exit is compared.",
        ),
        "cgo": attr.string(
            doc = "As of go_multiarch_test.",
            values = ["", "cgo_off_", "cgo_on_"],
        ),
        "data": attr.label_list(
            allow_files = True,
            doc = "Files that the arguments name.",
        ),
        "goamd64": attr.string_list(
            default = LEVELS,
            doc = "Levels of `test` to compare.",
        ),
        "max_rounds": attr.int(
            default = 100,
            doc = "How often every level is started at most, while a verdict is open.",
        ),
        "min_gain": attr.string(
            default = "2%",
            doc = "What a level has to gain over the lowest one, as a percentage.",
        ),
        "packed": attr.bool(
            default = True,
            doc = "Not for users: the transition's.",
        ),
        "platforms": attr.string(
            doc = "Canonical label of a go_multiarch_platforms; its platforms are used in place of rules_go_multiarch's own.",
        ),
        "rounds": attr.int(
            default = 20,
            doc = "How often every level is started at least.",
        ),
        "test": attr.label(
            cfg = bench_split,
            doc = "A go_test, of which the benchmarks are compared.",
        ),
        "_allowlist_function_transition": attr.label(
            default = "@bazel_tools//tools/allowlists/function_transition_allowlist",
        ),
        "_levels": attr.label(default = "//settings:levels"),
        "_mapping": attr.label(default = "//:platforms"),
        "_packer": attr.label(
            default = "//tools/packer",
            cfg = "exec",
            executable = True,
        ),
    },
)

def go_multiarch_bench(name, platforms = None, tags = [], target_compatible_with = [], **kwargs):
    """Measures whether the levels of a program pay, and fails when one does not.

    ```starlark
    load("@rules_go_multiarch//:defs.bzl", "go_multiarch_bench")

    go_multiarch_bench(
        name = "app_pays_test",
        args = ["--filter", "needle", "$(rootpath haystack.txt)"],
        binary = ":app_multi",
        data = ["haystack.txt"],
        min_gain = "5%",
        tags = ["manual"],
    )

    go_multiarch_bench(
        name = "kernels_pay_test",
        bench = "Dot|Sum",
        test = ":kernels_test",
    )
    ```

    `bazel test` fails when a level is a sure loss against `min_gain`. A level that
    the CPU cannot run is not judged, nor one that noise hides. The log has the
    figures, and `levels.svg` in outputs.zip is a picture of them. `packer help
    bench` says how they come about.

    Args:
      name: A unique name for this target.
      platforms: As of `go_multiarch_test`, for the levels of `test`.
      tags: As on every test; `exclusive` is added, as other actions would disturb.
      target_compatible_with: As on every rule; Linux and x86_64 are added.
      **kwargs: Either `binary`, a `go_multiarch_binary`, or `test`, a `go_test`
        with, if not all of its benchmarks count, `bench`, a regular expression, and
        `goamd64`, a list of levels; `args`, `data`, `min_gain`, `rounds`,
        `max_rounds`, and what else every test has.
    """
    wrong = check_platforms(platforms)
    if wrong:
        fail("go_multiarch_bench(name = \"{}\"): {}".format(name, wrong))
    _go_multiarch_bench_test(
        name = name,
        cgo = CGO,
        platforms = str(native.package_relative_label(platforms)) if platforms else None,
        tags = tags + ["exclusive"],
        target_compatible_with = target_compatible_with + LINUX_X86_64,
        **kwargs
    )
