#!/usr/bin/env bash
# Everything about the CUDA path that needs a GPU, in one command, what is worth most first: kernels
# against plain ATen, graphs, benchmarks, traces, the original code, compute-sanitizer. It is meant to
# take 8 minutes on an H100 without the build. Every stage writes its result when it ends, so that an
# early end costs the stage that was running. What no longer fits, or cannot be done there, is
# LEFT OUT with the reason.
#
#   scripts/lab/gpu_check.sh [OUT]        on a machine with a GPU; results go to OUT (gpu_check)
#   scripts/lab/gpu_check.sh pack DIR     on a machine with nvcc, GPU or not: builds, and puts programs and the
#                                     libraries they need into DIR, for a machine that cannot fetch anything
#
#   LAZYMAR_GPU_PROGRAMS=DIR   use the programs that `pack` put there, instead of building
#   LAZYMAR_GPU_PARTS="..."    some of: tests bench traces original calls sanitizers eval batches
#   LAZYMAR_GPU_SECONDS=480    time for all stages together
#   LAZYMAR_GPU_STAGE_SECONDS=N  and at most so much for each of them
#   LAZYMAR_GPU_ARCHITECTURES=90  what `pack` compiles for; every further one adds some 7 MB
#   LAZYMAR_ORIGINAL=DIR       a checkout of github.com/feihongyan1/LazyMAR, timed in turn with ours
#   LAZYMAR_TRACES=DIR         more traces
#   PYTHON=python3             a Python whose torch (2.11.0, with CUDA) has the libraries
#
# OUT/summary.txt is for people, OUT/results.json for programs, OUT/logs.tar.gz for debugging. Exit
# status: 0 everything ran and passed, 1 something failed, 2 nothing could be tested, 3 nothing failed
# but something was skipped.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
python=${PYTHON:-python3}
targets=(gpu_tests lazymar_bench lazymar_eval lazymar_verify)
counter=libcuda_call_counter.so  # built next to gpu_tests

say() { echo "gpu_check: $*"; }
stop() { say "$@" >&2; exit 2; }
# The path of a program with CUDA: the usual one, or a separate one if it cannot run here.
built() {
  case "$(sed -n 's/^LAZYMAR_CUDA_MODE:INTERNAL=//p' build/CMakeCache.txt)" in
    COMPILE) echo "build/cuda/$1" ;;
    ON) if [[ $1 == gpu_tests ]]; then echo "build/tests/$1"; else echo "build/bin/$1"; fi ;;
    *) stop "the build has no CUDA; CMake's output says why (CUDA: ...)" ;;
  esac
}

if [[ ${1:-} == pack ]]; then
  target=${2:?gpu_check.sh pack DIR}
  LAZYMAR_CMAKE_ARGS="-DLAZYMAR_CUDA=AUTO \
    -DLAZYMAR_CUDA_ARCHITECTURES=${LAZYMAR_GPU_ARCHITECTURES:-90} ${LAZYMAR_CMAKE_ARGS:-}" scripts/build.sh
  mkdir -p "$target/lib"
  for name in "${targets[@]}"; do
    program=$(built "$name")
    strip -o "$target/$name" "$program"
    # Small libraries of the distribution; the other machine has LibTorch, CUDA and the C library.
    ldd "$program" | awk '$3 ~ /^\// {print $3}' |
      grep -E '/lib(spdlog|fmt|deflate|crypto|gtest|gtest_main)[.-]' | xargs -r cp -Lut "$target/lib"
  done
  cp "$(dirname "$(built gpu_tests)")/$counter" "$target"
  say "$target: $(du -sh "$target" | cut -f1)"
  exit 0
fi

# --- Environment ----------------------------------------------------------------------------------
out=${1:-gpu_check}
rm -rf "${out:?}/logs"  # of an interrupted run
mkdir -p "$out/logs"
out=$(cd "$out" && pwd)
nvidia-smi >"$out/device.txt" 2>&1 || stop "SKIPPED: no NVIDIA GPU (nvidia-smi failed)"
torch=${LIBTORCH_DIR:-$("$python" -c 'import torch; print(torch.__path__[0])')} ||
  stop "$python has no torch; set PYTHON, or LIBTORCH_DIR"
