"""The go_binary that the macro makes when it is given its attributes."""

load("@bazel_skylib//lib:unittest.bzl", "asserts", "unittest")
load("//:defs.bzl", "go_multiarch_binary")

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

def _str(value):
    return str(list(value) if type(value) == "tuple" else value)

def _test(name, target, expected):
    """Tests attributes of a target of this package, as `str` shows lists and strings."""
    attributes = native.existing_rule(target)
    _attributes_test(
        name = name,
        actual = {attribute: _str(attributes.get(attribute)) for attribute in expected},
        expected = expected,
    )

def macro_test_suite(name):
    """Tests of how attributes are shared out between the two targets.

    Args:
      name: Prefix of the tests' names.
    """
    subject = name + "_subject"
    go_multiarch_binary(
        name = subject,
        testonly = True,
        srcs = ["main.go"],
        args = ["argument"],
        data = ["data.txt"],
        exec_properties = {
            "go_link.memory": "8g",
            "pool": "large",
        },
        goamd64 = ["v1", "v3"],
        linkmode = None,  # As from a macro around it.
        pure = "on",
        tags = [
            "custom",
            "manual",
        ],
        visibility = ["//tests:__subpackages__"],
    )
    _test(
        name = name + "_outer_test",
        expected = {
            "args": '["argument"]',
            "data": '[":data.txt"]',
            "exec_properties": '{"go_link.memory": "8g", "pool": "large"}',
            "goamd64": '["v1", "v3"]',
            "kind": "go_multiarch_binary",
            "tags": '["custom", "manual"]',
            "target": ":{}.go_binary".format(subject),
            "testonly": "True",
            "visibility": '["//tests:__subpackages__"]',
        },
        target = subject,
    )
    _test(
        name = name + "_inner_test",
        expected = {
            "args": "[]",
            "data": '[":data.txt"]',
            "exec_properties": '{"go_link.memory": "8g", "pool": "large"}',
            "importpath": "tests/analysis/" + subject,
            "kind": "go_binary",
            "pure": "on",
            "srcs": '[":main.go"]',
            "tags": '["custom", "manual"]',
            "testonly": "True",
            "visibility": '["//visibility:private"]',
        },
        target = subject + ".go_binary",
    )

    embedding = name + "_embedding"
    go_multiarch_binary(
        name = embedding,
        # As on go_binary, what a build of everything analyses: args that
        # name a file of data, and properties of go_binary's exec group.
        args = ["$(rlocationpath data.txt)"],
        data = ["data.txt"],
        embed = [":program_lib"],
        exec_properties = select({"//conditions:default": {"go_link.memory": "8g"}}),
        goamd64 = ["v1"],
    )
    _test(
        name = name + "_embedding_test",
        expected = {
            # Comes from the library.
            "importpath": "",
            # So that a build of everything builds it once, packed.
            "tags": '["manual"]',
        },
        target = embedding + ".go_binary",
    )
