#!/usr/bin/env bash
# Fuzzes the parsers of untrusted files under ASan and UBSan; needs clang++.
#
#   scripts/fuzz.sh [SECONDS [TARGET...]]     60 seconds for each of npz, safetensors, zip, pickle, stream
#
# FUZZ_SEED chooses the sequence of inputs (1); other seeds look elsewhere.
# What is found stays in build-fuzz/findings; new inputs in build-fuzz/corpus. Exit 1: a finding.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
seconds=${1:-60}
if [[ ! $seconds =~ ^[1-9][0-9]*$ ]]; then
  echo "fuzz.sh: the number of seconds is '$seconds'" >&2
  exit 2
fi
shift || true
targets=("$@")
((${#targets[@]})) || targets=(npz safetensors zip pickle stream)

cmake --preset fuzz >/dev/null
cmake --build --preset fuzz
status=0
mkdir -p build-fuzz/findings
for target in "${targets[@]}"; do
  corpus=build-fuzz/corpus/$target
  mkdir -p "$corpus"
  echo "== $target: $seconds s"
  options=(-seed="${FUZZ_SEED:-1}" -max_total_time="$seconds" -rss_limit_mb=512 -timeout=5 -print_final_stats=1
    -artifact_prefix="build-fuzz/findings/$target-")
  if [[ -e tests/fuzz/$target.dict ]]; then options+=(-dict="tests/fuzz/$target.dict"); fi
  "build-fuzz/tests/fuzz/${target}_fuzz" "${options[@]}" "$corpus" "tests/fuzz/corpus/$target" \
    2>"build-fuzz/$target.log" || status=1
  grep -E "ERROR|SUMMARY|number_of_executed_units|peak_rss_mb|artifact" "build-fuzz/$target.log" || true
done
exit "$status"
