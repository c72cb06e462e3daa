#!/usr/bin/env bash
# release.sh OUT  builds what a release of the programs in this module has, without Bazel: an executable with three levels
# for Linux on x86-64, a plain one for arm64, and SHA256SUMS. Needs Go and the packer (go install ./tools/packer).
set -euo pipefail
out=$(realpath --canonicalize-missing "${1:?usage: release.sh OUT}")
cd "$(dirname "${BASH_SOURCE[0]}")/.."

programs=(./hello ./bits)
flags=(-trimpath -ldflags='-s -w')
export CGO_ENABLED=0

mkdir -p "$out/linux-amd64" "$out/linux-arm64"
packer build -levels v1,v2,v3 "${flags[@]}" -o "$out/linux-amd64/" "${programs[@]}"
GOARCH=arm64 go build "${flags[@]}" -o "$out/linux-arm64/" "${programs[@]}"
for program in "$out"/linux-amd64/*; do
  packer verify "$program"
done
cd "$out"
sha256sum linux-*/* >SHA256SUMS
