#!/bin/sh
# Tests every integration with the real library from PyPI and a running `cipo serve`.
# Usage: integrations/check.sh [NAME...]   NAME: a check below. Default: all checks.
#   CIPO_INTEGRATIONS_PYTHON  a Python with the packages of check/requirements.txt, instead of a new environment
#   CIPO_RUBRIC_PYTHON        the same for check/requirements-rubric.txt
# The environments are created once, in the cache folder of the user: torch alone has several gigabytes.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
root=$(dirname "$here")
cache="${XDG_CACHE_HOME:-$HOME/.cache}/cipo-integrations"
log=$(mktemp)
export PYTHONDONTWRITEBYTECODE=1

environment() { # NAME REQUIREMENTS: creates an environment if needed and prints its Python
  folder="$cache/$1"
  stamp="$folder/$(cksum < "$here/check/$2" | tr ' ' -)"
  if [ ! -e "$stamp" ]; then
    rm -rf "$folder"
    python3 -m venv "$folder"
    "$folder/bin/pip" install --quiet --disable-pip-version-check -r "$here/check/$2" >&2
    if [ "$1" = main ]; then
      # Its requirements include compilers for GPUs, which its client does not need.
      "$folder/bin/pip" install --quiet --disable-pip-version-check --no-deps openrlhf==0.11.2 >&2
      "$folder/bin/pip" install --quiet --disable-pip-version-check --no-deps "$here/trl" "$here/verl" "$here/verifiers" >&2
      (cd / && "$folder/bin/python" -c 'import cipo_trl, cipo_verifiers, cipo_verl') # the installed modules can be imported
    fi
    touch "$stamp"
  fi
  echo "$folder/bin/python"
}

run() { # NAME PYTHON: runs a check if it was requested
  case " $wanted " in "  " | *" $1 "*) "$2" -W ignore "$here/check/$1.py" "$url" ;; esac
}

wanted="$*"
main=${CIPO_INTEGRATIONS_PYTHON:-$(environment main requirements.txt)}
rubric=${CIPO_RUBRIC_PYTHON:-$(environment rubric requirements-rubric.txt)}

cd "$root"
start() { # FLAGS...: starts a server and sets url
  : > "$log"
  node_modules/.bin/node packages/cli/bin/cipo.js serve --port 0 --log off "$@" > "$log" &
  servers="$servers $!"
  for _ in $(seq 600); do
    url=$(sed -n 's/^listening on //p' "$log")
    if [ -n "$url" ]; then return; fi
    kill -0 $!
    sleep 0.1
  done
  echo "the server did not start" >&2
  exit 1
}
servers=
trap 'kill $servers 2>/dev/null; wait 2>/dev/null || true; rm -f "$log"' EXIT
trap 'exit 130' INT TERM

start
run client "$main"
run sandbox_fusion_client "$main"
run openrlhf_client "$main"
run verl_reward "$main"
run trl_trainer "$main"
run verifiers_task "$main"
run verifiers_rubric "$rubric"
start --concurrency 2 --queue 4 --batch 4
run overload "$main"
echo "every check passed"
