"""The answers for Bazel 7.7, the one Bazel that the offline path uses."""

bazel_features = struct(
    external_deps = struct(
        # Read by rules_go, Gazelle and rules_java.
        extension_metadata_has_reproducible = True,
        is_bzlmod_enabled = True,
        module_extension_has_os_arch_dependent = True,
    ),
    rules = struct(
        # Read by rules_go. Bazel 7 does not accept baseline coverage from a rule.
        instrumented_files_info_has_baseline_coverage_files = False,
    ),
)
