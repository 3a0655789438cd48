#!/usr/bin/env bash
# Builds, and disturbs long runs for hours. It does 100 rounds each of kill -9 of all processes, of
# the parent and of workers, of SIGTERM and of SIGUSR1. It makes every write call fail once, for
# each --durability. It generates 1000 images by one process, by three, and by three that are killed
# at random. All must end byte-identical to an undisturbed run. Three to five hours on two cores;
# not run in CI.
#
#   scripts/lab/soak.sh [PART...]     launchers, damage, faults, kills, disk; all by default
#
# SOAK_SEED chooses the sequence of random moments (1). The environment is that of scripts/build.sh.
# The output is kept in build/soak.log. Exit 1: something was lost, or was not byte-identical.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
for part in "$@"; do
  if [[ ! $part =~ ^(launchers|damage|faults|kills|disk)$ ]]; then
    echo "soak.sh: unknown part '$part'; use launchers, damage, faults, kills or disk" >&2
    exit 2
  fi
done
scripts/build.sh

echo "soak.sh: ${*:-all parts}; this takes hours; the log is build/soak.log"
export OMP_NUM_THREADS=1
"${PYTHON:-python3}" tests/e2e/run_test.py build/bin build/tests/libfailing_writes.so --long "$@" 2>&1 |
  tee build/soak.log
