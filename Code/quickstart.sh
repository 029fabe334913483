#!/usr/bin/env bash
# From a fresh machine to results: makes .venv, installs, runs every RQ script on the bundled sample, shows what was
# written, all of it on one page too (OUTPUT_FOLDER/report.html). Needs git and Python 3.11 or newer; no GPU, no model hub.
#   bash Code/quickstart.sh [--train [--input_file FILE]] [OUTPUT_FOLDER]       default: Datas/quickstart
#   bash Code/quickstart.sh --help
# --train goes on to students: LLaMA-Factory in an environment of its own (6 GB), SmolLM2-135M-Instruct trained on the CPU
# for a few steps on each tertile of EVOL by complexity, or of FILE (JSON Lines or a JSON array of records), the losses in a
# table, and the answers of the students and of the untrained model to HumanEval, graded in a sandbox.
set -euo pipefail
here=$(dirname "$(realpath "$0")")
. "$here/environment.sh"
train= input= output=
steps=4 batch=2 problems=54 tokens=192  # with --train: little enough for 15 minutes, enough for a table with more than zeros
usage="[--train [--input_file FILE]] [OUTPUT_FOLDER]"
while [ $# -gt 0 ]; do
  case $1 in
    -h | --help) sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//p}' "$here/quickstart.sh"; exit ;;
    --train) train=1 ;;
    --input_file) [ -f "${2-}" ] || refuse "quickstart.sh: --input_file: expected a file, got '${2-}'"; input=$(realpath "$2"); shift ;;
    -* | "") refuse "quickstart.sh: expected $usage or --help, got '$1'" ;;
    *) [ -z "$output" ] || refuse "quickstart.sh: expected one OUTPUT_FOLDER, got $output and $1"; output=$1 ;;
  esac
  shift
done
[ -z "$input" ] || [ -n "$train" ] || refuse "quickstart.sh: expected --train with --input_file, which is what it trains on"
output=$(realpath -m "${output:-$here/../Datas/quickstart}")
mkdir -p "$output" 2>/dev/null && [ -w "$output" ] ||
  refuse "quickstart.sh: expected an OUTPUT_FOLDER that can be written to, got $output"
cd "$here/.."

environment .venv requirements.txt
sources=(--input_file Datas/sample/EVOL.jsonl Datas/sample/OSS.jsonl)
say "RQ1 complexity"
.venv/bin/python Code/RQ1_complexity/complexity_scorer.py "${sources[@]}" --output_dir "$output/RQ1" \
  --scorer embedded --device cpu
say "RQ2 composition: which category each task is of"
.venv/bin/python Code/RQ2_composition/task_classifier.py "${sources[@]}" --output_dir "$output/RQ2" \
  --embedder minilm --device cpu
say "RQ2 composition: mixes of algorithmic and practical tasks"
.venv/bin/python Code/RQ2_composition/composition_mixer.py --input_file "$output"/RQ2/{EVOL,OSS}/classified.jsonl \
  --output_dir "$output/RQ2" --subset_size auto
say "RQ3 density"
.venv/bin/python Code/RQ3_density/diversity_scorer.py "${sources[@]}" --output_dir "$output/RQ3" \
  --embedder minilm --device cpu
say "RQ4 breadth"
.venv/bin/python Code/RQ4_breadth/domain_mixer.py "${sources[@]}" --output_dir "$output/RQ4" \
  --general_file Datas/sample/ALPACA.jsonl --math_file Datas/sample/MATH.jsonl

say "checking every output against its manifest"
.venv/bin/python -m seedkit.verify "$output"/RQ*/*/

if [ -n "$train" ]; then
  students=${SEEDKIT_LLAMAFACTORY_ENV:-.venv-train} model=$output/smollm2-135m-instruct data=$output/RQ1/EVOL
  environment "$students" Code/training/requirements.txt
  say "a real language model: SmolLM2-135M-Instruct"
  .venv/bin/python Code/training/smollm2.py --output_dir "$model"
  if [ -n "$input" ]; then
    data=$output/input_file
    say "RQ1 complexity: $input"
    .venv/bin/python Code/RQ1_complexity/complexity_scorer.py --input_file "$input" --output_dir "$data" \
      --scorer embedded --device cpu
  fi
  say "what LLaMA-Factory will do with the tertiles"
  .venv/bin/python Code/training/llamafactory_doctor.py "$data" --tokenizer "$model"
  say "a student for each tertile: $steps steps of $batch records"
  .venv/bin/python Code/training/train.py --environment "$students" --device cpu --partitions "$data" --student "$model" \
    --output_dir "$output/runs" --finetuning lora --batch_size $batch --max_steps $steps
  command -v bwrap >/dev/null || debian_packages "the better isolation of graded programs" bubblewrap || true
  say "each of them, and the untrained model, on the first $problems problems of HumanEval"
  .venv/bin/python Code/evaluation/evaluate_study.py --runs "$output/runs" --base --benchmark humaneval --limit $problems \
    --max_new_tokens $tokens --device cpu --output_dir "$output/evaluations"
fi

say "all of it on one page"
shown=("$output"/RQ*/*/)
[ -z "$input" ] || shown=("$data" "$output"/RQ[234]/*/)  # the tertiles that the students were trained on
[ -z "$train" ] || shown+=("$output/runs" "$output/evaluations")
.venv/bin/python Code/report/report.py "${shown[@]}" --output "$output/report.html" --title "Quickstart"

say "what was written"
( cd "$output" && wc -l RQ*/*/*.jsonl ) | awk '$2 != "total" {
    if ($2 ~ /\/RQ[24]_/) { split($2, path, "/"); gsub(/_[0-9]+/, "_*", path[3]); gsub(/repeat[0-9]+/, "repeat*", path[3])
                           $2 = path[1] "/" path[2] "/" path[3] }
    if (!($2 in files)) order[++count] = $2
    files[$2]++; records[$2] += $1
  }
  END { printf "%6s %8s  %s\n", "files", "records", "in each"
        for (n = 1; n <= count; n++) printf "%6d %8d  %s\n", files[order[n]], records[order[n]] / files[order[n]], order[n] }'
echo "in $output; open $output/report.html in a browser"
