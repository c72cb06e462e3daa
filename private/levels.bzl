"""The micro-architecture levels of amd64 that Go compiles for (GOAMD64)."""

visibility(["//private/...", "//tests/analysis"])

LEVELS = ["v1", "v2", "v3", "v4"]

def check_levels(levels, name = "goamd64"):
    """Returns what is wrong with a list of levels.

    Args:
      levels: list of strings, the value of the attribute `goamd64` or of a flag.
      name: name of the attribute or flag.

    Returns:
      An error message that names the attribute, or None.
    """
    if not levels:
        return "{}: empty list, want at least one of {}".format(name, ", ".join(LEVELS))
    seen = {}
    for level in levels:
        if level not in LEVELS:
            return "{}: unknown level \"{}\", want some of {}".format(name, level, ", ".join(LEVELS))
        if level in seen:
            return "{}: level \"{}\" stands there twice, want each at most once".format(name, level)
        seen[level] = True
    return None

# The flag that stands for the attribute goamd64 of every packed label.
LEVELS_FLAG = "@rules_go_multiarch//settings:levels"

def check_levels_flag(levels):
    """Returns what is wrong with the value of the flag //settings:levels.

    Args:
      levels: list of strings.

    Returns:
      An error message that names the flag, or None.
    """
    return check_levels(levels, "--" + LEVELS_FLAG) if levels else None
