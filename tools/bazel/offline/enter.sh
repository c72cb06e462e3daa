#!/usr/bin/env bash
# Usage: enter.sh ROOT COMMAND...     runs COMMAND where /usr is that of ROOT, a folder made by root.sh
#        enter.sh --check             fails when the mounts that this takes are not allowed
#
# Everything but /usr is the host's, at its own path, so that bazel-bin, the output base and the Go SDK mean the same inside
# and outside.
#
# The mounts are seen by COMMAND and its children only, and vanish with the last of them. A new call makes its own. It still
# finds the running Bazel server: the client compares the server's working folder with the workspace, and as / itself stays
# the host's, that reads the same from everywhere. (After a chroot it does not, and the client restarts the server.)
set -euo pipefail

if [[ $1 != --mount ]]; then
  # Without root's rights the mounts are made in a user namespace, in which the user keeps their own name.
  as_user=()
  ((EUID == 0)) || as_user=(--user --map-current-user --keep-caps)
  if [[ $1 == --check ]]; then
    exec unshare "${as_user[@]}" --mount -- true
  fi
  exec unshare "${as_user[@]}" --mount -- "$BASH" "${BASH_SOURCE[0]}" --mount "$@"
fi
root=$2
shift 2

# keep FOLDER  makes a folder below the host's /usr visible at its own path.
keep() {
  mkdir --parents "$root$1"
  mount --rbind "$1" "$root$1"
}

# What the host has besides its packages; the Go SDK, wherever it is; a checkout in an unusual place.
[[ ! -d /usr/local ]] || keep /usr/local
if go=$(command -v go) && go=$(readlink --canonicalize "$go") && [[ $go == /usr/* && $go != /usr/local/* ]]; then
  sdk=${go%/bin/go}
  keep "$sdk"
  PATH=$sdk/bin:$PATH
  # Debian's SDK consists of links to folders elsewhere.
  for part in "$sdk"/*; do
    target=$(readlink --canonicalize "$part")
    [[ $target != /usr/* || $target == "$sdk"/* ]] || keep "$target"
  done
fi
[[ $PWD != /usr/* || $PWD == /usr/local/* ]] || keep "$PWD"

mount --rbind "$root/usr" /usr
# Links into /usr nearly everywhere; folders of their own where the host keeps them apart.
for folder in bin lib lib64 sbin; do
  [[ -L /$folder || ! -d /$folder ]] || mount --rbind "/usr/$folder" "/$folder"
done

cd "$PWD"               # It may be below /usr.
unset JAVA_HOME         # It may be below /usr too; the bazelrc names the Java that runs Bazel.
export PATH USER="${USER:-$(id --user --name)}"
if ((EUID != 0)); then
  exec setpriv --inh-caps=-all --ambient-caps=-all -- "$@"
fi
exec "$@"
