"""What Bazel 7 has built in, under the name that rules_go loads."""

_ProtoInfo = ProtoInfo

ProtoInfo = _ProtoInfo