libraries=$torch/lib
for folder in "$torch"/../nvidia/*/lib /usr/local/cuda/lib64; do
  [[ ! -d $folder ]] || libraries+=:$folder
done
if [[ -n ${LAZYMAR_GPU_PROGRAMS:-} ]]; then
  programs=$(cd "$LAZYMAR_GPU_PROGRAMS" && pwd)
  libraries+=:$programs/lib
  chmod +x "${targets[@]/#/$programs/}"
else
  build_flags=(--target cuda_call_counter)
  for name in "${targets[@]}"; do build_flags+=(--target "$name"); done
  architecture=$(nvidia-smi --query-gpu=compute_cap --format=csv,noheader | head -1 | tr -d .)
  LIBTORCH_DIR=$torch \
    LAZYMAR_CMAKE_ARGS="-DLAZYMAR_CUDA=ON -DLAZYMAR_CUDA_ARCHITECTURES=$architecture" \
    scripts/build.sh "${build_flags[@]}" >"$out/logs/build.log" 2>&1 || {
    tail -n 12 "$out/logs/build.log"
    stop "the build failed; without network access, use 'gpu_check.sh pack' on another machine"
  }
  programs=$out/programs
  mkdir -p "$programs"
  for name in "${targets[@]}"; do
    program=$(built "$name")
    ln -sf "$PWD/$program" "$programs/$name"
  done
  ln -sf "$PWD/$(dirname "$(built gpu_tests)")/$counter" "$programs/$counter"
fi
[[ -x $programs/gpu_tests ]] || stop "$programs contains no gpu_tests"

# --- Stages ---------------------------------------------------------------------------------------
began=$(date +%s)
limit=${LAZYMAR_GPU_SECONDS:-480}
left() { echo $((limit - ($(date +%s) - began))); }
: >"$out/stages.tsv"
failed=0
incomplete=0
summarize() { "$python" scripts/lab/gpu_summary.py "$out"; }
note() {
  printf '%s\t%s\t%s\n' "$1" "$2" "$3" >>"$out/stages.tsv"
  say "$1: $2, $3 s"
  summarize >/dev/null || true
}
left_out() { note "$1" "LEFT OUT: $2" 0; incomplete=1; }

# judge NAME STATUS: prints the verdict of a stage that ended so.
judge() {
  local log=$out/logs/$1.log status=$2 line
  if ((status == 0)); then
    if grep -q 'SKIPPED' "$log"; then echo "FAILED: skipped where it should have run"; else echo passed; fi
    return
  fi
  if ((status == 124 || status == 137)); then echo "TOO LONG"; return; fi
  case $1 in
    verify-*-bf16 | verify-*-fp16)  # the trace is of fp32: a miss is a figure, not a failure
      line=$(grep -m 1 '^FAILED:' "$log") && { echo "INFORMATION: ${line#FAILED: }"; return; } ;;
    sanitizer-*)  # it reports a summary if it could watch the program at all
      grep -q 'SUMMARY:' "$log" || { echo "LEFT OUT: refused: $(tail -n 1 "$log" | cut -c 1-80)"; return; } ;;
  esac
  line=$(grep -m 1 -oE '\[  FAILED  \] [A-Za-z]+\.[A-Za-z0-9]+' "$log" | cut -c 14-) || line=
  echo "FAILED ($status)${line:+: $line}"
}

# stage NAME SECONDS COMMAND...: runs it for that long at most, if there is time; its output goes to
# OUT/logs/NAME.log.
stage() {
  local name=$1 most=$2 status=0 start verdict
  shift 2
  if (($(left) < 10)); then
    left_out "$name" "no time"
    return
  fi
  ((most < $(left))) || most=$(left)
  ((most < ${LAZYMAR_GPU_STAGE_SECONDS:-$most})) || most=${LAZYMAR_GPU_STAGE_SECONDS:-$most}
  start=$(date +%s)
  LAZYMAR_GPU_STAGE=$name timeout -k 5 "$most" "$@" >"$out/logs/$name.log" 2>&1 || status=$?
  verdict=$(judge "$name" "$status")
  case $verdict in
    passed | INFORMATION*) ;;
    "LEFT OUT"*) incomplete=1 ;;
    *) failed=1 ;;
  esac
  note "$name" "$verdict" $(($(date +%s) - start))
  [[ $verdict == passed ]] || tail -n 12 "$out/logs/$name.log"
}
ours() {
  local name=$1 most=$2
  shift 2
  stage "$name" "$most" env LD_LIBRARY_PATH="$libraries${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}" "$@"
}
wanted() {
  [[ " ${LAZYMAR_GPU_PARTS:-tests bench traces original calls sanitizers eval batches} " == *" $1 "* ]]
}

nvidia-smi --query-gpu=timestamp,clocks.sm,clocks.mem,power.draw,temperature.gpu,memory.used,utilization.gpu \
  --format=csv -l 1 >"$out/clocks.csv" 2>&1 &
monitor=$!
# Reports what was measured, however it ends.
finish() {
  kill "$monitor" 2>/dev/null || true
  summarize || true
  tar -C "$out" -czf "$out/logs.tar.gz" logs && rm -rf "$out/logs" "$out/runs" "$out/programs"
  say "took $(($(date +%s) - began)) s"
}
trap finish EXIT

# bench NAME SECONDS ARGUMENTS...: its tables to OUT/logs/NAME.json and .md.
bench() {
  local name=$1 most=$2
  shift 2
  ours "$name" "$most" "$programs/lazymar_bench" --device cuda --random_weights --models mar_huge \
    --json "$out/logs/$name.json" --markdown "$out/logs/$name.md" "$@"
}
# evaluation NAME SECONDS ARGUMENTS...: a run on random weights, its summary to OUT/logs/NAME.json.
evaluation() {
  local name=$1 most=$2
  shift 2
  ours "$name" "$most" "$programs/lazymar_eval" --device cuda --random_weights --durability none \
    --no_metadata --output_dir "$out/runs/$name" "$@"
  find "$out/runs/$name" -name summary.json -exec cp {} "$out/logs/$name.json" \; 2>/dev/null || true
  rm -rf "${out:?}/runs/$name"
}
original() {
  local batch=$1
  if [[ -z ${LAZYMAR_ORIGINAL:-} ]]; then
    left_out "original-$batch" "LAZYMAR_ORIGINAL names no checkout"
    return
  fi
  stage "original-$batch" 110 "$python" scripts/lab/original_bench.py --repo "$LAZYMAR_ORIGINAL" \
    --model mar_huge --arms lazy --batch "$batch" --json "$out/logs/original-$batch.json"
}
# traces PRECISION ARGUMENTS...: replays every trace.
traces() {
  local precision=$1 trace name
  shift
  for trace in tests/data/traces/*/ ${LAZYMAR_TRACES:+"$LAZYMAR_TRACES"/*/}; do
    name=verify-$(basename "$trace")-$precision${1:+-no-graphs}
    [[ ! -e $out/logs/$name.log ]] || continue  # a trace that is in both folders
    ours "$name" 30 "$programs/lazymar_verify" --trace "$trace" --device cuda --precision "$precision" "$@"
  done
}
# calls GRAPHS: checks with runs of 4 and 8 batches that a batch neither waits for the device nor
# allocates. One process each: a supervisor would be counted too.
calls() {
  local graphs=$1 batches counts=$out/logs/calls-graphs-$1
  for batches in 4 8; do
    ours "batches-graphs-$graphs-$batches" 30 env RANK=0 WORLD_SIZE=1 LOCAL_RANK=0 \
      LD_PRELOAD="$programs/$counter" LAZYMAR_CUDA_CALLS="$counts-$batches.json" \
      "$programs/lazymar_eval" --device cuda --model demo --lazy_mar --eval_bsz 8 \
      --num_images $((8 * batches)) --cuda_graphs "$graphs" --output_dir "$out/runs/$graphs-$batches"
  done
  stage "calls-graphs-$graphs" 10 "$python" scripts/lab/gpu_calls.py "$counts-4.json" "$counts-8.json" 4
}
sanitizers() {
  local sanitizer tool
  sanitizer=$(PATH=$PATH:/usr/local/cuda/bin command -v compute-sanitizer || true)
  for tool in memcheck racecheck; do
    if [[ -z $sanitizer ]]; then
      left_out "sanitizer-$tool" "compute-sanitizer is not installed"
      continue
    fi
    # One allocation per tensor: within LibTorch's large blocks, no access is out of bounds.
    ours "sanitizer-$tool" 90 env PYTORCH_NO_CUDA_MEMORY_CACHING=1 "$sanitizer" --tool "$tool" \
      --error-exitcode 9 --report-api-errors no --kernel-name kns=lazymar "$programs/gpu_tests" \
      --gtest_filter='RowKernels.*:SelectionKernels.*:HeadKernels.*:HeadBlockKernels.*'
  done
}

# --- By value -------------------------------------------------------------------------------------
if wanted tests; then
  ours self-check 40 "$programs/lazymar_verify" --self_check --device cuda  # and the libraries' warm-up
  # One process each: a device error ends its process.
  for suite in RowKernels SelectionKernels HeadKernels HeadBlockKernels ModelKernels MethodKernels LibraryKernels Graphs; do
    ours "tests-$suite" 60 "$programs/gpu_tests" --gtest_filter="$suite.*"
  done
fi
if wanted bench; then
  bench bench-128-lazy 90 --batch 128 --repeats 2 --arms "lazy"
  bench bench-1 75 --batch 1 --repeats 3 \
    --arms "lazy; lazy --head_blocks off; lazy --cuda_graphs off"
fi
if wanted traces; then
  traces fp32
  traces bf16
fi
if wanted original; then original 128; fi
if wanted bench; then bench bench-128-baseline 90 --batch 128 --repeats 1 --arms "baseline"; fi
if wanted calls; then
  calls on
  calls off
fi
if wanted sanitizers; then sanitizers; fi
if wanted eval; then evaluation eval-128 90 --model mar_huge --lazy_mar --num_images 384 --eval_bsz 128; fi
# The rest.
if wanted traces; then
  traces fp16
  traces fp32 --cuda_graphs off
fi
if wanted original; then original 1; fi
if wanted bench; then
  bench bench-128-no-graphs 60 --batch 128 --repeats 1 --arms "lazy --cuda_graphs off"
  bench bench-1-baseline 60 --batch 1 --repeats 2 --arms "baseline; baseline --cuda_graphs off"
fi
if wanted eval; then
  evaluation eval-auto 90 --model mar_base --lazy_mar --num_iter 16 --num_images 1024 --eval_bsz auto
fi
if wanted batches; then
  bench bench-batches 120 --batch 8,32,256 --sample_steps 1 --repeats 1 --arms "baseline; lazy"
fi

if ((failed)); then exit 1; fi
if ((incomplete)); then exit 3; fi
