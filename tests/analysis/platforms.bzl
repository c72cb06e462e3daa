"""Which platform each level is built for."""

load("@bazel_skylib//lib:unittest.bzl", "analysistest", "asserts")
load("//:defs.bzl", "go_multiarch_binary")
load("//internal/testenv:testenv.bzl", "PACKED_COMPATIBLE_WITH")
load("//private:providers.bzl", "GoVariantInfo")
load(":error_test.bzl", "make_error_test")

_PlatformsInfo = provider(
    doc = "Platforms below a target.",
    fields = {"levels": "dict of level to struct of the platform's `label` and whether it has our constraint (`ours`)."},
)

def _platforms_impl(target, ctx):
    if ctx.rule.kind == "go_multiarch_binary":
        levels = {}
        for variant in ctx.rule.attr.target:
            levels.update(variant[_PlatformsInfo].levels)
        return [_PlatformsInfo(levels = levels)]
    return [_PlatformsInfo(levels = {
        target[GoVariantInfo].level: struct(
            label = ctx.fragments.platform.platform,
            ours = ctx.target_platform_has_constraint(ctx.attr._our_libc[platform_common.ConstraintValueInfo]),
        ),
    })]

_platforms = aspect(
    implementation = _platforms_impl,
    doc = "Collects the platforms that the levels of a go_multiarch_binary are built for.",
    attr_aspects = ["target"],
    attrs = {"_our_libc": attr.label(default = ":our_libc")},
    fragments = ["platform"],
    required_aspect_providers = [GoVariantInfo],
)

def _platforms_test_impl(ctx):
    env = analysistest.begin(ctx)
    levels = analysistest.target_under_test(env)[_PlatformsInfo].levels
    asserts.equals(env, ctx.attr.levels, sorted(levels))
    for level, platform in levels.items():
        asserts.equals(env, Label("{}_{}".format(ctx.attr.base, level)), platform.label)
        asserts.equals(env, ctx.attr.ours, platform.ours)
    return analysistest.end(env)

def _make(**config_settings):
    return analysistest.make(
        _platforms_test_impl,
        attrs = {
            "base": attr.string(mandatory = True),
            "levels": attr.string_list(default = ["v2", "v3"]),
            "ours": attr.bool(default = True),
        },
        extra_target_under_test_aspects = [_platforms],
        **config_settings
    )

_platforms_test = _make()

_mapped_test = _make(config_settings = {
    "//command_line_option:platforms": [Label(":ours")],
    # As users write it in .bazelrc.
    str(Label("//:platforms")): [
        "//somewhere:else=//somewhere:else_levels",
        "//tests/analysis:ours=//tests/analysis:ours_levels",
    ],
})

_not_mapped_test = make_error_test({
    "//command_line_option:platforms": [Label(":ours")],
})

_extension_test = _make(config_settings = {
    "//command_line_option:platforms": [Label(":theirs")],
})

_cgo_off_test = _make(config_settings = {
    "//command_line_option:platforms": [Label("@rules_go//go/toolchain:linux_amd64")],
})

_cgo_on_test = _make(config_settings = {
    "//command_line_option:platforms": [Label("@rules_go//go/toolchain:linux_amd64_cgo")],
})

def platforms_test_suite(name):
    """Tests of what is kept of the target platform, and of the three ways to keep more.

    Args:
      name: Prefix of the tests' names.
    """
    _platforms_test(
        name = name + "_default_test",
        base = "//private/platforms:linux_amd64",
        levels = ["v1", "v2", "v3", "v4"],
        ours = False,
        target_compatible_with = PACKED_COMPATIBLE_WITH,
        target_under_test = ":program_multi",
    )

    go_multiarch_binary(
        name = name + "_by_attribute",
        goamd64 = ["v2", "v3"],
        platforms = ":ours_levels",
        tags = ["manual"],
        target = ":program",
    )
    _platforms_test(
        name = name + "_attribute_test",
        base = "//tests/analysis:ours_levels",
        target_compatible_with = PACKED_COMPATIBLE_WITH,
        target_under_test = name + "_by_attribute",
    )

    _mapped_test(
        name = name + "_flag_test",
        base = "//tests/analysis:ours_levels",
        target_compatible_with = PACKED_COMPATIBLE_WITH,
        target_under_test = ":two_levels",
    )
    _not_mapped_test(
        name = name + "_no_flag_test",
        message = "go_multiarch.platform(platform = \"//tests/analysis:ours\")",
        target_compatible_with = PACKED_COMPATIBLE_WITH,
        target_under_test = ":two_levels",
    )

    # MODULE.bazel has this one.
    _extension_test(
        name = name + "_extension_test",
        base = "@rules_go_multiarch_platforms//platform0:levels",
        target_compatible_with = PACKED_COMPATIBLE_WITH,
        target_under_test = ":two_levels",
    )

    # Not cgo as the C toolchain has it, where the platform says more.
    for cgo, test in {"off": _cgo_off_test, "on": _cgo_on_test}.items():
        test(
            name = "{}_cgo_{}_test".format(name, cgo),
            base = "//private/platforms:linux_amd64_cgo_" + cgo,
            ours = False,
            target_compatible_with = PACKED_COMPATIBLE_WITH,
            target_under_test = ":two_levels",
        )
