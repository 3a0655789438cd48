"""Failures of long runs: killed, stopped, starved, damaged, started twice.

usage: run_test.py FOLDER_OF_BINARIES FAILING_WRITES_LIBRARY [--rounds N] [PART...]

From the repository's root. PART: launchers, threads, join, damage, faults, kills, disk (all of
them). Slow parts: hosts, storage, and real launchers, which install packages as root on
Debian: slurm, openmpi. --rounds takes hours: see scripts/lab/soak.sh.
"""
import importlib
import signal
import sys
import traceback

import checks
import run_support

# Stopped early, it still tells what it has done, and cleans up.
signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped"))
try:
    for part in run_support.ARGUMENTS.parts or run_support.PARTS:
        print(f"== {part}", flush=True)
        for case in importlib.import_module(f"run_{part}").CASES:
            try:
                case()
            except Exception:  # the other cases still run
                traceback.print_exc()
                checks.check(f"{part}, {case.__name__}: goes through", False)
finally:
    run_support.clean_up()
checks.conclude()
