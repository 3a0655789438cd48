"""Failures of long runs: killed, stopped, starved, damaged, started twice.

usage: run_test.py FOLDER_OF_BINARIES FAILING_WRITES_LIBRARY [--long] [PART...]

From the repository's root. PART: launchers, threads, join, kills, faults, damage, disk (all of
them). Slow parts: hosts, storage, and real launchers, which install packages as root on
Debian: slurm, openmpi. --long takes hours: see scripts/lab/soak.sh.
"""
import importlib
import sys
import traceback

import checks
import run_support

PARTS = ("launchers", "threads", "join", "damage", "faults", "kills", "disk")
chosen = [part for part in sys.argv[3:] if part != "--long"]
try:
    for part in chosen or PARTS:
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
