#!/usr/bin/env python3
"""Checks who includes whom: the rooms of the house, LibTorch, and libraries kept to one file.

    scripts/check_layers.py [--root FOLDER]   one line per violation, exit 1 if there are any
    scripts/check_layers.py --self-test       plants violations and checks that each is found
"""
import argparse
import re
import sys
import tempfile
from pathlib import Path

# What a room may include besides itself. Everyone may include core; tools may include any room.
# A new room gets a line here: what it stands on, not what stands on it.
BELOW_LAZY = {"run", "mar", "diffusion", "nn", "io"}
MAY_INCLUDE = {
    "core": set(),
    "io": set(),
    "nn": {"io"},  # io for weights.h, here and in the next three
    "diffusion": {"nn", "io"},
    "mar": {"diffusion", "nn", "io"},
    "vae": {"nn", "io"},
    "lazy": {"mar", "diffusion", "nn"},
    "run": {"io"},
    "cuda": {"nn"},
    "metrics": BELOW_LAZY,
    "report": {"run", "io"},
    "score": {"metrics", "report", "run", "io"},
    "eval": BELOW_LAZY | {"lazy", "vae", "metrics", "report", "score"},
    "bench": BELOW_LAZY | {"lazy", "vae", "eval"},
}
MAY_INCLUDE["tools"] = set(MAY_INCLUDE)

# Files that must not see LibTorch, not even through another header: what fuzzers run, what
# supervises processes, the user of spdlog, whose fmt is not LibTorch's, and the CUDA kernels.
TORCH = ("ATen/", "c10/", "caffe2/", "torch/")
TORCH_FREE = re.compile(
    r"(include/lazymar|src)/(io/(?!weights\.)|run/|report/|core/(error|philox)\.|"
    r"cuda/(kernels|launch|rows)\.h|cuda/\w+\.cu$)|tests/io/(?!weights_)")

# Libraries that one file hides from the rest.
ONLY_IN = {"cxxopts.hpp": "src/eval/arguments.cpp", "spdlog/": "src/run/log.cpp"}

# Headers that nobody includes, and why.
NEVER = {"torch/torch.h": "it takes 12 s to compile; ATen has what is needed"}

SOURCES = {".h", ".hpp", ".inc", ".cpp", ".cu", ".cuh"}
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')
SCRIPT = "scripts/check_layers.py"


def room_of(path):
    """The room of a file, by its path in the checkout; None outside the rooms."""
    parts = path.split("/")
    if parts[0] == "tools":
        return "tools"
    depth = 2 if path.startswith("include/lazymar/") else 1
    return parts[depth] if len(parts) > depth + 1 else None


def read_includes(root):
    """{path: [(line number, included name)]} of every source file, those of tests/ and bench/ too."""
    files = {}
    for folder in ("include", "src", "tools", "tests", "bench"):
        for file in sorted((root / folder).rglob("*")):
            if file.suffix not in SOURCES:
                continue
            lines = file.read_text(encoding="utf-8", errors="replace").splitlines()
            found = ((number, INCLUDE.match(line)) for number, line in enumerate(lines, 1))
            files[file.relative_to(root).as_posix()] = [(n, m.group(2)) for n, m in found if m]
    return files


def torch_route(files, path, seen):
    """The chain of includes by which a file sees LibTorch, [] if it does not."""
    for _, name in files.get(path, []):
        if name.startswith(TORCH):
            return [name]
        header = "include/" + name
        if name.startswith("lazymar/") and header not in seen:
            seen.add(header)
            route = torch_route(files, header, seen)
            if route:
                return [name] + route
    return []


def check_rooms(path, includes):
    room = room_of(path)
    if room not in MAY_INCLUDE:
        where = f"the room '{room}' is not known" if room else "this file stands in no room"
        yield f"{path}: {where}: amend the table in {SCRIPT}"
        return
    for number, name in includes:
        if ".." in name.split("/"):
            yield f'{path}:{number}: "{name}": include by the full name, "lazymar/<room>/..."'
        if not name.startswith("lazymar/"):
            continue
        target = room_of("include/" + name)
        if target not in MAY_INCLUDE:
            yield f"{path}:{number}: {name}: unknown room: amend the table in {SCRIPT}"
        elif target not in MAY_INCLUDE[room] | {room, "core"}:
            yield f"{path}:{number}: {room} must not include {target} ({name})"


def check_libraries(path, includes):
    for number, name in includes:
        for library, owner in ONLY_IN.items():
            if name.startswith(library) and path != owner:
                yield f"{path}:{number}: only {owner} includes {name}"
        if name in NEVER:
            yield f"{path}:{number}: nobody includes {name}: {NEVER[name]}"


def violations(root):
    files = read_includes(root)
    if not files:
        yield f"{root}: no source files"
    for path, includes in files.items():
        if not path.startswith(("tests/", "bench/")):  # these may look into every room
            yield from check_rooms(path, includes)
        yield from check_libraries(path, includes)
        if TORCH_FREE.match(path):
            route = torch_route(files, path, {path})
            if route:
                yield f"{path}: must not see LibTorch: {' -> '.join(route)}"


