"""go_multiarch_test: errors, what each level gets, and where it can be built."""

load("@bazel_skylib//lib:unittest.bzl", "analysistest", "asserts", "unittest")
load("@rules_go//go:def.bzl", "go_test")
load("//:defs.bzl", "go_multiarch_qemu", "go_multiarch_test")

# buildifier: disable=bzl-visibility
load("//private:test_macro.bzl", "check_test_attributes")
load(":error_test.bzl", "make_error_test")

_error_test = make_error_test()

def _level_test_impl(ctx):
    env = analysistest.begin(ctx)
    target = analysistest.target_under_test(env)
    prefix = "tests/analysis/tests_subject_v3"
    asserts.equals(env, prefix, target[DefaultInfo].files_to_run.executable.short_path)
    runfiles = [file.short_path for file in target[DefaultInfo].default_runfiles.files.to_list()]
    for path in [
        prefix,
        prefix + ".level/settings.json",
        prefix + ".level/program_test",
        "tests/analysis/data.txt",
    ]:
        asserts.true(env, path in runfiles, "{} is in the runfiles, which are {}".format(path, runfiles))
    asserts.equals(
        env,
        {"GO_TEST_RUN_FROM_BAZEL": "1", "WORD": "given"},
        target[RunEnvironmentInfo].environment,
    )
    asserts.equals(env, ["INHERITED"], target[RunEnvironmentInfo].inherited_environment)
    asserts.true(env, InstrumentedFilesInfo in target, "InstrumentedFilesInfo is forwarded")
    for action in analysistest.target_actions(env):
        for output in action.outputs.to_list():
            if output.basename == "settings.json":
                settings = json.decode(action.content)
                asserts.equals(env, "//tests/analysis:tests_subject_v3", settings["label"])
                asserts.equals(env, "v3", settings["level"])
                asserts.equals(env, "auto", settings["emulate"])
                asserts.equals(env, False, settings["mustRun"])
                return analysistest.end(env)
    analysistest.fail(env, "no action writes the settings")
    return analysistest.end(env)

_level_test = analysistest.make(_level_test_impl)

def _attributes_test_impl(ctx):
    env = unittest.begin(ctx)
    for attribute, expected in ctx.attr.expected.items():
        asserts.equals(env, expected, ctx.attr.actual.get(attribute), attribute)
    return unittest.end(env)

_attributes_test = unittest.make(
    _attributes_test_impl,
    attrs = {
        "actual": attr.string_dict(),
        "expected": attr.string_dict(),
    },
)

def _attributes(name, target, expected):
    attributes = native.existing_rule(target)
    _attributes_test(
        name = name,
        actual = {
            attribute: str(list(attributes[attribute]) if type(attributes[attribute]) == "tuple" else attributes[attribute])
            for attribute in expected
        },
        expected = expected,
    )

def _messages_test_impl(ctx):
    env = unittest.begin(ctx)
    check = check_test_attributes
    levels = ["v1", "v3"]
    good = {"srcs": ["a_test.go"]}
    asserts.equals(env, None, check(":a_test", levels, "auto", [], {}))
    asserts.equals(env, None, check(None, levels, "always", ["v3"], good))
    for expected, got in {
        "target and env, srcs are both set, want beside target only emulate, exec_properties, goamd64, " +
        "level_exec_properties, manual, platforms, tags and what every test has; attributes of go_test belong there": check(":a_test", levels, "auto", [], good | {"env": {}}),
        'emulate: "sometimes", want one of auto, always, never': check(":a_test", levels, "sometimes", [], {}),
        'goamd64: "v3", want a list, as there is a test for each level': check(":a_test", "v3", "auto", [], {}),
        "goamd64: empty list, want at least one of v1, v2, v3, v4": check(":a_test", [], "auto", [], {}),
        'goamd64: unknown level "v5", want some of v1, v2, v3, v4': check(":a_test", ["v5"], "auto", [], {}),
        'manual: "v4", want some of the levels in goamd64, which are v1, v3': check(":a_test", levels, "auto", ["v4"], {}),
        'level_exec_properties has "v4", want some of the levels in goamd64, which are v1, v3': check(":a_test", levels, "auto", [], {}, {"v4": {}}),
        "none of target, srcs and embed is set, want a target or the attributes of go_test": check(None, levels, "auto", [], {"env": {}}),
    }.items():
        asserts.equals(env, expected, got)
    return unittest.end(env)

_messages_test = unittest.make(_messages_test_impl)

