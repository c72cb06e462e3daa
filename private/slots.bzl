"""The address plan: where each level is linked.

internal/slots has the same numbers for the packer, and the reasons for them.
"""

visibility(["//private", "//tests/analysis"])

_BASES = {
    "v2": 0x15008000,
    "v3": 0x2a008000,
    "v4": 0x3f008000,
}

# -T is the address of the text; Go's linker keeps a page before it for the ELF
# headers.
_TEXT_OFFSET = 0x1000

def slot_linkopts(level):
    """Returns the link options that put a position-dependent executable in its slot.

    Args:
      level: string, "v1" to "v4".

    Returns:
      A list of options for rules_go's `gc_linkopts`. Of -T, for Go's linker, and
      -Ttext-segment, for the system linker, the one that does not link is
      ignored. v1 stays where linkers put every program.
    """
    if level not in _BASES:
        return []
    return [
        "-T",
        "0x%x" % (_BASES[level] + _TEXT_OFFSET),
        # Two items: as one, rules_go loses it when the system linker links.
        "-extldflags",
        "-Wl,-Ttext-segment=0x%x" % _BASES[level],
    ]
