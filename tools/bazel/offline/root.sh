#!/usr/bin/env bash
# Usage: root.sh FOLDER
#
# Fills FOLDER/usr with Debian's packages of Bazel and of what builds and tests start. Nothing is installed: the packages
# are downloaded with apt settings of our own, their signatures checked, and unpacked. See enter.sh for how it is used.
# Progress goes to stderr; when it fails, the reason goes to stdout.
set -euo pipefail

offline=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=tools/bazel/common.sh
source "$offline/../common.sh"
folder=$1

# The first Debian release with a Bazel that rules_go accepts, and the Bazel that the modules beside are made for.
suite=forky
bazel_series=7

packages=(
  bazel-bootstrap bazel-rules-shell default-jre-headless
  # What the scripts of Bazel, of rules and of tests call.
  bash coreutils dash debianutils diffutils file findutils gawk grep gzip hostname mawk mount procps sed tar util-linux
  # The C toolchain, for cgo, and tools that look into executables.
  binutils g++ gcc libc6-dev
  # Other CPUs; debuggers; a linter for scripts.
  gdb qemu-user shellcheck strace
  # A remote execution engine.
  buildbox
)

# Dependencies that a build of Go has no use for, half of the download: a Java compiler, packaging tools, web servers.
unused='.*-jdk-headless|build-essential|ca-certificates-java|dpkg-dev|libdpkg-perl|make|perl|perl-(base|modules-.*)|libperl.*'
unused+='|libmaven.*|libwagon.*|libjetty9-java|libeclipse-.*|libjgit-java|libmongodb-java|libbcprov-java|node-.*|libjs-.*'

# Of the many emulators, those that tests have programs for.
emulators='qemu-(x86_64|aarch64)'

# Programs that people and scripts may want outside of Bazel too; see ../find-tool.
outside=(buildbox-casd gdb objcopy objdump readelf shellcheck strace strip)

fail() {
  echo "$*"
  exit 1
}

[[ $(uname --machine) == x86_64 ]] || fail "this is a $(uname --machine) machine, and only x86_64 is prepared for"
for command in apt-get apt-config dpkg-deb unshare; do
  command -v "$command" >/dev/null || fail "no '$command' on PATH; only Debian and its relatives have it"
done
mkdir "$folder/usr"
output=$("$offline/enter.sh" --check 2>&1) ||
  fail "this user may not make mounts that only they see (${output:-unknown reason}); root may, and others where user namespaces are allowed"

work=$folder/work
mkdir --parents "$work"/{archives,lists}/partial
: >"$work/status" # No package counts as installed, so that all dependencies are listed.

# Of the host's apt settings only how to download (proxies, certificates) is taken over: its hooks clean caches that are
# not ours.
acquire=$(apt-config dump Acquire | grep --invert-match '^Acquire::IndexTargets') || true
export APT_CONFIG=$work/apt.conf
cat >"$APT_CONFIG" <<END
$acquire
APT::Architecture "amd64";
APT::Architectures { "amd64"; };
APT::Install-Recommends "false";
APT::Sandbox::User "root";
APT::Update::Error-Mode "any";
// The mirror may be a copy of an earlier day. Signatures are checked all the same.
Acquire::Check-Valid-Until "false";
Acquire::Languages "none";
Acquire::Retries "2";
Dir::Cache "$work";
Dir::Etc::main "/dev/null";
Dir::Etc::parts "/dev/null";
Dir::Etc::preferences "/dev/null";
Dir::Etc::preferencesparts "/dev/null";
Dir::Etc::sourcelist "$work/sources.list";
Dir::Etc::sourceparts "/dev/null";
Dir::State "$work";
Dir::State::lists "$work/lists";
Dir::State::status "$work/status";
END

# logged WHAT COMMAND...  runs COMMAND, and shows what it printed only when it fails.
logged() {
  local what=$1
  shift
  if ! "$@" >"$work/log" 2>&1; then
    tail --lines=20 "$work/log" >&2
    fail "$what failed: $(tail --lines=1 "$work/log")"
  fi
}

