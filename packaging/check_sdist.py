#!/usr/bin/env python3
"""Checks what a source distribution contains: packaging/check_sdist.py FILE.tar.gz MOST_BYTES."""
import sys
import tarfile
from pathlib import Path

NEEDED = ("CMakeLists.txt", "LICENSE", "README.md", "THIRD_PARTY_LICENSES.md", "pyproject.toml",
          "cmake/LibTorch.cmake", "packaging/lazymar_build.py", "python/lazymar/launch.py",
          "pretrained_models/mar/demo/checkpoint-last.safetensors",
          "pretrained_models/mar/rules/checkpoint-last.safetensors",
          "pretrained_models/vae/demo.safetensors", "src/mar/mar.cpp", "tools/lazymar.cpp")
ALLOWED = {"cmake", "containers", "docs", "examples", "include", "packaging", "pretrained_models",
           "python", "scripts", "src", "tools"}


def problems(names, size, most):
    files = [name.partition("/")[2] for name in names]
    missing = [name for name in NEEDED if name not in files]
    if missing:
        yield f"missing: {', '.join(missing)}"
    folders = {file.split("/")[0] for file in files if "/" in file} - ALLOWED
    if folders:
        yield f"not wanted: {', '.join(sorted(folders))}"
    leftovers = [file for file in files if file.endswith((".o", ".so", ".pyc", ".pth"))]
    if leftovers:
        yield f"made by a build: {', '.join(leftovers[:5])}"
    if size > most:
        yield f"{size} bytes, more than {most}"


def main():
    path, most = Path(sys.argv[1]), int(sys.argv[2])
    with tarfile.open(path) as archive:
        names = [member.name for member in archive if member.isfile()]
    found = list(problems(names, path.stat().st_size, most))
    for problem in found:
        print(f"check_sdist.py: {path.name}: {problem}", file=sys.stderr)
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
