"""The rule that a go_multiarch_test's own name is: all of its levels, in one test that can be run as well."""

load(":labels.bzl", "spell")
load(":transition.bzl", "launcher_transition")

visibility("//private")

def _go_multiarch_test_impl(ctx):
    settings = ctx.actions.declare_file(ctx.label.name + ".level/settings.json")
    ctx.actions.write(settings, json.encode_indent({
        "label": spell(ctx.label),
        "levels": ctx.attr.levels,
    }) + "\n")
    executable = ctx.actions.declare_file(ctx.label.name)
    ctx.actions.symlink(output = executable, target_file = ctx.executable._testlevel, is_executable = True)
    return [
        DefaultInfo(
            executable = executable,
            files = depset([executable]),
            runfiles = ctx.runfiles([executable, settings, ctx.executable._testlevel]).merge_all([
                test[DefaultInfo].default_runfiles
                for test in ctx.attr.tests
            ]),
        ),
        coverage_common.instrumented_files_info(ctx, dependency_attributes = ["tests"]),
        ctx.attr.tests[0][RunEnvironmentInfo],
    ]

# By the name that a user calls, as queries show it.
go_multiarch_test = rule(
    implementation = _go_multiarch_test_impl,
    doc = "Tests all levels of a go_multiarch_test, one after the other; `bazel run` starts the best one alone.",
    exec_groups = {
        # go_test's, so that exec_properties are accepted as there.
        "go_link": exec_group(),
    },
    test = True,
    attrs = {
        "data": attr.label_list(
            allow_files = True,
            doc = "As of the tests, so that args can name its files.",
        ),
        "levels": attr.string_list(
            mandatory = True,
            doc = "The levels of `tests`. The test of a level is called `<name>_<level>`.",
        ),
        "tests": attr.label_list(
            mandatory = True,
            doc = "The tests of the levels.",
            providers = [RunEnvironmentInfo],
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
        "_testlevel": attr.label(
            default = "//tools/testlevel",
            cfg = launcher_transition,
            executable = True,
        ),
    },
)