# Where the host never ran `apt-get update`, apt cannot say which of its mirrors are Debian's: then all of them are tried.
host_mirrors() {
  (
    unset APT_CONFIG
    # shellcheck disable=SC2016 # Filled in by apt-get.
    apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Label: Debian' 'Component: main' | grep . ||
      apt-get indextargets --no-release-info --format '$(REPO_URI)' 'Created-By: Packages' 'Component: main'
  ) | sort --unique
}

# Writes sources.list for the first of the host's mirrors that has the suite, and fetches its list of packages.
find_mirror() {
  local mirror keyring=/usr/share/keyrings/debian-archive-keyring.gpg signed='' tried=()
  [[ ! -r $keyring ]] || signed="[signed-by=$keyring] "
  for mirror in $(host_mirrors); do
    echo "deb $signed$mirror $suite main" >"$work/sources.list"
    ! apt-get update >>"$work/update.log" 2>&1 || return 0
    tried+=("$mirror")
  done
  ((${#tried[@]})) || fail "apt is set up with no mirror to fetch Debian $suite from"
  sed -n 's/^[EW]: /  /p' "$work/update.log" >&2
  fail "none of the mirrors that apt is set up with (${tried[*]}) gives the package list of Debian $suite"
}

# unpack PACKAGE...  is run by several shells at once.
unpack() {
  local package
  for package; do
    dpkg-deb --fsys-tarfile "$package" |
      tar --extract --directory="$folder" --no-same-owner --exclude='./usr/share/doc' --exclude='./usr/share/info' \
        --exclude='./usr/share/locale' --exclude='./usr/share/man' --exclude='./usr/share/maven-repo' || return
  done
}

# What the packages' own set-up scripts would have done, as far as Bazel and our tests need it.
finish() {
  local link target tool
  cd "$folder/usr"
  mkdir --parents local # enter.sh shows the host's folder here.

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
  find . -perm /6000 -exec chmod ug-s {} +

  # Only /usr is used.
  find "$folder" -mindepth 1 -maxdepth 1 ! -name usr ! -name work -exec rm --recursive --force {} +
  cp "$offline/enter.sh" "$folder"
  mkdir "$folder/outside"
  for tool in "${outside[@]}"; do
    # shellcheck disable=SC2016 # Filled in when it runs.
    printf '#!/bin/sh\nroot=${0%%/outside/*}\nexec "$root/enter.sh" "$root" %s "$@"\n' "$tool" >"$folder/outside/$tool"
    chmod +x "$folder/outside/$tool"
  done
}

say "preparing Bazel from packages of Debian $suite in ${folder%.partial}, once; about a minute and 1 GB"
find_mirror
logged "choosing packages of Debian $suite" apt-get install --simulate "${packages[@]}"
sed -n 's/^Inst \([^ ]*\) .*/\1/p' "$work/log" | grep --invert-match --line-regexp --extended-regexp "$unused" >"$work/names"

say "downloading $(wc --lines <"$work/names") packages"
cd "$work/archives"
logged "downloading packages of Debian $suite" xargs --arg-file="$work/names" apt-get download

say "unpacking them"
export folder
export -f unpack
# shellcheck disable=SC2016 # Filled in by the shells that xargs starts.
find . -name '*.deb' -print0 | logged "unpacking packages of Debian $suite" \
  xargs --null --max-args=8 --max-procs="$(nproc)" bash -c 'set -o pipefail; unpack "$@"' unpack
finish

# Rather find out now than at the first build.
logged "starting the Bazel of Debian $suite" "$folder/enter.sh" "$folder" \
  /usr/share/bazel/bazel "--install_base=$folder/usr/share/bazel" --trust_install_base --version
version=$(sed -n 's/^bazel //p' "$work/log")
[[ $version == "$bazel_series".* ]] ||
  fail "Debian $suite has Bazel '$version' now; the modules in tools/bazel are made for Bazel $bazel_series"
echo "$version" >"$folder/version"
rm --recursive --force "$work"
