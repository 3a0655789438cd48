#!/usr/bin/env python3
"""An install tree, moved and used in an empty folder while the sources cannot be seen.

install_test.py BUILD: the build folder.
"""
import pathlib
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
    exports(tree)
    shutil.rmtree(tree / "share")
    result, _ = alone(folder, tree / "bin/lazymar_eval", *DRAW)
    check("without its weights it says where it looked",
          result.returncode == 2 and "looked in" in result.stderr, result)


def exports(tree):
    """The library exports what its header declares, and nothing of the rooms."""
    library = next(tree.glob("lib*/**/liblazymar.so"))
    said = run("nm", "-DC", "--defined-only", library).stdout
    strong = [line.split(" ", 2)[2] for line in said.splitlines()
              if line.split(" ")[1] in "TBDR" and not line.split(" ", 2)[2].startswith("_")]
    allowed = ("lazymar::Model::", "lazymar::version")
    check("the library exports its header alone", strong
          and all(name.startswith(allowed) for name in strong), strong[:20])
    check("and that check can fail", not "lazymar::load_model()".startswith(allowed))


def main():
    with tempfile.TemporaryDirectory() as folder:
        install_tree(pathlib.Path(folder))
    conclude()


main()
