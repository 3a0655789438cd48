#!/usr/bin/env bash
# Builds, and disturbs runs for hours: about seven seconds a round on two free cores. Not run in CI.
#
#   scripts/lab/soak.sh ROUNDS [PART...]     launchers, damage, faults, kills, disk; all by default
#   scripts/lab/soak.sh 1000 kills           what docs/reliability.md reports
#
# kills: each of ROUNDS runs is killed with kill -9, once or twice, at a random moment: its parent, one
# of its workers, or all of them. It is continued to its end, and its folder must be byte-identical to
# an undisturbed one. ROUNDS/5 more runs are stopped with SIGTERM and SIGUSR1. disk: every write call
# fails once, for each --durability. launchers and kills also generate 1000 images by one process, by
# three, and by three that are killed at random.
#
# SOAK_SEED chooses the sequence of random moments (1). The environment is that of scripts/build.sh.
# The output is appended to build/soak.log; the lines in JSON count the rounds, also if it is stopped.
# Runs that lost something are kept in build/lost. Exit 1: there is one.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
rounds=${1:-}
if [[ ! $rounds =~ ^[1-9][0-9]*$ ]]; then
  echo "soak.sh: the number of rounds must be a positive integer, not '$rounds'" >&2
  exit 2
fi
shift
for part in "$@"; do
  if [[ ! $part =~ ^(launchers|damage|faults|kills|disk)$ ]]; then
    echo "soak.sh: unknown part '$part'; use launchers, damage, faults, kills or disk" >&2
    exit 2
  fi
done
(($#)) || set -- launchers damage faults kills disk
scripts/build.sh

echo "soak.sh: $*; this takes hours; the log is build/soak.log"
export OMP_NUM_THREADS=1
"${PYTHON:-python3}" tests/e2e/run_test.py build/bin build/tests/libfailing_writes.so --rounds "$rounds" "$@" 2>&1 |
  tee -a build/soak.log
