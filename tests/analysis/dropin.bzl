"""What stands in the place of a go_binary: it gives what a go_binary gives, and takes what a go_binary takes."""

load("@bazel_skylib//lib:unittest.bzl", "analysistest", "asserts")
load("@rules_go//go:def.bzl", "GoArchive", "go_binary", "go_cross_binary")
load("//:defs.bzl", "GoMultiarchInfo", "go_multiarch_binary")
load("//internal/testenv:testenv.bzl", "PACKED_COMPATIBLE_WITH")

_PLATFORMS = "//command_line_option:platforms"

def _program(target):
    """Returns what a target says that its program is built for."""
    mode = target[GoArchive].source.mode
    return "{}/{} GOAMD64={} cgo={}".format(mode.goos, mode.goarch, mode.amd64 or "none", not mode.pure)

def _target_test_impl(ctx):
    env = analysistest.begin(ctx)
    target = analysistest.target_under_test(env)
    info = target[GoMultiarchInfo]
    asserts.equals(env, ctx.attr.levels, info.variants.keys())
    asserts.equals(env, ctx.attr.program, _program(target))
    asserts.equals(env, ctx.attr.executable, info.executable.basename)
    for group in ["cgo_exports", "compilation_outputs", "nogo_fix"]:
        asserts.true(env, hasattr(target[OutputGroupInfo], group), "there is an output group " + group)
    asserts.equals(
        env,
        [target[GoArchive].data.file],
        target[OutputGroupInfo].compilation_outputs.to_list(),
        "output group compilation_outputs",
    )
    for level, variant in info.variants.items():
        asserts.true(env, "/{}.go_binary_/{}/".format(target.label.name, level) in variant.path, variant.path)
        asserts.equals(env, [variant], target[OutputGroupInfo][level].to_list(), "output group " + level)

    # What the program is in the target's own configuration is built for those who ask.
    actions = analysistest.target_actions(env)
    inputs = [file for action in actions for file in action.inputs.to_list()]
    for file in target[DefaultInfo].files.to_list() + target[DefaultInfo].default_runfiles.files.to_list() + inputs:
        if info.variants:
            asserts.true(env, file not in target[OutputGroupInfo].compilation_outputs.to_list(), file.path)
            asserts.true(env, ".go_binary_/" not in file.path or file in info.variants.values(), file.path + " is no variant")
    return analysistest.end(env)

def _make(platform = None):
    return analysistest.make(
        _target_test_impl,
        attrs = {
            "executable": attr.string(mandatory = True),
            "levels": attr.string_list(),
            "program": attr.string(mandatory = True),
        },
        config_settings = {_PLATFORMS: [platform]} if platform else {},
    )

_v3_test = _make(Label("//private/platforms:linux_amd64_cgo_off_v3"))
_cgo_test = _make(Label("@rules_go//go/toolchain:linux_amd64_cgo"))
_darwin_test = _make(Label("@rules_go//go/toolchain:darwin_arm64"))
_here_test = _make()

def _cross_test_impl(ctx):
    env = analysistest.begin(ctx)
    asserts.equals(env, ctx.attr.program, _program(analysistest.target_under_test(env)))
    return analysistest.end(env)

_cross_test = analysistest.make(_cross_test_impl, attrs = {"program": attr.string()})

def _tool_test_impl(ctx):
    env = analysistest.begin(ctx)
    for tools, levels in [
        (ctx.attr.plain, []),
        (ctx.attr.packed, ["v1", "v3"]),
    ]:
        for tool in tools:
            asserts.equals(env, levels, tool[GoMultiarchInfo].variants.keys(), str(tool.label))
    return analysistest.end(env)

_tool_test = analysistest.make(
    _tool_test_impl,
    attrs = {
        "packed": attr.label_list(cfg = "exec"),
        "plain": attr.label_list(cfg = "exec"),
    },
)

