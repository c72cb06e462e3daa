"""The link options of the go_binary that the drop-in form makes.

That go_binary links each level with its own link action. Its `gc_linkopts` have
the address of the level as "Make" variables, as only analysis knows which linker
links, and whether the program is position-independent.
"""

load("@rules_go//go:def.bzl", "GoArchive", "go_context")
load(":levels.bzl", "LEVELS")
load(":linking.bzl", "LINK_ATTRS", "LINK_FRAGMENTS", "LINK_TOOLCHAINS", "is_shared_library", "level_linkopts", "level_of", "run_path", "solib")

visibility("//private")

_TEXT = "GO_MULTIARCH_TEXT"
_EXTLDFLAGS = "GO_MULTIARCH_EXTLDFLAGS"

# The first of these options tells the aspect that a go_binary links itself.
LINKS_ITSELF = "$({})".format(_EXTLDFLAGS)
_SYSTEM_LINKER = ["-extldflags", LINKS_ITSELF]
_GO_LINKER = ["-T", "$({})".format(_TEXT)]

# What Go's linker has without -T.
_NO_ADDRESS = "-1"

def at_levels(of_level, otherwise):
    """Returns a select.

    Args:
      of_level: function from a level to the value on platforms of that level.
      otherwise: the value on platforms without a level.
    """
    return select({
        Label("@rules_go//go/constraints/amd64:" + level): of_level(level)
        for level in LEVELS
    } | {"//conditions:default": otherwise})

def dropin_gc_linkopts():
    """Returns what is added to `gc_linkopts` of a go_binary with a `dropin_linkopts` among its `toolchains`."""
    return at_levels(lambda level: _SYSTEM_LINKER if level == "v1" else _GO_LINKER + _SYSTEM_LINKER, [])

def _dropin_linkopts_impl(ctx):
    level = level_of(ctx)
    variables = {_TEXT: _NO_ADDRESS, _EXTLDFLAGS: ""}
    if level:
        go = go_context(ctx, go_context_data = ctx.attr._go_context_data)
        options = level_linkopts(go, level, [
            ctx.expand_make_variables("gc_linkopts", option, {})
            for option in ctx.attr.gc_linkopts
        ])
        system = []
        if options:
            variables[_TEXT] = options[1]
            system.append(options[3])
        if _has_shared_library(ctx.attr):
            # Bazel expands the values of variables, too.
            system.append(run_path(solib(ctx.attr.binary, level)).replace("$", "$$"))
        variables[_EXTLDFLAGS] = " ".join(system)
    return [platform_common.TemplateVariableInfo(variables)]

def _has_shared_library(attr):
    """Returns whether rules_go links a program with a shared library of the build."""
    depsets = [dep[GoArchive].cgo_deps for dep in attr.deps + attr.embed if GoArchive in dep]

    # The runfiles of a C library have those libraries alone that cannot be linked statically.
    depsets += [dep[DefaultInfo].default_runfiles.files for dep in attr.cdeps]
    return any([is_shared_library(file) for files in depsets if files for file in files.to_list()])

dropin_linkopts = rule(
    implementation = _dropin_linkopts_impl,
    doc = "Gives a go_binary the variables that dropin_gc_linkopts() names.",
    attrs = LINK_ATTRS | {
        "binary": attr.string(
            mandatory = True,
            doc = "Name of the go_binary.",
        ),
        "cdeps": attr.label_list(doc = "As of the go_binary."),
        "deps": attr.label_list(doc = "As of the go_binary."),
        "embed": attr.label_list(doc = "As of the go_binary."),
        "gc_linkopts": attr.string_list(doc = "The user's, which may choose the system's linker."),
        "_go_context_data": attr.label(default = "@rules_go//:go_context_data"),
    },
    fragments = LINK_FRAGMENTS,
    provides = [platform_common.TemplateVariableInfo],
    toolchains = LINK_TOOLCHAINS,
)
