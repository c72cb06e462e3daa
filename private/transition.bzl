"""Transitions: the split into levels, one level, and the one configuration of our own programs that run there."""

load(":levels.bzl", "LEVELS")
load(":mapping.bzl", "mapped_base")

visibility("//private")

_PLATFORMS = "//command_line_option:platforms"
_IS_EXEC = "//command_line_option:is exec configuration"
_MAPPING = str(Label("//:platforms"))
_LEVELS = str(Label("//settings:levels"))

# The key of the split when nothing is packed.
UNPACKED = "plain"

def _default_platform(level, cgo = ""):
    return str(Label("//private/platforms:linux_amd64_" + cgo + level))

def _level_platform(settings, attr, level):
    base = attr.platforms or mapped_base(settings[_MAPPING], settings[_PLATFORMS])
    return "{}_{}".format(base, level) if base else _default_platform(level, attr.cgo)

def _own_platform(settings, attr):
    """Returns what --platforms is for a go_binary in the place of the target."""
    name = getattr(attr, "own_platform", "")
    return str(Label("@rules_go//go/toolchain:" + name)) if name else settings[_PLATFORMS]

def _split(settings, attr, flag):
    """Returns the split. `flag` is the value of //settings:levels, or an empty list."""

    # A tool of the build runs on machines that are known, and soon after: levels would cost
    # more than they gain.
    tool = settings[_IS_EXEC] and not getattr(attr, "pack_as_tool", True)
    if tool or not attr.packed:
        return {UNPACKED: {_PLATFORMS: _own_platform(settings, attr)}}

    # What is wrong with the levels, or a flag, is said by the rule, which every
    # build gets to.
    asked = attr.goamd64 if settings[_IS_EXEC] else flag or attr.goamd64
    levels = [level for level in asked if level in LEVELS] or LEVELS[:1]
    return {level: {_PLATFORMS: _level_platform(settings, attr, level)} for level in levels}

# Sets the platform and nothing else: a Starlark flag that changes here would
# follow into the exec configuration and build every tool once a level.
level_split = transition(
    implementation = lambda settings, attr: _split(settings, attr, settings[_LEVELS]),
    inputs = [_IS_EXEC, _LEVELS, _PLATFORMS, _MAPPING],
    outputs = [_PLATFORMS],
)

# For what compares levels, and so needs all of its own.
bench_split = transition(
    implementation = lambda settings, attr: _split(settings, attr, []),
    inputs = [_IS_EXEC, _PLATFORMS, _MAPPING],
    outputs = [_PLATFORMS],
)

# For a test of one level. The platform is the one of the split, so that what is
# tested is compiled once with what is packed.
level_transition = transition(
    implementation = lambda settings, attr: {_PLATFORMS: _level_platform(settings, attr, attr.level)},
    inputs = [_PLATFORMS, _MAPPING],
    outputs = [_PLATFORMS],
)

# For what a drop-in program gives of its go_binary: the configuration in which a go_binary in its
# place would be.
own_transition = transition(
    implementation = lambda settings, attr: {_PLATFORMS: _own_platform(settings, attr)},
    inputs = [_PLATFORMS],
    outputs = [_PLATFORMS],
)

_GO = "@rules_go//go/config:"

# The launcher, and what starts tests, is the same under every flag of the user. Each value is the
# setting's default, so that nothing is built twice when no flag is given.
_LAUNCHER_SETTINGS = {
    "//command_line_option:collect_code_coverage": False,
    "//command_line_option:stamp": False,
    str(Label(_GO + "debug")): False,
    str(Label(_GO + "gc_goopts")): [],
    str(Label(_GO + "gc_linkopts")): [],
    str(Label(_GO + "linkmode")): "auto",
    str(Label(_GO + "msan")): False,
    str(Label(_GO + "pgoprofile")): Label(_GO + "empty"),
    str(Label(_GO + "pure")): False,
    str(Label(_GO + "race")): False,
    str(Label(_GO + "static")): False,
    str(Label(_GO + "tags")): [],
}

_COMPILATION_MODE = "//command_line_option:compilation_mode"

def _launcher_impl(settings, _attr):
    mode = str(settings[_COMPILATION_MODE])  # Not a string by itself, and equal to none.
    return _LAUNCHER_SETTINGS | {
        _PLATFORMS: _default_platform("v1"),
        # Without optimisation the boot code does not fit its stack and leaves
        # its package. fastbuild and opt compile to the same code.
        _COMPILATION_MODE: "opt" if mode == "dbg" else mode,
    }

launcher_transition = transition(
    implementation = _launcher_impl,
    inputs = [_COMPILATION_MODE],
    outputs = _LAUNCHER_SETTINGS.keys() + [_PLATFORMS, _COMPILATION_MODE],
)
