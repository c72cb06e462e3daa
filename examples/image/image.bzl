"""A rule for images of one executable."""

def _oci_layout_impl(ctx):
    out = ctx.actions.declare_directory(ctx.label.name)
    args = ctx.actions.args()
    args.add(out.path)
    args.add(ctx.executable.executable)
    args.add(ctx.attr.architecture)
    ctx.actions.run(
        mnemonic = "OciLayout",
        progress_message = "Writing image %{label}",
        executable = ctx.executable._layout,
        arguments = [args],
        inputs = [ctx.executable.executable],
        outputs = [out],
        toolchain = None,
    )
    return [DefaultInfo(files = depset([out]))]

oci_layout = rule(
    implementation = _oci_layout_impl,
    doc = "Writes an OCI image layout with one executable, its entrypoint, and nothing else.",
    attrs = {
        "architecture": attr.string(
            mandatory = True,
            doc = "What the executable is for, as Go calls it.",
            values = ["amd64", "arm64"],
        ),
        "executable": attr.label(
            mandatory = True,
            executable = True,
            cfg = "target",
            doc = "The program; it has to need nothing else.",
        ),
        "_layout": attr.label(
            default = "//image/layout",
            executable = True,
            cfg = "exec",
        ),
    },
)
