"""scripts/lab/gpu_check.sh with stand-ins for our programs and the driver's.

usage: gpu_check_test.py   (run from the repository's root)
"""
import json
import os
import pathlib
import subprocess
import sys
import tempfile

from checks import check, conclude

STAND_IN = """#!/usr/bin/env bash
case $(basename "$0") in
  nvidia-smi) [[ $# -eq 0 ]] && echo '| 0  NVIDIA Example GPU |'; exit ${NO_GPU:-0} ;;
  gpu_tests) [[ $* == *Graphs* ]] && echo "${GRAPHS_SAY:-}" && exit ${GRAPHS_STATUS:-0}; exit 0 ;;
  compute-sanitizer) [[ ${PYTORCH_NO_CUDA_MEMORY_CACHING:-} == 1 ]] ;;
  lazymar_bench)
    while (($#)); do
      [[ $1 == --batch ]] && batch=${2%%,*}
      [[ $1 == --json ]] && json=$2
      shift
    done
    sed "s/BATCH/$batch/" "$(dirname "$0")/bench.json" >"$json" ;;
  lazymar_eval) while (($#)); do [[ $1 == --output_dir ]] && out=$2; shift; done
    if [[ ${LAZYMAR_CUDA_CALLS:-} == *-8.json ]]; then kernels=40; fi
    [[ -z ${LAZYMAR_CUDA_CALLS:-} ]] || cat >"$LAZYMAR_CUDA_CALLS" <<<"{
      \\"waits\\": 5, \\"allocations\\": 9, \\"kernels\\": ${kernels:-0}, \\"graphs\\": 1}"
    mkdir -p "$out/x" && echo "${SUMMARY:-}" >"$out/x/summary.json" ;;
esac
"""
ROW = {
    "model": "mar_huge", "batch": "BATCH", "arm": "lazy", "seconds_per_image": {"median": 0.04},
    "wall_seconds_per_image": {"median": 0.05}, "peak_device_bytes": 2**30, "gpu": {
        "sm_clock_mhz": {"median": 1980, "max": 1980}, "power_watts": {"median": 600, "max": 690},
        "temperature_celsius": None
    }
}
SUMMARY = json.dumps(
    {"seconds_per_image": 0.045, "settings": {"model": "mar_huge", "eval_bsz": 128}})

with tempfile.TemporaryDirectory() as folder:
    folder = pathlib.Path(folder)
    programs, path = folder / "programs", folder / "path"
    for place, names in ((programs, ("gpu_tests", "lazymar_bench", "lazymar_eval",
                                     "lazymar_verify")), (path, ("nvidia-smi",
                                                                 "compute-sanitizer"))):
        place.mkdir()
        for name in names:
            (place / name).write_text(STAND_IN)
            (place / name).chmod(0o755)
    (programs / "bench.json").write_text(json.dumps({"rows": [ROW]}).replace('"BATCH"', "BATCH"))

    def run(name, **env):
        out = folder / name
        result = subprocess.run(
            ["scripts/lab/gpu_check.sh", out], capture_output=True, check=False, text=True,
            timeout=300, env={
                **os.environ, "PATH": f"{path}:{os.environ['PATH']}",
                "LAZYMAR_GPU_PROGRAMS": str(programs), "LIBTORCH_DIR": str(folder),
                "PYTHON": sys.executable, "SUMMARY": SUMMARY, **env
            })
        found = json.loads(
            (out / "results.json").read_text()) if (out / "results.json").exists() else None
        return result, found

    result, found = run("well")
    verdicts = {stage["name"]: stage["verdict"] for stage in found["stages"]}
    check("nothing failed, and the original was left out", result.returncode == 3, result)
    check("all else ran", {name for name, verdict in verdicts.items() if verdict != "passed"}
          == {"original-1", "original-128"}, verdicts)
    check(
        "suites, sanitizers, recorded runs, benchmarks and runs are among it", {
            "tests-Graphs", "calls-graphs-on", "sanitizer-racecheck", "verify-small-lazy-bf16",
            "bench-128", "bench-batches", "eval-auto"
        } <= set(verdicts), verdicts)
    check(
        "figures are shown with their targets",
        "batch 128, lazy: 0.0400 s per image (within 0.05)" in result.stdout
        and "1980 (1980) MHz, 600 (690) W" in result.stdout and "Example GPU" in result.stdout,
        result)
    check("so is what a batch calls",
          "calls-graphs-off: a batch: 0 waits, 0 allocations, 10 kernels" in result.stdout, result)
    check("logs are kept", (folder / "well/logs.tar.gz").stat().st_size > 0)

    result, found = run("failing", GRAPHS_STATUS="1", SUMMARY="{torn")
    verdicts = {stage["name"]: stage["verdict"] for stage in found["stages"]}
    check(
        "a failure is the exit status, and nothing stops for it", result.returncode == 1
        and verdicts["tests-Graphs"] == "FAILED (1)" and verdicts["bench-batches"] == "passed",
        result)
    check("a torn file is named",
          [problem[:9] for problem in found["problems"]] == ["eval-128.", "eval-auto"], found)

    result, found = run("skipping", GRAPHS_SAY="SKIPPED: no CUDA device", LAZYMAR_GPU_PARTS="tests")
    check("a test that was skipped did not pass", result.returncode == 1, result)
    check("parts are some of the stages", len(found["stages"]) == 12, found)

    result, found = run("late", LAZYMAR_GPU_SECONDS="0", LAZYMAR_GPU_PARTS="tests")
    check("what no longer fits is left out, and that is no success", result.returncode == 3
          and {stage["verdict"] for stage in found["stages"]} == {"LEFT OUT: no time"}, result)

    result, found = run("nothing", NO_GPU="9")
    check("without a GPU nothing is tested", result.returncode == 2 and found is None, result)

conclude()
