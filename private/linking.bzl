"""How a level is linked: what the aspect of `target` and the go_binary of the drop-in form share."""

load(":levels.bzl", "LEVELS")
load(":slots.bzl", "slot_linkopts")

visibility("//private")

# What `level_of` and rules_go's go_context read.
LINK_ATTRS = {
    "_pure_constraint": attr.label(default = "@rules_go//go/toolchain:cgo_off"),
    "_pure_flag": attr.label(default = "@rules_go//go/config:pure"),
    "_xcode_config": attr.label(
        default = configuration_field(fragment = "apple", name = "xcode_config_label"),
    ),
} | {
    "_" + level: attr.label(default = "@rules_go//go/constraints/amd64:" + level)
    for level in LEVELS
}

LINK_FRAGMENTS = ["apple", "cpp"]

LINK_TOOLCHAINS = [
    "@rules_go//go:toolchain",
    config_common.toolchain_type("@bazel_tools//tools/cpp:toolchain_type", mandatory = False),
]

def level_of(ctx):
    """Finds the level that something is built for.

    Args:
      ctx: context of a rule or an aspect with LINK_ATTRS.

    Returns:
      "v1" to "v4", or None on a platform without a level.
    """
    for level in LEVELS:
        constraint = getattr(ctx.attr, "_" + level)[platform_common.ConstraintValueInfo]
        if ctx.target_platform_has_constraint(constraint):
            return level
    return None

def level_linkopts(go, level, linkopts):
    """Returns the options that link a level into its slot.

    Args:
      go: what rules_go's go_context returns.
      level: string, "v1" to "v4".
      linkopts: list of strings: `gc_linkopts` of the program.

    Returns:
      What slot_linkopts returns, which is nothing for a position-independent program.
    """
    return [] if go.mode.linkmode == "pie" else slot_linkopts(level, _system_linker(go, linkopts))

def run_path(solib):
    """Returns the option of the system's linker that lets a variant find its shared libraries.

    rules_go's own run path is that of the variant's file, which only go_multiarch_bench starts.

    Args:
      solib: string, path of the libraries' folder from the packed executable.
    """
    return "-Wl,-rpath,$ORIGIN/" + solib

def solib(name, level):
    """Returns the path, from the packed executable, of the folder with a level's shared libraries."""
    return "{}.solib/{}".format(name, level)

def is_shared_library(file):
    """Returns whether a file among what cgo code is linked with is a shared library."""
    return file.extension == "so" or ".so." in file.basename

def _system_linker(go, linkopts):
    """Returns what says which linker is the system's: its path, and options."""
    options = [word for option in linkopts for word in option.split(" ") if word.startswith("-")]
    if go.cgo_tools:
        options = options + [go.cgo_tools.ld_executable_path] + go.cgo_tools.ld_executable_options
    return options
