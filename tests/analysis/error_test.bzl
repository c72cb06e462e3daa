"""A test of what a target says that cannot be built."""

load("@bazel_skylib//lib:unittest.bzl", "analysistest", "asserts")

def _error_test_impl(ctx):
    env = analysistest.begin(ctx)
    asserts.expect_failure(env, ctx.attr.message)
    return analysistest.end(env)

def make_error_test(config_settings = {}):
    """Returns a rule that wants `message` in the error of its `target_under_test`.

    Args:
      config_settings: dict of the flags that the target is analysed with.
    """
    return analysistest.make(
        _error_test_impl,
        attrs = {"message": attr.string(mandatory = True)},
        config_settings = config_settings,
        expect_failure = True,
    )
