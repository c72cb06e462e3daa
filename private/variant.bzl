"""The aspect that links a go_binary once more, into the slot of its level.

go_binary's own link action cannot be used: the address would have to reach it
through a flag, and a flag that differs from level to level makes Bazel build
every tool of the exec configuration once a level.
"""

load("@rules_go//go:def.bzl", "GoArchive", "go_context")
load(":levels.bzl", "LEVELS")
load(":providers.bzl", "GoVariantInfo")
load(":slots.bzl", "slot_linkopts")

visibility(["//private", "//tests/analysis"])

_GO_TOOLCHAIN = "@rules_go//go:toolchain"
_CC_TOOLCHAIN = "@bazel_tools//tools/cpp:toolchain_type"

def _level(ctx):
    for level in LEVELS:
        constraint = getattr(ctx.attr, "_" + level)[platform_common.ConstraintValueInfo]
        if ctx.target_platform_has_constraint(constraint):
            return level
    return None

def _problem(rule):
    """Returns why a target cannot be packed, or None."""
    if rule.kind == "go_non_executable_binary":
        return "is a go_binary of linkmode \"{}\", want \"auto\", \"normal\" or \"pie\"".format(rule.attr.linkmode)
    if rule.kind != "go_binary":
        return "is a {}, want a go_binary".format(rule.kind)
    if rule.attr.goos != "auto" or rule.attr.goarch != "auto":
        return ("sets goos = \"{}\" and goarch = \"{}\", want a go_binary that sets neither: " +
                "they replace the platform, and the level with it").format(rule.attr.goos, rule.attr.goarch)
    return None

def _go_variant_impl(target, ctx):
    level = _level(ctx)
    problem = _problem(ctx.rule)
    if problem or not level:
        return [GoVariantInfo(executable = None, level = level, problem = problem, shared_libraries = [], solib = None)]

    attr = ctx.rule.attr
    go = go_context(
        ctx,
        attr = attr,
        importpath = attr.importpath,
        embed = attr.embed,
        go_context_data = attr._go_context_data,
        goos = attr.goos,
        goarch = attr.goarch,
        static = attr.static,
    )
    executable = ctx.actions.declare_file("{}_/{}/{}".format(
        target.label.name,
        level,
        target[DefaultInfo].files_to_run.executable.basename,
    ))
    linkopts = [_expand(ctx, option) for option in attr.gc_linkopts]
    if go.mode.linkmode != "pie":
        linkopts = linkopts + slot_linkopts(level, _system_linker(go, linkopts))
    shared_libraries = _shared_libraries(target[GoArchive].cgo_deps)
    solib = "{}.solib/{}".format(target.label.name, level)
    if shared_libraries:
        # rules_go's own run path is that of the variant's file, which only go_multiarch_bench starts.
        linkopts = linkopts + ["-extldflags", "-Wl,-rpath,$ORIGIN/" + solib]
    go.link(
        go,
        archive = target[GoArchive],
        executable = executable,
        gc_linkopts = linkopts,
        version_file = ctx.version_file,
        info_file = ctx.info_file,
    )
    return [GoVariantInfo(
        executable = executable,
        level = level,
        problem = None,
        shared_libraries = shared_libraries,
        solib = solib,
    )]

def _system_linker(go, linkopts):
    """Returns what says which linker is the system's: its path, and options."""
    options = [word for option in linkopts for word in option.split(" ") if word.startswith("-")]
    if go.cgo_tools:
        options = options + [go.cgo_tools.ld_executable_path] + go.cgo_tools.ld_executable_options
    return options

def _shared_libraries(cgo_deps):
    """Returns the shared libraries among what cgo code is linked with.

    Each gets a link beside the packed executable, with a name that Bazel has to
    know while it analyses: that takes a list. A program with no C library of the
    build anywhere has nothing to flatten.
    """
    if not cgo_deps:
        return []
    return [
        file
        for file in cgo_deps.to_list()
        if file.extension == "so" or ".so." in file.basename
    ]

def _expand(ctx, option):
    """Expands "Make" variables, for which aspects have no function."""
    for name, value in ctx.var.items():
        option = option.replace("$({})".format(name), value)
    return option.replace("$$", "$")

go_variant = aspect(
    implementation = _go_variant_impl,
    doc = "Links a go_binary into the slot of the level that its platform has.",
    attrs = {
        "_pure_constraint": attr.label(default = "@rules_go//go/toolchain:cgo_off"),
        "_pure_flag": attr.label(default = "@rules_go//go/config:pure"),
        "_xcode_config": attr.label(
            default = configuration_field(fragment = "apple", name = "xcode_config_label"),
        ),
    } | {
        "_" + level: attr.label(default = "@rules_go//go/constraints/amd64:" + level)
        for level in LEVELS
    },
    fragments = ["apple", "cpp"],
    provides = [GoVariantInfo],
    toolchains = [
        _GO_TOOLCHAIN,
        config_common.toolchain_type(_CC_TOOLCHAIN, mandatory = False),
    ],
)
