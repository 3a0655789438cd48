#!/usr/bin/env bash
# Installs what a build needs and this machine lacks: Debian packages, and LibTorch from the PyPI
# wheel into .venv. Does nothing if everything is installed.
#
#   scripts/setup.sh [--lint] [--slow]
#
#   --lint   also what scripts/lint.sh runs; PyPI's part in .venv-lint
#   --slow   also what the slow tests need: ccache, and all of torch, which Python then imports
#            (3 GB more to fetch, 5 GB on disk)
#
#   LIBTORCH_DIR=DIR   build with that LibTorch; makes no .venv
#   PYTHON=python3     the interpreter that makes .venv
#   LAZYMAR_NO_APT=1   install no Debian packages; the build downloads missing libraries
#
# Exit codes: 0 everything is installed; 1 an install failed; 2 do by hand what is printed.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
source scripts/lint_tools.sh
python=${PYTHON:-python3}
lint=no
slow=no
for option in "$@"; do
  case $option in
    --lint) lint=yes ;;
    --slow) slow=yes ;;
    *) echo "usage: scripts/setup.sh [--lint] [--slow]" >&2; exit 2 ;;
  esac
done

say() { echo "setup: $*"; }
stop() { local status=$1; shift; say "$@" >&2; exit "$status"; }

# --- System packages ------------------------------------------------------------------------------
# A program may also come from elsewhere (such as a newer cmake), so any one in PATH counts.
missing=()
for entry in g++ cmake ninja:ninja-build git; do
  command -v "${entry%%:*}" >/dev/null || missing+=("${entry##*:}")
done
needs_venv() { [[ -z ${LIBTORCH_DIR:-} || $lint == yes ]]; }
if needs_venv; then modules=json,venv,ensurepip; else modules=json; fi
if ! "$python" -c "import $modules" 2>/dev/null; then
  [[ $python == python3 ]] || stop 2 "PYTHON=$python does not run, or lacks one of: $modules"
  missing+=(python3)
  ! needs_venv || missing+=(python3-venv)
fi

