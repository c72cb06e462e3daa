# Chooses the Bazel that bazelw runs. Sourced after common.sh, by scripts that set tools and called find_cache.
# shellcheck shell=bash disable=SC2034,SC2154 # Some variables are set or read by the scripts that source this.

oldest_bazel=7.7         # What rules_go accepts.
bazelisk_version=v1.28.1 # Go 1.24 can still build it.
patience=10              # Seconds without progress after which a command that downloads its Bazel is given up.
forget_after=3600        # Seconds for which a command that took long to fail is not tried again.

passed_over=()

# choose_bazel  sets bazel_command and bazel_name, or ends with what was tried, why each failed, and what helps.
choose_bazel() {
  local name path bazelisk=$cache/bazelisk-$bazelisk_version

  if [[ -n ${BAZEL:-} ]]; then
    try "$BAZEL" || die "cannot use \$BAZEL: $problem. Set it to a Bazel of version $oldest_bazel or newer, or unset it"
    bazel_command=("$BAZEL")
    bazel_name="Bazel $bazel_version, from \$BAZEL ($BAZEL)"
    return
  fi

  # Bazelisk looks for a .bazelversion in the workspace only; ours holds for every workspace of this checkout.
  export USE_BAZEL_VERSION=${USE_BAZEL_VERSION:-$(<"$tools/../../.bazelversion")}

  for name in bazelisk bazel; do
    if ! path=$(command -v "$name"); then
      passed_over+=("$name on PATH: there is none")
    elif unless_it_failed "$path" try "$path"; then
      bazel_command=("$path")
      bazel_name="Bazel $bazel_version, from $name on PATH ($path)"
      return
    else
      passed_over+=("$name on PATH: $problem")
      say "passing over ${passed_over[-1]}"
    fi
  done

  if unless_it_failed "$bazelisk" prepare_once "$bazelisk" install_bazelisk &&
    unless_it_failed "$bazelisk/bazelisk" try "$bazelisk/bazelisk"; then
    bazel_command=("$bazelisk/bazelisk")
    bazel_name="Bazel $bazel_version, from Bazelisk $bazelisk_version that was built from source ($bazelisk)"
    return
  fi
  passed_over+=("Bazelisk built from source: $problem")

  if prepare_offline; then
    bazel_command=("$offline_root/enter.sh" "$offline_root" /usr/share/bazel/bazel "--bazelrc=$offline_modules/bazelrc")
    bazel_name="Bazel $(<"$offline_root/version"), from Debian's packages ($offline_root)"
    return
  fi
  passed_over+=("Debian's packages: $problem")

  say "found no Bazel that works. Tried, in this order:"
  printf '  - %s\n' "\$BAZEL: not set" "${passed_over[@]}" >&2
  die "install Bazelisk (https://github.com/bazelbuild/bazelisk); or set BAZEL to a Bazel of version $oldest_bazel or newer;" \
    "or, on Debian, install Go and let apt reach a mirror"
}

# prepare_offline  sets offline_root and offline_modules.
prepare_offline() {
  if ! command -v go >/dev/null; then
    problem="no 'go' on PATH, with which the modules for that Bazel are fetched"
    return 1
  fi
  offline_root=$cache/root-$(hash_of common.sh offline/packages.sh offline/root.sh offline/enter.sh)
  offline_modules=$cache/modules-$(hash_of common.sh offline/modules.sh modules)-${offline_root##*-}
  prepare_once "$offline_root" "$tools/offline/root.sh" &&
    prepare_once "$offline_modules" "$tools/offline/modules.sh" "$offline_root" "$cache"
}

# prepare_browser  sets offline_browser.
prepare_browser() {
  offline_browser=$cache/browser-$(hash_of common.sh offline/packages.sh offline/browser.sh offline/enter.sh)
  prepare_once "$offline_browser" "$tools/offline/browser.sh"
}

# install_bazelisk FOLDER
install_bazelisk() {
  install_with_go "github.com/bazelbuild/bazelisk@$bazelisk_version" "$1"
}

# install_with_go PACKAGE FOLDER  builds a program with the Go toolchain. On failure prints why.
install_with_go() {
  local output
  if ! command -v go >/dev/null; then
    echo "no 'go' on PATH to build it with"
    return 1
  fi
  say "building $1"
  # Away from any Go module, and without settings that are meant for one.
  if ! output=$(cd "$2" && GOBIN=$2 GOFLAGS='' GOWORK=off go install "$1" 2>&1); then
    echo "'go install $1' fails: $(last_line "$output")"
    return 1
  fi
}

last_line() {
  tail --lines=1 <<<"${1%$'\n'}"
}

# try COMMAND  sets bazel_version, or sets problem and fails. COMMAND may be Bazelisk, which downloads a Bazel first: it may
# take as long as it likes while it makes progress.
try() {
  local output='' line status=0 pid from still=0 size='' before=''
  bazel_version='' problem=''
  if ! command -v "$1" >/dev/null; then
    problem="'$1' is no command"
    return 1
  fi
  if [[ $(command -v "$1") -ef $tools/../../bazelw ]]; then
    problem="$1 is this bazelw"
    return 1
  fi

  exec {from}< <(exec "$1" --version 2>&1 </dev/null)
  pid=$!
  while true; do
    status=0
    read -r -t 1 -u "$from" line || status=$?
    if ((status == 0)); then
      output+=$line$'\n'
    elif ((status <= 128)); then
      output+=$line
      break # End of file.
    else
      size=$(du --summarize "${BAZELISK_HOME:-${XDG_CACHE_HOME:-$HOME/.cache}/bazelisk}" 2>/dev/null) || true
      [[ $size == "$before" ]] || still=0
      before=$size
      if ((++still > patience)); then
        problem="'$1 --version' made no progress for $patience seconds"
        [[ -z $output ]] || problem+=", after '$(last_line "$output")'"
        kill "$pid" 2>/dev/null || true
        break
      fi
    fi
  done
  exec {from}<&-
  status=0
  wait "$pid" || status=$?
  # Bash 5.2 loses the status of a process substitution once in some hundred times, and says -1. The output tells enough then.
  ((status >= 0)) || status=0
  [[ -z $problem ]] || return 1

  bazel_version=$(sed -n 's/^bazel \([0-9][0-9.]*\).*/\1/p' <<<"$output")
  if ((status != 0)); then
    problem="'$1 --version' fails with exit code $status: $(last_line "$output")"
  elif [[ -z $bazel_version ]]; then
    problem="'$1 --version' names no version, but says '$(last_line "$output")'"
  elif [[ $(printf '%s\n' "$oldest_bazel" "$bazel_version" | sort --version-sort | head --lines=1) != "$oldest_bazel" ]]; then
    problem="$1 is Bazel $bazel_version, and $oldest_bazel or newer is needed"
  fi
  [[ -z $problem ]]
}

# unless_it_failed PATH COMMAND [ARGUMENT]...  runs a command that is about a path and sets problem when it fails. A failure that
# took long is remembered for a while.
unless_it_failed() {
  local memory=$cache/failed${1//\//-} start end when why
  shift
  printf -v start '%(%s)T'
  if [[ -r $memory ]] && { read -r when && read -r why; } <"$memory" && [[ $when =~ ^[0-9]+$ ]] &&
    ((start - when < forget_after)); then
    problem="$why, $(((start - when) / 60)) minutes ago (remove $memory to try again)"
    return 1
  fi
  ! "$@" || return 0
  printf -v end '%(%s)T'
  ((end - start < 2)) || printf '%s\n' "$end" "$problem" >"$memory"
  return 1
}
