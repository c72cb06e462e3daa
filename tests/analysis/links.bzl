"""How the variants are linked.

The aspect in private/variant.bzl does over again what rules_go does for a
go_binary, and the drop-in form gives a go_binary of its own more attributes. These
tests hold both against the link of a go_binary, so that a change of rules_go shows.
"""

load("@bazel_skylib//lib:unittest.bzl", "analysistest", "asserts")
load("@rules_go//go:def.bzl", "go_binary")
load("//:defs.bzl", "go_multiarch_binary")
load("//internal/testenv:testenv.bzl", "PACKED_COMPATIBLE_WITH")
load("//private:providers.bzl", "GoVariantInfo")
load("//private:slots.bzl", "slot_linkopts")

_LinksInfo = provider(
    doc = "Link actions below a target.",
    fields = {"levels": "dict of level to struct of the `variant` action and the one of go_binary (`plain`)."},
)

def _dropin_links_impl(target, ctx):
    if ctx.rule.kind == "go_multiarch_binary":
        levels = {}
        for variant in ctx.rule.attr.target:
            levels.update(variant[_LinksInfo].levels)
        return [_LinksInfo(levels = levels)]
    return [_LinksInfo(levels = {
        target[GoVariantInfo].level: [action for action in target.actions if action.mnemonic == "GoLink"],
    })]

_dropin_links = aspect(
    implementation = _dropin_links_impl,
    doc = "Collects what links the levels of the drop-in form.",
    attr_aspects = ["target"],
    required_aspect_providers = [GoVariantInfo],
)

def _links_impl(target, ctx):
    if ctx.rule.kind == "go_multiarch_binary":
        levels = {}
        for variant in ctx.rule.attr.target:
            levels.update(variant[_LinksInfo].levels)
        return [_LinksInfo(levels = levels)]
    variant = target[GoVariantInfo]
    links = {
        action.outputs.to_list()[0]: action
        for action in target.actions
        if action.mnemonic == "GoLink"
    }
    return [_LinksInfo(levels = {
        variant.level: struct(
            variant = links[variant.executable],
            plain = links[target[DefaultInfo].files_to_run.executable],
        ),
    })]

_links = aspect(
    implementation = _links_impl,
    doc = "Collects what links the levels of a go_multiarch_binary.",
    attr_aspects = ["target"],
    # To see the actions of the aspect that links variants.
    required_aspect_providers = [GoVariantInfo],
)

def _output(action):
    return action.outputs.to_list()[0].path

def _with_slot(argv, linkopts):
    """Returns a link command with the options that put it in its slot added."""
    return _with_options(argv, linkopts[:2], linkopts[3]) if linkopts else argv

def _with_dropin_options(argv, level, linkopts):
    """Returns a link command with the options added that the drop-in form has."""

    # No address of the text, and no option for the system's linker, where there is no slot.
    text = linkopts[:2] or ([] if level == "v1" else ["-T", "-1"])
    return _with_options(argv, text, linkopts[3] if linkopts else "")

def _with_options(argv, text, flag):
    """Returns a link command with options for both linkers added."""

    # rules_go adds -s after the target's own options, collects -extldflags in one
    # at the end, and adds -static to them.
    end = [argv.index(option) for option in ["-s", "-extldflags"] if option in argv]
    at = end[0] if end else len(argv)
    if "-extldflags" not in argv:
        return argv[:at] + text + argv[at:] + ["-extldflags", flag]
    flags = argv[-1]
    last = " -static" if flags.endswith(" -static") else ""
    return argv[:at] + text + argv[at:-1] + [flags.removesuffix(last) + " " + flag + last]

