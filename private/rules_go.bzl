"""Which versions of rules_go this module works with."""

visibility(["//private", "//tests/analysis"])

# From this version on go_context knows of `static`, which a level is linked with.
_OLDEST = [0, 64, 0]

def check_rules_go(module_file):
    """Returns what is wrong with the version of rules_go.

    Bazel takes the version that our MODULE.bazel asks for, or a later one, unless
    the root module overrides it.

    Args:
      module_file: string, the contents of its MODULE.bazel.

    Returns:
      An error message, or None: also for a version that is not said, as in a Git
      checkout of rules_go.
    """
    _, found, rest = module_file.partition("\n    version = \"")
    version = rest.partition("\"")[0]
    numbers = version.split("-")[0].split(".")
    if not found or not all([number.isdigit() for number in numbers]):
        return None
    if [int(number) for number in numbers] >= _OLDEST:
        return None
    return ("rules_go: this build has version {}, but rules_go_multiarch needs {} or later: remove the override of rules_go " +
            "from MODULE.bazel, or let it name a later version").format(version, ".".join([str(number) for number in _OLDEST]))
