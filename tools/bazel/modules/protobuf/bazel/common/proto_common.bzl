"""What Bazel 7 has built in, under the name that rules_go loads."""

proto_common = proto_common_do_not_use
