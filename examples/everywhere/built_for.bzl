"""A rule that stands for one of those that build for several platforms."""

def _built_for_impl(ctx):
    executable = ctx.actions.declare_file(ctx.label.name)

    # A name of its own, as all platforms are to be in one tree of runfiles.
    ctx.actions.symlink(output = executable, target_file = ctx.executable.target, is_executable = True)
    return DefaultInfo(files = depset([executable]))

def _to_platform_impl(_settings, attr):
    return {"//command_line_option:platforms": str(attr.platform)}

_to_platform = transition(
    implementation = _to_platform_impl,
    inputs = [],
    outputs = ["//command_line_option:platforms"],
)

built_for = rule(
    implementation = _built_for_impl,
    doc = "A program, built for a platform.",
    attrs = {
        "platform": attr.label(
            doc = "The platform.",
            mandatory = True,
        ),
        "target": attr.label(
            cfg = _to_platform,
            doc = "The program.",
            executable = True,
            mandatory = True,
        ),
    },
)
