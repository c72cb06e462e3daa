"""The micro-architecture levels of amd64 that Go compiles for (GOAMD64)."""

visibility(["//private/...", "//tests/analysis"])

LEVELS = ["v1", "v2", "v3", "v4"]

def check_levels(levels):
    """Returns what is wrong with a list of levels.

    Args:
      levels: list of strings, the value of the attribute `goamd64`.

    Returns:
      An error message that names the attribute, or None.
    """
    if not levels:
        return "goamd64: empty list, want at least one of {}".format(", ".join(LEVELS))
    seen = {}
    for level in levels:
        if level not in LEVELS:
            return "goamd64: unknown level \"{}\", want some of {}".format(level, ", ".join(LEVELS))
        if level in seen:
            return "goamd64: level \"{}\" stands there twice, want each at most once".format(level)
        seen[level] = True
    return None
