"""The aspect that links a go_binary once more, into the slot of its level.

The link action of a user's go_binary cannot be used: the address would have to
reach it through a flag, and a flag that differs from level to level makes Bazel
build every tool of the exec configuration once a level. The go_binary that the
drop-in form makes has the address in its own attributes, and links itself.
"""

load("@rules_go//go:def.bzl", "GoArchive", "go_context")
load(":dropin_linkopts.bzl", "LINKS_ITSELF")
load(":linking.bzl", "LINK_ATTRS", "LINK_FRAGMENTS", "LINK_TOOLCHAINS", "is_shared_library", "level_linkopts", "level_of", "run_path", "solib")
load(":providers.bzl", "GoVariantInfo")

visibility(["//private", "//tests/analysis"])

# goos and goarch of the only programs that have levels.
PACKED_PAIR = ("linux", "amd64")

def _problem(rule):
    """Returns why a target cannot be packed, or None."""
    if rule.kind == "go_non_executable_binary":
        return "is a go_binary of linkmode \"{}\", want \"auto\", \"normal\" or \"pie\"".format(rule.attr.linkmode)
    if rule.kind != "go_binary":
        return "is a {}, want a go_binary".format(rule.kind)
    if (rule.attr.goos, rule.attr.goarch) == PACKED_PAIR:
        # rules_go puts a platform without a level in the place of ours.
        return ("sets goos = \"{}\" and goarch = \"{}\", with which rules_go builds it for one level only; remove both, " +
                "or write its attributes into the go_multiarch_binary in place of target: there both are allowed").format(rule.attr.goos, rule.attr.goarch)
    return None

def _go_variant_impl(target, ctx):
    level = level_of(ctx)
    problem = _problem(ctx.rule)
    if problem or not level:
        return [GoVariantInfo(
            executable = None,
            level = level,
            other_platform = not problem and (ctx.rule.attr.goos != "auto" or ctx.rule.attr.goarch != "auto"),
            problem = problem,
            shared_libraries = [],
            solib = None,
        )]

    attr = ctx.rule.attr
    shared_libraries = _shared_libraries(target[GoArchive].cgo_deps)
    solib_of_level = solib(target.label.name, level)
    if LINKS_ITSELF in attr.gc_linkopts:
        executable = target[DefaultInfo].files_to_run.executable
    else:
        executable = _link(target, ctx, level, [run_path(solib_of_level)] if shared_libraries else [])
    return [GoVariantInfo(
        executable = executable,
        level = level,
        other_platform = False,
        problem = None,
        shared_libraries = shared_libraries,
        solib = solib_of_level,
    )]

def _link(target, ctx, level, system):
    """Links the program once more and returns the executable. `system` is options for the system's linker."""
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
    linkopts = linkopts + level_linkopts(go, level, linkopts)
    for option in system:
        linkopts = linkopts + ["-extldflags", option]
    go.link(
        go,
        archive = target[GoArchive],
        executable = executable,
        gc_linkopts = linkopts,
        version_file = ctx.version_file,
        info_file = ctx.info_file,
    )
    return executable

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
        if is_shared_library(file)
    ]

def _expand(ctx, option):
    """Expands "Make" variables, for which aspects have no function."""
    for name, value in ctx.var.items():
        option = option.replace("$({})".format(name), value)
    return option.replace("$$", "$")

go_variant = aspect(
    implementation = _go_variant_impl,
    doc = "Links a go_binary into the slot of the level that its platform has.",
    attrs = LINK_ATTRS,
    fragments = LINK_FRAGMENTS,
    provides = [GoVariantInfo],
    toolchains = LINK_TOOLCHAINS,
)
