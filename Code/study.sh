#!/usr/bin/env bash
# A whole study by one command: makes the environments, then runs Code/studies/study.py with these arguments.
#   bash Code/study.sh Code/studies/laptop.yaml [--limit N] [--from_dir FOLDER] [--benchmarks PATH...] [--output_dir DIR] [--dry_run]
# Started again, it goes on where it was. --limit 60 is a trial of minutes that needs no download of data.
set -euo pipefail
here=$(dirname "$(realpath "$0")")
. "$here/environment.sh"
case ${1-} in
  -h | --help | "") sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//p}' "$here/study.sh"; [ -n "${1-}" ] && exit; exit 2 ;;
esac
from=$PWD
cd "$here/.."
environment .venv requirements.txt
students=${SEEDKIT_LLAMAFACTORY_ENV:-$PWD/.venv-train}
case " $* " in *" --dry_run "*) ;; *)
  environment "$students" Code/training/requirements.txt
  command -v bwrap >/dev/null || debian_packages "the better isolation of graded programs" bubblewrap || true ;;
esac
python=$PWD/.venv/bin/python
cd "$from" # so that the paths among the arguments mean what they meant
exec "$python" "$here/studies/study.py" --environment "$students" "$@"
