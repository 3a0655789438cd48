#!/usr/bin/env bash
# Builds the source distribution and the wheel, and tries both as a user would:
#
#   scripts/release.sh [OUT]     OUT: dist by default
#
# The wheel goes into a fresh environment and runs the demo, doctor and a score in an empty
# directory, while this checkout cannot be seen. Needs Linux namespaces (unshare) for that.
#
#   PYTHON=python3     makes the environments
#   LAZYMAR_TORCH=2.11.0   the torch to build against
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
checkout=$PWD
out=$(mkdir -p "${1:-dist}" && cd "${1:-dist}" && pwd)
python=${PYTHON:-python3}
torch=${LAZYMAR_TORCH:-2.11.0}
most_sdist=14000000 # bytes; 10 MB of it are the demo's and the rules' weights

say() { echo "release: $*"; }
stop() { say "$*" >&2; exit 1; }
# A CPU build needs torch and two small CUDA libraries that libtorch_cpu.so names.
install_torch() { # VENV
  "$1/bin/pip" install --quiet --no-deps "torch==$torch" \
    nvidia-cuda-cupti==13.0.85 nvidia-cuda-runtime==13.0.96
}

version=$(sed -n 's/^project(lazymar VERSION \([0-9.]*\).*/\1/p' CMakeLists.txt)
grep -qE "^## \[?$version\b" CHANGELOG.md || stop "CHANGELOG.md has no section for $version"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$python" -m venv "$work/build"
"$work/build/bin/pip" install --quiet build "scikit-build-core>=1.1,<2" ninja
install_torch "$work/build"

say "source distribution"
"$work/build/bin/python" -m build --no-isolation --sdist --outdir "$out" . >"$work/sdist.log" ||
  { tail -n 30 "$work/sdist.log"; stop "the source distribution failed"; }
sdist=$out/lazymar-$version.tar.gz
"$python" packaging/check_sdist.py "$sdist" "$most_sdist"

say "wheel, built from the source distribution"
"$work/build/bin/pip" wheel --no-build-isolation --no-deps --wheel-dir "$out" "$sdist" \
  >"$work/wheel.log" || { tail -n 30 "$work/wheel.log"; stop "the wheel failed"; }
wheels=("$out"/lazymar-"$version"-*.whl)
wheel=${wheels[0]}

say "the wheel in a fresh environment"
"$python" -m venv "$work/fresh"
install_torch "$work/fresh"
"$work/fresh/bin/pip" install --quiet --no-deps "$wheel"
mkdir "$work/empty" "$work/nothing"
cat >"$work/try.sh" <<'TRY'
set -euo pipefail
mount --bind "$NOTHING" "$CHECKOUT" # the checkout is empty from here on
cd "$EMPTY"
lazymar doctor
lazymar-eval --model demo --lazy_mar --num_images 8 --num_iter 16 --grid 2x4
lazymar_score output/demo/*_n8 --extractor demo --metrics fid --fid pretrained_models/demo_stats.npz
test -s output/demo/*_n8/info/grid.png
TRY
CHECKOUT=$checkout NOTHING=$work/nothing EMPTY=$work/empty PATH=$work/fresh/bin:$PATH \
  unshare --user --map-root-user --mount bash "$work/try.sh"
say "done: $sdist, $wheel"
