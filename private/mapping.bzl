"""The flag //:platforms: which go_multiarch_platforms stands for which platform."""

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
                    "and both labels begin with // or @@").format(FLAG, entry)
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
    for entry in entries:
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
