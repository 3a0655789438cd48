#!/usr/bin/env bash
# Verifies every trace in the folder LAZYMAR_TRACES, in fp64 and in fp32, at the default tolerances.
# Without LAZYMAR_TRACES it is skipped (77): other tests cover tests/data.
set -euo pipefail
verify=$1
if [[ -z ${LAZYMAR_TRACES:-} ]]; then
  echo "SKIPPED: LAZYMAR_TRACES names no folder of recorded runs"
  exit 77
fi
status=0
for trace in "$LAZYMAR_TRACES"/*/; do
  for precision in fp64 fp32; do
    printf '%s %s: ' "$(basename "$trace")" "$precision"
    "$verify" --trace "$trace" --precision "$precision" | tail -n 1 || status=1
  done
done
exit $status
