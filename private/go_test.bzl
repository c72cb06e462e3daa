"""What a target has to be to be tested or measured at a level."""

load("@rules_go//go:def.bzl", "GoArchive")
load(":labels.bzl", "spell")
load(":levels.bzl", "LEVELS")
load(":mapping.bzl", "FLAG")

visibility("//private")

def check_go_test(attribute, target, level):
    """Returns what is wrong with a target that is to be a go_test at a level.

    Args:
      attribute: name of the attribute that has the target.
      target: the configured target.
      level: the level that it was to be built for.

    Returns:
      An error message that names the attribute, or None.
    """
    label = spell(target.label)

    # A variable that rules_go gives its tests, and nothing but tests.
    if GoArchive not in target or RunEnvironmentInfo not in target or \
       "GO_TEST_RUN_FROM_BAZEL" not in target[RunEnvironmentInfo].environment:
        return "{}: {} is not a go_test, want a go_test".format(attribute, label)
    mode = target[GoArchive].source.mode
    if (mode.goos, mode.goarch) != ("linux", "amd64"):
        return ("{}: {} is built for {}/{}, want a go_test that sets neither goos nor goarch: " +
                "they replace the platform, and the level with it").format(attribute, label, mode.goos, mode.goarch)
    if (mode.amd64 or LEVELS[0]) != level:
        return ("platforms: {} is built for {} where {} was asked for, want a go_test without goos and goarch, and a " +
                "go_multiarch_platforms (in the attribute platforms, or in --{})").format(label, mode.amd64 or LEVELS[0], level, FLAG)
    return None
