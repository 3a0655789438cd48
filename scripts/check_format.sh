#!/usr/bin/env bash
# Checks that every .h, .cpp and .cu file follows .clang-format; ignored files do not count.
# Without the right clang-format it prints SKIPPED and succeeds; in CI (CI=true) it fails.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
source scripts/lint_tools.sh

# Each major version formats a little differently.
clang_format=$(need_tool clang-format) || exit "$missing_status"

mapfile -d '' -t files < <(list_sources '*.h' '*.cpp' '*.cu')
((${#files[@]})) || { echo "check_format: found no source files" >&2; exit 1; }

if report=$("$clang_format" --dry-run --Werror "${files[@]}" 2>&1); then
  echo "format: ${#files[@]} files are formatted"
  exit 0
fi
# One line per file, or clang-format's message if it reports something else.
unformatted=$(sed -nE 's/^([^:]+):[0-9:]+ error: .*clang-formatted.*/\1/p' <<<"$report" | sort -u)
if [[ -n $unformatted ]]; then
  while IFS= read -r file; do echo "$file: not formatted; run $clang_format -i $file"; done \
    <<<"$unformatted"
else
  echo "$report"
fi
exit 1
