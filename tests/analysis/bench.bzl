"""What a go_multiarch_bench that cannot be built says."""

load("@rules_go//go:def.bzl", "go_test")
load("//:defs.bzl", "GoMultiarchInfo", "go_multiarch_bench")
load(":error_test.bzl", "make_error_test")

_error_test = make_error_test()

def _unpacked_impl(_ctx):
    return [GoMultiarchInfo(executable = None, manifest = None, variants = {})]

unpacked = rule(
    implementation = _unpacked_impl,
    doc = "A stand-in for a rule that builds a go_multiarch_binary for a platform where it is not packed.",
)

def _test(name, message, **kwargs):
    """Tests a go_multiarch_bench with the attributes given."""
    go_multiarch_bench(
        name = name,
        tags = ["manual"],
        **kwargs
    )
    _error_test(
        name = name + "_test",
        message = message,
        target_under_test = name,
    )

def bench_test_suite(name):
    """Tests of go_multiarch_bench targets that fail in analysis.

    Args:
      name: Prefix of the names of tests and targets.
    """
    _test(
        name + "_none",
        "binary and test: none of them set, want one",
    )
    _test(
        name + "_both",
        "binary and test: both of them set, want one",
        binary = ":program_multi",
        test = ":program_test",
    )
    for kind, levels, message in [
        ("unknown", ["v1", "v5"], 'goamd64: unknown level "v5", want some of v1, v2, v3, v4'),
        ("duplicate", ["v3", "v3"], 'goamd64: level "v3" stands there twice, want each at most once'),
        ("no", [], "goamd64: empty list, want at least one of v1, v2, v3, v4"),
    ]:
        _test(
            "{}_{}_level".format(name, kind),
            message,
            goamd64 = levels,
            test = ":program_test",
        )

    unpacked(
        name = name + "_unpacked",
        tags = ["manual"],
    )
    _test(
        name + "_not_packed",
        "binary: //tests/analysis:{}_unpacked is not packed on this platform".format(name),
        binary = name + "_unpacked",
    )

    go_test(
        name = name + "_arm64",
        srcs = ["main.go"],
        goarch = "arm64",
        goos = "linux",
        tags = ["manual"],
    )
    native.platform(
        name = name + "_wrong_v3",
        parents = [":ours_levels_v2"],
    )
    for kind, message, attributes in [
        ("binary", "test: //tests/analysis:program is not a go_test, want a go_test", {"test": ":program"}),
        ("arm64", "_arm64 is built for linux/arm64, want a go_test that sets neither goos nor goarch", {"test": name + "_arm64"}),
        # A label of this package: Bazel would take it for one of the rules' own.
        ("platforms", "platforms: //tests/analysis:program_test is built for v2 where v3 was asked for", {"platforms": name + "_wrong", "test": ":program_test"}),
    ]:
        _test(
            "{}_{}_as_test".format(name, kind),
            message,
            goamd64 = ["v3"],
            **attributes
        )
