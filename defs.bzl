"""Public API of rules_go_multiarch: all that users load.

`go_multiarch_binary` packs a Go program built for several levels of GOAMD64
into one executable, `go_multiarch_platforms` keeps constraints of your own
while it does, and `GoMultiarchInfo` is for rules that use the result.
"""

load("//private:macro.bzl", _go_multiarch_binary = "go_multiarch_binary")
load("//private:platforms.bzl", _go_multiarch_platforms = "go_multiarch_platforms")
load("//private:providers.bzl", _GoMultiarchInfo = "GoMultiarchInfo")

go_multiarch_binary = _go_multiarch_binary
go_multiarch_platforms = _go_multiarch_platforms
GoMultiarchInfo = _GoMultiarchInfo
