#!/bin/sh
# Adds to the environment of benchmarks/engine/setup-peer.sh: llama.cpp (built from source, some minutes), its GGUF
# package, SentencePiece. Prints the path of its Python for CIPO_PEER_PYTHON.
# Usage: setup-peer.sh [FOLDER]
set -eu
python=$(sh "$(dirname "$0")/../engine/setup-peer.sh" "$@")
"$python" -m pip install --quiet --disable-pip-version-check \
  'gguf==0.19.0' 'sentencepiece==0.2.3' 'llama-cpp-python==0.3.36' 1>&2
echo "$python"
