"""The rule behind the macro go_multiarch_binary."""

load("@bazel_skylib//rules:common_settings.bzl", "BuildSettingInfo")
load("@rules_go//go:def.bzl", "GoArchive")
load(":labels.bzl", "spell")
load(":levels.bzl", "LEVELS", "check_levels", "check_levels_flag")
load(":mapping.bzl", "FLAG", "check_mapping", "check_target_platform")
load(":providers.bzl", "GoMultiarchInfo", "GoVariantInfo")
load(":transition.bzl", "UNPACKED", "launcher_transition", "level_split")
load(":variant.bzl", "go_variant")

visibility("//private")

def go_multiarch_binary_impl(ctx, own = None):
    """Implements both forms of the rule.

    Args:
      ctx: the rule's context.
      own: in the drop-in form, the go_binary in the target's own configuration, of which
        the providers are given.

    Returns:
      A list of providers.
    """
    targets = ctx.split_attr.target
    first = targets.values()[0]
    for problem in [
        check_levels(ctx.attr.goamd64),
        check_levels_flag(ctx.attr._levels[BuildSettingInfo].value),
        check_mapping(ctx.attr._mapping[BuildSettingInfo].value),
        _check_target(ctx, first, own),
        None if UNPACKED in targets else _check_platform(ctx),
    ]:
        if problem:
            fail(problem)
    if UNPACKED in targets or first[GoVariantInfo].other_platform:
        return _plain(ctx, first)
    return _packed(ctx, targets, own)

def _check_target(ctx, target, own):
    # Aspects do not come to files.
    problem = target[GoVariantInfo].problem if GoVariantInfo in target else "is a file, or not there at all, want a go_binary"
    return "{}{} {}".format("" if own else "target: ", _written(ctx, target, own), problem) if problem else None

def _check_platform(ctx):
    if getattr(ctx.attr, "own_platform", None):
        return None  # goos and goarch put a platform of rules_go in the place of any.
    return check_target_platform(
        ctx.attr._mapping[BuildSettingInfo].value,
        ctx.fragments.platform.platform,
        ctx.attr.platforms,
    )

def _written(ctx, target, own):
    """Spells the label that the user has written, which is not that of the drop-in form's go_binary."""
    return spell(ctx.label if own else target.label)

def _packed(ctx, targets, own):
    variants = {
        level: _variant(ctx, level, targets[level], own)
        for level in LEVELS
        if level in targets
    }
    out = ctx.attr.out or ctx.label.name
    executable = ctx.actions.declare_file(out)
    manifest = ctx.actions.declare_file(ctx.label.name + ".manifest.json")
    _pack(ctx, executable, manifest, variants)
    companions = {level: _companion(ctx, executable, level, variants) for level in variants}

    # What debuggers look for beside the executable. Where the build is for
    # debugging it is there without being asked for: Bazel builds runfiles, and
    # no $(location) finds two files.
    debuggable = [_companion(ctx, executable, None, variants)] if _debugging(ctx) else []

    # Runfiles and environment do not depend on the level. Those of the lowest
    # one stand for all, so that data is built once. Its DefaultInfo would build
    # the executable at the usual address as well.
    lowest = targets[variants.keys()[0]]
    return _providers(
        ctx,
        lowest,
        lowest[GoArchive].runfiles.merge(ctx.runfiles([
            library
            for level in variants
            for library in _solib(ctx, out, targets[level][GoVariantInfo])
        ])),
        GoMultiarchInfo(executable = executable, manifest = manifest, variants = variants),
        debuggable,
        own,
    ) + [OutputGroupInfo(
        debug = depset(companions.values() + debuggable),
        manifest = depset([manifest]),
        **(_output_groups(own) | {level: depset([variant]) for level, variant in variants.items()})
    )]

def _solib(ctx, out, variant):
    """Puts the shared libraries of cgo code where the variants look for them."""
    links = []
    for library in variant.shared_libraries:
        folder = out.rpartition("/")[0]
        link = ctx.actions.declare_file("{}{}/{}".format(folder + "/" if folder else "", variant.solib, library.basename))
        ctx.actions.symlink(output = link, target_file = library)
        links.append(link)
    return links

def _variant(ctx, level, target, own):
    variant = target[GoVariantInfo]
    if variant.level != level:
        fail(("platforms: {} is built for {} where {} was asked for, want a go_multiarch_platforms " +
              "(in the attribute platforms, or in --{})").format(_written(ctx, target, own), variant.level, level, FLAG))
    return variant.executable

def _pack(ctx, executable, manifest, variants):
    args = ctx.actions.args()
    args.use_param_file("@%s")
    args.set_param_file_format("multiline")
    args.add("-launcher", ctx.file._launcher)
    args.add("-manifest", manifest)
    args.add("-o", executable)
    args.add("-debuglink", _debug_link(executable))
    args.add("-strip", ctx.attr.strip)
    if ctx.attr.isolate == "on" or ctx.attr.isolate == "auto" and _debugging(ctx):
        args.add("-isolate")
    if not ctx.attr.env_override:
        args.add("-no-environment")
    if ctx.attr.force:
        args.add("-force")
    for level, variant in variants.items():
        args.add("-variant")
        args.add(variant, format = level + "=%s")
    ctx.actions.run(
        mnemonic = "GoMultiarchPack",
        progress_message = "Packing %{label}",
        executable = ctx.executable._packer,
        arguments = ["create", args],
        inputs = variants.values() + [ctx.file._launcher],
        outputs = [executable, manifest],
        execution_requirements = {"supports-path-mapping": "1"},
        toolchain = None,
    )

