#!/usr/bin/env bash
# The tools on a machine with a GPU: right numbers first, then rates.
#   bash tests/gpu/run.sh [--cpu] [--texts FILE] [--only STEP,STEP]
# Needs Python 3.11 or newer with torch, transformers, sentence-transformers, scipy, matplotlib, orjson and msgspec; no
# network, and nothing is installed. Results go to $OUT (default: a temporary folder, which is named), and as a table to stdout.
# --cpu runs every step at toy size without a GPU. The exit code is 1 if a step failed or a number was wrong.
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
export PYTHONPATH=$root/Code:$root/tests${PYTHONPATH:+:$PYTHONPATH}
export HF_HUB_OFFLINE=1 TOKENIZERS_PARALLELISM=${TOKENIZERS_PARALLELISM:-true} PYTHONUNBUFFERED=1
exec "${PYTHON:-python3}" "$root/tests/gpu/kit.py" "$@"
