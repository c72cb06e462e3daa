# Downloads and unpacks Debian's packages. Sourced after common.sh, by scripts that set offline and folder and that end with
# the reason on stdout when something fails. Nothing is installed: apt has settings of our own, signatures are checked.
# shellcheck shell=bash disable=SC2154 # Some variables are set by the scripts that source this.

# The first Debian release with a Bazel that rules_go accepts.
suite=forky

fail() {
  echo "$*"
  exit 1
}

# set_up_apt  makes $folder/usr, where packages are unpacked, and $folder/work, which whoever calls removes.
set_up_apt() {
  [[ $(uname --machine) == x86_64 ]] || fail "this is a $(uname --machine) machine, and only x86_64 is prepared for"
  local command output acquire
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
}

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

# unpack_with_dependencies UNUSED PACKAGE...  fetches the packages and what they depend on, but for the names that the regular
# expression UNUSED matches, and unpacks them all into $folder.
unpack_with_dependencies() {
  local unused=$1
  shift
  logged "choosing packages of Debian $suite" apt-get install --simulate "$@"
  sed -n 's/^Inst \([^ ]*\) .*/\1/p' "$work/log" | grep --invert-match --line-regexp --extended-regexp "$unused" >"$work/names"

  say "downloading $(wc --lines <"$work/names") packages"
  cd "$work/archives" || fail "cannot enter $work/archives"
  logged "downloading packages of Debian $suite" xargs --arg-file="$work/names" apt-get download

  say "unpacking them"
  export folder
  export -f unpack
  # shellcheck disable=SC2016 # Filled in by the shells that xargs starts.
  find . -name '*.deb' -print0 | logged "unpacking packages of Debian $suite" \
    xargs --null --max-args=8 --max-procs="$(nproc)" bash -c 'set -o pipefail; unpack "$@"' unpack
}

# keep_usr  removes all but $folder/usr.
keep_usr() {
  find "$folder" -mindepth 1 -maxdepth 1 ! -name usr ! -name work -exec rm --recursive --force {} +
  find "$folder/usr" -perm /6000 -exec chmod ug-s {} +
  mkdir --parents "$folder/usr/local" # enter.sh shows the host's folder here.
  cp "$offline/enter.sh" "$folder"
}

# start_outside NAME COMMAND...  makes $folder/outside/NAME, which starts COMMAND inside.
start_outside() {
  mkdir --parents "$folder/outside"
  # shellcheck disable=SC2016 # Filled in when it runs.
  printf '#!/bin/sh\nroot=${0%%/outside/*}\nexec "$root/enter.sh" "$root" %s "$@"\n' "${*:2}" >"$folder/outside/$1"
  chmod +x "$folder/outside/$1"
}
