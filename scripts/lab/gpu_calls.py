#!/usr/bin/env python3
"""Counts the CUDA runtime calls of a batch: the difference between a longer and a shorter run, from
tests/support/preload/cuda_call_counter.cpp.

    scripts/lab/gpu_calls.py SHORTER.json LONGER.json BATCHES

BATCHES is how many more the longer run has.

Exit status: 1 if a batch waits for the device or allocates on it, or if nothing was counted;
otherwise 0. Pinned buffers are reported but are not an error: they are kept, and their number
depends on how far the PNG writer lags behind.
"""
import json
import sys
from pathlib import Path


def main():
    if len(sys.argv) != 4:
        sys.exit("usage: gpu_calls.py SHORTER.json LONGER.json BATCHES")
    try:
        shorter, longer = (json.loads(Path(name).read_text(encoding="utf-8"))
                           for name in sys.argv[1:3])
    except (OSError, ValueError) as error:
        sys.exit(f"gpu_calls.py: {error}")
    each = {kind: (longer[kind] - shorter[kind]) / int(sys.argv[3]) for kind in longer}
    print("a batch: " + ", ".join(f"{count:g} {kind}" for kind, count in each.items()))
    launches = each["kernels"] + each["graphs"]
    return int(each["waits"] != 0 or each["allocations"] != 0 or launches <= 0)


sys.exit(main())
