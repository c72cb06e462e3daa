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

def slot_linkopts(level, system = []):
    """Returns the link options that put a position-dependent executable in its slot.

    Args:
      level: string, "v1" to "v4".
      system: list of strings: what says which linker the system's is, the path of
        what links and its options.

    Returns:
      A list of options for rules_go's `gc_linkopts`. Of -T, for Go's linker, and
      -Ttext-segment or --image-base, for the system linker, the one that does not
      link is ignored. v1 stays where linkers put every program.
    """
    if level not in _BASES:
        return []
    flag = "--image-base" if any([_takes_image_base(option) for option in system]) else "-Ttext-segment"
    return [
        "-T",
        "0x%x" % (_BASES[level] + _TEXT_OFFSET),
        # Two items: as one, rules_go loses it when the system linker links.
        "-extldflags",
        "-Wl,%s=0x%x" % (flag, _BASES[level]),
    ]

def _takes_image_base(option):
    """Whether an option, or a path, is of LLVM's linker, Zig's or mold: internal/gobuild of the packer has the same."""
    if option.startswith("-"):
        name, _, linker = option.partition("=")
        return name in ["-fuse-ld", "--ld-path"] and ("lld" in linker or "mold" in linker)
    return "zig" in option
