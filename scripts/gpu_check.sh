#!/usr/bin/env bash
# Everything about the CUDA path that needs a GPU, in one command: kernels against their twins,
# compute-sanitizer, recorded runs, benchmarks. It plans for 8 minutes on an H100 and leaves out what
# no longer fits, saying so.
#
#   scripts/gpu_check.sh [OUT]        on a machine with a GPU; results go to OUT (gpu_check)
#   scripts/gpu_check.sh pack DIR     on a machine with nvcc and no GPU: builds, and puts programs and
#                                     the libraries they need into DIR, for a machine that cannot build
#
#   LAZYMAR_GPU_PROGRAMS=DIR   use what `pack` left there, instead of building
#   LAZYMAR_GPU_SECONDS=450    how long it may take, a build included
#   LAZYMAR_TRACES=DIR         more recorded runs
#   PYTHON=python3             a Python whose torch (2.11.0, with CUDA) has the libraries
#
# OUT/summary.txt is for people, OUT/results.json for programs, OUT/logs.tar.gz for whoever has to know
# why. Exit status: 0 every test passed, 1 one did not, 2 nothing could be tested.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
python=${PYTHON:-python3}

say() { echo "gpu_check: $*"; }
stop() { say "$@" >&2; exit 2; }

if [[ ${1:-} == pack ]]; then
  target=${2:?gpu_check.sh pack DIR}
  LAZYMAR_CMAKE_ARGS="-DLAZYMAR_CUDA=AUTO ${LAZYMAR_CMAKE_ARGS:-}" scripts/build.sh
  [[ -x build/cuda/gpu_tests ]] || stop "build/cuda holds no programs: configuring says why (CUDA: ...)"
  mkdir -p "$target/lib"
  for program in build/cuda/*; do
    strip -o "$target/$(basename "$program")" "$program"
    # Small libraries of the distribution; LibTorch, CUDA and the C library are the other machine's.
    ldd "$program" | awk '$3 ~ /^\// {print $3}' |
      grep -E '/lib(spdlog|fmt|deflate|crypto|gtest|gtest_main)[.-]' | xargs -r cp -Lut "$target/lib"
  done
  say "$target: $(du -sh "$target" | cut -f1)"
  exit 0
fi

out=${1:-gpu_check}
mkdir -p "$out/logs"
out=$(cd "$out" && pwd)
began=$(date +%s)
limit=${LAZYMAR_GPU_SECONDS:-450}
left() { echo $((limit - ($(date +%s) - began))); }
: >"$out/stages.tsv"
failed=0

# stage NAME SECONDS COMMAND...: runs it for that long at most, if there is time; its output goes to
# OUT/logs/NAME.log.
stage() {
  local name=$1 most=$2 status=0 start
  shift 2
  if (($(left) < 10)); then
    printf '%s\tLEFT OUT\t0\n' "$name" >>"$out/stages.tsv"
    say "$name: LEFT OUT, no time"
    return
  fi
  ((most < $(left))) || most=$(left)
  start=$(date +%s)
  timeout -k 5 "$most" "$@" >"$out/logs/$name.log" 2>&1 || status=$?
  local verdict=passed
  ((status == 0)) || verdict="FAILED ($status)"
  ((status != 124)) || verdict="TOO LONG"
  ((status == 0)) || failed=1
  printf '%s\t%s\t%s\n' "$name" "$verdict" $(($(date +%s) - start)) >>"$out/stages.tsv"
  say "$name: $verdict, $(($(date +%s) - start)) s"
  ((status == 0)) || tail -n 12 "$out/logs/$name.log"
}

# --- What there is --------------------------------------------------------------------------------
nvidia-smi >"$out/device.txt" 2>&1 || stop "SKIPPED: no NVIDIA GPU (nvidia-smi says so)"
torch=${LIBTORCH_DIR:-$("$python" -c 'import torch; print(torch.__path__[0])')} ||
  stop "$python has no torch: name one with PYTHON, or LibTorch with LIBTORCH_DIR"
libraries=$torch/lib
for folder in "$torch"/../nvidia/*/lib /usr/local/cuda/lib64; do
  [[ ! -d $folder ]] || libraries+=:$folder
