"""The counter of CUDA runtime calls and the evaluation of its counts; no GPU is needed.

usage: gpu_calls_test.py PROBE COUNTER_LIBRARY   (run from the repository's root)
"""
import json
import os
import pathlib
import subprocess
import sys
import tempfile

from checks import check, conclude

PROBE, COUNTER = sys.argv[1:]
with tempfile.TemporaryDirectory() as folder:
    folder = pathlib.Path(folder)

    def probe(*arguments, **env):
        return subprocess.run([PROBE, *arguments], env={**os.environ, **env}, capture_output=True,
                              check=False, text=True, timeout=60)

    counts = folder / "counts.json"
    result = probe(LD_PRELOAD=COUNTER, LAZYMAR_CUDA_CALLS=str(counts))
    check("calls are counted by kind", json.loads(counts.read_text())
          == {"waits": 3, "allocations": 2, "pinned": 1, "kernels": 0, "graphs": 1}, result)
    probe("idle", LD_PRELOAD=COUNTER, LAZYMAR_CUDA_CALLS=str(counts))
    check("a process without calls leaves another's counts alone",
          json.loads(counts.read_text())["waits"] == 3)
    probe(LAZYMAR_CUDA_CALLS=str(folder / "none.json"))
    check("control: none without the counter", not (folder / "none.json").exists())
    result = probe(LD_PRELOAD=COUNTER)
    check("without a file the program goes on", result.returncode == 0, result)

    def calls(**more):
        longer = folder / "longer.json"
        longer.write_text(json.dumps({kind: count + more.get(kind, 0)
                                      for kind, count in json.loads(counts.read_text()).items()}))
        return subprocess.run(["scripts/lab/gpu_calls.py", counts, longer, "4"],
                              capture_output=True, check=False, text=True, timeout=60)

    result = calls(kernels=400, graphs=40, pinned=1)
    check("launches and a pinned buffer are no fault", result.returncode == 0 and result.stdout
          == "a batch: 0 waits, 0 allocations, 0.25 pinned, 100 kernels, 10 graphs\n", result)
    result = calls()
    check("nothing counted is no proof", result.returncode == 1, result)
    for kind in ("waits", "allocations"):
        result = calls(kernels=4, **{kind: 1})
        check(f"{kind} are", result.returncode == 1 and f"0.25 {kind}" in result.stdout, result)
    result = subprocess.run(["scripts/lab/gpu_calls.py", counts, folder / "x", "4"],
                            capture_output=True, check=False, text=True, timeout=60)
    check(
        "a file that is missing is named", result.returncode == 1
        and "gpu_calls.py: " in result.stderr and "Traceback" not in result.stderr, result)

conclude()
