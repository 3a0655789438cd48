#!/usr/bin/env bash
# Checks that every .h and .cpp file looks as .clang-format wants it; ignored files do not count.
# A line that starts with SKIPPED means that nothing was checked.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
wanted=14  # Debian 12's; each major version formats a little differently

if ! version=$(clang-format --version 2>/dev/null); then
  echo "SKIPPED: the format check needs clang-format $wanted, and there is no clang-format"
  exit 0
fi
if [[ ! $version =~ version\ $wanted\. ]]; then
  echo "SKIPPED: the format check needs clang-format $wanted, and this is: $version"
  exit 0
fi

# Without git (an unpacked archive) the source folders are taken whole.
list() {
  git ls-files -z --cached --others --exclude-standard -- '*.h' '*.cpp' '*.cu' 2>/dev/null ||
    find src tools tests benchmarks \( -name '*.h' -o -name '*.cpp' -o -name '*.cu' \) -print0
}
files=()
while IFS= read -r -d '' file; do
  # git still lists a file that was deleted but not yet committed so.
  if [[ -e $file ]]; then files+=("$file"); fi
done < <(list)
((${#files[@]})) || { echo "check_format: found no source files" >&2; exit 1; }

if report=$(clang-format --dry-run --Werror "${files[@]}" 2>&1); then
  echo "format: ${#files[@]} files are fine"
  exit 0
fi
# One line per file; where clang-format complains of something else, what it says.
unformatted=$(sed -nE 's/^([^:]+):[0-9:]+ error: .*clang-formatted.*/\1/p' <<<"$report" | sort -u)
if [[ -n $unformatted ]]; then
  while IFS= read -r file; do echo "$file: not formatted: clang-format -i"; done <<<"$unformatted"
else
  echo "$report"
fi
exit 1
