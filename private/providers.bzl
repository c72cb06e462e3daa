"""Providers."""

visibility(["//", "//private", "//tests/analysis"])

GoMultiarchInfo = provider(
    doc = """What `go_multiarch_binary` built.

On a target platform other than Linux on x86_64 nothing is packed: `variants` is
empty, `manifest` is None and `executable` is the plain binary.
""",
    fields = {
        "executable": "File: the packed executable, or the plain one.",
        "manifest": "File or None: what the packed file says of itself, as JSON.",
        "variants": "dict of string to File: the executable that was packed for each level, " +
                    "keyed \"v1\" to \"v4\" in ascending order.",
    },
)

GoVariantInfo = provider(
    doc = "What a target brings to a packed executable.",
    fields = {
        "executable": "File or None: the executable, linked into the slot of its level.",
        "other_platform": "bool: whether goos and goarch of the target name a platform other than Linux on x86_64.",
        "level": "string or None: level of the target's platform, \"v1\" to \"v4\".",
        "shared_libraries": "list of File: what cgo code of the target is linked with.",
        "solib": "string or None: name of the folder beside the packed executable where the variant looks for them.",
        "problem": "string or None: why the target cannot be packed, to follow its label.",
    },
)
