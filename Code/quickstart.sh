#!/usr/bin/env bash
# From a fresh machine to results: makes .venv, installs, runs every RQ script on the bundled sample, shows what was
# written. Needs git and Python 3.11 or newer; no GPU, no model hub.
#   bash Code/quickstart.sh [OUTPUT_FOLDER]       default: Datas/quickstart
set -euo pipefail
output=$(realpath -m "${1:-$(dirname "$0")/../Datas/quickstart}")
cd "$(dirname "$0")/.."
. Code/environment.sh

environment .venv requirements.txt
for source in EVOL OSS; do
  say "RQ1 complexity: $source"
  .venv/bin/python Code/RQ1_complexity/complexity_scorer.py --scorer embedded --device cpu \
    --input_file "Datas/sample/$source.jsonl" --output_dir "$output/RQ1/$source"
done

say "checking every output against its manifest"
.venv/bin/python -m seedkit.verify "$output"/RQ*/*/

say "what was written"
( cd "$output" && wc -l RQ*/*/*.jsonl ) | awk 'BEGIN { printf "%8s  %s\n", "records", "file" } $2 != "total" { printf "%8d  %s\n", $1, $2 }'
echo "in $output"
