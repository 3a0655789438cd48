#!/usr/bin/env bash
# Generates MAR's and LazyMAR's images, and scores and compares them in one table:
#
#   scripts/lab/fid_run.sh REFERENCE [flags of lazymar_eval...]
#   scripts/lab/fid_run.sh adm_in256_stats.npz --model mar_huge --num_images 50000
#   scripts/lab/fid_run.sh pretrained_models/demo_stats.npz --extractor demo --model demo --num_images 200
#
# REFERENCE: as for lazymar_score --fid. Flags that begin with --lazy_ go only to LazyMAR's run.
# The same command continues a stopped run and skips finished ones.
#   BIN=DIR      the programs (build/bin)
#   REPORT=DIR   report.html and comparison.json (output/fid_run)
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
bin=${BIN:-build/bin}
if (($# < 1)) || [[ $1 == -* ]]; then
  echo "usage: scripts/lab/fid_run.sh REFERENCE [flags of lazymar_eval...]" >&2
  exit 2
fi
reference=$1
shift

common=() lazy=() extractor=()
while (($#)); do
  flag=$1 && shift
  group=common
  [[ $flag == --lazy_* ]] && group=lazy
  words=("$flag")
  # Values follow their flags, or are attached with =.
  while (($#)) && [[ $1 != --* ]]; do words+=("$1") && shift; done
  [[ $flag == --lazy_mar ]] && continue
  if [[ $group == lazy ]]; then lazy+=("${words[@]}"); else common+=("${words[@]}"); fi
  if [[ $flag == --extractor* || $flag == --device* ]]; then extractor+=("${words[@]}"); fi
done

log=$(mktemp)
trap 'rm -f "$log"' EXIT
# Sets `folder` from the line that names it.
generate() {
  echo "== lazymar_eval $*"
  "$bin/lazymar_eval" --score "$reference" "$@" | tee "$log"
  folder=$(sed -n 's/^Run folder: //p' "$log" | tail -n 1)
}
generate "${common[@]}"
baseline=$folder
generate "${common[@]}" --lazy_mar "${lazy[@]}"

echo "== scores"  # of saved features: their difference needs both
"$bin/lazymar_score" --fid "$reference" "${extractor[@]}" "$baseline" "$folder"
echo "== speed and quality"
"$bin/lazymar_compare" "$baseline" "$folder" --output_dir "${REPORT:-output/fid_run}"
