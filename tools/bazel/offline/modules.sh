#!/usr/bin/env bash
# Usage: modules.sh ROOT CACHE FOLDER
#
# Fills FOLDER with the Bazel modules that a build of this project needs, and with a bazelrc that puts them in the place of
# a registry's. They come from three sources: the Go module proxy; the Debian packages in ROOT; and ../modules, which has
# stand-ins for modules that are in the graph but hardly used. Bazel is to keep its output below CACHE.
# Progress goes to stderr; when it fails, the reason goes to stdout.
set -euo pipefail

offline=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=tools/bazel/common.sh
source "$offline/../common.sh"
root=$1 cache=$2 folder=$3
final=${folder%.partial}

# Bazel module, Go module, version. Gazelle has to be older than 0.48, whose Go modules are incomplete without its repository.
from_go_proxy=(
  "rules_go github.com/bazelbuild/rules_go v0.65.0"
  "gazelle github.com/bazelbuild/bazel-gazelle v0.47.0"
)

# Bazel module, folder below /usr/share/bazel.
from_debian=(
  "bazel_skylib tools/skylib"
  "platforms tools/platforms"
  "rules_cc rules/cc"
  "rules_java rules/java"
  "rules_license rules/license"
  "rules_proto rules/proto"
  "rules_python rules/python"
  "rules_shell rules/shell"
)

# The caller's settings for the proxy and the module cache hold; those for builds of another Go module do not.
export GOFLAGS=-mod=mod GOWORK=off GO111MODULE=on

fail() {
  echo "$*"
  exit 1
}

overrides=()

# override MODULE FOLDER
override() {
  overrides+=("common \"--override_module=$1=$2\"")
}

# fetch MODULE GO_MODULE VERSION
fetch() {
  local module=$1 answer source
  # Outside of any Go module, so that no go.mod is read or changed.
  if ! answer=$(cd "$folder" && go mod download -json "$2@$3"); then
    fail "downloading Go module $2 $3, for Bazel module $module: $(sed -n 's/^\t"Error": "\(.*\)".*/\1/p' <<<"$answer")"
  fi
  source=$(sed -n 's/^\t"Dir": "\(.*\)",*$/\1/p' <<<"$answer")
  cp --recursive "$source" "$folder/$module"
  # A Go module archive has no execute bits, and the module cache is read-only.
  chmod --recursive u+w "$folder/$module"
  find "$folder/$module" -name '*.sh' -exec chmod +x {} +
  override "$module" "$final/$module"
}

say "preparing the Bazel modules in $final"

for entry in "${from_go_proxy[@]}"; do
  # shellcheck disable=SC2086 # Three words.
  fetch $entry
done
# Gazelle builds its tools from vendor/, which module archives lack; its tests would need more than its tools do.
rm --recursive --force "$folder/gazelle/tests"
if ! log=$(cd "$folder/gazelle" && go mod vendor -e 2>&1); then
  fail "fetching the Go modules that Gazelle is built from:"$'\n'"$log"
fi

for entry in "${from_debian[@]}"; do
  read -r module path <<<"$entry"
  [[ -f $root/usr/share/bazel/$path/MODULE.bazel ]] ||
    fail "looking for Bazel module $module in Debian's packages: no MODULE.bazel in $root/usr/share/bazel/$path"
  override "$module" "$root/usr/share/bazel/$path"
done

for stand_in in "$offline"/../modules/*/; do
  module=$(basename "$stand_in")
  cp --recursive "$stand_in" "$folder/$module"
  override "$module" "$final/$module"
done

# With every module overridden a registry is never asked. An empty one gives a clear error for a module that is missing here.
mkdir "$folder/registry"

cat >"$folder/bazelrc" <<END
# Made by tools/bazel/offline/modules.sh.
startup "--install_base=$root/usr/share/bazel" --trust_install_base
startup "--server_javabase=$root/usr/lib/jvm/default-java"
startup "--output_user_root=$cache/output"

common --enable_bzlmod --noenable_workspace
common "--registry=file://$final/registry"
$(printf '%s\n' "${overrides[@]}")

# Nothing that is fetched by URL can be had. rules_go asks for the list of Go releases at every start and does without it.
common --repository_disable_download

# Go modules that were fetched before are taken from the host's module cache, and Gazelle's tools are compiled once for all
# workspaces instead of once for each.
common --repo_env=GO_REPOSITORY_USE_HOST_CACHE=1

# Shared by the workspaces below this checkout, so that the standard library is compiled once for all.
common "--disk_cache=$cache/disk-cache" --experimental_disk_cache_gc_max_size=5G
END
