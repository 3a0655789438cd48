"""scripts/lab/gpu_check.sh with stand-ins for our programs and the driver's.

usage: gpu_check_test.py   (run from the repository's root)
"""
import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time

from checks import check, conclude

STAND_IN = """#!/usr/bin/env bash
name=$(basename "$0")
if [[ $name != nvidia-smi && :${LD_LIBRARY_PATH:-}: != *:/of/the/user:* ]]; then
  echo "the caller's LD_LIBRARY_PATH is gone"; exit 3
fi
if [[ -n ${LAZYMAR_GPU_STAGE:-} && " $LAZYMAR_GPU_STAGE all " == *" ${SLOW:-none} "* ]]; then
  exec sleep 60
fi
case $name in
  nvidia-smi) [[ $# -eq 0 ]] && echo '| 0  NVIDIA Example GPU |'; exit ${NO_GPU:-0} ;;
  gpu_tests) [[ $* == *Graphs* ]] && echo "${GRAPHS_SAY:-}" && exit ${GRAPHS_STATUS:-0}; exit 0 ;;
  compute-sanitizer) [[ ${PYTORCH_NO_CUDA_MEMORY_CACHING:-} == 1 ]] || exit 4
    echo "${SANITIZER_SAYS:-========= ERROR SUMMARY: 0 errors}"; exit ${SANITIZER_STATUS:-0} ;;
  lazymar_verify) [[ $* == *"--precision ${MISSES:-none}"* ]] || exit 0
    echo 'FAILED: 120 of 129 tensors within NMSE 2e-03'; exit 1 ;;
  lazymar_bench)
    while (($#)); do
      [[ $1 == --batch ]] && batch=${2%%,*}
      [[ $1 == --json ]] && json=$2
      shift
    done
    sed "s/BATCH/$batch/" "$(dirname "$0")/bench.json" >"$json" ;;
  lazymar_eval) while (($#)); do [[ $1 == --output_dir ]] && out=$2; shift; done
    if [[ ${LAZYMAR_CUDA_CALLS:-} == *-8.json ]]; then kernels=40; fi
    waits=5
    # By hand, lazymar_eval is a supervisor and a worker, and the supervisor ends last.
    if [[ -z ${RANK:-} ]]; then kernels=0 waits=0; fi
    [[ -z ${LAZYMAR_CUDA_CALLS:-} ]] || cat >"$LAZYMAR_CUDA_CALLS" <<<"{
      \\"waits\\": $waits, \\"allocations\\": 9, \\"kernels\\": ${kernels:-0}, \\"graphs\\": 1}"
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

    def environment(**env):
        return {
            **os.environ, "PATH": f"{path}:{os.environ['PATH']}",
            "LAZYMAR_GPU_PROGRAMS": str(programs), "LIBTORCH_DIR": str(folder),
            "LD_LIBRARY_PATH": "/of/the/user", "PYTHON": sys.executable, "SUMMARY": SUMMARY, **env
        }

    def results(out):
        path = out / "results.json"
        return json.loads(path.read_text()) if path.exists() else None

    def run(name, **env):
        result = subprocess.run(["scripts/lab/gpu_check.sh", folder / name], capture_output=True,
                                check=False, text=True, timeout=300, env=environment(**env))
        return result, results(folder / name)

    def verdicts_of(found):
        return {stage["name"]: stage["verdict"] for stage in found["stages"]}

    result, found = run("well")
    verdicts = verdicts_of(found)
    all_stages = list(verdicts)
    check("nothing failed, and the original was left out", result.returncode == 3, result)
    check("all else ran", {name for name, verdict in verdicts.items() if verdict != "passed"}
          == {"original-1", "original-128"}, verdicts)
    check(
        "suites, sanitizers, recorded runs, benchmarks and runs are among it", {
            "tests-Graphs", "calls-graphs-on", "sanitizer-racecheck", "verify-small-lazy-bf16",
            "self-check", "bench-128-lazy", "bench-batches", "eval-auto"
        } <= set(verdicts), verdicts)
    by_value = ("self-check", "tests-RowKernels", "tests-Graphs", "bench-128-lazy", "bench-1",
                "verify-small-lazy-fp32", "verify-small-lazy-bf16", "original-128",
                "bench-128-baseline", "calls-graphs-on", "sanitizer-memcheck", "eval-128",
                "bench-batches")
    places = [all_stages.index(name) for name in by_value]
    check("in the order of their value", places == sorted(places), all_stages)
    check(
        "figures are shown with their targets",
        "batch 128, lazy: 0.0400 s per image (within 0.05)" in result.stdout
        and "1980 (1980) MHz, 600 (690) W" in result.stdout and "Example GPU" in result.stdout,
        result)
    check("so is what a batch calls",
          "calls-graphs-off: a batch: 0 waits, 0 allocations, 10 kernels" in result.stdout, result)
    check("logs are kept", (folder / "well/logs.tar.gz").stat().st_size > 0)

    result, found = run("failing", GRAPHS_STATUS="1", SUMMARY="{torn",
                        GRAPHS_SAY="[  FAILED  ] Graphs.NetworksComeAndGo (12 ms)")
    verdicts = verdicts_of(found)
    check(
        "a failure is the exit status, and nothing stops for it", result.returncode == 1
        and verdicts["tests-Graphs"] == "FAILED (1): Graphs.NetworksComeAndGo"
        and list(verdicts) == all_stages and verdicts["bench-batches"] == "passed",
        result)
    check("a torn file is named",
          [problem[:9] for problem in found["problems"]] == ["eval-128.", "eval-auto"], found)

    result, found = run("rounding", MISSES="bf16", LAZYMAR_GPU_PARTS="traces")
    verdicts = verdicts_of(found)
    check("a trace that bf16 misses is information, with its figure", result.returncode == 0
          and verdicts["verify-small-lazy-bf16"]
          == "INFORMATION: 120 of 129 tensors within NMSE 2e-03"
          and verdicts["verify-small-lazy-fp32"] == "passed", result)
    result, found = run("wrong", MISSES="fp32", LAZYMAR_GPU_PARTS="traces")
    check("control: one that fp32 misses is a failure", result.returncode == 1
          and verdicts_of(found)["verify-small-lazy-fp32"] == "FAILED (1)", result)

    result, found = run("refused", SANITIZER_STATUS="1", LAZYMAR_GPU_PARTS="sanitizers",
                        SANITIZER_SAYS="========= Error: insufficient permissions to attach")
    check("a sanitizer that is refused is left out, with its reason", result.returncode == 3
          and verdicts_of(found)["sanitizer-memcheck"] ==
          "LEFT OUT: refused: ========= Error: insufficient permissions to attach", result)
    result, found = run("found", SANITIZER_STATUS="9", LAZYMAR_GPU_PARTS="sanitizers",
                        SANITIZER_SAYS="========= ERROR SUMMARY: 2 errors")
    check("control: one that finds errors is a failure", result.returncode == 1
          and verdicts_of(found)["sanitizer-memcheck"] == "FAILED (9)", result)

    # "original-" is left out, and "calls-" only reads files, which are missing then.
    ours = [name for name in all_stages if not name.startswith(("original-", "calls-"))]
    result, found = run("slow", SLOW="all", LAZYMAR_GPU_STAGE_SECONDS="1")
    verdicts = verdicts_of(found)
    check("a time-out in any stage is told, and all others are still tried", result.returncode == 1
          and list(verdicts) == all_stages and all(verdicts[name] == "TOO LONG" for name in ours),
          verdicts)
    result, found = run("one-slow", SLOW="tests-HeadKernels", LAZYMAR_GPU_STAGE_SECONDS="3",
                        LAZYMAR_GPU_PARTS="tests")
    check("and it costs that stage alone", {
        name for name, verdict in verdicts_of(found).items() if verdict != "passed"
    } == {"tests-HeadKernels"}, found)

    # The machine's own limit ends everything: what is finished is there.
    with subprocess.Popen(["scripts/lab/gpu_check.sh", folder / "cut"], stdout=subprocess.DEVNULL,
                          stderr=subprocess.DEVNULL, start_new_session=True,
                          env=environment(SLOW="tests-HeadKernels",
                                          LAZYMAR_GPU_PARTS="tests")) as process:
        while "tests-SelectionKernels" not in verdicts_of(results(folder / "cut")
                                                          or {"stages": []}):
            time.sleep(0.1)
        os.killpg(process.pid, signal.SIGKILL)
    check("cut off in the middle, it has the results so far", list(
        verdicts_of(results(folder / "cut"))) == ["self-check", "tests-RowKernels",
                                                  "tests-SelectionKernels"])

    result, found = run("skipping", GRAPHS_SAY="SKIPPED: no CUDA device", LAZYMAR_GPU_PARTS="tests")
    check("a test that was skipped did not pass", result.returncode == 1, result)
    check("parts are some of the stages", len(found["stages"]) == 9, found)

    result, found = run("late", LAZYMAR_GPU_SECONDS="0", LAZYMAR_GPU_PARTS="tests")
    check("what no longer fits is left out, and that is no success", result.returncode == 3
          and {stage["verdict"] for stage in found["stages"]} == {"LEFT OUT: no time"}, result)

    result, found = run("nothing", NO_GPU="9")
    check("without a GPU nothing is tested", result.returncode == 2 and found is None, result)

conclude()