def _debugging(ctx):
    return ctx.var["COMPILATION_MODE"] == "dbg"

def _debug_link(executable):
    return executable.basename + ".debug"

def _companion(ctx, executable, level, variants):
    """Makes the debug file of a level, or of the one that the machine starts where it runs."""
    args = ctx.actions.args()
    requirements = {"supports-path-mapping": "1"}
    if level:
        variants = {level: variants[level]}
        companion = ctx.actions.declare_file("{}.{}.debug".format(executable.basename, level), sibling = executable)
        args.add("-level", level)
    else:
        companion = ctx.actions.declare_file(_debug_link(executable), sibling = executable)

        args.add("-if-any")

        # Another machine may start another level.
        requirements |= {"no-cache": "1", "no-remote": "1"}
    args.add("-file", companion)
    args.add(executable)
    for name, variant in variants.items():
        args.add(variant, format = name + "=%s")
    ctx.actions.run(
        mnemonic = "GoMultiarchDebug",
        progress_message = "Making debug file %{output}",
        executable = ctx.executable._packer,
        arguments = ["debug", args],
        inputs = [executable] + variants.values(),
        outputs = [companion],
        execution_requirements = requirements,
        toolchain = None,
    )
    return companion

def _plain(ctx, target):
    original = target[DefaultInfo].files_to_run.executable
    name = ctx.attr.out or ctx.label.name + (".exe" if original.extension == "exe" else "")
    executable = ctx.actions.declare_file(name)
    ctx.actions.symlink(output = executable, target_file = original, is_executable = True)
    return _providers(
        ctx,
        target,
        target[DefaultInfo].default_runfiles,
        GoMultiarchInfo(executable = executable, manifest = None, variants = {}),
        own = target,
    ) + [OutputGroupInfo(**_output_groups(target))]

def _output_groups(own):
    """Returns the output groups of a go_binary. Bazel itself finds those that begin with _."""
    return {
        group: own[OutputGroupInfo][group]
        for group in own[OutputGroupInfo]
        if not group.startswith("_")
    } if own else {}

def _providers(ctx, target, runfiles, info, beside = [], own = None):
    """Returns the providers of packed and plain executables alike."""
    return [
        DefaultInfo(
            executable = info.executable,
            files = depset([info.executable]),
            runfiles = ctx.runfiles([info.executable] + beside).merge(runfiles),
        ),
        coverage_common.instrumented_files_info(ctx, dependency_attributes = ["target"]),
        info,
    ] + ([target[RunEnvironmentInfo]] if RunEnvironmentInfo in target else []) + ([own[GoArchive]] if own else [])

# What the rules of both forms have in common.
RULE = {
    "doc": "Packs the levels of a go_binary into one executable. See the macro of this name.",
    "exec_groups": {
        # go_binary's, so that exec_properties are accepted as there.
        "go_link": exec_group(),
    },
    "executable": True,
    "fragments": ["platform"],
    "attrs": {
        "cgo": attr.string(
            doc = "Set by the macro: \"cgo_off_\" or \"cgo_on_\" where the target platform has that constraint of rules_go's.",
            values = ["", "cgo_off_", "cgo_on_"],
        ),
        "data": attr.label_list(
            allow_files = True,
            doc = "Set by the macro to the data of the go_binary that it makes, so that args can name its files.",
        ),
        "env_override": attr.bool(
            default = True,
            doc = "Whether the executable reads GOAMD64, GOMULTIARCH and MGODEBUG when it starts.",
        ),
        "force": attr.bool(
            doc = "Whether to pack levels that are different programs, or different builds of one.",
        ),
        "goamd64": attr.string_list(
            default = LEVELS,
            doc = "Levels to build, some of v1, v2, v3 and v4. The lowest level is the minimum CPU that the executable supports.",
        ),
        "isolate": attr.string(
            default = "auto",
            doc = "Whether the launcher hides the data of all levels that it does not start: \"on\", \"off\", or \"auto\", which is on under -c dbg.",
            values = ["auto", "off", "on"],
        ),
        "out": attr.string(
            doc = "File name of the executable; by default the target's name.",
        ),
        "pack_as_tool": attr.bool(
            doc = "Whether it is packed in the exec configuration as well, where tools of the build are.",
        ),
        "packed": attr.bool(
            default = True,
            doc = "Set by the macro: False on target platforms other than Linux on x86_64.",
        ),
        "platforms": attr.string(
            doc = "Canonical label of a go_multiarch_platforms; its platforms are used in place of rules_go_multiarch's own.",
        ),
        "strip": attr.string(
            default = "none",
            doc = "What to leave out of every level: \"all\" is symbols and debug information, \"debug\" debug information, " +
                  "\"none\" nothing that go_binary links.",
            values = ["all", "debug", "none"],
        ),
        "target": attr.label(
            mandatory = True,
            allow_files = True,  # So that the error is ours.
            aspects = [go_variant],
            cfg = level_split,
            doc = "The go_binary.",
        ),
        "_allowlist_function_transition": attr.label(
            default = "@bazel_tools//tools/allowlists/function_transition_allowlist",
        ),
        "_launcher": attr.label(
            default = "//launcher/program",
            cfg = launcher_transition,
            allow_single_file = True,
        ),
        "_levels": attr.label(default = "//settings:levels"),
        "_mapping": attr.label(default = "//:platforms"),
        "_packer": attr.label(
            default = "//tools/packer:pack",
            cfg = "exec",
            executable = True,
        ),
    },
}

go_multiarch_binary = rule(
    implementation = go_multiarch_binary_impl,
    provides = [GoMultiarchInfo],
    **RULE
)
