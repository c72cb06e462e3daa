"""Gives Go tests the programs that package testenv looks for."""

visibility(["//launcher/...", "//tests/...", "//tools/..."])

_TOOLS = {
    "TESTENV_LAUNCHER": Label("//launcher/program"),
    "TESTENV_PACKER": Label("//tools/packer"),
}

_PROBE = {
    "TESTENV_PROBE": Label("//tests/probe:probe_multi"),
} | {
    "TESTENV_PROBE_" + level.upper(): Label("//tests/probe:probe_" + level)
    for level in ["v1", "v2", "v3", "v4"]
}

def _data(programs):
    return [str(label) for label in programs.values()]

def _env(programs):
    return {name: "$(rlocationpath {})".format(label) for name, label in programs.items()}

TOOLS_DATA = _data(_TOOLS)
TOOLS_ENV = _env(_TOOLS)
PROBE_DATA = _data(_TOOLS | _PROBE)
PROBE_ENV = _env(_TOOLS | _PROBE)

# Programs that run what is packed are for Linux on x86_64.
PACKED_COMPATIBLE_WITH = [
    "@platforms//cpu:x86_64",
    "@platforms//os:linux",
]
