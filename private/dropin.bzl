"""The rule behind the macro go_multiarch_binary when it makes the go_binary itself: it gives what a go_binary gives."""

load("@rules_go//go:def.bzl", "GoArchive")
load(":binary.bzl", "RULE", "go_multiarch_binary_impl")
load(":providers.bzl", "GoMultiarchInfo")
load(":transition.bzl", "own_transition")

visibility("//private")

def _go_multiarch_binary_impl(ctx):
    return go_multiarch_binary_impl(ctx, ctx.attr._own[0])

def _own(target):
    return target

go_multiarch_binary = rule(
    implementation = _go_multiarch_binary_impl,
    provides = [GoArchive, GoMultiarchInfo],
    **(RULE | {"attrs": RULE["attrs"] | {
        "own_platform": attr.string(
            doc = "Set by the macro: name of the platform, in rules_go's toolchain package, that goos and goarch ask for.",
        ),
        # Private, as Bazel would run nogo here as well on what a public attribute names.
        "_own": attr.label(
            cfg = own_transition,
            default = _own,
        ),
    }})
)
