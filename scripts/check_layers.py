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

# What a room includes besides itself and core, lowest floor first. The check is strict both ways:
# a room that is allowed but not included is a violation too, so that the table stays true.
MAY_INCLUDE = {
    "core": set(),
    "method": set(),
    "files": set(),
    "formats": {"files"},
    "weights": {"files", "formats"},
    "nn": {"weights"},
    "diffusion": {"method", "nn"},
    "vae": {"nn", "weights"},
    "mar": {"method", "nn", "diffusion"},
    "cache": {"method", "nn", "diffusion", "mar"},
    "metrics": {"files", "formats", "weights"},
    "pipeline": {"method", "files", "formats", "weights", "nn", "diffusion", "vae", "mar", "cache"},
    "run": {"files", "formats"},
    "rules": {"files", "formats", "run"},
    "score": {"files", "formats", "weights", "metrics", "pipeline", "run", "rules"},
    "report": {"method", "files", "formats", "run", "rules"},
    "flops": {"method", "cache"},
    "launches": {"method", "nn", "diffusion", "vae", "mar", "cache", "pipeline"},
    "generate": {"method", "files", "formats", "weights", "nn", "cache", "metrics", "pipeline",
                 "run", "rules", "score", "flops"},
    "verify": {"method", "files", "formats", "weights", "nn", "mar", "cache", "vae", "pipeline"},
    "bench": {"files", "weights", "nn", "diffusion", "pipeline", "flops", "launches"},
    "library": {"pipeline"},
    "doctor": {"files", "weights", "metrics", "pipeline", "run"},
    "cli": {"method", "pipeline", "score", "report", "generate", "verify", "bench", "doctor"},
    "tools": {"cli"},
    # No room includes this one: the linker pulls it in.
    "cuda": {"nn", "diffusion", "vae", "mar", "cache"},
}
FLOORS = list(MAY_INCLUDE)

# Files that must not see LibTorch, not even through another header: what fuzzers run, what
# supervises processes, the user of spdlog, whose fmt is not LibTorch's, and the CUDA kernels.
TORCH = ("ATen/", "c10/", "caffe2/", "torch/")
TORCH_FREE = re.compile(
    r"src/((core|method|files|formats|run|rules|report)/|weights/weight_|pipeline/(method_request|model_request)\.h|"
    r"cuda/(kernels|launch|rows)\.h|cuda/\w+\.cu$)|tests/(files|formats)/")

# Libraries that one file hides from the rest.
ONLY_IN = {"spdlog/": "src/core/log.cpp"}

# Headers that no file includes, and why.
NEVER = {"torch/torch.h": "it takes 12 s to compile; ATen has what is needed"}

# Kernels are also compiled for the CPU, against the tests' stand-in for CUDA.
EMULATOR = "support/cuda_emulator.h"

SOURCES = {".h", ".hpp", ".inc", ".cpp", ".cu", ".cuh"}
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')
SCRIPT = "scripts/check_layers.py"
ANYWHERE = ("tests/", "benchmarks/")  # these may look into every room


def room_of(path):
    """The room of a file, by its path in the checkout; None outside the rooms."""
    parts = path.split("/")
    if parts[0] == "tools":
        return "tools"
    return parts[1] if parts[0] == "src" and len(parts) > 2 else None


def read_includes(root):
    """{path: [(line number, included name, quoted)]} of every source file."""
    files = {}
    for folder in ("src", "tools", "tests", "benchmarks"):
        for file in sorted((root / folder).rglob("*")):
            if file.suffix not in SOURCES:
                continue
            lines = file.read_text(encoding="utf-8", errors="replace").splitlines()
            found = ((number, INCLUDE.match(line)) for number, line in enumerate(lines, 1))
            files[file.relative_to(root).as_posix()] = [
                (number, m.group(2), m.group(1) == '"') for number, m in found if m]
    return files


def torch_route(files, path, seen):
    """The chain of includes by which a file sees LibTorch, [] if it does not."""
    for _, name, quoted in files.get(path, []):
        if name.startswith(TORCH):
            return [name]
        header = "src/" + name
        if quoted and header not in seen:
            seen.add(header)
            route = torch_route(files, header, seen)
            if route:
                return [name, *route]
    return []


