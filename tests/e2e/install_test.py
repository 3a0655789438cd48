#!/usr/bin/env python3
"""An install tree, moved and used in an empty folder while the sources cannot be seen.

install_test.py BUILD: the build folder.
"""
import pathlib
import re
import shutil
import sys
import tempfile

from checks import check, conclude
from install_support import DRAW, ROOT, alone, can_hide, drew, example, run

BUILD = pathlib.Path(sys.argv[1]).resolve()


def install_tree(folder):
    result = run("cmake", "--install", BUILD, "--prefix", folder / "first", "--component",
                 "lazymar")
    check("cmake --install", result.returncode == 0, result)
    tree = folder / "moved"
    (folder / "first").rename(tree)
    # LibTorch stays where it is, in .venv of the checkout: the rest of the checkout is hidden.
    hidden = [ROOT / name for name in ("src", "pretrained_models", "build/bin")
              if (ROOT / name).is_dir()] if can_hide() else []
    result, work = alone(folder, tree / "bin/lazymar", "eval", *DRAW, hide=hidden)
    check("an install tree draws, moved, from an empty folder", drew(result, work), result)
    result, _ = alone(folder, tree / "bin/lazymar", "doctor", "--device", "cpu")
    check("and its doctor finds the weights", result.returncode == 0 and str(tree) in result.stdout,
          result)
    example(folder, tree, "the install tree")
    package(folder, tree)
    exports(tree)
    shutil.rmtree(tree / "share")
    result, _ = alone(folder, tree / "bin/lazymar_eval", *DRAW)
    check("without its weights it says where it looked",
          result.returncode == 2 and "looked in" in result.stderr, result)


# Weak, because they come from headers: templates of the standard library, what its types are known
# by, and what LibTorch's are.
STANDARD = re.compile(r"((vtable|typeinfo|typeinfo name|guard variable) for )?std::|"
                      r"typeinfo (name )?for c10::")
EXCEPTIONS = re.compile(r"(vtable|typeinfo|typeinfo name) for lazymar::(Refused|Cancelled)Error$")
DECLARED = re.compile(r"lazymar::(Model::(\w|~|=)+\(|(version|sampling_options|set_log_level)\b)")


def surplus(symbols):
    """Of the lines of nm -DC, those that the header does not declare."""
    kinds = [line.strip().split(" ", 2)[1:] for line in symbols.splitlines()]
    return [f"{kind} {name}" for kind, name in kinds if not name.startswith("_")
            and not (DECLARED.match(name) if kind == "T" else
                     STANDARD.match(name) or EXCEPTIONS.match(name))]


def exports(tree):
    """The library exports what its header declares, and nothing of the rooms."""
    library = next(tree.glob("lib*/**/liblazymar.so"))
    said = run("nm", "-DC", "--defined-only", library).stdout
    check("the library exports its header alone", "lazymar::Model::open(" in said
          and not surplus(said), surplus(said))
    check("and that check can fail", [line[:1] for line in surplus(
        "0 T lazymar::load_model()\n0 V typeinfo for lazymar::Model::State::hooks()::{lambda()#1}\n"
        "0 W at::Tensor::zero_()\n0 u c10::registry()::it\n0 B lazymar::level\n"
        "0 W std::vector<int>::size()\n")] == list("TVWuB"))


def configured(folder, prefix, find, *words):
    """What CMake says of a project with that find_package()."""
    source = pathlib.Path(tempfile.mkdtemp(dir=folder))
    (source / "CMakeLists.txt").write_text(
        "cmake_minimum_required(VERSION 3.24)\nproject(user LANGUAGES CXX)\n"
        f"find_package(lazymar {find} REQUIRED)\n")
    return run("cmake", "-S", source, "-B", source / "build", f"-DCMAKE_PREFIX_PATH={prefix}",
               *words)


def package(folder, prefix):
    """find_package(): versions, and what cannot be used."""
    found = re.search(r"project\(lazymar VERSION (\d+)\.(\d+)",
                      (ROOT / "CMakeLists.txt").read_text())
    major, minor = int(found[1]), int(found[2])
    this, later = f"{major}.{minor}", f"{major}.{minor + 1}"
    for find in ("", this, f"{this}...{major}.{minor + 8}", f"0.0.1...<{major + 1}"):
        result = configured(folder, prefix, find)
        check(f"find_package(lazymar {find})", result.returncode == 0, result)
    for find in (later, str(major + 1), f"{later}...{major}.{minor + 8}", f"0.0.1...<{this}"):
        result = configured(folder, prefix, find)
        check(f"not find_package(lazymar {find})", result.returncode != 0
              and "version" in result.stderr, result)
    result = configured(folder, prefix, "COMPONENTS foo")
    check("components are refused with a reason", result.returncode != 0
          and "no components, so no foo" in " ".join(result.stderr.split()), result)
    other = folder / "other-torch"
    (other / "lib").mkdir(parents=True)
    (other / "lib/libtorch_cpu.so").touch()
    header = other / "include/torch/csrc/api/include/torch/version.h"
    header.parent.mkdir(parents=True)
    header.write_text("#define TORCH_VERSION_MAJOR 2\n#define TORCH_VERSION_MINOR 1\n")
    result = configured(folder, prefix, "", f"-DLIBTORCH_DIR={other}")
    check("another torch is refused by name", result.returncode != 0
          and "is torch 2.1, and lazymar was built with torch" in " ".join(result.stderr.split()),
          result)


def main():
    with tempfile.TemporaryDirectory() as folder:
        install_tree(pathlib.Path(folder))
    conclude()


main()
