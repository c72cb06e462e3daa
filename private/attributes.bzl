"""What the macros do with attributes."""

visibility("//private")

# Attributes of every rule that both targets of a macro get, the inner and the outer one.
COMMON = [
    "applicable_licenses",
    "aspect_hints",
    "compatible_with",
    "exec_compatible_with",
    "features",
    "package_metadata",
    "restricted_to",
    "target_compatible_with",
    "testonly",
    "toolchains",
]

# For the attribute `cgo`, which transitions read: what the target platform's constraint says.
CGO = select({
    Label("@rules_go//go/toolchain:cgo_off"): "cgo_off_",
    Label("@rules_go//go/toolchain:cgo_on"): "cgo_on_",
    "//conditions:default": "",
})

# For `target_compatible_with` of what only makes sense where levels are.
LINUX_X86_64 = [
    Label("@platforms//cpu:x86_64"),
    Label("@platforms//os:linux"),
]

def with_manual(tags):
    """Returns tags with `manual` among them."""
    return tags if "manual" in tags else tags + ["manual"]
