"""The module extension that bazel_tools names."""

def _no_buildozer_impl(_repository_ctx):
    fail("`bazel mod tidy` needs buildozer, which is not among the modules in tools/bazel; run it with a release of Bazel")

_no_buildozer = repository_rule(implementation = _no_buildozer_impl)

def _buildozer_binary_impl(_module_ctx):
    # Fails only once the repository is used, as `bazel mod graph` evaluates all extensions.
    _no_buildozer(name = "buildozer_binary")

buildozer_binary = module_extension(implementation = _buildozer_binary_impl)
