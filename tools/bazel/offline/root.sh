#!/usr/bin/env bash
# Usage: root.sh FOLDER
#
# Fills FOLDER/usr with Debian's packages of Bazel and of what builds and tests start. See enter.sh for how it is used.
# Progress goes to stderr; when it fails, the reason goes to stdout.
set -euo pipefail

offline=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=tools/bazel/common.sh
source "$offline/../common.sh"
# shellcheck source=tools/bazel/offline/packages.sh
source "$offline/packages.sh"
folder=$1

# The Bazel that the modules beside are made for.
bazel_series=7

packages=(
  bazel-bootstrap bazel-rules-shell default-jre-headless
  # What the scripts of Bazel, of rules and of tests call.
  bash coreutils dash debianutils diffutils file findutils gawk grep gzip hostname mawk mount procps sed tar util-linux
  # The C toolchain, for cgo, and tools that look into executables.
  binutils g++ gcc libc6-dev
  # Other CPUs; debuggers; a linter for scripts.
  gdb qemu-user shellcheck strace
  # What looks into executables and processes, or changes them.
  debugedit dwz elfutils linux-perf patchelf
  # Container images, and a remote execution engine.
  buildbox umoci
)

# Dependencies that a build of Go has no use for, half of the download: a Java compiler, packaging tools, web servers.
unused='.*-jdk-headless|build-essential|ca-certificates-java|dpkg-dev|libdpkg-perl|make|perl|perl-(base|modules-.*)|libperl.*'
unused+='|libmaven.*|libwagon.*|libjetty9-java|libeclipse-.*|libjgit-java|libmongodb-java|libbcprov-java|node-.*|libjs-.*'

# Of the many emulators, those that tests have programs for.
emulators='qemu-(x86_64|aarch64)'

# Programs that people and scripts may want outside of Bazel too; see ../find-tool.
outside=(
  addr2line buildbox-casd debugedit dwz eu-addr2line eu-elflint eu-strip file gdb nm objcopy objdump patchelf perf readelf shellcheck
  strace strip umoci
)

# What the packages' own set-up scripts would have done, as far as Bazel and our tests need it.
finish() {
  local link target tool
  cd "$folder/usr"

  # /etc stays the host's, so the settings of the Java runtime have to be where it looks for them.
  while read -r link target; do
    rm "$link"
    [[ ! -e $folder$target ]] || cp --recursive --dereference "$folder$target" "$link"
  done < <(find lib/jvm -lname '/etc/*' -printf '%p %l\n')

  # Not on PATH, where a bazelw that is run by Bazel would take it for one of the host's.
  mv bin/bazel share/bazel

  # Names that come from Debian's alternatives.
  ln --symbolic --force mawk bin/awk
  ln --symbolic --force gcc bin/cc
  ln --symbolic --force g++ bin/c++
  ln --symbolic --force which.debianutils bin/which

  find bin -regextype posix-extended -name 'qemu-*' ! -regex "bin/$emulators" -delete

  # Only /usr is used.
  keep_usr
  for tool in "${outside[@]}"; do
    start_outside "$tool" "$tool"
  done
}

set_up_apt
say "preparing Bazel from packages of Debian $suite in ${folder%.partial}, once; about a minute and 1 GB"
find_mirror
unpack_with_dependencies "$unused" "${packages[@]}"
finish

# Rather find out now than at the first build.
logged "starting the Bazel of Debian $suite" "$folder/enter.sh" "$folder" \
  /usr/share/bazel/bazel "--install_base=$folder/usr/share/bazel" --trust_install_base --version
version=$(sed -n 's/^bazel //p' "$work/log")
[[ $version == "$bazel_series".* ]] ||
  fail "Debian $suite has Bazel '$version' now; the modules in tools/bazel are made for Bazel $bazel_series"
echo "$version" >"$folder/version"
rm --recursive --force "$work"
