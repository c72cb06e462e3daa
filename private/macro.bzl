"""The macro go_multiarch_binary."""

load("@rules_go//go:def.bzl", "go_binary")
load(":attributes.bzl", "CGO", "COMMON", "with_manual")
load(":binary.bzl", _wrapping_binary = "go_multiarch_binary")
load(":dropin.bzl", _dropin_binary = "go_multiarch_binary")
load(":dropin_linkopts.bzl", "at_levels", "dropin_gc_linkopts", "dropin_linkopts")
load(":levels.bzl", "LEVELS")
load(":variant.bzl", "PACKED_PAIR")

visibility(["//", "//tests/analysis"])

# Attributes that only the outer target gets.
_OUTER = [
    "args",
    "deprecation",
    "visibility",
]

def go_multiarch_binary(
        name,
        target = None,
        goamd64 = LEVELS,
        platforms = None,
        env_override = True,
        out = None,
        strip = "none",
        isolate = "auto",
        pack_as_tool = False,
        force = False,
        exec_properties = None,
        tags = [],
        **kwargs):
    """Builds one executable that holds a program at several levels of GOAMD64.

    It starts the best level that the CPU can run. Either wrap a `go_binary`:

    ```starlark
    load("@rules_go_multiarch//:defs.bzl", "go_multiarch_binary")

    go_multiarch_binary(
        name = "app_multi",
        target = ":app",
    )
    ```

    or give the attributes of `go_binary` and it makes the inner one itself:

    ```starlark
    go_multiarch_binary(
        name = "app",
        embed = [":app_lib"],
        goamd64 = ["v1", "v3"],
    )
    ```

    The second form takes the place of a `go_binary`. It has the providers of a
    `go_binary`, such as GoArchive, for the target's own configuration. The macro
    makes two more targets, `<name>.go_binary` and `<name>.go_binary.linkopts`,
    which are private and tagged `manual`.

    On a target platform other than Linux on x86_64 it is the plain binary of
    that platform. `goos = "linux"` with `goarch = "amd64"` is packed on every
    platform; with another pair it is the plain binary of that pair.

    Output groups: `v1` to `v4` have the variants, `manifest` what the packed file
    says of itself, `debug` each level's debug file, which `packer debug` and
    docs/tools.md explain. Under `-c dbg` debuggers find the one of the level that
    this machine starts.

    Args:
      name: A unique name for this target.
      target: Label of the `go_binary`. `env`, `data` and runfiles are taken
        from it; `args` is not, as Bazel shows it to no other target. In `args` of
        this one `$(rlocationpath)` does not know its `data`: write the path out.
      goamd64: List of levels to build, some of `v1`, `v2`, `v3` and `v4`. The
        lowest level is the minimum CPU that the executable supports. The flag
        `--@rules_go_multiarch//settings:levels` replaces the list (docs/levels.md).
      platforms: Label of a `go_multiarch_platforms`, for constraints of your own
        on the platform that the levels are built for.
      env_override: Whether the executable reads GOAMD64, GOMULTIARCH and
        MGODEBUG when it starts.
      out: File name of the executable; by default `name`.
      strip: What to leave out of every level: `"all"` is symbols and debug
        information, `"debug"` debug information, `"none"` nothing, so that there
        is what `go_binary` links: it strips in `fastbuild`, unless `--strip` says
        otherwise. The output group `debug` has what `strip` left out.
      isolate: Whether the launcher hides the data of all levels that it does not start, so
        that no debugger shows it for that of the level that runs: `"on"`, `"off"`, or
        `"auto"`, which is on under `-c dbg`. It takes some microseconds. The launcher does so
        anyway if a variable picks the level, in position-independent and dynamically linked
        programs, and in many others that the system's linker made.
      force: Whether to pack levels that are different programs, or different builds of
        one: other versions, revisions or flags. By default that is an error. You need it
        if a select on the level chooses the sources.
      pack_as_tool: Whether it is packed in the exec configuration too, where the
        build itself runs it, as in `tools` of a genrule. By default it is the plain
        program there, which is built once.
      exec_properties: As on `go_binary`. Those of its exec group (`go_link.*`)
        mean the linker. With `target` they reach the packer alone, and those of the
        `go_binary` reach only its own link: Bazel gives the actions of aspects, which
        link the levels then, no properties of a target.
      tags: As on every rule. The inner targets get `manual` as well.
      **kwargs: `visibility`, `testonly`, `args` and what else every rule has;
        without `target` also all attributes of `go_binary`.
    """

    # None is how macros around this one leave an attribute out.
    kwargs = {key: value for key, value in kwargs.items() if value != None}
    common = {key: kwargs.pop(key) for key in COMMON if key in kwargs}
    outer = {key: kwargs.pop(key) for key in _OUTER if key in kwargs}

    wrong = check_attributes(target, kwargs) or check_platforms(platforms)
    if wrong:
        fail("go_multiarch_binary(name = \"{}\"): {}".format(name, wrong))
    tags = tags or []
    data = kwargs.get("data")
    out = out or kwargs.get("basename")
    cgo = CGO
    packed = select({
        Label("//private/platforms:linux_x86_64"): True,
        "//conditions:default": False,
    })
    binary = _wrapping_binary
    if not target:
        binary = _dropin_binary
        pair = _pair(kwargs)
        if pair == PACKED_PAIR:
            packed = True
            kwargs = {key: value for key, value in kwargs.items() if key not in ["goarch", "goos"]}

            # As rules_go has it for this pair.
            with_cgo = kwargs.get("pure") == "off" or "on" in [kwargs.get("msan"), kwargs.get("race")]
            cgo = "cgo_on_" if with_cgo else "cgo_off_"
            outer["own_platform"] = "linux_amd64_cgo" if with_cgo else "linux_amd64"
        elif pair:
            packed = False
        target = _inner(name, exec_properties, tags, common, kwargs, packable = packed != False)

    binary(
        name = name,
        target = target,
        cgo = cgo,
        data = data,
        goamd64 = goamd64,
        env_override = env_override,
        exec_properties = exec_properties,
        out = out,
        strip = strip or "none",
        isolate = isolate or "auto",
        force = force or False,
        pack_as_tool = pack_as_tool or False,
        packed = packed,
        platforms = str(native.package_relative_label(platforms)) if platforms else None,
        tags = tags,
        **(common | outer)
    )

