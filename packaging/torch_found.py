"""Which torch a wheel is built against, found without importing it.

pip builds in an environment of its own, so the torch of the environment that pip runs for is not
importable; but that environment's paths are still known. Without a torch there, the build takes
TESTED from the package index.
"""
import importlib.util
import os
import re
import sysconfig
from pathlib import Path

TESTED = "2.11.0"  # what all tests run with
OLDEST, NEWEST = (2, 11), (2, 15)  # what builds; see docs/install.md
LIBRARY = "lib/libtorch_cpu.so"


def torch_folder():
    """The folder of the torch to build against; None if there is none."""
    given = os.environ.get("LIBTORCH_DIR")
    if given:
        return Path(given)
    places = [Path(sysconfig.get_paths()[key]) / "torch" for key in ("purelib", "platlib")]
    spec = importlib.util.find_spec("torch")
    if spec and spec.submodule_search_locations:
        places.append(Path(spec.submodule_search_locations[0]))
    return next((place for place in places if (place / LIBRARY).exists()), None)


def torch_version(folder):
    """"2.11.0+cu130" of torch in that folder."""
    for name, pattern in (("version.py", r"__version__ = '([^']+)'"), ("build-version", r"(\S+)")):
        for place in (folder / name, folder.parent / name):
            if place.is_file():
                found = re.search(pattern, place.read_text(encoding="utf-8"))
                if found:
                    return found.group(1)
    raise SystemExit(f"lazymar: {folder} does not say which version of torch it is")


def release(version):
    """(2, 11) of "2.11.0+cu130"."""
    return tuple(int(part) for part in re.match(r"(\d+)\.(\d+)", version).groups())


def check_version(version):
    if not OLDEST <= release(version) <= NEWEST:
        oldest, newest = (".".join(map(str, bound)) for bound in (OLDEST, NEWEST))
        raise SystemExit(f"lazymar: torch {version} is not supported; it builds with {oldest} to "
                         f"{newest}: pip install torch=={TESTED}")
