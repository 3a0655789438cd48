#!/usr/bin/env bash
# Checks that every .h, .cpp and .cu file looks as .clang-format wants it; ignored files do not count.
# Without the right clang-format it says SKIPPED and succeeds, except in CI (CI=true), where it fails.
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
# One line per file; where clang-format complains of something else, what it says.
unformatted=$(sed -nE 's/^([^:]+):[0-9:]+ error: .*clang-formatted.*/\1/p' <<<"$report" | sort -u)
if [[ -n $unformatted ]]; then
  while IFS= read -r file; do echo "$file: not formatted; run $clang_format -i $file"; done \
    <<<"$unformatted"
else
  echo "$report"
fi
exit 1
