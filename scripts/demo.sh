#!/usr/bin/env bash
# Sets up, builds, and generates the same images twice from the checkpoint that ships with the
# project: with the MAR baseline and with LazyMAR. Prints both latencies and their ratio, scores
# both runs against real pictures of the demo's set, and writes a contact sheet of both.
#
#   scripts/demo.sh [IMAGES]     16 by default; more give a steadier ratio
#
# The environment is that of scripts/build.sh.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
images=${1:-16}
if [[ ! $images =~ ^[1-9][0-9]{0,4}$ ]]; then
  echo "demo.sh: the number of images must be 1 to 99999, not '$images'" >&2
  exit 2
fi
checkpoint=pretrained_models/mar/demo/checkpoint-last.safetensors
if [[ ! -e $checkpoint ]]; then
  echo "demo.sh: $checkpoint is missing; restore it with: git checkout -- $checkpoint" >&2
  exit 2
fi
scripts/build.sh --target lazymar_command

output=output/demo
mkdir -p "$output"
columns=1
while ((columns * columns < images)); do columns=$((columns + 1)); done
grid=$(((images + columns - 1) / columns))x$columns

# CPU time so far, in ticks: of all processes, and of this script's children.
everybody() { awk '/^cpu / {print $2 + $3 + $4 + $7 + $8}' /proc/stat; }
ours() { awk '{print $16 + $17}' /proc/$$/stat; }
disturbed=no

# Runs lazymar_eval with the given flags and sets `folder` from the line that names it.
generate() {
  local title=$1 log=$output/$2.log
  shift 2
  local everybody_before ours_before others
  everybody_before=$(everybody) ours_before=$(ours)
  echo
  echo "== $title: $images images"
  build/bin/lazymar_eval --model demo --num_images "$images" --eval_bsz 8 --seed 1 --grid "$grid" \
    --output_dir "$output" --overwrite "$@" | tee "$log" || {
    echo "demo.sh: lazymar_eval failed; its output is in $log" >&2
    exit 1
  }
  # LibTorch's threads busy-wait, so a competing process costs more than the CPU time it uses.
  others=$(($(everybody) - everybody_before - $(ours) + ours_before))
  if ((others * 10 > $(ours) - ours_before)); then disturbed=yes; fi

  folder=$(sed -n 's/^Run folder: //p' "$log" | tail -n 1)
  if [[ ! -e $folder/info/summary.json ]]; then
    echo "demo.sh: lazymar_eval left no summary in its run folder '$folder'; see $log" >&2
    exit 1
  fi
}
generate "MAR baseline" baseline
baseline=$folder
generate "LazyMAR" lazymar --lazy_mar
lazymar=$folder

"${PYTHON:-python3}" - "$baseline" "$lazymar" <<'PYTHON'
import json, sys

def seconds(folder):
    with open(f"{folder}/info/summary.json", encoding="utf-8") as file:
        return float(json.load(file)["seconds_per_image"])

baseline, lazymar = map(seconds, sys.argv[1:])
print(f"\nMAR baseline  {baseline:8.3f} s per image")
print(f"LazyMAR       {lazymar:8.3f} s per image, {baseline / lazymar:.2f} times as fast")
PYTHON
if [[ $disturbed == yes ]]; then
  echo "(other programs were using the CPU; repeat this on an idle machine)"
fi
if ((images <= 8)); then
  echo "(one batch only, including start-up costs; more images give a steadier ratio)"
fi

# Distances between features of the demo's classifier; see pretrained_models/README.md.
printf '\n== Against real pictures\n'
build/bin/lazymar_score --extractor demo --fid pretrained_models/demo_stats.npz --save_features \
  "$baseline" "$lazymar"

sheets=("$baseline/info/grid.png" "$lazymar/info/grid.png")
printf '\nContact sheets: %s\n                %s\n' "${sheets[@]}"
# .venv, where setup.sh installs Pillow, does not exist if LIBTORCH_DIR is given.
if .venv/bin/python -c 'import PIL' 2>/dev/null; then
  both=$output/baseline-and-lazymar.png
  .venv/bin/python demo/side_by_side.py "${sheets[@]}" "$both"
  echo "Side by side:   $both"
fi
