#!/usr/bin/env bash
# From a fresh machine to results: makes .venv, installs, runs every RQ script on the bundled sample, shows what was
# written. Needs git and Python 3.11 or newer; no GPU, no model hub.
#   bash Code/quickstart.sh [--train] [OUTPUT_FOLDER]       default: Datas/quickstart
#   bash Code/quickstart.sh --help
# --train goes on to students: LLaMA-Factory in an environment of its own (6 GB), three tiny models trained on the CPU on
# the tertiles of EVOL by complexity, their losses in a table, and their answers to HumanEval, graded in a sandbox.
set -euo pipefail
here=$(dirname "$(realpath "$0")")
. "$here/environment.sh"
train= output=
for argument in "$@"; do
  case $argument in
    -h | --help) sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//p}' "$here/quickstart.sh"; exit ;;
    --train) train=1 ;;
    -* | "") refuse "quickstart.sh: expected [--train] [OUTPUT_FOLDER] or --help, got '$argument'" ;;
    *) [ -z "$output" ] || refuse "quickstart.sh: expected one OUTPUT_FOLDER, got $output and $argument"; output=$argument ;;
  esac
done
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
  students=${SEEDKIT_LLAMAFACTORY_ENV:-.venv-train}
  environment "$students" Code/training/requirements.txt
  say "a student of a few million parameters"
  .venv/bin/python Code/training/tiny_student.py --output_dir "$output/tiny_student"
  say "what LLaMA-Factory will do with the tertiles of EVOL"
  .venv/bin/python Code/training/llamafactory_doctor.py "$output/RQ1/EVOL" --tokenizer "$output/tiny_student"
  say "a student for each tertile"
  OMP_NUM_THREADS=1 .venv/bin/python Code/training/train.py --environment "$students" --device cpu \
    --partitions "$output/RQ1/EVOL" --student "$output/tiny_student" --output_dir "$output/runs" \
    --batch_size 4 --epochs 1 --learning_rate 3e-3
  command -v bwrap >/dev/null || debian_packages "the better isolation of graded programs" bubblewrap || true
  say "each of them on the first problems of HumanEval"
  .venv/bin/python Code/evaluation/evaluate_study.py --runs "$output/runs" --benchmark humaneval --limit 5 \
    --max_new_tokens 64 --device cpu --output_dir "$output/evaluations"
fi

say "what was written"
( cd "$output" && wc -l RQ*/*/*.jsonl ) | awk '$2 != "total" {
    if ($2 ~ /\/RQ[24]_/) { split($2, path, "/"); gsub(/_[0-9]+/, "_*", path[3]); gsub(/repeat[0-9]+/, "repeat*", path[3])
                           $2 = path[1] "/" path[2] "/" path[3] }
    if (!($2 in files)) order[++count] = $2
    files[$2]++; records[$2] += $1
  }
  END { printf "%6s %8s  %s\n", "files", "records", "in each"
        for (n = 1; n <= count; n++) printf "%6d %8d  %s\n", files[order[n]], records[order[n]] / files[order[n]], order[n] }'
echo "in $output"
