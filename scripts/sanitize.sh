#!/usr/bin/env bash
# Builds with sanitizers and runs the tests:
#
#   scripts/sanitize.sh asan-ubsan|tsan [ROOM...]     the whole tree, or only the tests of these rooms
#   scripts/sanitize.sh asan-ubsan files run          the programs files_tests and run_tests
#
# The whole tree takes hours on two cores, so scripts/test.sh sanitizes only the file parsers. Our
# own code is instrumented, LibTorch is not. The environment is that of scripts/build.sh; the tests'
# output is kept in build-<preset>/sanitize.log. Exit 1: a test failed or a sanitizer complained.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
preset=${1:-}
if [[ $preset != asan-ubsan && $preset != tsan ]]; then
  echo "usage: scripts/sanitize.sh asan-ubsan|tsan [ROOM...]" >&2
  exit 2
fi
shift

targets=()
tests=()
if (($#)); then
  for room in "$@"; do targets+=(--target "${room}_tests"); done
  # Tests are named room.Suite.case.
  tests=(--tests-regex "^($(IFS='|' && echo "$*"))\\." --no-tests=error)
fi
scripts/build.sh "${targets[@]}" "$preset"

# A report ends the test that caused it.
export ASAN_OPTIONS=abort_on_error=0:detect_stack_use_after_return=1:strict_string_checks=1
export UBSAN_OPTIONS=print_stacktrace=1
export TSAN_OPTIONS=halt_on_error=1:second_deadlock_stack=1
ctest --preset "$preset" "${tests[@]}" 2>&1 | tee "build-$preset/sanitize.log"
