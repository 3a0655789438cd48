#!/usr/bin/env bash
# Fuzzes the parsers of untrusted files under ASan and UBSan; needs clang++.
#
#   scripts/fuzz.sh [SECONDS [TARGET...]]     60 seconds for each of the targets: image, npz, safetensors,
#                                             zip, pickle, stream, run_folder, command_line
#   scripts/fuzz.sh --record                  counts what ran since the last record in docs/fuzzing.md
#   scripts/fuzz.sh --merge [TARGET...]       adds what build-fuzz/corpus has found to tests/fuzz/corpus,
#                                             minimised; at most 1 MB in all
#
# FUZZ_SEED selects the sequence of inputs (default: 1); libFuzzer does not repeat it exactly.
# FUZZ_JOBS: so many targets at a time (default: one per processor).
# Findings are reported last and kept in build-fuzz/findings, new inputs in build-fuzz/corpus.
# Exit 1: a finding, or a corpus that is too large.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
mode=fuzz
seconds=60
case ${1:-} in
  --record)
    exec python3 scripts/fuzz_record.py
    ;;
  --merge)
    mode=merge
    shift
    ;;
  *)
    seconds=${1:-60}
    if [[ ! $seconds =~ ^[1-9][0-9]*$ ]]; then
      echo "fuzz.sh: the number of seconds must be a positive integer, not '$seconds'" >&2
      exit 2
    fi
    shift || true
    ;;
esac
targets=("$@")
((${#targets[@]})) || targets=(image npz safetensors zip pickle stream run_folder command_line)

cmake --preset fuzz >/dev/null
cmake --build --preset fuzz --target "${targets[@]/%/_fuzz}"
# ASan holds freed memory (256 MB by default), which must not count against the parser.
export ASAN_OPTIONS=quarantine_size_mb=32${ASAN_OPTIONS:+:$ASAN_OPTIONS}
export UBSAN_OPTIONS=print_stacktrace=1${UBSAN_OPTIONS:+:$UBSAN_OPTIONS}

# Inputs that reach what no smaller one reaches. A name without a hash was given by hand and stays.
merge_target() { # TARGET
  local target=$1 kept=tests/fuzz/corpus/$1 merged=build-fuzz/merged/$1 file
  rm -rf "$merged"
  mkdir -p "$merged" "build-fuzz/corpus/$target"
  find "$kept" -type f ! -name '????????????????????????????????????????' -exec cp {} "$merged" \;
  "build-fuzz/tests/fuzz/${target}_fuzz" -merge=1 -max_len=2048 -rss_limit_mb=2048 "$merged" "$kept" \
    "build-fuzz/corpus/$target" 2>"build-fuzz/$target.merge.log"
  find "$kept" -type f -name '????????????????????????????????????????' -delete
  for file in "$merged"/*; do
    [[ -e $kept/${file##*/} ]] || cp "$file" "$kept"
  done
  echo "== $target: $(find "$kept" -type f | wc -l) files, $(du -sb "$kept" | cut -f 1) bytes"
}
if [[ $mode == merge ]]; then
  for target in "${targets[@]}"; do merge_target "$target"; done
  total=$(find tests/fuzz/corpus -type f -printf '%s\n' | awk '{ sum += $1 } END { print sum }')
  if ((total > 1000000)); then
    echo "fuzz.sh: tests/fuzz/corpus has $total bytes, more than 1 MB; remove large inputs" >&2
    exit 1
  fi
  exit 0
fi

mkdir -p build-fuzz/findings build-fuzz/runs
rm -f build-fuzz/*.found
fuzz_target() { # TARGET: leaves build-fuzz/TARGET.log, and TARGET.found if there is a finding
  local target=$1 corpus=build-fuzz/corpus/$1 options units
  mkdir -p "$corpus"
  options=(-seed="${FUZZ_SEED:-1}" -max_total_time="$seconds" -rss_limit_mb=512 -print_final_stats=1
    -artifact_prefix="build-fuzz/findings/$target-")
  # Wall time: long enough to tolerate pauses of the machine.
  options+=(-timeout=20)
  # The largest picture has 2^26 pixels, which decoders hold twice.
  if [[ $target == image ]]; then options+=(-rss_limit_mb=2048); fi
  if [[ -e tests/fuzz/$target.dict ]]; then options+=(-dict="tests/fuzz/$target.dict"); fi
  "build-fuzz/tests/fuzz/${target}_fuzz" "${options[@]}" "$corpus" "tests/fuzz/corpus/$target" \
    2>"build-fuzz/$target.log" || touch "build-fuzz/$target.found"
  echo "== $target: $seconds s"
  grep -E "number_of_executed_units|peak_rss_mb" "build-fuzz/$target.log" || true
  # What scripts/fuzz_record.py adds up. A run that is killed counts nothing.
  units=$(sed -nE 's/^stat::number_of_executed_units: +//p' "build-fuzz/$target.log")
  if [[ -n $units ]]; then
    printf '{"target": "%s", "executions": %s, "finding": %s, "date": "%s", "revision": "%s"}\n' \
      "$target" "$units" "$([[ -e build-fuzz/$target.found ]] && echo true || echo false)" \
      "$(date -u +%F)" "$revision" >>build-fuzz/runs/unrecorded.jsonl
  fi
}
# Read now: others may commit while it runs.
revision=$(git rev-parse --short=12 HEAD 2>/dev/null || echo unknown)
if [[ -n $(git status --porcelain -- src tests/fuzz 2>/dev/null) ]]; then revision+=-dirty; fi
processors=${FUZZ_JOBS:-$(nproc)}
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
