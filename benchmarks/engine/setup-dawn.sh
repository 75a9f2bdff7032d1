#!/bin/sh
# Installs the two packages of the backend tfjs:webgpu in a folder outside the repository (150 MB). Prints the environment
# variable that makes them found. Usage: eval "$(setup-dawn.sh [FOLDER])"
set -eu
folder="${1:-${XDG_CACHE_HOME:-$HOME/.cache}/cipo-bench/dawn}"

build() {
  mkdir -p "$folder" && cd "$folder"
  [ -f package.json ] || npm init --yes > /dev/null
  npm install --ignore-scripts --no-audit --no-fund webgpu@0.6.2 @tensorflow/tfjs-backend-webgpu@4.22.0
}

[ -d "$folder/node_modules/webgpu" ] || (build) >&2
echo "export NODE_PATH='$folder/node_modules'\${NODE_PATH:+:\$NODE_PATH}"
