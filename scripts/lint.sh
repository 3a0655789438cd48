#!/usr/bin/env bash
# Checks the sources without running them:
#
#   scripts/lint.sh [--all | --changed [BASE]] [--minutes N] [PART...]
#
# PART: format (clang-format), python (ruff), shell (ShellCheck), tidy (clang-tidy); all by default.
# clang-tidy takes half a minute for a file that includes LibTorch. It checks the files that do not,
# and those that differ from where this branch left main; it needs a build in build/.
#   --all              clang-tidy checks every file
#   --changed [BASE]   clang-tidy checks only what differs from BASE
#   --minutes N        clang-tidy starts no file after N minutes
#
# For a program that is missing, or not of the version in scripts/requirements-lint.txt, it prints a
# line that begins with SKIPPED. In CI (CI=true) that is a failure. Exit 1: something was found.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
source scripts/lint_tools.sh

check_python() {
  local ruff
  ruff=$(need_tool ruff) || return "$missing_status"
  "$ruff" check --quiet && echo "python: ruff finds nothing"
}

check_shell() {
  local shellcheck files=() file
  shellcheck=$(need_tool shellcheck) || return "$missing_status"
  while IFS= read -r -d '' file; do
    # The first line of a script without an extension names its interpreter.
    if [[ $file == *.sh ]] || head -n 1 "$file" | grep -qaE '^#!.*\b(ba)?sh\b'; then
      files+=("$file")
    fi
  done < <(list_sources '*.sh' '.ci/run')
  "$shellcheck" --external-sources --enable=avoid-nullary-conditions,deprecate-which \
    "${files[@]}" && echo "shell: ShellCheck finds nothing in ${#files[@]} scripts"
}

run_clang_tidy() {
  local clang_tidy
  clang_tidy=$(need_tool clang-tidy) || return "$missing_status"
  if [[ ! -e build/compile_commands.json ]]; then
    echo "lint.sh: clang-tidy needs build/compile_commands.json; run scripts/build.sh" >&2
    return 1
  fi
  cmake --build build --target lazymar_revision >/dev/null || return 1  # a header that it makes
  scripts/clang_tidy.py --clang-tidy "$clang_tidy" "${tidy_options[@]}"
}

tidy_options=()
parts=()
while (($#)); do
  case $1 in
    --all) tidy_options+=(--all) ;;
    --changed)
      tidy_options+=(--changed)
      if [[ -n ${2:-} && $2 != -* && ! $2 =~ ^(format|python|shell|tidy)$ ]]; then
        tidy_options+=(--base "$2")
        shift
      fi
      ;;
    --minutes)
      tidy_options+=(--minutes "${2:?lint.sh: --minutes needs a number}")
      shift
      ;;
    format | python | shell | tidy) parts+=("$1") ;;
    *)
      echo "lint.sh: there is no '$1'; see the head of scripts/lint.sh" >&2
      exit 2
      ;;
  esac
  shift
done
((${#parts[@]})) || parts=(format python shell tidy)

status=0
for part in "${parts[@]}"; do
  case $part in
    format) scripts/check_format.sh ;;
    python) check_python ;;
    shell) check_shell ;;
    tidy) run_clang_tidy ;;
  esac || status=1
done
exit $status