# --- Self-test: (file, what it holds, a piece of the message or None where it is allowed) ---------
PLANTED = [
    ("src/mar/a.cpp", '#include "lazymar/lazy/b.h"', "mar must not include lazy"),
    ("include/lazymar/nn/a.h", '#include "lazymar/mar/b.h"', "nn must not include mar"),
    ("src/nn/a.cpp", '#include "lazymar/diffusion/b.h"', "nn must not include diffusion"),
    ("src/core/a.cpp", "  #  include <lazymar/io/png.h>", "core must not include io"),
    ("src/io/a.cpp", '#include "lazymar/run/b.h"', "io must not include run"),
    ("src/lazy/a.cpp", '#include "lazymar/eval/b.h"', "lazy must not include eval"),
    ("src/lazy/a.cpp", '#include "lazymar/vae/b.h"', "lazy must not include vae"),
    ("src/run/a.cpp", '#include "lazymar/mar/b.h"', "run must not include mar"),
    ("src/metrics/a.cpp", '#include "lazymar/lazy/b.h"', "metrics must not include lazy"),
    ("src/eval/a.cpp", '#include "lazymar/bench/b.h"', "eval must not include bench"),
    ("src/score/a.cpp", '#include "lazymar/eval/b.h"', "score must not include eval"),
    ("src/metrics/a.cpp", '#include "lazymar/score/b.h"', "metrics must not include score"),
    ("src/vae/a.cpp", '#include "lazymar/mar/b.h"', "vae must not include mar"),
    ("src/eval/a.cpp", '#include "lazymar/cuda/b.h"', "eval must not include cuda"),
    ("src/nn/a.cpp", '#include "lazymar/tools/b.h"', "nn must not include tools"),
    ("src/attic/a.cpp", "", "'attic' is not known"),
    ("include/lazymar/attic/a.h", "", "'attic' is not known"),
    ("src/a.cpp", "", "stands in no room"),
    ("include/a.h", "", "stands in no room"),
    ("src/mar/a.cpp", '#include "lazymar/attic/b.h"', "unknown room"),
    ("src/mar/a.cpp", '#include "../lazy/b.h"', "include by the full name"),
    ("tools/a.cpp", "#include <cxxopts.hpp>", "only src/eval/arguments.cpp"),
    ("src/eval/options.cpp", "#include <spdlog/spdlog.h>", "only src/run/log.cpp"),
    ("tests/eval/a.cpp", "#include <cxxopts.hpp>", "only src/eval/arguments.cpp"),
    ("src/nn/a.cpp", "#include <torch/torch.h>", "nobody includes torch/torch.h"),
    ("src/io/png.cpp", "#include <c10/util/Exception.h>", "must not see LibTorch"),
    ("include/lazymar/io/zip.h", "#include <ATen/ATen.h>", "must not see LibTorch"),
    ("include/lazymar/core/error.h", "#include <torch/types.h>", "must not see LibTorch"),
    ("src/io/pickle.cpp", '#include "lazymar/io/weights.h"', "weights.h -> ATen/core/Tensor.h"),
    ("src/run/log.cpp", '#include "lazymar/io/weights.h"', "weights.h -> ATen/core/Tensor.h"),
    ("src/run/a.cpp", '#include "lazymar/io/weights.h"', "weights.h -> ATen/core/Tensor.h"),
    ("tests/io/png_test.cpp", '#include "lazymar/io/weights.h"', "weights.h -> ATen/core/Tensor.h"),
    ("src/cuda/a.cu", "#include <ATen/ATen.h>", "must not see LibTorch"),
    ("src/cuda/a.cpp", "#include <ATen/ATen.h>", None),
    ("src/cuda/a.cpp", '#include "lazymar/diffusion/b.h"', "cuda must not include diffusion"),
    ("bench/a.cpp", "#include <torch/torch.h>", "nobody includes torch/torch.h"),
    ("bench/a.cpp", '#include "lazymar/lazy/b.h"', None),
    ("tools/a.cpp", '#include "lazymar/lazy/b.h"', None),
    ("src/eval/a.cpp", '#include "lazymar/lazy/b.h"', None),
    ("src/eval/arguments.cpp", "#include <cxxopts.hpp>", None),
    ("src/run/log.cpp", "#include <spdlog/spdlog.h>", None),
    ("src/mar/a.cpp", '#include "lazymar/diffusion/b.h"', None),
    ("src/mar/a.cpp", '// #include "lazymar/lazy/b.h"', None),
    ("src/nn/a.cpp", '#include "lazymar/io/weights.h"', None),
    ("src/core/a.cpp", '#include "lazymar/core/error.h"', None),
    ("src/io/weights.cpp", "#include <ATen/ATen.h>", None),
    ("src/io/a.cpp", '#include "lazymar/io/png.h"', None),
    ("tests/mar/a.cpp", '#include "lazymar/lazy/b.h"', None),
]


def self_test():
    wrong = 0
    for path, text, message in PLANTED:
        with tempfile.TemporaryDirectory() as folder:
            root = Path(folder)
            planted = {"include/lazymar/io/weights.h": "#include <ATen/core/Tensor.h>", path: text}
            for name, content in planted.items():
                (root / name).parent.mkdir(parents=True, exist_ok=True)
                (root / name).write_text(content + "\n", encoding="utf-8")
            found = list(violations(root))
        as_expected = len(found) == 1 and message in found[0] if message else not found
        if not as_expected:
            wrong += 1
            print(f"self-test: {path} with '{text}': expected {message!r}, found {found}")
    print(f"self-test: {len(PLANTED) - wrong} of {len(PLANTED)} cases as expected")
    return 1 if wrong else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--root", type=Path, default=Path(__file__).resolve().parent.parent)
    parser.add_argument("--self-test", action="store_true")
    options = parser.parse_args()
    if options.self_test:
        return self_test()
    found = list(violations(options.root))
    print("\n".join(found) if found else "layers: no violations")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
