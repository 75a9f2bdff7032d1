#!/bin/sh
# Installs Math-Verify from PyPI into a virtual environment outside the repository. Usage: setup-peer.sh [FOLDER]
set -eu
folder="${1:-${XDG_CACHE_HOME:-$HOME/.cache}/cipo-bench/math-verify}"
if [ ! -x "$folder/bin/python" ]; then
  python3 -m venv "$folder"
  "$folder/bin/pip" install --quiet --disable-pip-version-check 'math-verify[antlr4_13_2]==0.9.0'
fi
"$folder/bin/python" -c 'import importlib.metadata as m; print("math-verify", m.version("math-verify"))'
