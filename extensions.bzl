"""Module extensions of rules_go_multiarch: all that users take with `use_extension`.

`go_multiarch` takes the platforms that users build for, so that the levels keep their constraints.
"""

load("//private:extension.bzl", _go_multiarch = "go_multiarch")

go_multiarch = _go_multiarch
