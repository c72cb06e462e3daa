"""Public API of rules_go_multiarch: all that users load.

`go_multiarch_binary` packs a Go program built for several levels of GOAMD64
into one executable, `go_multiarch_test` runs a test at each of them,
`go_multiarch_qemu` brings an emulator for that, `go_multiarch_bench` tells
whether the levels pay, `go_multiarch_platforms` keeps constraints of your own in
all this, and `GoMultiarchInfo` is for rules that use the packed executable.
"""

load("//private:bench.bzl", _go_multiarch_bench = "go_multiarch_bench")
load("//private:macro.bzl", _go_multiarch_binary = "go_multiarch_binary")
load("//private:platforms.bzl", _go_multiarch_platforms = "go_multiarch_platforms")
load("//private:providers.bzl", _GoMultiarchInfo = "GoMultiarchInfo")
load("//private:qemu.bzl", _go_multiarch_qemu = "go_multiarch_qemu")
load("//private:test_macro.bzl", _go_multiarch_test = "go_multiarch_test")

go_multiarch_bench = _go_multiarch_bench
go_multiarch_binary = _go_multiarch_binary
go_multiarch_platforms = _go_multiarch_platforms
go_multiarch_qemu = _go_multiarch_qemu
go_multiarch_test = _go_multiarch_test
GoMultiarchInfo = _GoMultiarchInfo
