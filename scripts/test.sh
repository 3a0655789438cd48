#!/usr/bin/env bash
# Sets up, builds and runs every test. The environment is that of scripts/build.sh; LAZYMAR_TRACES
# names a folder of recorded runs to verify besides those in tests/data.
# What fails does not keep the rest from running; the exit status is 0 only when nothing failed.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
scripts/build.sh release files-asan-ubsan

failed=()
scripts/check_format.sh || failed+=("format")
ctest --preset files-asan-ubsan || failed+=("file parsers under sanitizers")
# clang alone does not do: libFuzzer comes with its runtime package.
has_fuzzer() {
  clang++ -fsanitize=fuzzer -x c++ - -o /dev/null 2>/dev/null \
    <<<'extern "C" int LLVMFuzzerTestOneInput(const unsigned char*, unsigned long) { return 0; }'
}
if [[ -n ${CI:-} ]]; then
  if has_fuzzer; then
    scripts/fuzz.sh || failed+=("fuzzing")
  else
    echo "SKIPPED: fuzzing (no clang++ with libFuzzer)"
  fi
fi
# Last, so that its closing lines end the output. One at a time: each test uses all processors.
ctest --preset release || failed+=("tests")

if ((${#failed[@]})); then
  printf 'test.sh: FAILED: %s\n' "${failed[@]}" >&2
  exit 1
fi
