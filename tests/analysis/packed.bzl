"""What a target that packs provides, and the action that does it."""

load("@bazel_skylib//lib:unittest.bzl", "analysistest", "asserts")
load("//:defs.bzl", "GoMultiarchInfo", "go_multiarch_binary")
load("//internal/testenv:testenv.bzl", "PACKED_COMPATIBLE_WITH")

def _paths(files):
    return sorted([file.short_path for file in files])

def _pack_action(env):
    packs = [action for action in analysistest.target_actions(env) if action.mnemonic == "GoMultiarchPack"]
    asserts.equals(env, 1, len(packs), "number of actions that pack")
    return packs[0]

def _providers_test_impl(ctx):
    env = analysistest.begin(ctx)
    target = analysistest.target_under_test(env)
    info = target[GoMultiarchInfo]
    packed = "tests/analysis/program_multi"

    asserts.equals(env, packed, info.executable.short_path)
    asserts.equals(env, packed + ".manifest.json", info.manifest.short_path)
    asserts.equals(env, ["v1", "v2", "v3", "v4"], info.variants.keys())
    for level, variant in info.variants.items():
        asserts.equals(env, "tests/analysis/program_/{}/program".format(level), variant.short_path)
        asserts.equals(env, [variant], target[OutputGroupInfo][level].to_list(), "output group " + level)
    asserts.equals(env, [info.manifest], target[OutputGroupInfo].manifest.to_list(), "output group manifest")
    asserts.equals(
        env,
        [packed + "." + level + ".debug" for level in info.variants],
        _paths(target[OutputGroupInfo].debug.to_list()),
        "output group debug",
    )

    asserts.equals(env, [info.executable], target[DefaultInfo].files.to_list())
    asserts.equals(env, info.executable, target[DefaultInfo].files_to_run.executable)

    # Each data file is there for one level, and no plain executable.
    for runfiles in [target[DefaultInfo].default_runfiles, target[DefaultInfo].data_runfiles]:
        asserts.equals(
            env,
            ["tests/analysis/data.txt", "tests/analysis/generated.txt", packed],
            _paths(runfiles.files.to_list()),
            "runfiles",
        )

    asserts.equals(
        env,
        {"DATA": ctx.workspace_name + "/tests/analysis/data.txt"},
        target[RunEnvironmentInfo].environment,
    )
    asserts.true(env, InstrumentedFilesInfo in target, "InstrumentedFilesInfo is forwarded")
    return analysistest.end(env)

_providers_test = analysistest.make(_providers_test_impl)

def _is_runfiles(file):
    """Tells whether a file stands for the packer's runfiles, whichever way Bazel does it."""
    return "runfiles" in file.basename

def _action_test_impl(ctx):
    env = analysistest.begin(ctx)
    target = analysistest.target_under_test(env)
    info = target[GoMultiarchInfo]
    action = _pack_action(env)
    inputs = action.inputs.to_list()
    short_path = {file.path: file.short_path for file in inputs}
    packer, launcher = action.argv[0], action.argv[action.argv.index("-launcher") + 1]
    asserts.true(env, short_path[packer].startswith("tools/packer/"), packer)
    asserts.true(env, short_path[launcher].startswith("launcher/"), launcher)

    # A file that is not needed would start the action again for nothing.
    asserts.equals(
        env,
        sorted([variant.path for variant in info.variants.values()] + [launcher, packer]),
        sorted([file.path for file in inputs if not _is_runfiles(file)]),
        "inputs",
    )
    for file in inputs:
        if _is_runfiles(file):
            asserts.true(env, "packer" in file.path, "runfiles of the packer alone, not " + file.path)
    asserts.equals(env, _paths([info.executable, info.manifest]), _paths(action.outputs.to_list()), "outputs")
    asserts.equals(env, {}, action.env)

    asserts.equals(env, [
        packer,
        "create",
        "-launcher",
        launcher,
        "-manifest",
        info.manifest.path,
        "-o",
        info.executable.path,
        "-debuglink",
        info.executable.basename + ".debug",
        "-strip",
        "none",
    ] + [
        argument
        for level, variant in info.variants.items()
        for argument in ["-variant", level + "=" + variant.path]
    ], action.argv)
    for argument in action.argv:
        asserts.false(env, argument.startswith("/") or "=/" in argument, "absolute path in " + argument)
    return analysistest.end(env)

_action_test = analysistest.make(_action_test_impl)

