#!/usr/bin/env bash
# Generates and scores one run for every combination of settings; writes one line of JSON each:
#
#   CFG="2.5 3.25" NUM_ITER="32 64" CACHES="baseline|--lazy_mar|--lazy_mar --lazy_refresh 5" \
#     scripts/lab/fid_sweep.sh REFERENCE OUT.jsonl [flags of lazymar_eval...]
#
# REFERENCE: as for lazymar_score --fid. CFG and NUM_ITER: values separated by spaces; default: the
# checkpoint's. CACHES: flags separated by |, where "baseline" means none (default:
# "baseline|--lazy_mar"). A line has the settings, speed, scores and their intervals. Combinations
# with a line in OUT.jsonl are skipped; a stopped run continues.
#   BIN=DIR   the programs (build/bin)
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
bin=${BIN:-build/bin}
if (($# < 2)) || [[ $1 == -* || $2 == -* ]]; then
  echo "usage: scripts/lab/fid_sweep.sh REFERENCE OUT.jsonl [flags of lazymar_eval...]" >&2
  exit 2
fi
reference=$1 out=$2
shift 2
python=${PYTHON:-python3}
log=$(mktemp)
trap 'rm -f "$log"' EXIT
touch "$out"

# Whether a line has exactly these settings.
known() { "$python" -c '
import json, sys
asked = sys.argv[2:]
for line in open(sys.argv[1], encoding="utf-8"):
    try:
        if json.loads(line)["asked"] == asked:
            sys.exit(0)
    except (ValueError, KeyError, TypeError):
        continue
sys.exit(1)' "$out" "$@"; }

line_of() { "$python" -c '
import json, sys
def read(name):
    with open(f"{sys.argv[1]}/info/{name}.json", encoding="utf-8") as file:
        return json.load(file)
summary, scores = read("summary"), read("scores")
keys = ("fid", "fid_bias", "inception_score", "intervals", "kid", "precision", "recall")
print(json.dumps({
    "asked": sys.argv[2:], "folder": sys.argv[1],
    "settings": {key: summary["settings"].get(key) for key in ("model", "cfg", "num_iter", "lazy_mar", "seed")},
    "images": scores["images"], "complete": summary["complete"] and scores["complete"],
    "seconds_per_image": summary["seconds_per_image"], "flops_per_image": summary["flops_per_image"],
    **{key: scores[key] for key in keys if key in scores}, "reference": scores["reference"]}))' "$@"; }

IFS='|' read -ra caches <<<"${CACHES:-baseline|--lazy_mar}"
read -ra cfgs <<<"${CFG:-default}"
read -ra iterations <<<"${NUM_ITER:-default}"
for cfg in "${cfgs[@]}"; do
  for steps in "${iterations[@]}"; do
    for cache in "${caches[@]}"; do
      flags=("$@")
      if [[ $cfg != default ]]; then flags+=(--cfg "$cfg"); fi
      if [[ $steps != default ]]; then flags+=(--num_iter "$steps"); fi
      if [[ $cache != baseline ]]; then
        read -ra more <<<"$cache"
        flags+=("${more[@]}")
      fi
      if known "$reference" "${flags[@]}"; then
        echo "== already done: ${flags[*]}"
        continue
      fi
      echo "== ${flags[*]}"
      "$bin/lazymar_eval" --score "$reference" "${flags[@]}" | tee "$log"
      folder=$(sed -n 's/^Run folder: //p' "$log" | tail -n 1)
      line=$(line_of "$folder" "$reference" "${flags[@]}")
      echo "$line" >>"$out"
    done
  done
done
