"""The functions that check what users write, and the address plan."""

load("@bazel_skylib//lib:unittest.bzl", "asserts", "unittest")
load("//private:levels.bzl", "LEVELS", "check_levels")
load("//private:macro.bzl", "check_attributes", "check_platforms")
load("//private:mapping.bzl", "check_mapping", "mapped_base")
load("//private:rules_go.bzl", "check_rules_go")
load("//private:slots.bzl", "slot_linkopts")

def _levels_test_impl(ctx):
    env = unittest.begin(ctx)
    for good in [LEVELS, ["v1"], ["v4", "v2"]]:
        asserts.equals(env, None, check_levels(good))
    for bad, message in [
        ([], "goamd64: empty list, want at least one of v1, v2, v3, v4"),
        (["v1", "v5"], 'goamd64: unknown level "v5", want some of v1, v2, v3, v4'),
        (["V3"], 'goamd64: unknown level "V3", want some of v1, v2, v3, v4'),
        (["v3", "v1", "v3"], 'goamd64: level "v3" stands there twice, want each at most once'),
    ]:
        asserts.equals(env, message, check_levels(bad))
    return unittest.end(env)

_levels_test = unittest.make(_levels_test_impl)

def _attributes_test_impl(ctx):
    env = unittest.begin(ctx)
    for target, attrs in [
        (":app", {}),
        (None, {"srcs": ["main.go"]}),
        (None, {"embed": [":app_lib"], "pure": "on"}),
    ]:
        asserts.equals(env, None, check_attributes(target, attrs))
    for target, attrs, message in [
        (
            ":app",
            {"pure": "on", "srcs": []},
            "target and pure, srcs are both set, want beside target only env_override, exec_properties, force, " +
            "goamd64, isolate, out, pack_as_tool, platforms, strip, tags and what every rule has; attributes of go_binary belong there",
        ),
        (
            None,
            {"pure": "on", "srcs": []},
            "none of target, srcs and embed is set, want a target or the attributes of go_binary",
        ),
    ]:
        asserts.equals(env, message, check_attributes(target, attrs))
    for platforms in [None, "//my:levels", Label("//:levels")]:
        asserts.equals(env, None, check_platforms(platforms))
    asserts.equals(
        env,
        'platforms: ["//my:levels"], want the label of one go_multiarch_platforms',
        check_platforms(["//my:levels"]),
    )
    return unittest.end(env)

_attributes_test = unittest.make(_attributes_test_impl)

# buildifier: disable=canonical-repository
def _mapping_test_impl(ctx):
    env = unittest.begin(ctx)
    asserts.equals(env, None, check_mapping([]))
    for entry, base in [
        ("//my:linux=//my:levels", "@@//my:levels"),
        ("@//my:linux=@//my:levels", "@@//my:levels"),
        ("@@//my:linux=@@other//my:levels", "@@other//my:levels"),
        ("//my:linux=//levels", "@@//levels:levels"),
    ]:
        asserts.equals(env, None, check_mapping([entry]))
        asserts.equals(env, base, mapped_base(["//no:such=//one:here", entry], [Label("@@//my:linux")]))
        asserts.equals(env, None, mapped_base([entry], [Label("@@//my:other")]))

        # A packed program in the data of another one.
        asserts.equals(env, base, mapped_base([entry], [Label(base + "_v3")]))
    for entry in [
        "",
        "//my:linux",
        "//my:linux=",
        "=//my:levels",
        "my:linux=//my:levels",
        "//my:linux=:levels",
        # Names of repositories mean something in the place of the user's only.
        "@other//my:linux=//my:levels",
    ]:
        message = check_mapping(["//some:good=//one:there", entry]) or "no error for " + entry
        asserts.true(env, message.startswith('--@rules_go_multiarch//:platforms: "{}", want PLATFORM=BASE'.format(entry)), message)
        asserts.equals(env, None, mapped_base([entry], [Label("@@//my:linux")]))
    return unittest.end(env)

_mapping_test = unittest.make(_mapping_test_impl)

def _slots_test_impl(ctx):
    env = unittest.begin(ctx)
    asserts.equals(env, [], slot_linkopts("v1"))
    asserts.equals(
        env,
        ["-T", "0x2a009000", "-extldflags", "-Wl,-Ttext-segment=0x2a008000"],
        slot_linkopts("v3"),
    )
    for system, flag in {
        "-O2 -fuse-ld=gold /usr/bin/gcc": "-Ttext-segment",
        "-fuse-ld=lld -O2": "--image-base",
        "--ld-path=external/llvm/bin/ld.lld": "--image-base",
        "-fuse-ld=mold": "--image-base",
        "external/zig_sdk/tools/x86_64-linux-gnu.2.28/c++": "--image-base",
    }.items():
        asserts.equals(env, "-Wl,%s=0x2a008000" % flag, slot_linkopts("v3", system.split(" "))[-1])
    return unittest.end(env)

_slots_test = unittest.make(_slots_test_impl)

def _rules_go_test_impl(ctx):
    env = unittest.begin(ctx)
    module = "module(\n    name = \"rules_go\",\n    version = \"{}\",\n    compatibility_level = 0,\n)\n"
    for good in ["0.64.0", "0.64.1", "0.65.0-rc1", "0.100.0", "1.0.0", ""]:
        asserts.equals(env, None, check_rules_go(module.format(good)), good)
    asserts.equals(env, None, check_rules_go("module(name = \"rules_go\")\n"))
    for bad in ["0.63.9", "0.9.0", "0.63.0-rc1"]:
        asserts.equals(
            env,
            "rules_go: this build has version {}, but rules_go_multiarch needs 0.64.0 or later: remove the override of rules_go ".format(bad) +
            "from MODULE.bazel, or let it name a later version",
            check_rules_go(module.format(bad)),
        )
    return unittest.end(env)

_rules_go_test = unittest.make(_rules_go_test_impl)

def functions_test_suite(name):
    """Unit tests.

    Args:
      name: Prefix of the tests' names.
    """
    _attributes_test(name = name + "_attributes_test")
    _levels_test(name = name + "_levels_test")
    _mapping_test(name = name + "_mapping_test")
    _rules_go_test(name = name + "_rules_go_test")
    _slots_test(name = name + "_slots_test")
