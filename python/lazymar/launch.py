"""The console scripts: each becomes bin/lazymar, which loads torch's libraries, by its own name.

Before that, this checks that the torch of this environment is the one that the programs were built
with: a wrong one would end in the loader's message about a missing symbol.
"""
import importlib.util
import json
import os
import re
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
USAGE = 2


def torch_places():
    """Where a torch may be: beside this package, and where Python would import it from."""
    yield HERE.parent / "torch"
    spec = importlib.util.find_spec("torch")  # does not import it
    if spec and spec.submodule_search_locations:
        yield Path(spec.submodule_search_locations[0])


def version_of(folder):
    try:
        text = (folder / "version.py").read_text(encoding="utf-8")
    except OSError:
        return None
    found = re.search(r"__version__ = '([^']+)'", text)
    return found.group(1) if found else None


def release(version):
    return version.split(".")[:2]


def problem_of(folder, built):
    """Why the programs cannot load this torch; None if they can."""
    cure = f"pip install torch=={built['torch'].split('+')[0]}"
    if folder is None:
        return f"torch is not installed in this environment ({sys.prefix}); {cure}"
    version = version_of(folder)
    if version is None or release(version) != release(built["torch"]):
        return (f"torch {version or 'of unknown version'} is installed in {folder.parent}, and "
                f"lazymar was built with {built['torch']}; {cure}, or build lazymar again: "
                "pip install --force-reinstall --no-deps --no-cache-dir lazymar")
    libraries = folder / "lib"
    if b"__cxx11" not in (libraries / "libc10.so").read_bytes():
        return (f"torch {version} in {folder.parent} has the C++ ABI from before C++11, which "
                f"lazymar does not use; {cure}")
    if built["cuda"] and not (libraries / "libtorch_cuda.so").exists():
        return (f"torch {version} in {folder.parent} has no CUDA, and lazymar was built with CUDA; "
                f"{cure}")
    return None


def start(program):
    """Becomes that program, with this process's arguments."""
    built = json.loads((HERE / "built_with.json").read_text(encoding="utf-8"))
    library = "lib/libtorch_cpu.so"
    folder = next((place for place in torch_places() if (place / library).exists()), None)
    problem = problem_of(folder, built)
    if problem:
        doctor = program == "lazymar" and sys.argv[1:2] == ["doctor"]
        print(f"PROBLEM: {problem}" if doctor else f"{program}: {problem}",
              file=sys.stdout if doctor else sys.stderr)
        sys.exit(1 if doctor else USAGE)
    if folder != HERE.parent / "torch":  # not where the programs look by themselves
        paths = [str(folder / "lib"), os.environ.get("LD_LIBRARY_PATH")]
        os.environ["LD_LIBRARY_PATH"] = os.pathsep.join(path for path in paths if path)
    os.execv(HERE / "bin" / "lazymar", [program, *sys.argv[1:]])  # noqa: S606  # that is what it is for


def umbrella():
    start("lazymar")


def eval():  # noqa: A001  # the command's name
    start("lazymar_eval")


def bench():
    start("lazymar_bench")


def score():
    start("lazymar_score")


def compare():
    start("lazymar_compare")


def convert():
    start("lazymar_convert")


def verify():
    start("lazymar_verify")
