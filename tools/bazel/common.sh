# Shared by bazelw and the scripts in this folder. Meant to be sourced by bash with `set -euo pipefail`.
# shellcheck shell=bash disable=SC2034,SC2154 # Some variables are set or read by the scripts that source this.

say() {
  printf 'bazelw: %s\n' "$*" >&2
}

die() {
  say "$*"
  exit 1
}

# find_cache  sets cache, the one folder below which everything is prepared. Bazel and Go need HOME too: it is set if empty.
find_cache() {
  if [[ -z ${HOME:-} ]]; then
    HOME=$(getent passwd "$(id --user)" | cut --delimiter=: --fields=6) || true
    [[ -n $HOME ]] || die "looking for a folder to keep Bazel in: HOME is empty, and user $(id --user) has no home folder; set HOME"
    export HOME
  fi
  cache=${XDG_CACHE_HOME:-$HOME/.cache}/rules_go_multiarch
  [[ $cache == /* ]] || die "looking for a folder to keep Bazel in: found '$cache'; XDG_CACHE_HOME and HOME have to be absolute paths"
  mkdir --parents "$cache" || die "looking for a folder to keep Bazel in: cannot make '$cache'; set XDG_CACHE_HOME to a folder that can be written"
}

# hash_of PATH...  prints a short hash of files and folders below $tools: their names, contents and execute bits.
hash_of() {
  tar --create --directory="$tools" --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner --mode=go=u,go-w "$@" |
    sha256sum | cut --characters=1-12
}

# prepare_once FOLDER COMMAND...  makes FOLDER unless it is there: runs COMMAND with an empty folder beside it as last
# argument, and gives that its name once COMMAND has succeeded. COMMAND prints progress on stderr and, when it fails, the
# reason on stdout, which becomes problem.
#
# What an interrupted run left is removed by the next. COMMAND's children inherit the lock, so when a run was killed the next
# one waits until they are gone too.
prepare_once() {
  local folder=$1 partial=$1.partial lock
  shift
  [[ ! -d $folder ]] || return 0
  exec {lock}>"$folder.lock"
  if ! flock --nonblock "$lock"; then
    say "waiting for another call, which is preparing $folder"
    flock "$lock"
  fi
  if [[ ! -d $folder ]]; then
    rm --recursive --force "$partial"
    mkdir "$partial"
    if ! problem=$("$@" "$partial"); then
      rm --recursive --force "$partial"
      exec {lock}>&-
      return 1
    fi
    mv --no-target-directory "$partial" "$folder"
  fi
  exec {lock}>&-
}
