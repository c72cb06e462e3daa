"""The macro that Gazelle calls in the BUILD file of every Go module."""

load("//providers:package_metadata_info.bzl", "PackageMetadataInfo")

def _package_metadata_impl(ctx):
    metadata = ctx.actions.declare_file(ctx.label.name + ".package-metadata.json")
    ctx.actions.write(
        output = metadata,
        content = json.encode({
            "attributes": {},
            "label": str(ctx.label),
            "purl": ctx.attr.purl,
        }),
    )
    return [
        DefaultInfo(files = depset([metadata])),
        PackageMetadataInfo(metadata = metadata),
    ]

_package_metadata = rule(
    implementation = _package_metadata_impl,
    attrs = {"purl": attr.string(mandatory = True)},
)

def package_metadata(name, purl, visibility = None):
    """Declares the package URL of the Go module that the calling package belongs to.

    Args:
        name: name of the target.
        purl: package URL, such as `pkg:golang/golang.org/x/sys@v0.30.0`.
        visibility: as for any rule.
    """
    _package_metadata(
        name = name,
        purl = purl,
        # The package makes this target its default; without this the target would depend on itself.
        applicable_licenses = [],
        visibility = visibility,
    )