def check_rooms(path, includes):
    room = room_of(path)
    if room not in MAY_INCLUDE:
        where = f"the room '{room}' is not known" if room else "this file stands in no room"
        yield f"{path}: {where}: amend the table in {SCRIPT}"
        return
    for number, name, quoted in includes:
        if not quoted or name == EMULATOR:
            continue
        target = room_of("src/" + name)
        if ".." in name.split("/") or target is None:
            if name != "lazymar_revision.h":  # written at build time
                yield f'{path}:{number}: "{name}": include by the full name, "<room>/..."'
        elif target not in MAY_INCLUDE and not (path.startswith("src/report/") and
                                                name == "report/template.h"):
            yield f"{path}:{number}: {name}: unknown room: amend the table in {SCRIPT}"
        elif target not in MAY_INCLUDE[room] | {room, "core"}:
            yield f"{path}:{number}: {room} must not include {target} ({name})"


def check_table(files):
    """The table allows what is used, and arrows point down."""
    used = {room: set() for room in MAY_INCLUDE}
    for path, includes in files.items():
        room = room_of(path)
        if room in used:
            used[room] |= {room_of("src/" + name) for _, name, quoted in includes if quoted}
    for room, allowed in MAY_INCLUDE.items():
        for target in sorted(allowed - used[room]):
            yield f"{SCRIPT}: {room} does not include {target}: take it off the table"


def check_libraries(path, includes):
    for number, name, _ in includes:
        for library, owner in ONLY_IN.items():
            if name.startswith(library) and path != owner:
                yield f"{path}:{number}: only {owner} includes {name}"
        if name in NEVER:
            yield f"{path}:{number}: nobody includes {name}: {NEVER[name]}"


def violations(root, whole=True):
    files = read_includes(root)
    if not files:
        yield f"{root}: no source files"
    for room, allowed in MAY_INCLUDE.items():
        for target in allowed:
            if room != "cuda" and FLOORS.index(target) >= FLOORS.index(room):
                yield f"{SCRIPT}: {target} stands above {room} in the table"
    for path, includes in files.items():
        if not path.startswith(ANYWHERE) and not path.endswith(".in"):
            yield from check_rooms(path, includes)
        yield from check_libraries(path, includes)
        if TORCH_FREE.match(path):
            route = torch_route(files, path, {path})
            if route:
                yield f"{path}: must not see LibTorch: {' -> '.join(route)}"
    if whole:
        yield from check_table(files)