def _wrapped_test_impl(ctx):
    env = analysistest.begin(ctx)
    target = analysistest.target_under_test(env)
    asserts.equals(env, [], target[GoMultiarchInfo].variants.keys())
    asserts.equals(env, "linux/arm64 GOAMD64=none cgo=False", _program(target))
    return analysistest.end(env)

_wrapped_test = analysistest.make(_wrapped_test_impl)

def dropin_test_suite(name):
    """Tests of go_multiarch_binary in the place of go_binary, and of goos and goarch.

    Args:
      name: Prefix of the names of tests and targets.
    """
    program = name + "_program"
    go_multiarch_binary(
        name = program,
        embed = [":program_lib"],
        goamd64 = ["v1", "v3"],
        tags = ["manual"],
    )
    for kind, test, levels, expected in [
        ("v3", _v3_test, ["v1", "v3"], "linux/amd64 GOAMD64=v3 cgo=False"),
        ("cgo", _cgo_test, ["v1", "v3"], "linux/amd64 GOAMD64=none cgo=True"),
        ("darwin", _darwin_test, [], "darwin/arm64 GOAMD64=none cgo=False"),
    ]:
        test(
            name = "{}_{}_test".format(program, kind),
            executable = program,
            levels = levels,
            program = expected,
            target_compatible_with = PACKED_COMPATIBLE_WITH,
            target_under_test = program,
        )
    for platform, expected in {
        "linux_amd64": "linux/amd64 GOAMD64=none cgo=False",
        "linux_arm64": "linux/arm64 GOAMD64=none cgo=False",
    }.items():
        cross = "{}_cross_{}".format(name, platform)
        go_cross_binary(
            name = cross,
            platform = "@rules_go//go/toolchain:" + platform,
            tags = ["manual"],
            target = program,
        )
        _cross_test(
            name = cross + "_test",
            program = expected,
            target_under_test = cross,
        )

    # As rules_go has it, goos and goarch count more than the platform, and turn cgo off.
    for goos, goarch, extension, levels in [
        ("linux", "amd64", "", ["v1", "v3"]),
        ("linux", "arm64", "", []),
        ("darwin", "arm64", "", []),
        ("windows", "amd64", ".exe", []),
    ]:
        pair = "{}_{}_{}".format(name, goos, goarch)
        go_multiarch_binary(
            name = pair,
            embed = [":program_lib"],
            goamd64 = ["v1", "v3"],
            goarch = goarch,
            goos = goos,
            tags = ["manual"],
        )
        for kind, test in {"darwin": _darwin_test, "here": _here_test}.items():
            test(
                name = "{}_{}_test".format(pair, kind),
                executable = pair + extension,
                levels = levels,
                program = "{}/{} GOAMD64=none cgo=False".format(goos, goarch),
                target_under_test = pair,
            )

    wrapped = name + "_wrapped"
    go_binary(
        name = wrapped,
        embed = [":program_lib"],
        goarch = "arm64",
        goos = "linux",
        tags = ["manual"],
    )
    go_multiarch_binary(
        name = wrapped + "_multi",
        tags = ["manual"],
        target = wrapped,
    )
    _wrapped_test(
        name = wrapped + "_test",
        target_under_test = wrapped + "_multi",
    )

    # Tools of the build.
    for form, attributes in {
        "dropin": {"embed": [":program_lib"]},
        "pair": {"embed": [":program_lib"], "goarch": "amd64", "goos": "linux"},
        "wrapping": {"target": ":program"},
    }.items():
        for packed in [False, True]:
            go_multiarch_binary(
                name = "{}_{}_tool_{}".format(name, form, packed),
                goamd64 = ["v1", "v3"],
                pack_as_tool = packed,
                tags = ["manual"],
                **attributes
            )
    forms = ["dropin", "pair", "wrapping"]
    _tool_test(
        name = name + "_tool_test",
        packed = ["{}_{}_tool_True".format(name, form) for form in forms],
        plain = ["{}_{}_tool_False".format(name, form) for form in forms],
        target_compatible_with = PACKED_COMPATIBLE_WITH,
        target_under_test = program,
    )
