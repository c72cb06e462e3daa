#!/usr/bin/env bash
# Usage: browser.sh FOLDER
#
# Fills FOLDER/usr with Debian's Chromium without a window, and FOLDER/outside with a command that starts it. Bazel does without:
# it is fetched only for tests of a web page, by ../find-tool. Progress goes to stderr; when it fails, the reason goes to stdout.
set -euo pipefail

offline=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=tools/bazel/common.sh
source "$offline/../common.sh"
# shellcheck source=tools/bazel/offline/packages.sh
source "$offline/packages.sh"
folder=$1

packages=(
  chromium-headless-shell
  # What enter.sh calls inside.
  bash coreutils util-linux
)

# Dependencies for windows and graphics cards, which are a third of the download.
unused='libgl1|libgl1-mesa-dri|libglx.*|libglvnd0|mesa-.*|libllvm.*|libz3-4|libedit2|libvulkan1|libdrm-(amdgpu|intel)1|libpciaccess0|pci.ids|libsensors.*|libelf1.*|libxml2.*'
unused+='|x11-.*|xdg-utils|lsb-base|sysvinit-utils|libxaw7|libxmu.*|libxt6.*|libice6|libsm6|libxft2|libxpm4|libxtst6|libxv1|libxxf86.*'
unused+='|libxinerama1|libxkbfile1|debconf|libc-gconv-modules-extra'

set_up_apt
say "preparing a browser from packages of Debian $suite in ${folder%.partial}, once; half a minute, 130 MB to download, 360 MB on disk"
find_mirror
unpack_with_dependencies "$unused" "${packages[@]}"
cp --recursive "$folder/etc/fonts" "$folder/usr/share/fonts/settings" # /etc stays the host's, which may have none.
keep_usr
start_outside chromium env FONTCONFIG_FILE=/usr/share/fonts/settings/fonts.conf /usr/lib/chromium/chromium-headless-shell

# Rather find out now than in the first test.
logged "starting the browser of Debian $suite" "$folder/outside/chromium" --version
cp "$work/log" "$folder/version"
rm --recursive --force "$work"
