#!/usr/bin/env bash
# How fast this machine is with the tools, in one run: the machine and its versions, benchmarks one after the other, and how
# long the two commands of a newcomer take in a fresh clone of HEAD with an empty home.
#   bash tests/performance/run.sh [NAME...]     default: embedded mixing cleaning decontaminate fresh
# NAME is that of a bench_NAME.py, or fresh. Needs the .venv of tests/run.sh, and two processors that do nothing else.
set -euo pipefail
cd "$(dirname "$0")/../.."

fresh() {
  local variables command
  work=$(mktemp -d) # not local: the trap comes after
  trap 'rm -rf "$work"' EXIT
  git clone -q . "$work/clone"
  [ ! -d ../shared ] || ln -s "$(realpath ../shared)" "$work/shared"
  mkdir "$work/home"
  mapfile -t variables < <(env | grep -E '^(PIP_|SSL_|CURL_|REQUESTS_|https?_proxy|HTTPS?_PROXY|no_proxy|NO_PROXY)' || true)
  for command in "Code/quickstart.sh" "tests/run.sh"; do
    SECONDS=0
    (cd "$work/clone" && env -i PATH="$PATH" LANG=C.UTF-8 HOME="$work/home" "${variables[@]}" bash "$command") >"$work/log" 2>&1 ||
      { tail -20 "$work/log"; exit 1; }
    echo "bash $command in a fresh clone: $SECONDS s"
  done
}

[ $# -gt 0 ] || set -- embedded mixing cleaning decontaminate fresh
date +%F
.venv/bin/python - <<'PY'
from importlib.metadata import version
import sys
sys.path.insert(0, "tests/performance")
from measure import machine
names = ("torch", "transformers", "sentence-transformers", "orjson", "numpy")
print(machine(), *(f"{name} {version(name)}" for name in names), sep=", ")
PY
for name in "$@"; do
  printf '\n== %s\n' "$name"
  if [ "$name" = fresh ]; then fresh; else .venv/bin/python "tests/performance/bench_$name.py"; fi
done
