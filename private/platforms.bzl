"""The macro go_multiarch_platforms."""

load(":levels.bzl", "LEVELS")

visibility("//")

def go_multiarch_platforms(name, parent, constraint_values = [], level_exec_properties = {}, **kwargs):
    """Makes a platform for each level, with the constraints of one of yours.

    To keep the constraints of a platform that you build for, you need only this
    in MODULE.bazel, which makes the platforms of its levels:

    ```starlark
    go_multiarch = use_extension("@rules_go_multiarch//:extensions.bzl", "go_multiarch")
    go_multiarch.platform(platform = "//my:linux_x86")
    ```

    `platform` takes what `--platforms` takes, also a label of another module. The
    platform must be public. Only the lines of the root module count. Under a
    platform of your own that has neither such a line nor one in .bazelrc, as
    below, packed targets fail and say so.

    Use this macro when levels need constraints or execution properties of their own:

    ```starlark
    platform(
        name = "linux_x86",
        constraint_values = ["@platforms//os:linux", "@platforms//cpu:x86_64", ":our_libc"],
    )

    go_multiarch_platforms(
        name = "linux_x86_levels",
        parent = ":linux_x86",
    )
    ```

    The levels of a target keep `:our_libc` if it has
    `platforms = "//my:linux_x86_levels"`. With this line in .bazelrc those of all
    targets do, in every build with `--platforms=//my:linux_x86`:

    ```
    build --@rules_go_multiarch//:platforms=//my:linux_x86=//my:linux_x86_levels
    ```

    Args:
      name: Prefix of the platforms' names, which are `<name>_v1` to `<name>_v4`.
      parent: Label of the platform whose constraints and properties they have.
        It must not be an alias with a select.
      constraint_values: List of labels: constraints beside the parent's and the
        level's.
      level_exec_properties: Dict of level to execution properties that its
        platform has beside the parent's, such as `{"v4": {"cpu": "avx512"}}`.
        They choose the workers of tests under `--use_target_platform_for_tests`.
      **kwargs: Attributes of every rule, such as `visibility`, which is public by default.
    """
    for level in level_exec_properties:
        if level not in LEVELS:
            fail("go_multiarch_platforms(name = \"{}\"): level_exec_properties has \"{}\", want some of {}".format(
                name,
                level,
                ", ".join(LEVELS),
            ))
    exec_properties = kwargs.pop("exec_properties", {})
    kwargs.setdefault("visibility", ["//visibility:public"])
    for level in LEVELS:
        native.platform(
            name = "{}_{}".format(name, level),
            parents = [parent],
            constraint_values = constraint_values + [Label("@rules_go//go/constraints/amd64:" + level)],
            exec_properties = exec_properties | level_exec_properties.get(level, {}),
            **kwargs
        )
