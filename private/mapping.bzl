"""Which go_multiarch_platforms stands for which platform: the flag //:platforms, and go_multiarch.platform."""

load("@rules_go_multiarch_platforms//:platforms.bzl", "PLATFORMS")
load(":levels.bzl", "LEVELS")

visibility(["//private", "//tests/analysis"])

FLAG = "@rules_go_multiarch//:platforms"

# What users write has to be compared with what Bazel says a platform is.
# buildifier: disable=canonical-repository
def _canonical(label):
    """Returns a label as `str` spells it, or None when only its user could resolve it."""
    for main_repository in ["@@//", "@//", "//"]:
        if label.startswith(main_repository):
            return str(Label("@@//" + label.removeprefix(main_repository)))
    return str(Label(label)) if label.startswith("@@") else None

def _parse(entry):
    """Returns platform and base of an entry, or None when it is malformed."""
    platform, _, base = entry.partition("=")
    platform, base = _canonical(platform), _canonical(base)
    return (platform, base) if platform and base else None

# buildifier: disable=canonical-repository
def check_mapping(entries):
    """Returns what is wrong with the value of the flag.

    Args:
      entries: list of strings.

    Returns:
      An error message that names the flag, or None.
    """
    for entry in entries:
        if not _parse(entry):
            return ("--{}: \"{}\", want PLATFORM=BASE, where BASE is the label of a go_multiarch_platforms " +
                    "and both labels begin with // or @@; for a platform of another module, or any other, use " +
                    "go_multiarch.platform in MODULE.bazel").format(FLAG, entry)
    return None

def mapped_base(entries, platforms):
    """Returns the go_multiarch_platforms that stands for a platform.

    Args:
      entries: list of strings, the value of the flag. Malformed ones are left
        out: transitions cannot report them as an error of a target.
      platforms: list of labels, the value of --platforms.

    Returns:
      A label, or None when the flag names no such platform.
    """
    incoming = [str(platform) for platform in platforms]
    for entry in entries + PLATFORMS:
        parsed = _parse(entry)
        if not parsed:
            continue
        platform, base = parsed

        # The base's own platforms come in where a packed program is in the data
        # of another one.
        for mapped in [platform] + ["{}_{}".format(base, level) for level in LEVELS]:
            if mapped in incoming:
                return base
    return None

# buildifier: disable=canonical-repository
def _has_own_constraints(platform):
    """Returns whether a platform may have constraints that ours have not."""
    for known in [Label("//private/platforms:all"), Label("@rules_go//go/toolchain:all")]:
        if platform.same_package_label("all") == known:
            return False

    # The machine's own platform, by the names that it has in Bazel 7 to 9.
    return str(platform).startswith("@@//") or "{}:{}".format(platform.package, platform.name) not in [
        ":host",
        "host:host",
        "tools:host_platform",
    ]

def check_target_platform(entries, platform, attribute):
    """Returns what is wrong with building levels in place of a platform.

    Args:
      entries: list of strings, the value of the flag.
      platform: label of the target platform.
      attribute: value of the attribute `platforms`.

    Returns:
      An error message that says what to write, or None when no constraint of the platform is lost.
    """
    if attribute or mapped_base(entries, [platform]) or not _has_own_constraints(platform):
        return None

    # What is canonical, as @@rules_go~ and @@zig~~toolchains~zig_sdk, is not for MODULE.bazel. The
    # last part is the name of a repository of a module extension, the first one of a module.
    parts = [part for part in platform.repo_name.replace("+", "~").split("~") if part]
    repository = parts[-1] if len(parts) > 2 else parts[0] if parts else ""
    label = ("@" + repository if repository else "") + "//{}:{}".format(platform.package, platform.name)
    return ("--platforms: the levels would be built without the constraints of {platform}. To keep them, write into MODULE.bazel:\n\n" +
            "go_multiarch = use_extension(\"@rules_go_multiarch//:extensions.bzl\", \"go_multiarch\")\n" +
            "go_multiarch.platform(platform = \"{platform}\")\n\n" +
            "or set the attribute platforms to a go_multiarch_platforms").format(platform = label)