debian() { command -v apt-get >/dev/null && command -v dpkg-query >/dev/null; }
if [[ -z ${LAZYMAR_NO_APT:-} ]] && debian; then
  # Optional: these have a fallback in cmake/ or are skipped (libtiff, 4.0 or newer: no TIFF;
  # libwebp, 1.0 or newer: no WebP).
  wanted=(ca-certificates libbenchmark-dev libdeflate-dev libgtest-dev libspdlog-dev
    libssl-dev libstb-dev libtiff-dev libwebp-dev nlohmann-json3-dev python3-dev)
  # shellcheck disable=SC2016  # dpkg-query expands it
  state='${db:Status-Status} ${Package}\n'
  installed=$(dpkg-query -W -f "$state" "${wanted[@]}" 2>/dev/null || true)
  for package in "${wanted[@]}"; do
    grep -qx "installed $package" <<<"$installed" || missing+=("$package")
  done
  if [[ $lint == yes ]] && ! find_tool clang-tidy >/dev/null; then
    missing+=("clang-tidy-$(wanted_version clang-tidy)")
  fi
  if [[ $slow == yes ]] && ! command -v ccache >/dev/null; then missing+=(ccache); fi

  if ((${#missing[@]})); then
    # A machine that has just booted may be running updates: wait for dpkg's lock.
    install="apt-get -o DPkg::Lock::Timeout=300 install -y --no-install-recommends ${missing[*]}"
    if ((EUID == 0)); then
      as_root=(env)
    elif sudo -n true 2>/dev/null; then
      as_root=(sudo env)
    else
      if command -v sudo >/dev/null; then by_hand="sudo sh -c"; else by_hand="su - -c"; fi
      stop 2 "packages are missing, and installing them needs root. Run this, then start again:
  $by_hand 'apt-get update && apt-get install -y --no-install-recommends ${missing[*]}'"
    fi
    say "installing ${missing[*]}"
    # A broken package source of this machine may not affect these packages.
    "${as_root[@]}" apt-get update -qq || say "apt-get update failed; trying with the present package lists"
    # shellcheck disable=SC2086  # words on purpose
    "${as_root[@]}" DEBIAN_FRONTEND=noninteractive $install -qq -o Dpkg::Use-Pty=0 >/dev/null ||
      stop 1 "apt-get could not install: ${missing[*]}"
  fi
elif ((${#missing[@]})); then
  stop 2 "please install these with your system's package manager (Debian's names): ${missing[*]}"
fi

# --- Linters --------------------------------------------------------------------------------------
lint_tools_there() {
  local name
  for name in clang-format ruff shellcheck; do find_tool "$name" >/dev/null || return 1; done
}
if [[ $lint == yes ]]; then
  find_tool clang-tidy >/dev/null ||
    stop 2 "please install clang-tidy $(wanted_version clang-tidy): scripts/lint.sh needs it"
  if ! lint_tools_there; then
    say "installing scripts/requirements-lint.txt from PyPI into .venv-lint"
    rm -rf .venv-lint
    "$python" -m venv .venv-lint
    .venv-lint/bin/python -m pip --disable-pip-version-check --quiet install \
      -r scripts/requirements-lint.txt || stop 1 "pip could not install scripts/requirements-lint.txt"
    lint_tools_there || stop 1 "what pip installed into .venv-lint does not run"
  fi
fi

# --- LibTorch -------------------------------------------------------------------------------------
if [[ -n ${LIBTORCH_DIR:-} ]]; then
  [[ -e $LIBTORCH_DIR/lib/libtorch_cpu.so ]] ||
    stop 2 "LIBTORCH_DIR=$LIBTORCH_DIR has no lib/libtorch_cpu.so"
  say "everything is installed (LibTorch: $LIBTORCH_DIR)"
  exit
fi

# Concurrent scripts must not install into the same .venv.
exec 9<scripts/requirements.txt
if command -v flock >/dev/null; then flock 9; fi

stamp=.venv/.requirements.sha256  # written last: its requirements are installed completely
unfinished=.venv/.unfinished      # exists during an install, and after an interrupted one
checksum=$(sha256sum <scripts/requirements.txt)
library() { compgen -G '.venv/lib/python3*/site-packages/torch/lib/libtorch_cpu.so' | head -n 1; }
# Loading resolves all libraries that this one needs; the file's existence does not show that.
loads() {
  [[ -n $(library) ]] &&
    .venv/bin/python -c 'import ctypes, sys; ctypes.CDLL(sys.argv[1])' "$(library)"
}
pip_install() {
  local pip=(.venv/bin/python -m pip --disable-pip-version-check)
  "${pip[@]}" install --no-deps "$@" -r scripts/requirements.txt
}

if [[ $(cat "$stamp" 2>/dev/null) != "$checksum" || -z $(library) ]]; then
  if [[ -e $unfinished ]] || ! .venv/bin/python -m pip --version >/dev/null 2>&1; then
    rm -rf .venv  # a broken environment: start over, the downloads are in pip's cache
    mkdir .venv
    touch "$unfinished"
    "$python" -m venv .venv
  fi
  rm -f "$stamp"
  touch "$unfinished"
  say "installing LibTorch from PyPI into .venv (0.5 GB to fetch, 1.3 GB on disk)"
  pip_install || stop 1 "pip could not install scripts/requirements.txt; any LibTorch will do:" \
    "unpack one and set LIBTORCH_DIR=/path/to/libtorch"
  # pip trusts its own records: only a forced install restores missing files.
  loads 2>/dev/null || pip_install --force-reinstall
  loads || stop 1 "the installed LibTorch does not load; remove .venv and try again"
  echo "$checksum" >"$stamp"
  rm -f "$unfinished"
fi
if [[ $slow == yes ]] && ! .venv/bin/python -c "import numpy, scikit_build_core, torch" 2>/dev/null; then
  say "installing all of torch and scripts/requirements-slow.txt from PyPI into .venv"
  .venv/bin/python -m pip --disable-pip-version-check --quiet install \
    -r scripts/requirements.txt -r scripts/requirements-slow.txt ||
    stop 1 "pip could not install scripts/requirements-slow.txt"
fi
say "everything is installed (LibTorch: .venv)"
