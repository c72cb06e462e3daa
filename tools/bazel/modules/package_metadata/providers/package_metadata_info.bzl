"""The provider that rules_go reads."""

PackageMetadataInfo = provider(
    doc = "Says what a Bazel package is made of.",
    fields = {
        "metadata": "A JSON File with the package URL. The only field that rules_go reads.",
    },
)
