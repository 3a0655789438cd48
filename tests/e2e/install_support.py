"""For tests of what is installed: programs in an empty folder, with other folders hidden."""
import os
import pathlib
import subprocess
import tempfile

from checks import check

ROOT = pathlib.Path.cwd()
DRAW = ["--model", "demo", "--lazy_mar", "--num_images", "2", "--num_iter", "4", "--threads", "1",
        "--device", "cpu"]


def run(*words, **more):
    return subprocess.run([str(word) for word in words], check=False, capture_output=True,
                          text=True, timeout=1200, **more)


def can_hide():
    """Whether this user may mount in a namespace of their own."""
    return run("unshare", "--user", "--map-root-user", "--mount", "true").returncode == 0


def alone(folder, *words, hide=(), env=None):
    """Runs a command in an empty folder in which the given folders are empty, too."""
    work = pathlib.Path(tempfile.mkdtemp(dir=folder))
    empty = pathlib.Path(tempfile.mkdtemp(dir=folder))
    script = "".join(f"mount --bind '{empty}' '{place}' && " for place in hide)
    command = ["bash", "-c", script + 'exec "$@"', "bash", *words]
    if hide:
        command = ["unshare", "--user", "--map-root-user", "--mount", *command]
    return run(*command, cwd=work, env={**os.environ, **(env or {})}), work


def drew(result, work):
    return result.returncode == 0 and len(list(work.glob("output/demo/*/*.png"))) == 2


def example(folder, prefix, what):
    """Builds examples/draw.cpp against an installed lazymar, and runs it."""
    build = pathlib.Path(tempfile.mkdtemp(dir=folder))
    made = run("cmake", "-S", ROOT / "examples", "-B", build, f"-DCMAKE_PREFIX_PATH={prefix}",
               "-DCMAKE_BUILD_TYPE=Release")
    if made.returncode == 0:
        made = run("cmake", "--build", build)
    result, work = alone(folder, build / "draw") if made.returncode == 0 else (made, build)
    check(f"examples/draw.cpp against {what}",
          result.returncode == 0 and len(list(work.glob("image*.ppm"))) == 4, result)