done
if [[ -n ${LAZYMAR_GPU_PROGRAMS:-} ]]; then
  programs=$(cd "$LAZYMAR_GPU_PROGRAMS" && pwd)
  export LD_LIBRARY_PATH=$libraries:$programs/lib:${LD_LIBRARY_PATH:-}
  chmod +x "$programs"/*
else
  export LIBTORCH_DIR=$torch
  architecture=$(nvidia-smi --query-gpu=compute_cap --format=csv,noheader | head -1 | tr -d .)
  stage build 400 env LAZYMAR_CMAKE_ARGS="-DLAZYMAR_CUDA=ON -DLAZYMAR_CUDA_ARCHITECTURES=$architecture" \
    scripts/build.sh
  programs=$PWD/build/bin
  ln -sf ../tests/gpu_tests build/bin/gpu_tests
fi
[[ -x $programs/gpu_tests ]] || stop "$programs holds no gpu_tests"
nvidia-smi --query-gpu=timestamp,clocks.sm,clocks.mem,power.draw,temperature.gpu,memory.used,utilization.gpu \
  --format=csv -l 1 >"$out/clocks.csv" 2>&1 &
monitor=$!
trap 'kill $monitor 2>/dev/null || true' EXIT

# --- Correctness first ----------------------------------------------------------------------------
stage gpu_tests 90 "$programs/gpu_tests"
if grep -q 'SKIPPED' "$out/logs/gpu_tests.log"; then
  say "gpu_tests: SKIPPED where they should have run"
  failed=1
fi
for trace in tests/data/traces/*/ ${LAZYMAR_TRACES:+"$LAZYMAR_TRACES"/*/}; do
  name=$(basename "$trace")
  for precision in fp32 bf16; do
    for graphs in on off; do
      stage "verify-$name-$precision-graphs-$graphs" 60 "$programs/lazymar_verify" --trace "$trace" \
        --device cuda --precision "$precision" --cuda_graphs "$graphs"
    done
  done
done

# --- Benchmarks -----------------------------------------------------------------------------------
# evaluation NAME SECONDS ARGUMENTS...: a run on random weights, its summary to OUT/logs/NAME.json.
evaluation() {
  local name=$1 most=$2
  shift 2
  stage "$name" "$most" "$programs/lazymar_eval" --device cuda --random_weights --durability none \
    --no_metadata --output_dir "$out/runs/$name" "$@"
  find "$out/runs/$name" -name summary.json -exec cp {} "$out/logs/$name.json" \; 2>/dev/null || true
  rm -rf "${out:?}/runs/$name"
}
if [[ -x $programs/lazymar_bench ]]; then
  stage lazymar_bench 200 "$programs/lazymar_bench" --device cuda --random_weights --models mar_huge \
    --batch 1,128 --arms "baseline; lazy; lazy --cuda_graphs off" --repeats 2 --json "$out/bench.json" --markdown "$out/bench.md"
fi
evaluation lazymar-h-batch-128 90 --model mar_huge --lazy_mar --num_images 384 --eval_bsz 128
evaluation lazymar-h-batch-1 60 --model mar_huge --lazy_mar --num_images 12 --eval_bsz 1
evaluation mar-h-batch-128 120 --model mar_huge --num_images 256 --eval_bsz 128
evaluation lazymar-h-batch-1-graphs-off 60 --model mar_huge --lazy_mar --num_images 6 --eval_bsz 1 \
  --cuda_graphs off
evaluation lazymar-h-batch-128-graphs-off 90 --model mar_huge --lazy_mar --num_images 256 \
  --eval_bsz 128 --cuda_graphs off

# --- The memory checkers, last: they are slow -----------------------------------------------------
if command -v compute-sanitizer >/dev/null; then
  small='RowKernels.*:SelectionKernels.*:HeadKernels.*'
  for tool in memcheck racecheck; do
    stage "sanitizer-$tool" 120 compute-sanitizer --tool "$tool" --error-exitcode 9 \
      "$programs/gpu_tests" --gtest_filter="$small"
  done
else
  say "sanitizer: SKIPPED, compute-sanitizer is not installed"
fi

"$python" - "$out" <<'PYTHON'
import json, pathlib, sys
out = pathlib.Path(sys.argv[1])
stages = [dict(zip(("name", "verdict", "seconds"), line.split("\t")))
          for line in (out / "stages.tsv").read_text().splitlines()]
runs = {}
for path in sorted(out.glob("logs/*-h-batch-*.json")):
    summary = json.loads(path.read_text())
    runs[path.stem] = {key: summary.get(key) for key in (
        "seconds_per_image", "stages", "flops_per_image", "peak_device_bytes", "settings")}
device = next((line for line in (out / "device.txt").read_text().splitlines() if "NVIDIA" in line
               and "SMI" not in line), "").strip("| ")
(out / "results.json").write_text(json.dumps({"device": device, "stages": stages, "runs": runs}, indent=1))
lines = [device, ""] + [f"{s['name']:44} {s['verdict']:14} {s['seconds']:>4} s" for s in stages] + [""]
for name, run in runs.items():
    peak = (run["peak_device_bytes"] or 0) / 2**30
    lines.append(f"{name:36} {run['seconds_per_image']} s an image, {peak:.1f} GiB at its peak, {run['stages']}")
(out / "summary.txt").write_text("\n".join(lines) + "\n")
PYTHON
tar -C "$out" -czf "$out/logs.tar.gz" logs && rm -rf "$out/logs" "$out/runs" "$out/stages.tsv"
cat "$out/summary.txt"
say "took $(($(date +%s) - began)) s"
exit $failed
