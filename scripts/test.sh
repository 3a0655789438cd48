#!/usr/bin/env bash
# Sets up, builds, checks the sources (scripts/lint.sh) and runs every test. The environment is that
# of scripts/build.sh. LAZYMAR_TRACES names a folder with more traces to verify. With LAZYMAR_SLOW=1,
# the Python package is built and tried, too, and so are torchrun, Slurm, Open MPI, two hosts and
# broken storage.
# A failure does not stop the rest, and its output is repeated at the end. The exit status is 0 only
# if nothing failed.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
more=(--lint)
if [[ -n ${LAZYMAR_SLOW:-} ]]; then more+=(--slow); fi
# If tools are missing, lint.sh reports them, and fails in CI; the tests run anyway.
scripts/setup.sh "${more[@]}" || true
if [[ -n ${LAZYMAR_SLOW:-} ]] && command -v ccache >/dev/null; then
  # The package compiles the same sources once more, by default with a compiler of another name.
  export CC=${CC:-gcc} CXX=${CXX:-g++}
  export CMAKE_CXX_COMPILER_LAUNCHER=ccache CMAKE_CUDA_COMPILER_LAUNCHER=ccache
  export CCACHE_DIR=$PWD/build/ccache CCACHE_BASEDIR=$PWD CCACHE_NOHASHDIR=1
  export CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime
fi
scripts/build.sh release files-asan-ubsan

logs=build/test-logs
mkdir -p "$logs"
failed=()
step() { # NAME COMMAND...
  if ! "${@:2}" 2>&1 | tee "$logs/$1.log"; then failed+=("$1"); fi
}
# clang-tidy checks changed files first, and reports how many it had no time for.
step lint scripts/lint.sh --minutes 3
step file-parsers-under-sanitizers ctest --preset files-asan-ubsan
# clang alone is not enough: libFuzzer comes with its runtime package.
has_fuzzer() {
  clang++ -fsanitize=fuzzer -x c++ - -o /dev/null 2>/dev/null \
    <<<'extern "C" int LLVMFuzzerTestOneInput(const unsigned char*, unsigned long) { return 0; }'
}
if [[ -n ${CI:-} ]]; then
  if has_fuzzer; then
    step fuzzing scripts/fuzz.sh
  else
    echo "SKIPPED: fuzzing (no clang++ with libFuzzer)"
  fi
fi
# The ten slowest tests are printed before ctest's closing lines, which end the output.
tell_slowest() {
  awk '
    $NF == "sec" && match($0, /Test +#[0-9]+: /) {
      split(substr($0, RSTART + RLENGTH), name, " ")
      times = times sprintf("%9.2f s  %s\n", $(NF - 1), name[1])
    }
    /^[0-9]+% tests passed/ {
      print "The slowest tests:"
      fflush()
      printf "%s", times | "sort -k1,1nr | head -n 10"
      close("sort -k1,1nr | head -n 10")
      print ""
    }
    { print; fflush() }'
}
# Most tests compute on one thread. Those that need the machine to themselves are RUN_SERIAL.
parallel=$(($(nproc) < 8 ? $(nproc) : 8))
# Tests with the label "slow" need what setup.sh --slow installs, install launchers as root on
# Debian, or
# take minutes.
choice=(-LE slow)
if [[ -n ${LAZYMAR_SLOW:-} ]]; then choice=(); fi
run_tests() { ctest --preset release --parallel "$parallel" "${choice[@]}" | tell_slowest; }
# Last, so that its closing lines end the output.
step tests run_tests

for name in "${failed[@]}"; do
  printf '\ntest.sh: FAILED: %s (%s):\n' "$name" "$logs/$name.log"
  # ctest prints a failed test's output where it ran.
  grep -A 40 -E '\*\*\*(Failed|Timeout|Exception)' "$logs/$name.log" | head -n 120 || true
  tail -n 40 "$logs/$name.log"
done >&2
((${#failed[@]} == 0))
