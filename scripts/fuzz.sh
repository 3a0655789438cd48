#!/usr/bin/env bash
# Fuzzes the parsers of untrusted files under ASan and UBSan; needs clang++.
#
#   scripts/fuzz.sh [SECONDS [TARGET...]]     60 seconds for each of npz, safetensors, zip, pickle, stream
#
# FUZZ_SEED selects the sequence of inputs (default: 1); libFuzzer does not repeat it exactly.
# Findings are reported last and kept in build-fuzz/findings, new inputs in build-fuzz/corpus.
# Exit 1: a finding.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
seconds=${1:-60}
if [[ ! $seconds =~ ^[1-9][0-9]*$ ]]; then
  echo "fuzz.sh: the number of seconds must be a positive integer, not '$seconds'" >&2
  exit 2
fi
shift || true
targets=("$@")
((${#targets[@]})) || targets=(npz safetensors zip pickle stream)

cmake --preset fuzz >/dev/null
cmake --build --preset fuzz
# ASan holds freed memory (256 MB by default), which must not count against the parser.
export ASAN_OPTIONS=quarantine_size_mb=32${ASAN_OPTIONS:+:$ASAN_OPTIONS}
export UBSAN_OPTIONS=print_stacktrace=1${UBSAN_OPTIONS:+:$UBSAN_OPTIONS}
mkdir -p build-fuzz/findings
rm -f build-fuzz/*.found
fuzz_target() { # TARGET: leaves build-fuzz/TARGET.log, and TARGET.found if there is a finding
  local target=$1 corpus=build-fuzz/corpus/$1 options
  mkdir -p "$corpus"
  options=(-seed="${FUZZ_SEED:-1}" -max_total_time="$seconds" -rss_limit_mb=512 -print_final_stats=1
    -artifact_prefix="build-fuzz/findings/$target-")
  # Wall time: long enough to tolerate pauses of the machine.
  options+=(-timeout=20)
  if [[ -e tests/fuzz/$target.dict ]]; then options+=(-dict="tests/fuzz/$target.dict"); fi
  "build-fuzz/tests/fuzz/${target}_fuzz" "${options[@]}" "$corpus" "tests/fuzz/corpus/$target" \
    2>"build-fuzz/$target.log" || touch "build-fuzz/$target.found"
  echo "== $target: $seconds s"
  grep -E "number_of_executed_units|peak_rss_mb" "build-fuzz/$target.log" || true
}
# One target per processor at a time.
processors=$(nproc)
running=0
for target in "${targets[@]}"; do
  if ((running == processors)); then
    wait -n
    ((running -= 1))
  fi
  fuzz_target "$target" &
  ((running += 1))
done
wait
found=()
for target in "${targets[@]}"; do
  if [[ -e build-fuzz/$target.found ]]; then found+=("$target"); fi
done
for target in "${found[@]}"; do
  echo "fuzz.sh: $target, a finding:"
  # The report is between progress (#...) and statistics; it contains the input in base64.
  grep -vE "^#|NEW_FUNC|^stat::|^INFO|^0x" "build-fuzz/$target.log" | tail -n 40 | cut -c-1000
done
((${#found[@]} == 0))