def tests_test_suite(name):
    """Tests of go_multiarch_test.

    Args:
      name: Prefix of the names of tests and targets.
    """
    _messages_test(name = name + "_messages_test")

    go_test(
        name = "program_test",
        srcs = ["main.go"],
        data = ["data.txt"],
        env = {"WORD": "given"},
        env_inherit = ["INHERITED"],
        tags = ["manual"],
    )
    go_multiarch_test(
        name = name + "_subject",
        goamd64 = ["v3"],
        tags = ["manual"],
        target = ":program_test",
    )
    _level_test(
        name = name + "_level_test",
        target_under_test = name + "_subject_v3",
    )
    _attributes(
        name = name + "_elsewhere_test",
        expected = {"target_compatible_with": '["@@platforms//cpu:x86_64", "@@platforms//os:linux"]'},
        target = name + "_subject_v3",
    )

    go_multiarch_test(
        name = name + "_shared",
        size = "small",
        timeout = "long",
        srcs = ["main.go"],
        args = ["$(rlocationpath data.txt)"],
        data = ["data.txt"],
        env = {"A": "b"},
        exec_properties = {
            "go_link.memory": "8g",
            "pool": "large",
        },
        flaky = True,
        goamd64 = [
            "v1",
            "v3",
        ],
        linkmode = None,  # As from a macro around it.
        manual = ["v3"],
        shard_count = 3,
        tags = [
            "custom",
            "manual",
        ],
        visibility = ["//tests:__subpackages__"],
    )
    for level in ["v1", "v3"]:
        _attributes(
            name = "{}_{}_test".format(name, level),
            expected = {
                "args": '["$(rlocationpath data.txt)"]',
                "data": '[":data.txt"]',
                "exec_properties": '{"go_link.memory": "8g", "pool": "large"}',
                "flaky": "True",
                "kind": "go_multiarch_test",
                "level": level,
                "shard_count": "3",
                "size": "small",
                "tags": '["custom", "manual"]',
                "target": ":{}_shared.go_test".format(name),
                "timeout": "long",
                "visibility": '["//tests:__subpackages__"]',
            },
            target = "{}_shared_{}".format(name, level),
        )
    _attributes(
        name = name + "_inner_test",
        expected = {
            "args": "[]",
            "env": '{"A": "b"}',
            "kind": "go_test",
            "shard_count": "-1",
            "srcs": '[":main.go"]',
            "tags": '["custom", "manual"]',
            "visibility": '["//visibility:private"]',
        },
        target = name + "_shared.go_test",
    )
    _attributes(
        name = name + "_suite_test",
        expected = {
            "kind": "go_multiarch_test",
            "shard_count": "-1",
            "tags": '["custom", "manual"]',
            "tests": '[":{}_shared_v1"]'.format(name),
            "timeout": "eternal",
        },
        target = name + "_shared",
    )

    # As on the tests above, "manual" by its level alone.
    go_multiarch_test(
        name = name + "_some",
        goamd64 = [
            "v1",
            "v4",
        ],
        manual = [
            "v1",
            "v4",
        ],
        target = ":program_test",
    )
    _attributes(
        name = name + "_manual_test",
        expected = {"tags": '["manual"]'},
        target = name + "_some_v4",
    )
    _attributes(
        name = name + "_manual_suite_test",
        expected = {
            "tags": '["manual"]',
            "tests": '[":{}_some_v1", ":{}_some_v4"]'.format(name, name),
        },
        target = name + "_some",
    )

    go_test(
        name = name + "_arm64",
        srcs = ["main.go"],
        goarch = "arm64",
        goos = "linux",
        tags = ["manual"],
    )
    for case, target, message in [
        ("binary", ":program", "target: //tests/analysis:program is not a go_test, want a go_test"),
        ("file", "main.go", "target: //tests/analysis:main.go is not a go_test, want a go_test"),
        ("arm64", name + "_arm64", "_arm64 is built for linux/arm64, want a go_test that sets neither goos nor goarch"),
    ]:
        go_multiarch_test(
            name = "{}_{}_error".format(name, case),
            goamd64 = ["v3"],
            tags = ["manual"],
            target = target,
        )
        _error_test(
            name = "{}_{}_error_test".format(name, case),
            message = message,
            target_under_test = "{}_{}_error_v3".format(name, case),
        )

    native.platform(
        name = name + "_wrong_v3",
        parents = [":ours_levels_v2"],
    )
    go_multiarch_test(
        name = name + "_platforms",
        goamd64 = ["v3"],
        platforms = name + "_wrong",
        tags = ["manual"],
        target = ":program_test",
    )
    _error_test(
        name = name + "_platforms_test",
        message = "platforms: //tests/analysis:program_test is built for v2 where v3 was asked for, want a go_test without",
        target_under_test = name + "_platforms_v3",
    )

    go_multiarch_qemu(
        name = name + "_qemu",
        executable = ":program",
        models = {"v5": "max"},
        tags = ["manual"],
    )
    _error_test(
        name = name + "_qemu_test",
        message = 'models: unknown level "v5", want some of v1, v2, v3, v4',
        target_under_test = name + "_qemu",
    )
