#!/bin/sh
# Vulkan drivers in software for machines without a GPU, on Debian 12: lavapipe (Mesa 25 of bookworm-backports; 22.3 is too
# old for Dawn) and SwiftShader (of the chromium packages). Nothing is installed: the packages are unpacked into a folder
# outside the repository, and the environment that selects a driver is printed.
# Usage: eval "$(setup-vulkan.sh [FOLDER] [lavapipe|swiftshader])"
set -eu
folder="${1:-${XDG_CACHE_HOME:-$HOME/.cache}/cipo-bench/vulkan}"
driver="${2:-lavapipe}"
root="$folder/root"
libraries="$root/usr/lib/x86_64-linux-gnu"

fetch() {
  mkdir -p "$folder/lists/partial" "$folder/debs" "$root"
  cat > "$folder/sources.list" <<LIST
deb http://deb.debian.org/debian bookworm main
deb http://deb.debian.org/debian bookworm-backports main
deb http://deb.debian.org/debian-security bookworm-security main
LIST
  apt="-o Dir::Etc::sourcelist=$folder/sources.list -o Dir::Etc::sourceparts=- -o Dir::State::lists=$folder/lists"
  # shellcheck disable=SC2086
  apt-get $apt -q update
  backports="mesa-vulkan-drivers libdrm2 libdrm-amdgpu1"
  others="libvulkan1 chromium-common libllvm15 libelf1 libwayland-client0 libx11-xcb1 libxcb-dri3-0 libxcb-present0 libxcb-randr0 libxcb-shm0 libxcb-sync1 libxcb-xfixes0 libxshmfence1 libxcb1 libx11-6 libxau6 libxdmcp6 libbsd0 libmd0 libffi8 libedit2 libtinfo6 libxml2 libicu72 libz3-4"
  cd "$folder/debs"
  # shellcheck disable=SC2086
  apt-get $apt -q download $others $(for name in $backports; do echo "$name/bookworm-backports"; done)
  for deb in *.deb; do dpkg-deb -x "$deb" "$root"; done
}

[ -f "$libraries/libvulkan_lvp.so" ] || (fetch) >&2
sed "s#\"libvulkan_lvp.so\"#\"$libraries/libvulkan_lvp.so\"#" "$root/usr/share/vulkan/icd.d/lvp_icd.json" > "$folder/lavapipe.json"
sed "s#\"./libvk#\"$root/usr/lib/chromium/libvk#" "$root/usr/lib/chromium/vk_swiftshader_icd.json" > "$folder/swiftshader.json"
[ -f "$folder/$driver.json" ] || { echo "no driver $driver: lavapipe or swiftshader" >&2; exit 1; }
echo "export VK_ICD_FILENAMES='$folder/$driver.json' LD_LIBRARY_PATH='$libraries'"