def _levels_test_impl(ctx):
    env = analysistest.begin(ctx)
    target = analysistest.target_under_test(env)
    info = target[GoMultiarchInfo]
    asserts.equals(env, ["v2", "v3"], info.variants.keys())
    for level in ["v1", "v4"]:
        asserts.false(env, hasattr(target[OutputGroupInfo], level), "there is an output group " + level)
    asserts.equals(
        env,
        _paths(info.variants.values()),
        _paths([file for file in _pack_action(env).inputs.to_list() if file.short_path.startswith("tests/analysis/")]),
    )

    # A variant is the same file in every executable that has it, so that it is linked once.
    for level, variant in info.variants.items():
        asserts.equals(env, ctx.attr.four_levels[GoMultiarchInfo].variants[level].path, variant.path)
    return analysistest.end(env)

_levels_test = analysistest.make(
    _levels_test_impl,
    attrs = {"four_levels": attr.label(providers = [GoMultiarchInfo])},
)

def _levels_flag_test_impl(ctx):
    env = analysistest.begin(ctx)
    target = analysistest.target_under_test(env)
    asserts.equals(env, ["v2", "v3"], target[GoMultiarchInfo].variants.keys())
    for level in ["v1", "v4"]:
        asserts.false(env, hasattr(target[OutputGroupInfo], level), "there is an output group " + level)
    return analysistest.end(env)

_levels_flag_test = analysistest.make(
    _levels_flag_test_impl,
    config_settings = {str(Label("//settings:levels")): ["v3", "v2"]},
)

def _options_test_impl(ctx):
    env = analysistest.begin(ctx)
    action = _pack_action(env)
    info = analysistest.target_under_test(env)[GoMultiarchInfo]
    asserts.true(env, "-no-environment" in action.argv)
    asserts.true(env, "-force" in action.argv)
    asserts.equals(env, "tests/analysis/folder/renamed", info.executable.short_path)
    asserts.equals(env, "tests/analysis/packed_options.manifest.json", info.manifest.short_path)
    return analysistest.end(env)

_options_test = analysistest.make(_options_test_impl)

def _isolate_test_impl(ctx):
    env = analysistest.begin(ctx)
    asserts.equals(env, ctx.attr.isolated, "-isolate" in _pack_action(env).argv)
    return analysistest.end(env)

def _make_isolate_test(mode):
    return analysistest.make(
        _isolate_test_impl,
        attrs = {"isolated": attr.bool()},
        config_settings = {"//command_line_option:compilation_mode": mode},
    )

_isolate_dbg_test = _make_isolate_test("dbg")
_isolate_opt_test = _make_isolate_test("opt")

def packed_test_suite(name):
    """Tests of //tests/analysis:program_multi and of variations on it.

    Args:
      name: Prefix of the tests' names.
    """
    _providers_test(
        name = name + "_providers_test",
        target_compatible_with = PACKED_COMPATIBLE_WITH,
        target_under_test = ":program_multi",
    )
    _action_test(
        name = name + "_action_test",
        target_compatible_with = PACKED_COMPATIBLE_WITH,
        target_under_test = ":program_multi",
    )
    _levels_test(
        name = name + "_levels_test",
        four_levels = ":program_multi",
        target_compatible_with = PACKED_COMPATIBLE_WITH,
        target_under_test = ":two_levels",
    )

    _levels_flag_test(
        name = name + "_levels_flag_test",
        target_compatible_with = PACKED_COMPATIBLE_WITH,
        target_under_test = ":program_multi",
    )

    go_multiarch_binary(
        name = name + "_options",
        env_override = False,
        force = True,
        out = "folder/renamed",
        tags = ["manual"],
        target = ":program",
    )
    _options_test(
        name = name + "_options_test",
        target_compatible_with = PACKED_COMPATIBLE_WITH,
        target_under_test = name + "_options",
    )

    for isolate, in_dbg, in_opt in [("auto", True, False), ("on", True, True), ("off", False, False)]:
        packed = "{}_isolate_{}".format(name, isolate)
        go_multiarch_binary(
            name = packed,
            isolate = isolate,
            tags = ["manual"],
            target = ":program",
        )
        for mode, test, isolated in [("dbg", _isolate_dbg_test, in_dbg), ("opt", _isolate_opt_test, in_opt)]:
            test(
                name = "{}_{}_test".format(packed, mode),
                isolated = isolated,
                target_compatible_with = PACKED_COMPATIBLE_WITH,
                target_under_test = packed,
            )

    # An alias stands for what it names.
    native.alias(
        name = name + "_alias",
        actual = ":program",
    )
    go_multiarch_binary(
        name = name + "_through_alias",
        goamd64 = ["v2", "v3"],
        tags = ["manual"],
        target = name + "_alias",
    )
    _levels_test(
        name = name + "_alias_test",
        four_levels = ":program_multi",
        target_compatible_with = PACKED_COMPATIBLE_WITH,
        target_under_test = name + "_through_alias",
    )
