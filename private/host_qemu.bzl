"""The module extension host_qemu: finds the qemu of the machine that builds."""

visibility("private")

_BUILD = """load("{defs}", "go_multiarch_qemu")

go_multiarch_qemu(
    name = "qemu",
    executable = "qemu-x86_64",
    visibility = ["//visibility:public"],
)

toolchain(
    name = "toolchain",
    exec_compatible_with = [
        "@platforms//cpu:x86_64",
        "@platforms//os:linux",
    ],
    toolchain = ":qemu",
    toolchain_type = "{toolchain_type}",
)
"""

def _repository_impl(ctx):
    found = ctx.os.environ.get("QEMU_X86_64")
    found = ctx.path(found) if found else ctx.which("qemu-x86_64") or ctx.which("qemu-x86_64-static")
    if not found or not found.exists or ctx.os.name != "linux" or ctx.os.arch != "amd64":
        # No toolchain: levels that the CPU cannot run are skipped, with that reason.
        ctx.file("BUILD.bazel", "")
        return
    ctx.symlink(found, "qemu-x86_64")
    ctx.file("BUILD.bazel", _BUILD.format(
        defs = Label("//:defs.bzl"),
        toolchain_type = Label("//qemu:toolchain_type"),
    ))

_repository = repository_rule(
    implementation = _repository_impl,
    configure = True,
    doc = "A toolchain with the qemu-x86_64 that $QEMU_X86_64 names or PATH has, or none.",
    environ = [
        "PATH",
        "QEMU_X86_64",
    ],
    local = True,
)

def _host_qemu_impl(ctx):
    _repository(name = "rules_go_multiarch_host_qemu")
    return ctx.extension_metadata(reproducible = True)

host_qemu = module_extension(
    implementation = _host_qemu_impl,
    doc = "Makes @rules_go_multiarch_host_qemu, whose toolchain has the machine's own qemu.",
)
