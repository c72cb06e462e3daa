"""A program built for one level, not packed."""

_PLATFORMS = "//command_line_option:platforms"

_level_transition = transition(
    implementation = lambda _settings, attr: {
        _PLATFORMS: str(Label("//private/platforms:linux_amd64_" + attr.level)),
    },
    inputs = [],
    outputs = [_PLATFORMS],
)

def _at_level_impl(ctx):
    return [DefaultInfo(files = ctx.attr.target[0][DefaultInfo].files)]

at_level = rule(
    implementation = _at_level_impl,
    doc = "Builds a target for the platform that a level of it is packed for.",
    attrs = {
        "level": attr.string(mandatory = True),
        "target": attr.label(
            mandatory = True,
            cfg = _level_transition,
        ),
        "_allowlist_function_transition": attr.label(
            default = "@bazel_tools//tools/allowlists/function_transition_allowlist",
        ),
    },
)
