"""What a target that cannot be built says: the attribute, the value, and what is accepted."""

load("@rules_go//go:def.bzl", "go_binary", "go_cross_binary", "go_library", "go_test")
load("//:defs.bzl", "go_multiarch_binary")
load(":error_test.bzl", "make_error_test")

_error_test = make_error_test()

_flag_error_test = make_error_test({str(Label("//:platforms")): ["//my:platform"]})
_levels_flag_error_test = make_error_test({str(Label("//settings:levels")): ["v3", "native"]})

_elsewhere_error_test = make_error_test({
    "//command_line_option:platforms": [Label("@rules_go//go/toolchain:linux_arm64")],
})

def _script_impl(ctx):
    script = ctx.actions.declare_file(ctx.label.name + ".sh")
    ctx.actions.write(script, "#!/bin/sh\n", is_executable = True)
    return [DefaultInfo(executable = script)]

script = rule(
    implementation = _script_impl,
    doc = "Something that can be run and is no Go program.",
    executable = True,
)

def _test(name, message, test = _error_test, target = ":program", goamd64 = ["v1"], **kwargs):
    """Tests a go_multiarch_binary with the attributes given."""
    go_multiarch_binary(
        name = name,
        goamd64 = goamd64,
        tags = ["manual"],
        target = target,
        **kwargs
    )
    test(
        name = name + "_test",
        message = message,
        target_under_test = name,
    )

def errors_test_suite(name):
    """Tests of targets that fail in analysis.

    Args:
      name: Prefix of the names of tests and targets.
    """
    _test(
        name + "_unknown_level",
        'goamd64: unknown level "v5", want some of v1, v2, v3, v4',
        goamd64 = ["v1", "v5"],
    )
    _test(
        name + "_duplicate_level",
        'goamd64: level "v3" stands there twice, want each at most once',
        goamd64 = ["v3", "v3"],
    )
    _test(
        name + "_no_level",
        "goamd64: empty list, want at least one of v1, v2, v3, v4",
        goamd64 = [],
    )
    _test(
        name + "_flag",
        '--@rules_go_multiarch//:platforms: "//my:platform", want PLATFORM=BASE',
        test = _flag_error_test,
    )
    _test(
        name + "_levels_flag",
        '--@rules_go_multiarch//settings:levels: unknown level "native", want some of v1, v2, v3, v4',
        test = _levels_flag_error_test,
    )

    native.platform(
        name = name + "_wrong_v1",
        parents = [":ours_levels_v2"],
    )
    _test(
        name + "_platforms",
        "platforms: //tests/analysis:program is built for v2 where v1 was asked for, want a go_multiarch_platforms",
        goamd64 = ["v1"],
        platforms = name + "_wrong",
    )

    script(
        name = name + "_script",
        tags = ["manual"],
    )
    go_library(
        name = name + "_library",
        srcs = ["main.go"],
        importpath = "library",
        tags = ["manual"],
    )
    go_test(
        name = name + "_go_test",
        srcs = ["main.go"],
        tags = ["manual"],
    )
    go_cross_binary(
        name = name + "_go_cross_binary",
        platform = "@rules_go//go/toolchain:linux_amd64",
        tags = ["manual"],
        target = ":program",
    )
    for kind, target in {
        "file": "main.go",
        "generated_file": "generated.txt",
        "misspelt": "programm",
    }.items():
        _test(
            "{}_target_{}".format(name, kind),
            "target: //tests/analysis:{} is a file, or not there at all, want a go_binary".format(target),
            target = target,
        )
    for kind, target in {
        "genrule": "generated",
        "go_cross_binary": name + "_go_cross_binary",
        "go_library": name + "_library",
        "go_test": name + "_go_test",
        "script": name + "_script",
    }.items():
        _test(
            "{}_target_{}".format(name, kind),
            "target: //tests/analysis:{} is a {}, want a go_binary".format(target, kind),
            target = target,
            testonly = kind == "go_test",
        )

    for linkmode in ["c-archive", "c-shared", "plugin"]:
        binary = "{}_{}".format(name, linkmode)
        go_binary(
            name = binary,
            embed = [":program_lib"],
            linkmode = linkmode,
            tags = ["manual"],
        )
        _test(
            binary + "_multi",
            ('target: //tests/analysis:{} is a go_binary of linkmode "{}", ' +
             'want "auto", "normal" or "pie"').format(binary, linkmode),
            target = binary,
        )

    binary = name + "_goos_goarch"
    go_binary(
        name = binary,
        embed = [":program_lib"],
        goarch = "amd64",
        goos = "linux",
        tags = ["manual"],
    )
    _test(
        binary + "_multi",
        ('target: //tests/analysis:{} sets goos = "linux" and goarch = "amd64", with which rules_go builds it for one ' +
         "level only; remove both, or write its attributes into the go_multiarch_binary in place of target").format(binary),
        target = binary,
    )

    # Of what the macro makes nothing is named.
    _test(
        name + "_dropin_linkmode",
        '//tests/analysis:{}_dropin_linkmode is a go_binary of linkmode "c-shared", want "auto", "normal" or "pie"'.format(name),
        embed = [":program_lib"],
        linkmode = "c-shared",
        target = None,
    )
    _test(
        name + "_dropin_platforms",
        "platforms: //tests/analysis:{}_dropin_platforms is built for v2 where v1 was asked for".format(name),
        embed = [":program_lib"],
        platforms = name + "_wrong",
        target = None,
    )

    # The same everywhere, so that a target does not pass where it is not packed.
    _test(
        name + "_level_elsewhere",
        'goamd64: unknown level "v5", want some of v1, v2, v3, v4',
        goamd64 = ["v5"],
        test = _elsewhere_error_test,
    )
    _test(
        name + "_target_elsewhere",
        "target: //tests/analysis:{}_library is a go_library, want a go_binary".format(name),
        target = name + "_library",
        test = _elsewhere_error_test,
    )
