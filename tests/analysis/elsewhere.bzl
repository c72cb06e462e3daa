"""Target platforms other than Linux on x86_64, where nothing is packed."""

load("@bazel_skylib//lib:unittest.bzl", "analysistest", "asserts")
load("//:defs.bzl", "GoMultiarchInfo")

def _elsewhere_test_impl(ctx):
    env = analysistest.begin(ctx)
    target = analysistest.target_under_test(env)
    info = target[GoMultiarchInfo]
    executable = "tests/analysis/program_multi" + ctx.attr.extension
    plain = "tests/analysis/program_/program" + ctx.attr.extension

    asserts.equals(env, executable, info.executable.short_path)
    asserts.equals(env, None, info.manifest)
    asserts.equals(env, {}, info.variants)

    asserts.equals(env, info.executable, target[DefaultInfo].files_to_run.executable)
    asserts.equals(env, [info.executable], target[DefaultInfo].files.to_list())
    runfiles = sorted([file.short_path for file in target[DefaultInfo].default_runfiles.files.to_list()])
    asserts.equals(env, sorted(["tests/analysis/data.txt", "tests/analysis/generated.txt", executable, plain]), runfiles)
    asserts.true(env, "DATA" in target[RunEnvironmentInfo].environment)

    # The executable is a link to the one that go_binary builds on this platform.
    actions = {action.mnemonic: action for action in analysistest.target_actions(env)}
    asserts.false(env, "GoMultiarchPack" in actions, "nothing is packed")
    asserts.equals(env, [plain], [file.short_path for file in actions["ExecutableSymlink"].inputs.to_list()])
    asserts.equals(env, [info.executable], actions["ExecutableSymlink"].outputs.to_list())
    return analysistest.end(env)

def _make(platform):
    return analysistest.make(
        _elsewhere_test_impl,
        attrs = {"extension": attr.string()},
        config_settings = {"//command_line_option:platforms": [Label("@rules_go//go/toolchain:" + platform)]},
    )

_linux_arm64_test = _make("linux_arm64")
_darwin_arm64_test = _make("darwin_arm64")
_windows_amd64_test = _make("windows_amd64")

def elsewhere_test_suite(name):
    """Tests of //tests/analysis:program_multi on other platforms.

    Args:
      name: Prefix of the tests' names.
    """
    _linux_arm64_test(
        name = name + "_linux_arm64_test",
        target_under_test = ":program_multi",
    )
    _darwin_arm64_test(
        name = name + "_darwin_arm64_test",
        target_under_test = ":program_multi",
    )
    _windows_amd64_test(
        name = name + "_windows_amd64_test",
        extension = ".exe",
        target_under_test = ":program_multi",
    )