def _links_test_impl(ctx):
    env = analysistest.begin(ctx)
    levels = analysistest.target_under_test(env)[_LinksInfo].levels
    asserts.equals(env, ctx.attr.levels, sorted(levels))
    for level, links in levels.items():
        expected = [_output(links.variant) if argument == _output(links.plain) else argument for argument in links.plain.argv]
        linkopts = slot_linkopts(level, ctx.attr.system_linker) if ctx.attr.in_slot else []
        asserts.equals(env, _with_slot(expected, linkopts), links.variant.argv)
        asserts.equals(env, links.plain.env, links.variant.env)
        asserts.equals(env, links.plain.inputs.to_list(), links.variant.inputs.to_list())
        asserts.equals(env, level, links.variant.env.get("GOAMD64", "v1"))

        # The drop-in form links once, and as go_binary does but for its name.
        dropin = ctx.attr.dropin[_LinksInfo].levels[level]
        asserts.equals(env, 1, len(dropin), "number of actions that link {} of the drop-in form".format(level))
        name = links.plain.outputs.to_list()[0].owner.name
        expected = [
            _output(dropin[0]) if argument == _output(links.plain) else argument.replace("/" + name + ".", "/" + name + "_dropin.go_binary.")
            for argument in links.plain.argv
        ]
        asserts.equals(env, _with_dropin_options(expected, level, linkopts), dropin[0].argv)
        asserts.equals(env, links.plain.env, dropin[0].env)
        for option in ctx.attr.options:
            asserts.true(env, option in links.variant.argv, "{} links without {}".format(level, option))
    return analysistest.end(env)

_links_test = analysistest.make(
    _links_test_impl,
    attrs = {
        "dropin": attr.label(aspects = [_dropin_links]),
        "in_slot": attr.bool(default = True),
        "levels": attr.string_list(mandatory = True),
        "options": attr.string_list(),
        "system_linker": attr.string_list(),
    },
    extra_target_under_test_aspects = [_links],
)

def _link_test(name, levels = ["v3"], options = [], in_slot = True, system_linker = [], **kwargs):
    """Tests a go_binary with the attributes given."""
    go_binary(
        name = name,
        embed = [":program_lib"],
        tags = ["manual"],
        target_compatible_with = PACKED_COMPATIBLE_WITH,
        **kwargs
    )
    go_multiarch_binary(
        name = name + "_multi",
        goamd64 = levels,
        tags = ["manual"],
        target = name,
        target_compatible_with = PACKED_COMPATIBLE_WITH,
    )
    go_multiarch_binary(
        name = name + "_dropin",
        embed = [":program_lib"],
        goamd64 = levels,
        tags = ["manual"],
        target_compatible_with = PACKED_COMPATIBLE_WITH,
        **kwargs
    )
    _links_test(
        name = name + "_test",
        dropin = name + "_dropin",
        in_slot = in_slot,
        levels = levels,
        options = options,
        system_linker = system_linker,
        target_compatible_with = PACKED_COMPATIBLE_WITH,
        target_under_test = name + "_multi",
    )

def links_test_suite(name):
    """Tests of programs that are linked in different ways.

    Args:
      name: Prefix of the tests' names.
    """
    _link_test(
        name + "_default",
        levels = ["v1", "v2", "v3", "v4"],
    )
    _link_test(
        name + "_pure",
        options = ["internal"],
        pure = "on",
    )
    _link_test(
        name + "_static",
        pure = "off",
        static = "on",
    )
    _link_test(
        name + "_race",
        options = ["-race"],
        race = "on",
    )
    _link_test(
        name + "_options",
        basename = "other_name",
        gc_linkopts = [
            "-X=main.cpu=$(TARGET_CPU)",
            "-X=main.price=$$1",
        ],
        gotags = ["tag"],
        options = ["-X=main.price=$1"],
        x_defs = {"main.version": "{STABLE_VERSION}"},
    )

    _link_test(
        name + "_lld",
        gc_linkopts = [
            "-extldflags",
            "-fuse-ld=lld",
        ],
        system_linker = ["-fuse-ld=lld"],
    )

    # No slot: such a program is loaded anywhere, and -Ttext-segment would make
    # it position-dependent.
    _link_test(
        name + "_pie",
        in_slot = False,
        linkmode = "pie",
        options = ["pie"],
    )
