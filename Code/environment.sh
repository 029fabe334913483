# Sourced by quickstart.sh and tests/run.sh from the repository's root: makes .venv and keeps it up to date.

# pip compiles nothing here: Python does, once for each module, and not anew in each of the many processes that follow
unset PYTHONDONTWRITEBYTECODE

say() { printf '\n== %s\n' "$*"; }
fail() { printf 'error: %s\n' "$*" >&2; exit 1; }
refuse() { printf 'error: %s\n' "$*" >&2; exit 2; }  # bad usage

# while_saying FOLDER COMMAND...: runs the command and says every beat_s seconds how large the folder that it fills is
beat_s=30
while_saying() {
  local folder=$1 status=0 beat; shift
  ( # a shell in the background hears no Ctrl-C, so it looks whether the script is still there
    started=$SECONDS
    while sleep "$beat_s" >/dev/null 2>&1 && kill -0 $$ 2>/dev/null; do
      echo "   still at it after $((SECONDS - started)) s: $(du -sh "$folder" 2>/dev/null | cut -f1) in $folder"
    done ) &
  beat=$!
  "$@" || status=$?
  kill "$beat" 2>/dev/null; wait "$beat" 2>/dev/null || true
  return "$status"
}

# Debian packages, or what to do without them: debian_packages "what for" NAME...
debian_packages() {
  local purpose=$1; shift
  if ! command -v apt-get >/dev/null; then
    echo "$purpose needs: $*. Install them with this system's package manager."; return 1
  elif [ "$(id -u)" != 0 ]; then
    echo "$purpose needs Debian packages, and this is not root. Run: sudo apt-get install $*"; return 1
  fi
  say "installing Debian packages for $purpose: $*"
  { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq "$@"; } >/dev/null
}

find_python() {
  local candidate
  for candidate in ${PYTHON:-} python3 python3.14 python3.13 python3.12 python3.11 /usr/bin/python3; do
    if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
      echo "$candidate"; return
    fi
  done
  return 1
}

# newer_python PYTHON: the newest Python on the PATH or of pyenv, if its minor version is above that of PYTHON
newer_python() {
  local minor='import sys; print(sys.version_info.minor) if sys.version_info.releaselevel == "final" else sys.exit(1)'
  local newest best candidate found
  best=$("$1" -c "$minor") newest=
  for candidate in python3.{12..29} "${PYENV_ROOT:-$HOME/.pyenv}"/versions/3.*/bin/python3; do
    if found=$("$candidate" -c "$minor" 2>/dev/null) && [ "$found" -gt "$best" ]; then best=$found newest=$candidate; fi
  done
  [ -n "$newest" ] && echo "$newest"
}

# environment FOLDER REQUIREMENTS...: a virtual environment holding exactly what the files ask for; nothing is done twice
environment() {
  local folder=$1 python stamp flags=() file numpy; shift
  python=$(find_python) || fail "Python 3.11 or newer is needed; set PYTHON to one"
  # a cached environment that holds this repository's own code must hold that of this folder, and not of another clone
  stamp=$({ cat "$@" Code/pyproject.toml; if grep -qE '^-(e|r) ' "$@"; then pwd; fi; } | cksum)
  if [ "$(cat "$folder/.stamp" 2>/dev/null)" = "$stamp" ] && "$folder/bin/python" -c '' 2>/dev/null; then
    return
  fi
  if ! "$folder/bin/python" -m pip --version >/dev/null 2>&1; then
    say "making $folder with $("$python" --version)"
    rm -rf "$folder"
    "$python" -m venv "$folder" >/dev/null 2>&1 || {
      rm -rf "$folder"
      debian_packages "python -m venv" python3-venv || exit 1
      "$python" -m venv "$folder"
    }
  fi
  say "installing $* into $folder (minutes the first time)"
  for file in "$@"; do flags+=(-r "$file"); done
  # Most modules are never imported, so Python compiles each at its first import: half a minute less. Graded programs import
  # numpy from here as well, and cannot write.
  while_saying "$folder" "$folder/bin/python" -m pip install --quiet --disable-pip-version-check --no-compile "${flags[@]}" ||
    fail "the installation into $folder did not finish; pip's messages stand above"
  for numpy in "$folder"/lib/python3*/site-packages/numpy; do
    [ ! -d "$numpy" ] || "$folder/bin/python" -m compileall -q -x '/tests/' "$numpy"
  done
  echo "$stamp" > "$folder/.stamp"
}
