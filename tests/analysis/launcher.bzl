"""The launcher is one file, whatever flags the program is built with."""

load("@bazel_skylib//lib:unittest.bzl", "analysistest", "asserts")
load("//internal/testenv:testenv.bzl", "PACKED_COMPATIBLE_WITH")

_LauncherInfo = provider(
    doc = "The launcher that a target packs.",
    fields = {"path": "string: path of the file, which names its configuration."},
)

def _launcher_impl(target, _ctx):
    pack = [action.argv for action in target.actions if action.mnemonic == "GoMultiarchPack"][0]
    return [_LauncherInfo(path = pack[pack.index("-launcher") + 1])]

_launcher = aspect(
    implementation = _launcher_impl,
    doc = "Finds the launcher that a go_multiarch_binary packs.",
)

# Bazel marks the configuration of a test whose settings change anything; two can
# be compared when both are marked.
_HARMLESS = {str(Label("//:platforms")): ["//no:such=//one:there"]}

def _same_launcher_test_impl(ctx):
    env = analysistest.begin(ctx)
    asserts.equals(
        env,
        ctx.attr.without_flags[0][_LauncherInfo].path,
        analysistest.target_under_test(env)[_LauncherInfo].path,
    )
    return analysistest.end(env)

def _make(flags):
    return analysistest.make(
        _same_launcher_test_impl,
        attrs = {
            "without_flags": attr.label(
                aspects = [_launcher],
                cfg = analysis_test_transition(settings = _HARMLESS),
            ),
        },
        config_settings = _HARMLESS | {
            flag if flag.startswith("//command_line_option:") else str(Label("@rules_go//go/config:" + flag)): value
            for flag, value in flags.items()
        },
        extra_target_under_test_aspects = [_launcher],
    )

_cgo_flags_test = _make({
    "//command_line_option:collect_code_coverage": True,
    "//command_line_option:platforms": [Label(":theirs")],
    "//command_line_option:stamp": True,
    "debug": True,
    "gc_goopts": ["-l"],
    "gc_linkopts": ["-X=main.flag=set"],
    "linkmode": "pie",
    "race": True,
    "tags": ["tag"],
})

_pure_flags_test = _make({
    "pgoprofile": Label(":data.txt"),
    "pure": True,
    "static": True,
})

_msan_flag_test = _make({"msan": True})

def _optimised_test_impl(ctx):
    env = analysistest.begin(ctx)
    configuration = analysistest.target_under_test(env)[_LauncherInfo].path.split("/")[1]
    asserts.true(env, "-opt" in configuration, "the launcher is built in " + configuration)
    return analysistest.end(env)

_optimised_test = analysistest.make(
    _optimised_test_impl,
    config_settings = {"//command_line_option:compilation_mode": "dbg"},
    extra_target_under_test_aspects = [_launcher],
)

def launcher_test_suite(name):
    """Tests of the launcher in //tests/analysis:two_levels.

    Args:
      name: Prefix of the tests' names.
    """
    for kind, test in {"cgo_flags": _cgo_flags_test, "msan_flag": _msan_flag_test, "pure_flags": _pure_flags_test}.items():
        test(
            name = "{}_{}_test".format(name, kind),
            target_compatible_with = PACKED_COMPATIBLE_WITH,
            target_under_test = ":two_levels",
            without_flags = ":two_levels",
        )
    _optimised_test(
        name = name + "_dbg_test",
        target_compatible_with = PACKED_COMPATIBLE_WITH,
        target_under_test = ":two_levels",
    )