# --- Self-test: (file, its content, a part of the message, or None if it is allowed) --------------
PLANTED = [
    ("src/mar/a.cpp", '#include "cache/b.h"', "mar must not include cache"),
    ("src/nn/a.h", '#include "mar/b.h"', "nn must not include mar"),
    ("src/nn/a.cpp", '#include "diffusion/b.h"', "nn must not include diffusion"),
    ("src/core/a.cpp", '  #  include "formats/png.h"', "core must not include formats"),
    ("src/files/a.cpp", '#include "formats/png.h"', "files must not include formats"),
    ("src/formats/a.cpp", '#include "run/b.h"', "formats must not include run"),
    ("src/cache/a.cpp", '#include "pipeline/b.h"', "cache must not include pipeline"),
    ("src/cache/a.cpp", '#include "vae/b.h"', "cache must not include vae"),
    ("src/method/a.cpp", '#include "mar/b.h"', "method must not include mar"),
    ("src/run/a.cpp", '#include "mar/b.h"', "run must not include mar"),
    ("src/pipeline/a.cpp", '#include "run/b.h"', "pipeline must not include run"),
    ("src/pipeline/a.cpp", '#include "cli/b.h"', "pipeline must not include cli"),
    ("src/metrics/a.cpp", '#include "cache/b.h"', "metrics must not include cache"),
    ("src/generate/a.cpp", '#include "bench/b.h"', "generate must not include bench"),
    ("src/generate/a.cpp", '#include "cli/b.h"', "generate must not include cli"),
    ("src/score/a.cpp", '#include "report/b.h"', "score must not include report"),
    ("src/metrics/a.cpp", '#include "score/b.h"', "metrics must not include score"),
    ("src/vae/a.cpp", '#include "mar/b.h"', "vae must not include mar"),
    ("src/generate/a.cpp", '#include "cuda/b.h"', "generate must not include cuda"),
    ("src/nn/a.cpp", '#include "tools/b.h"', "nn must not include tools"),
    ("src/attic/a.cpp", "", "'attic' is not known"),
    ("src/a.cpp", "", "stands in no room"),
    ("src/mar/a.cpp", '#include "attic/b.h"', "unknown room"),
    ("src/mar/a.cpp", '#include "../cache/b.h"', "include by the full name"),
    ("src/mar/a.cpp", '#include "sampler.h"', "include by the full name"),
    ("src/generate/options.cpp", "#include <spdlog/spdlog.h>", "only src/core/log.cpp"),
    ("tools/a.cpp", "#include <spdlog/spdlog.h>", "only src/core/log.cpp"),
    ("src/nn/a.cpp", "#include <torch/torch.h>", "nobody includes torch/torch.h"),
    ("src/formats/png.cpp", "#include <c10/util/Exception.h>", "must not see LibTorch"),
    ("src/formats/zip.h", "#include <ATen/ATen.h>", "must not see LibTorch"),
    ("src/core/error.h", "#include <torch/types.h>", "must not see LibTorch"),
    ("src/method/a.h", "#include <ATen/ATen.h>", "must not see LibTorch"),
    ("src/weights/weight_file.cpp", '#include "weights/weights.h"',
     "weights.h -> ATen/core/Tensor.h"),
    ("tests/formats/png_test.cpp", '#include "weights/weights.h"',
     "weights.h -> ATen/core/Tensor.h"),
    ("src/cuda/a.cu", "#include <ATen/ATen.h>", "must not see LibTorch"),
    ("src/cuda/a.cpp", "#include <ATen/ATen.h>", None),
    ("src/cuda/a.cpp", '#include "pipeline/b.h"', "cuda must not include pipeline"),
    ("src/cuda/launch.h", '#include "support/cuda_emulator.h"', None),
    ("benchmarks/a.cpp", "#include <torch/torch.h>", "nobody includes torch/torch.h"),
    ("benchmarks/a.cpp", '#include "cache/b.h"', None),
    ("tools/a.cpp", '#include "cli/b.h"', None),
    ("src/bench/a.cpp", '#include "flops/b.h"', None),
    ("src/core/log.cpp", "#include <spdlog/spdlog.h>", None),
    ("src/core/revision.cpp", '#include "lazymar_revision.h"', None),
    ("src/mar/a.cpp", '#include "diffusion/b.h"', None),
    ("src/mar/a.cpp", '// #include "cache/b.h"', None),
    ("src/nn/a.cpp", '#include "weights/weights.h"', None),
    ("src/core/a.cpp", '#include "core/error.h"', None),
    ("src/weights/weights.cpp", "#include <ATen/ATen.h>", None),
    ("src/formats/a.cpp", '#include "formats/png.h"', None),
    ("tests/mar/a.cpp", '#include "cache/b.h"', None),
]


def self_test():
    wrong = 0
    for path, text, message in PLANTED:
        with tempfile.TemporaryDirectory() as folder:
            root = Path(folder)
            planted = {"src/weights/weights.h": "#include <ATen/core/Tensor.h>", path: text}
            for name, content in planted.items():
                (root / name).parent.mkdir(parents=True, exist_ok=True)
                (root / name).write_text(content + "\n", encoding="utf-8")
            found = list(violations(root, whole=False))
        as_expected = len(found) == 1 and message in found[0] if message else not found
        if not as_expected:
            wrong += 1
            print(f"self-test: {path} with '{text}': expected {message!r}, found {found}")
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "src/nn").mkdir(parents=True)
        (Path(folder) / "src/nn/a.cpp").write_text("", encoding="utf-8")
        if not any("nn does not include weights" in line for line in violations(Path(folder))):
            wrong += 1
            print("self-test: an allowance that nobody uses is not found")
    print(f"self-test: {len(PLANTED) + 1 - wrong} of {len(PLANTED) + 1} cases as expected")
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
