#!/usr/bin/env bash
# Sets up and builds: scripts/build.sh [--target TARGET]... [PRESET...], everything of the preset
# "release" (in build/) by default; the presets are in CMakePresets.json.
#
#   LAZYMAR_CMAKE_ARGS="-D..."        further arguments for CMake
#   CMAKE_BUILD_PARALLEL_LEVEL=N      parallel compilers; default: as many as cores and memory allow
#   LIBTORCH_DIR, PYTHON, LAZYMAR_NO_APT   as in scripts/setup.sh
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
target=()
while [[ ${1:-} == --target ]]; do
  target+=(--target "$2")
  shift 2
done
scripts/setup.sh

# A file that includes ATen takes some 1.5 GB to compile: too many at once would swap or be killed.
# A container's limit counts if it is lower than the machine's free memory.
jobs_for_memory() {
  local free_kib limit
  free_kib=$(awk '/^MemAvailable:/ {print $2}' /proc/meminfo)
  limit=$(cat /sys/fs/cgroup/memory.max 2>/dev/null || true)
  if [[ $limit =~ ^[0-9]{1,18}$ ]] && ((limit / 1024 < free_kib)); then
    free_kib=$((limit / 1024))
  fi
  echo $((free_kib / 1572864))
}
processors=$(nproc)
jobs=$(jobs_for_memory)
((jobs <= processors)) || jobs=$processors
((jobs >= 1)) || jobs=1

# LIBTORCH_DIR is always passed, so that an earlier value does not stay in the CMake cache.
read -ra more_args <<<"${LAZYMAR_CMAKE_ARGS:-}"
for preset in "${@:-release}"; do
  cmake --preset "$preset" -DLIBTORCH_DIR="${LIBTORCH_DIR:-}" "${more_args[@]}"
  cmake --build --preset "$preset" "${target[@]}" \
    --parallel "${CMAKE_BUILD_PARALLEL_LEVEL:-$jobs}"
done
