"""The macro go_multiarch_test."""

load("@rules_go//go:def.bzl", "go_test")
load(":attributes.bzl", "CGO", "COMMON", "LINUX_X86_64", "with_manual")
load(":levels.bzl", "LEVELS", "check_levels")
load(":macro.bzl", "check_platforms")
load(":test.bzl", "EMULATE", _go_multiarch_test = "go_multiarch_test")
load(":test_all.bzl", _all_levels_test = "go_multiarch_test")

visibility(["//", "//tests/analysis"])

# Attributes that only the tests of the levels get, not the go_test.
_OUTER = [
    "args",
    "deprecation",
    "flaky",
    "local",
    "shard_count",
    "size",
    "timeout",
    "visibility",
]

def go_multiarch_test(
        name,
        target = None,
        goamd64 = LEVELS,
        emulate = "auto",
        manual = [],
        platforms = None,
        exec_properties = None,
        level_exec_properties = {},
        tags = [],
        **kwargs):
    """Runs a test at several levels of GOAMD64, each as a Bazel test of its own.

    Either wrap a `go_test`:

    ```starlark
    load("@rules_go_multiarch//:defs.bzl", "go_multiarch_test")

    go_multiarch_test(
        name = "app_levels_test",
        target = ":app_test",
    )
    ```

    or give the attributes of `go_test` and it makes the inner one itself:

    ```starlark
    go_multiarch_test(
        name = "app_test",
        srcs = ["app_test.go"],
        embed = [":app_lib"],
        goamd64 = ["v1", "v3"],
    )
    ```

    `<name>_v1` to `<name>_v4` are tests. `bazel test` of `<name>` runs all of them
    one after the other, as one test, and `bazel run` of it starts the best level
    that the machine has. It has the tag `manual`, so that `bazel test //...` runs
    each level once. A level
    runs natively where the CPU can, else in an emulator where there is one (see
    `go_multiarch_qemu`) and it has a CPU of that level, which qemu has up to v3.
    A level that can run neither way is reported as skipped, with the reason, in
    the log and in test.xml. Bazel itself counts it as passed; with
    `--@rules_go_multiarch//:every_level_must_run` it fails instead.

    On a target platform other than Linux on x86_64 the tests are incompatible,
    and Bazel skips them.

    Args:
      name: Name of the test of all levels, and prefix of the tests' names.
      target: Label of the `go_test`. `env`, `data` and what it is built with are
        taken from it. `args`, `flaky`, `shard_count`, `size`, `tags` and `timeout`
        are not, as Bazel shows them to no other target.
      goamd64: List of levels to test, some of `v1`, `v2`, `v3` and `v4`.
      emulate: `auto`: in an emulator when the CPU cannot run the level. `always`:
        in an emulator, with the least CPU of the level, whatever the CPU can; so
        code that asks the CPU what it has is tested as on the oldest machine.
        `never`: natively or not at all.
      manual: List of levels that get the tag `manual` and are left out of
        `<name>`, such as those that only an emulator runs where you develop.
      platforms: Label of a `go_multiarch_platforms`, for constraints of your own
        on the platform that the levels are built for.
      exec_properties: As on `go_test`.
      level_exec_properties: Dict of level to execution properties that the test of
        that level has as well, such as `{"v4": {"cpu": "v4"}}`, so that a remote
        engine runs it where the CPU can.
      tags: As on every rule. The inner target, `<name>.go_test`, gets `manual` as well.
      **kwargs: `size`, `timeout`, `flaky`, `shard_count`, `args` and what else
        every test has; without `target` also all attributes of `go_test`.
    """

    # None is how macros around this one leave an attribute out.
    kwargs = {key: value for key, value in kwargs.items() if value != None}
    common = {key: kwargs.pop(key) for key in COMMON if key in kwargs}
    outer = {key: kwargs.pop(key) for key in _OUTER if key in kwargs}

    wrong = check_test_attributes(target, goamd64, emulate, manual, kwargs, level_exec_properties) or check_platforms(platforms)
    if wrong:
        fail("go_multiarch_test(name = \"{}\"): {}".format(name, wrong))
    tags = tags or []
    data = kwargs.get("data")
    if not target:
        # A name that no user has, and that cannot clash with a level's.
        target = ":" + name + ".go_test"
        go_test(
            name = name + ".go_test",
            exec_properties = exec_properties,
            tags = with_manual(tags),
            visibility = ["//visibility:private"],
            **(common | kwargs)
        )

    compatible = common.pop("target_compatible_with", [])
    for level in goamd64:
        _go_multiarch_test(
            name = "{}_{}".format(name, level),
            target = target,
            cgo = CGO,
            data = data,
            emulate = emulate,
            exec_properties = _both(exec_properties, level_exec_properties.get(level)),
            level = level,
            platforms = str(native.package_relative_label(platforms)) if platforms else None,
            tags = with_manual(tags) if level in manual else tags,
            target_compatible_with = compatible + LINUX_X86_64,
            **(common | outer)
        )

    tested = [level for level in goamd64 if level not in manual] or goamd64
    _all_levels_test(
        name = name,
        data = data,
        exec_properties = exec_properties,
        levels = tested,
        tags = with_manual(tags),
        target_compatible_with = compatible + LINUX_X86_64,
        tests = ["{}_{}".format(name, level) for level in tested],
        **(common | _for_all(outer))
    )

def check_test_attributes(target, goamd64, emulate, manual, attrs, level_exec_properties = {}):
    """Returns what is wrong with the attributes of a go_multiarch_test.

    Args:
      target: value of the attribute `target`, or None.
      goamd64: value of the attribute `goamd64`.
      emulate: value of the attribute `emulate`.
      manual: value of the attribute `manual`.
      attrs: dict of the attributes of `go_test` that are set.
      level_exec_properties: value of the attribute `level_exec_properties`.

    Returns:
      An error message that names the attributes, or None.
    """
    if target and attrs:
        return ("target and {} are both set, want beside target only emulate, exec_properties, goamd64, " +
                "level_exec_properties, manual, platforms, tags and what every test has; attributes of go_test belong there").format(
            ", ".join(sorted(attrs)),
        )
    if not target and not attrs.get("srcs") and not attrs.get("embed"):
        return "none of target, srcs and embed is set, want a target or the attributes of go_test"
    if type(goamd64) != "list":
        return "goamd64: {}, want a list, as there is a test for each level".format(repr(goamd64))
    if emulate not in EMULATE:
        return "emulate: \"{}\", want one of {}".format(emulate, ", ".join(EMULATE))
    for level in manual:
        if level not in goamd64:
            return "manual: \"{}\", want some of the levels in goamd64, which are {}".format(level, ", ".join(goamd64))
    for level in level_exec_properties:
        if level not in goamd64:
            return "level_exec_properties has \"{}\", want some of the levels in goamd64, which are {}".format(level, ", ".join(goamd64))
    return check_levels(goamd64)

# Time for levels that run one after the other.
_LONGER = {"short": "moderate", "moderate": "long", "long": "eternal", "eternal": "eternal"}
_TIMEOUTS = {"small": "short", "medium": "moderate", "large": "long", "enormous": "eternal"}

def _for_all(outer):
    """Returns the attributes of the test of all levels, out of those of each level."""
    outer = dict(outer)
    outer.pop("shard_count", None)  # Bazel runs no test with shards.
    timeout = outer.get("timeout") or _TIMEOUTS[outer.get("size") or "medium"]
    return outer | {"timeout": _LONGER[timeout]}

def _both(properties, of_level):
    # Either may be missing, and the first one a select().
    return properties | of_level if properties and of_level else properties or of_level
