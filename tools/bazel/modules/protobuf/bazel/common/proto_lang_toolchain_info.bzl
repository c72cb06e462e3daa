"""What Bazel 7 has built in, under the name that rules_go loads."""

ProtoLangToolchainInfo = proto_common_do_not_use.ProtoLangToolchainInfo