def check_attributes(target, attrs):
    """Returns what is wrong with the choice between a target and attributes of go_binary.

    Args:
      target: value of the attribute `target`, or None.
      attrs: dict of the attributes of `go_binary` that are set.

    Returns:
      An error message that names the attributes, or None.
    """
    if target and attrs:
        return ("target and {} are both set, want beside target only env_override, exec_properties, force, " +
                "goamd64, isolate, out, pack_as_tool, platforms, strip, tags and what every rule has; attributes of go_binary belong there").format(
            ", ".join(sorted(attrs)),
        )
    if not target and not attrs.get("srcs") and not attrs.get("embed"):
        return "none of target, srcs and embed is set, want a target or the attributes of go_binary"
    return None

def check_platforms(platforms):
    """Returns what is wrong with the value of the attribute `platforms`, or None."""
    if not platforms or type(platforms) in ["string", "Label"]:
        return None
    return "platforms: {}, want the label of one go_multiarch_platforms".format(repr(platforms))

def _pair(attrs):
    """Returns goos and goarch, or None where neither is set."""
    pair = (attrs.get("goos", "auto"), attrs.get("goarch", "auto"))
    return None if pair == ("auto", "auto") else pair

def _inner(name, exec_properties, tags, common, attrs, packable):
    """Makes the go_binary and returns its label. `packable` is whether it may be built at a level."""
    inner = name + ".go_binary"
    attrs = dict(attrs)
    common = dict(common)

    # The inner target's name would otherwise show in the build information.
    if not attrs.get("importpath") and not attrs.get("embed"):
        attrs["importpath"] = "/".join([part for part in [native.package_name(), name] if part])
    attrs.setdefault("basename", name)
    if packable:
        linkopts = inner + ".linkopts"
        dropin_linkopts(
            name = linkopts,
            binary = inner,
            tags = with_manual(tags),
            visibility = ["//visibility:private"],
            **(common | {key: attrs[key] for key in ["cdeps", "deps", "embed", "gc_linkopts"] if key in attrs})
        )
        common["toolchains"] = common.get("toolchains", []) + [":" + linkopts]
        attrs["gc_linkopts"] = attrs.get("gc_linkopts", []) + dropin_gc_linkopts()
        if type(attrs["basename"]) == "string":
            # The level in the path keeps the inputs of packing apart where Bazel strips configurations from paths.
            basename = attrs["basename"]
            attrs["basename"] = at_levels(lambda level: "{}/{}".format(level, basename), basename)
    go_binary(
        name = inner,
        exec_properties = exec_properties,
        tags = with_manual(tags),
        visibility = ["//visibility:private"],
        **(common | attrs)
    )
    return ":" + inner
