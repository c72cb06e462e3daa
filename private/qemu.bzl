"""The rule go_multiarch_qemu: an emulator for levels that the CPU cannot run."""

load(":levels.bzl", "LEVELS")

visibility(["//", "//private", "//tests/analysis"])

TOOLCHAIN_TYPE = Label("//qemu:toolchain_type")

# The least model of each level. qemu's translator has no AVX-512, and so no v4.
# Haswell itself would warn of transactional memory, which it has not either.
_MODELS = {
    "v1": "qemu64",
    "v2": "Nehalem",
    "v3": "Haswell-noTSX",
}

def _go_multiarch_qemu_impl(ctx):
    models = ctx.attr.models
    for level in models:
        if level not in LEVELS:
            fail("models: unknown level \"{}\", want some of {}".format(level, ", ".join(LEVELS)))
    return [platform_common.ToolchainInfo(
        executable = ctx.executable.executable,
        models = models,
        runfiles = ctx.attr.executable[DefaultInfo].default_runfiles,
    )]

go_multiarch_qemu = rule(
    implementation = _go_multiarch_qemu_impl,
    doc = """An emulator that `go_multiarch_test` runs levels in that the CPU cannot run.

A qemu-x86_64 that is on PATH is found without this. To bring your own, so that
every machine has the same and remote ones have it at all:

```starlark
load("@rules_go_multiarch//:defs.bzl", "go_multiarch_qemu")

go_multiarch_qemu(
    name = "qemu",
    executable = "@our_qemu//:qemu-x86_64-static",
    visibility = ["//visibility:public"],  # for every package with tests
)

toolchain(
    name = "qemu_toolchain",
    exec_compatible_with = ["@platforms//os:linux", "@platforms//cpu:x86_64"],
    toolchain = ":qemu",
    toolchain_type = "@rules_go_multiarch//qemu:toolchain_type",
)
```

and `register_toolchains("//:qemu_toolchain")` in MODULE.bazel.
""",
    attrs = {
        "executable": attr.label(
            mandatory = True,
            allow_single_file = True,
            cfg = "exec",
            doc = "Required: qemu-x86_64, the user mode emulator, or a program that takes its flags -cpu and -0. " +
                  "It is started through a link, so it has to find what it needs by itself; static builds do.",
            executable = True,
        ),
        "models": attr.string_dict(
            default = _MODELS,
            doc = "The CPU model, as -cpu takes it, that is emulated for each level; by default qemu64, Nehalem and " +
                  "Haswell-noTSX, the least of v1 to v3. A level without one is not emulated.",
        ),
    },
)
