"""A macro that packs and starts one kind of executable that rules_go builds."""

load("@rules_go//go:def.bzl", "go_binary")
load("@rules_shell//shell:sh_test.bzl", "sh_test")
load("//:defs.bzl", "go_multiarch_binary")
load("//internal/testenv:testenv.bzl", "PACKED_COMPATIBLE_WITH")

visibility("//tests/kinds/...")

def kind_test(name, dropin = False, **kwargs):
    """Packs a program, linked one way, and starts it at each level.

    Args:
      name: Name of the go_binary; the packed one is `<name>_multi`, the test
        `<name>_test`.
      dropin: Whether go_multiarch_binary takes the attributes itself as well, which
        makes `<name>_dropin` and `<name>_dropin_test`.
      **kwargs: Attributes of go_binary: the program, and how to link it.
    """
    go_binary(
        name = name,
        tags = ["manual"],
        target_compatible_with = PACKED_COMPATIBLE_WITH,
        **kwargs
    )
    go_multiarch_binary(
        name = name + "_multi",
        target = name,
        target_compatible_with = PACKED_COMPATIBLE_WITH,
    )
    _start_test(name, name + "_multi")
    if dropin:
        go_multiarch_binary(
            name = name + "_dropin",
            target_compatible_with = PACKED_COMPATIBLE_WITH,
            **kwargs
        )
        _start_test(name + "_dropin", name + "_dropin")

def _start_test(name, binary):
    sh_test(
        name = name + "_test",
        size = "small",
        srcs = [Label(":start.sh")],
        args = ["$(rootpath {})".format(binary)],
        data = [binary],
        target_compatible_with = PACKED_COMPATIBLE_WITH,
    )
