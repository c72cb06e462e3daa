"""The rule behind the macro go_multiarch_test: a go_test, run at one level."""

load("@bazel_skylib//rules:common_settings.bzl", "BuildSettingInfo")
load(":go_test.bzl", "check_go_test")
load(":labels.bzl", "spell")
load(":levels.bzl", "LEVELS")
load(":mapping.bzl", "check_mapping", "check_target_platform")
load(":qemu.bzl", "TOOLCHAIN_TYPE")
load(":transition.bzl", "launcher_transition", "level_transition")

visibility("//private")

EMULATE = ["auto", "always", "never"]

def _go_multiarch_test_impl(ctx):
    target = ctx.attr.target[0]
    mapping = ctx.attr._mapping[BuildSettingInfo].value
    problem = check_mapping(mapping) or check_go_test("target", target, ctx.attr.level) or \
              check_target_platform(mapping, ctx.fragments.platform.platform, ctx.attr.platforms)
    if problem:
        fail(problem)

    # Beside the executable, so that it finds them wherever it is started from.
    folder = ctx.label.name + ".level/"
    original = target[DefaultInfo].files_to_run.executable
    program = ctx.actions.declare_file(folder + original.basename)
    ctx.actions.symlink(output = program, target_file = original, is_executable = True)
    files = [program]
    runfiles = target[DefaultInfo].default_runfiles
    settings = {
        "emulate": ctx.attr.emulate,
        "label": spell(ctx.label),
        "level": ctx.attr.level,
        "mustRun": ctx.attr._must_run[BuildSettingInfo].value,
        "program": program.basename,
    }
    toolchain = ctx.toolchains[TOOLCHAIN_TYPE]
    if toolchain and ctx.attr.emulate != "never":
        qemu = ctx.actions.declare_file(folder + "emulator/" + toolchain.executable.basename)
        ctx.actions.symlink(output = qemu, target_file = toolchain.executable, is_executable = True)
        files.append(qemu)
        runfiles = runfiles.merge(toolchain.runfiles)
        settings["qemu"] = "emulator/" + qemu.basename
        settings["model"] = toolchain.models.get(ctx.attr.level, "")
    settings_file = ctx.actions.declare_file(folder + "settings.json")
    ctx.actions.write(settings_file, json.encode_indent(settings) + "\n")
    files.append(settings_file)

    executable = ctx.actions.declare_file(ctx.label.name)
    ctx.actions.symlink(output = executable, target_file = ctx.executable._testlevel, is_executable = True)
    return [
        DefaultInfo(
            executable = executable,
            files = depset([executable]),
            runfiles = ctx.runfiles(files + [executable, original, ctx.executable._testlevel]).merge(runfiles),
        ),
        coverage_common.instrumented_files_info(ctx, dependency_attributes = ["target"]),
        OutputGroupInfo(_validation = target[OutputGroupInfo]._validation),
        target[RunEnvironmentInfo],
    ]

go_multiarch_test = rule(
    implementation = _go_multiarch_test_impl,
    doc = "Runs a go_test at one level of GOAMD64. See the macro of this name.",
    exec_groups = {
        # go_test's, so that exec_properties are accepted as there.
        "go_link": exec_group(),
    },
    fragments = ["platform"],
    test = True,
    attrs = {
        "cgo": attr.string(
            doc = "Set by the macro: \"cgo_off_\" or \"cgo_on_\" where the target platform has that constraint of rules_go's.",
            values = ["", "cgo_off_", "cgo_on_"],
        ),
        "data": attr.label_list(
            allow_files = True,
            doc = "Set by the macro to the data of the go_test that it makes, so that args can name its files.",
        ),
        "emulate": attr.string(
            default = EMULATE[0],
            doc = "When the test runs in an emulator.",
            values = EMULATE,
        ),
        "level": attr.string(
            mandatory = True,
            doc = "The level that the test is built for and run at.",
            values = LEVELS,
        ),
        "platforms": attr.string(
            doc = "Canonical label of a go_multiarch_platforms; its platforms are used in place of rules_go_multiarch's own.",
        ),
        "target": attr.label(
            mandatory = True,
            allow_files = True,  # So that the error is ours.
            cfg = level_transition,
            doc = "The go_test.",
        ),
        "_allowlist_function_transition": attr.label(
            default = "@bazel_tools//tools/allowlists/function_transition_allowlist",
        ),
        # Both as go_test has them, for `bazel coverage`.
        "_collect_cc_coverage": attr.label(
            default = "@bazel_tools//tools/test:collect_cc_coverage",
            cfg = "exec",
        ),
        "_lcov_merger": attr.label(
            default = configuration_field(fragment = "coverage", name = "output_generator"),
            cfg = "exec",
        ),
        "_mapping": attr.label(default = "//:platforms"),
        "_must_run": attr.label(default = "//:every_level_must_run"),
        "_testlevel": attr.label(
            default = "//tools/testlevel",
            cfg = launcher_transition,
            executable = True,
        ),
    },
    toolchains = [config_common.toolchain_type(TOOLCHAIN_TYPE, mandatory = False)],
)
