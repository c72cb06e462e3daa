"""The module extension go_multiarch: makes platforms of every level for the user's own platforms."""

load(":rules_go.bzl", "check_rules_go")

visibility("//")

# The folder of a platform has its levels as `levels_v1` to `levels_v4`.
_BUILD = """load("{defs}", "go_multiarch_platforms")

go_multiarch_platforms(
    name = "levels",
    parent = "{parent}",
)
"""

_PLATFORMS = """# Which go_multiarch_platforms stands for which platform of the tags go_multiarch.platform.

PLATFORMS = {}
"""

# buildifier: disable=canonical-repository
def _repository_impl(ctx):
    entries = []
    for index, platform in enumerate(ctx.attr.platforms):
        folder = "platform{}".format(index)
        ctx.file(folder + "/BUILD.bazel", _BUILD.format(
            defs = Label("//:defs.bzl"),
            parent = platform,
        ))
        entries.append("{}=@@{}//{}:levels".format(platform, ctx.name, folder))
    ctx.file("BUILD.bazel", "")
    ctx.file("platforms.bzl", _PLATFORMS.format(json.encode_indent(entries)))

_repository = repository_rule(
    implementation = _repository_impl,
    attrs = {
        "platforms": attr.string_list(doc = "Canonical labels of the user's platforms."),
    },
    doc = "A go_multiarch_platforms for each platform, and the list of them.",
)

def _go_multiarch_impl(ctx):
    # Every build evaluates this, whether or not it has a tag.
    problem = check_rules_go(ctx.read(Label("@rules_go//:MODULE.bazel")))
    if problem:
        fail(problem)
    platforms = []
    for module in ctx.modules:
        # What is built for is up to who builds.
        if module.is_root:
            for tag in module.tags.platform:
                if str(tag.platform) not in platforms:
                    platforms.append(str(tag.platform))
    _repository(
        name = "rules_go_multiarch_platforms",
        platforms = platforms,
    )
    return ctx.extension_metadata(reproducible = True)

go_multiarch = module_extension(
    implementation = _go_multiarch_impl,
    doc = "Makes platforms of every level for the user's own platforms, with their constraints.",
    tag_classes = {
        "platform": tag_class(
            attrs = {
                "platform": attr.label(
                    mandatory = True,
                    doc = "The platform, as --platforms has it. It must be public, and no alias.",
                ),
            },
            doc = "A platform of --platforms whose constraints the levels keep. Only those of the root module count.",
        ),
    },
)
