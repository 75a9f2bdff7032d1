#!/bin/sh
# Installs PyTorch, transformers and PEFT from PyPI into a virtual environment outside the repository, and prints the
# path of its Python for CIPO_PEER_PYTHON. Usage: setup-peer.sh [FOLDER]
set -eu
folder="${1:-${XDG_CACHE_HOME:-$HOME/.cache}/cipo-bench/torch}"
if [ ! -x "$folder/bin/python" ]; then
  python3 -m venv "$folder"
  "$folder/bin/pip" install --quiet --disable-pip-version-check \
    'torch==2.15.0' 'transformers==5.24.0' 'peft==0.21.2' 'safetensors' 'numpy'
fi
echo "$folder/bin/python"
